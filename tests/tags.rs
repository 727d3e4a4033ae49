//! `docs/TAGS.md` lists the tags of the code.
//!
//! `BLESS=1 cargo test --no-default-features --features sim --test tags` writes it anew.
#![allow(clippy::unwrap_used, reason = "tests")]

use spot_rescue::tags::{Form, KEYS, Key, Life, On, Since};
use std::fmt::Write;
use std::fs;

const FILE: &str = "docs/TAGS.md";

const HEAD: &str = "\
# Tags that the function writes

Each but `recycle` has its value and a seal behind it (` @` and sixteen characters), so that only the function can write one; the seals of
`rescue` and `group`, by which AWS is asked, and of values without room for it are tags of their own (`…-seal`). A key
with `-n` is a list: `-1`, `-2`, … The tags that *you* write are in
[POLICY.md](POLICY.md).

A resource takes 50 tags. Where there is no room for all of the function's, some are left out, in a fixed order, and the
caveats of the instance say which.

- A *lineage* is a protected instance and the replacements that took over from it; its id is the id of its first instance.
- The *head* is the instance of a lineage that owns disks, targets and addresses now.
- A *tombstone* is the note that an instance is being interrupted: which one, when and how. It outlives the instance.
- A *prepared rescue* is the launch template of a lineage. Its tags are the *record*: what must be known once EC2 no longer
  shows the instance.

";

const LIVES: &str = "\
## When each is written, read and removed

Another principal that may call `CreateTags` can write any of these keys. Without its seal a value is not believed, and the
next look reports it. What remains is a value that the function wrote on the same resource before: the last column says what
follows if it is put back.

| tag | written | read | gone | an old value put back |
|---|---|---|---|---|
";

#[test]
fn the_file_is_what_the_table_makes_of_it() {
    let mut text = HEAD.to_owned();
    for (title, since) in [
        ("While all is well", Since::Always),
        ("In a rescue", Since::Rescue),
    ] {
        writeln!(
            text,
            "## {title}\n\n| tag | on | what it says |\n|---|---|---|"
        )
        .unwrap();
        for key in KEYS
            .iter()
            .filter(|it| it.since == since && !it.on.contains(&On::Nowhere))
        {
            writeln!(text, "{}", row(key)).unwrap();
        }
        text.push('\n');
    }
    text.push_str(LIVES);
    for key in KEYS {
        if let Some(life) = &key.life {
            let Life {
                written,
                read,
                gone,
                put_back,
            } = life;
            writeln!(
                text,
                "| {} | {written} | {read} | {gone} | {put_back} |",
                name(key)
            )
            .unwrap();
        }
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

fn row(key: &Key) -> String {
    let on: Vec<&str> = key.on.iter().map(|it| word(*it)).collect();
    let says: Vec<&str> = key.says.iter().map(|it| it.trim()).collect();
    format!("| {} | {} | {} |", name(key), on.join(", "), says.join(" "))
}

fn name(key: &Key) -> String {
    let list = if key.form == Form::List { "-n" } else { "" };
    format!("`{}{list}`", key.name)
}

fn word(on: On) -> &'static str {
    match on {
        On::Instance => "instance",
        On::LaunchTemplate => "launch template",
        On::Volume => "volume",
        On::Snapshot => "snapshot",
        On::Image => "image",
        On::Interface => "network interface",
        On::Nowhere => "",
    }
}
