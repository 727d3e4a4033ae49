//! `docs/PARITY.md` is made of the table, and the caveats are those that the table names. Whether the table is
//! complete, `local/tests/test_parity.py` finds out from the service's own model.
//!
//! `BLESS=1 cargo test --no-default-features --features sim --test parity` writes it anew.
#![allow(clippy::unwrap_used, reason = "tests")]

use spot_rescue::parity::{Fate, ROWS, Row};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;

const FILE: &str = "docs/PARITY.md";

const HEAD: &str = "\
# How like the original a replacement is

Everything EC2 describes of an instance, and what becomes of it. *carried*: the replacement has it. *told*: it has not,
and the caveats say so when a rescue is prepared, while there is time. *differs*: by intent, and why. Setting for setting
by `GetLaunchTemplateData`, unless something else is said; what fits one type only is carried to that type only.

";

#[test]
fn the_file_is_what_the_table_makes_of_it() {
    let mut text = HEAD.to_owned();
    for rows in ROWS {
        let shape = rows[0].shape;
        writeln!(
            text,
            "## `{shape}`\n\n| member | in a replacement | how, or why not |\n|---|---|---|"
        )
        .unwrap();
        for row in *rows {
            assert_eq!(row.shape, shape);
            writeln!(text, "{}", line(row)).unwrap();
        }
        text.push('\n');
    }
    let text = format!("{}\n", text.trim_end());
    if std::env::var_os("BLESS").is_some() {
        fs::write(FILE, &text).unwrap();
    }
    let written = fs::read_to_string(FILE).unwrap_or_default();
    assert!(
        written == text,
        "{FILE} is out of date; BLESS=1 writes it anew"
    );
}

fn line(row: &Row) -> String {
    let fate = match row.fate {
        Fate::Carried => "carried",
        Fate::Told(_) => "told",
        Fate::Differs => "differs",
    };
    format!("| `{}` | {fate} | {} |", row.member, row.says)
}

#[test]
fn every_row_is_there_once_and_in_order() {
    for rows in ROWS {
        let members: Vec<&str> = rows.iter().map(|it| it.member).collect();
        let sorted: BTreeSet<&str> = members.iter().copied().collect();
        assert_eq!(members, Vec::from_iter(sorted));
        assert!(rows.iter().all(|it| !it.says.is_empty()));
    }
}

/// Rows marked as reported are reported.
#[test]
fn reported_rows_stand_in_the_caveats() {
    let files = ["course/caveats", "course/unlike", "network/router"];
    let files = files.map(|it| format!("src/plan/{it}.rs"));
    let said: String = files.map(|it| fs::read_to_string(it).unwrap()).concat();
    // A sentence may span two lines.
    let joined: Vec<&str> = said.split_whitespace().filter(|it| *it != "\\").collect();
    let joined = joined.join(" ");
    for row in ROWS.iter().copied().flatten() {
        if let Fate::Told(words) = row.fate {
            assert!(joined.contains(words), "{}: {words}", row.member);
        }
    }
}
