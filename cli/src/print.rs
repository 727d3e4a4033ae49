//! What goes to the terminal. Tags and names are other people's text: it can move no cursor and set no colour.

/// Without control characters, and without those that change the direction of text.
pub fn clean(text: &str) -> String {
    let shown = |it: char| {
        let turns = matches!(it, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if it.is_control() || turns {
            '\u{fffd}'
        } else {
            it
        }
    };
    text.chars().map(shown).collect()
}

/// A line of the answer.
pub fn line(text: &str) {
    println!("{}", clean(text));
}

/// Why it came to nothing, and what to do.
pub fn problem(text: &str) {
    eprintln!("spot-rescue: {}", clean(text));
}

/// Columns as wide as their widest word.
pub fn table(rows: &[Vec<String>]) {
    for row in aligned(rows) {
        line(&row);
    }
}

fn aligned(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |n: usize| {
        let words = rows.iter().filter_map(|it| it.get(n));
        words.map(|it| it.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let joined = |row: &Vec<String>| {
        let words = row.iter().zip(&widths);
        let words: Vec<String> = words.map(|(it, width)| format!("{it:<width$}")).collect();
        words.join("  ").trim_end().to_owned()
    };
    rows.iter().map(joined).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_can_steer_the_terminal() {
        for (text, shown) in [
            ("plain, ünïcode: 磁盤", "plain, ünïcode: 磁盤"),
            ("\x1b[2Jgone", "\u{fffd}[2Jgone"),
            ("a\r\nb\tc\x07", "a\u{fffd}\u{fffd}b\u{fffd}c\u{fffd}"),
            ("\u{9b}31m", "\u{fffd}31m"),
            ("\u{202e}gnp.exe", "\u{fffd}gnp.exe"),
        ] {
            assert_eq!(clean(text), shown);
        }
    }

    #[test]
    fn columns_stand_below_each_other() {
        let rows = [vec!["a", "long", "x"], vec!["bcd", "e"]];
        let rows = rows.map(|it| it.into_iter().map(str::to_owned).collect());
        assert_eq!(aligned(&rows), ["a    long  x", "bcd  e"]);
    }
}
