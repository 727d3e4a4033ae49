//! `docs/POLICY.md` lists the users' tags that the parser reads.
//!
//! `BLESS=1 cargo test --no-default-features --features sim --test policy` writes its table anew.
#![allow(clippy::unwrap_used, reason = "tests")]

use spot_rescue::policy::{KEYS, Key};
use std::fs;

const FILE: &str = "docs/POLICY.md";

#[test]
fn the_tags_table_is_the_one_the_parser_reads() {
    let table: String = KEYS.iter().map(row).collect();
    let text = fs::read_to_string(FILE).unwrap();
    let rows = text.lines().filter(|it| it.starts_with("| `spot-rescue"));
    let written: String = rows.flat_map(|it| [it, "\n"]).collect();
    assert!(!written.is_empty(), "{FILE} has no table of tags");
    if std::env::var_os("BLESS").is_some() {
        fs::write(FILE, text.replace(&written, &table)).unwrap();
    } else {
        assert!(
            written == table,
            "{FILE} is out of date; BLESS=1 writes it anew"
        );
    }
}

fn row(key: &Key) -> String {
    let values = key.values.replace('|', "\\|");
    format!(
        "| `{}` | {values} | {} | {} |\n",
        key.name, key.default, key.meaning
    )
}
