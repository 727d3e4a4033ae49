//! The README tells the truth about the tags: its table is the parser's own.
#![allow(clippy::unwrap_used, reason = "tests")]

use spot_rescue::policy::KEYS;

#[test]
fn the_tags_table_is_the_one_the_parser_reads() {
    let row = |key: &spot_rescue::policy::Key| {
        let values = key.values.replace('|', "\\|");
        format!(
            "| `{}` | {values} | {} | {} |",
            key.name, key.default, key.meaning
        )
    };
    let table: Vec<String> = KEYS.iter().map(row).collect();
    let readme = std::fs::read_to_string("README.md").unwrap();
    assert!(
        readme.contains(&table.join("\n")),
        "README.md lacks this table:\n{}",
        table.join("\n")
    );
}
