//! What was foreseen for an instance.

use crate::clock;
use crate::event::Risk;

/// `i-… <when> [<date>]`
#[must_use]
pub fn risk_text(risk: &Risk) -> String {
    let Risk { instance, at, due } = risk;
    let due = due.map(|it| format!(" {}", clock::format(it)));
    format!(
        "{instance} {}{}",
        clock::format(*at),
        due.unwrap_or_default()
    )
}

#[must_use]
pub fn risk_from(text: &str) -> Option<Risk> {
    let mut words = text.split(' ');
    Some(Risk {
        instance: words.next()?.parse().ok()?,
        at: clock::parse(words.next()?).ok()?,
        due: words.next().and_then(|it| clock::parse(it).ok()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_risk_is_read_back_with_its_date_or_without() {
        for text in [
            "i-0123456789abcdef0 2026-11-23T10:00:00Z",
            "i-0123456789abcdef0 2026-11-23T10:00:00Z 2026-12-07T18:00:00Z",
        ] {
            assert_eq!(risk_text(&risk_from(text).unwrap()), text);
        }
        for bad in ["", "i-0123456789abcdef0", "i-0123456789abcdef0 soon"] {
            assert_eq!(risk_from(bad), None, "{bad}");
        }
    }
}
