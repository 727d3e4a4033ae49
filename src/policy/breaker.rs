//! `spot-rescue:breaker`: how many interruptions are too many. `spot-rescue:pool-rest`: how soon a pool
//! without capacity is asked again. `spot-rescue:return-to-spot`: how long On-Demand stands in.

use crate::record::MOST_REMEMBERED;
use std::fmt;
use time::Duration;

/// So many interruptions of one lineage within the window put On-Demand first, until fewer are within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Breaker {
    pub interruptions: usize,
    pub window: Duration,
}

/// Three within an hour are taken for more than chance.
pub const DEFAULT: Breaker = Breaker {
    interruptions: 3,
    window: Duration::hours(1),
};

/// `3/1h`; `off` is None.
pub fn parse(text: &str) -> Result<Option<Breaker>, ()> {
    if text == "off" {
        return Ok(None);
    }
    let (interruptions, window) = text.split_once('/').ok_or(())?;
    let breaker = Breaker {
        interruptions: interruptions.parse().map_err(drop)?,
        window: duration(window).ok_or(())?,
    };
    let sensible = (1..=MOST_REMEMBERED).contains(&breaker.interruptions)
        && (Duration::MINUTE..=Duration::DAY).contains(&breaker.window);
    sensible.then_some(Some(breaker)).ok_or(())
}

/// How long a pool without capacity is left alone.
pub fn rest(text: &str) -> Result<Duration, ()> {
    let rest = duration(text).ok_or(())?;
    let sensible = (Duration::seconds(5)..=Duration::HOUR).contains(&rest);
    sensible.then_some(rest).ok_or(())
}

/// How long an On-Demand Instance stands in: `never` is None.
pub fn stands_in(text: &str) -> Result<Option<Duration>, ()> {
    if text == "never" {
        return Ok(None);
    }
    let time = duration(text).ok_or(())?;
    let sensible = (Duration::MINUTE..=Duration::days(365)).contains(&time);
    sensible.then_some(Some(time)).ok_or(())
}

/// `30s`, `45m`, `1h`, `1d`.
fn duration(text: &str) -> Option<Duration> {
    let unit = text.chars().next_back().filter(char::is_ascii)?;
    let number: u16 = text[..text.len() - 1].parse().ok()?;
    let number = i64::from(number);
    match unit {
        's' => Some(Duration::seconds(number)),
        'm' => Some(Duration::minutes(number)),
        'h' => Some(Duration::hours(number)),
        'd' => Some(Duration::days(number)),
        _ => None,
    }
}

impl fmt::Display for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            interruptions,
            window,
        } = self;
        let minutes = window.whole_minutes();
        write!(f, "{interruptions} interruptions within {minutes} minutes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rest_is_seconds_to_an_hour() {
        assert_eq!(rest("3m"), Ok(Duration::minutes(3)));
        for bad in ["", "0s", "4s", "2h", "s", "3"] {
            assert_eq!(rest(bad), Err(()), "{bad}");
        }
    }

    #[test]
    fn a_stand_in_stays_for_a_minute_to_a_year_or_for_ever() {
        assert_eq!(stands_in("never"), Ok(None));
        assert_eq!(stands_in("12h"), Ok(Some(Duration::hours(12))));
        for bad in ["", "12", "0h", "30s", "366d", "ever"] {
            assert_eq!(stands_in(bad), Err(()), "{bad}");
        }
    }

    #[test]
    fn a_breaker_is_a_number_and_a_window() {
        assert_eq!(parse("3/1h"), Ok(Some(DEFAULT)));
        assert_eq!(parse("off"), Ok(None));
        let bad = [
            "", "3", "0/1h", "11/1h", "3/", "3/h", "3/1y", "3/2d", "-1/1h",
        ];
        for bad in bad.into_iter().chain(["3/1\u{fc}", "3/\u{fc}"]) {
            assert_eq!(parse(bad), Err(()), "{bad}");
        }
    }
}
