//! Launches with a used token, counted for the instance that was to be replaced: an invocation that still reads the
//! count from before a hand-over must not apply it to the new owner.

use crate::id::InstanceId;

/// How many instances it is remembered for; the oldest entry goes first.
const MOST: usize = 4;

/// As text: `<instance>=<launches>`, the latest last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attempts(Vec<(InstanceId, u32)>);

impl Attempts {
    /// What is not understood is left out.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let entry = |it: &str| {
            let (id, count) = it.split_once('=')?;
            Some((id.parse().ok()?, count.parse().ok()?))
        };
        Self(text.split_whitespace().filter_map(entry).collect())
    }

    #[must_use]
    pub fn text(&self) -> String {
        let entries = self.0.iter().map(|(id, count)| format!("{id}={count}"));
        entries.collect::<Vec<_>>().join(" ")
    }

    #[must_use]
    pub fn of(&self, base: &InstanceId) -> u32 {
        let entry = self.0.iter().find(|(id, _)| id == base);
        entry.map_or(0, |(_, count)| *count)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[must_use]
    pub fn total(&self) -> u32 {
        self.0.iter().map(|(_, count)| count).sum()
    }

    /// One more.
    #[must_use]
    pub fn after(&self, base: &InstanceId) -> Self {
        let count = self.of(base) + 1;
        let others = self.0.iter().filter(|(id, _)| id != base);
        let mut all: Vec<_> = others.cloned().collect();
        all.push((base.clone(), count));
        Self(all.split_off(all.len().saturating_sub(MOST)))
    }

    /// Takes over what is newer. True if anything was.
    pub fn merge(&mut self, other: &Self) -> bool {
        let newer = |(id, count): &&(InstanceId, u32)| *count > self.of(id);
        let newer: Vec<_> = other.0.iter().filter(newer).cloned().collect();
        self.0
            .retain(|(id, _)| newer.iter().all(|(it, _)| it != id));
        self.0.extend(newer.iter().cloned());
        !newer.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u32) -> InstanceId {
        format!("i-{n:017x}").parse().unwrap()
    }

    #[test]
    fn each_instance_has_its_own_count_and_the_oldest_is_forgotten() {
        let attempts = Attempts::default().after(&id(1)).after(&id(2));
        let attempts = attempts.after(&id(1));
        assert_eq!((attempts.of(&id(1)), attempts.of(&id(2))), (2, 1));
        assert_eq!(attempts.of(&id(3)), 0);
        assert_eq!(Attempts::parse(&attempts.text()), attempts);
        let later = (3..6).fold(attempts, |it, n| it.after(&id(n)));
        assert_eq!((later.of(&id(2)), later.of(&id(1))), (0, 2));
    }

    #[test]
    fn only_newer_counts_are_taken_over() {
        let old = Attempts::default().after(&id(1));
        let mut new = old.after(&id(1)).after(&id(2));
        assert!(!new.merge(&old));
        assert_eq!(new.of(&id(1)), 2);
        let mut learnt = old;
        assert!(learnt.merge(&new));
        assert_eq!((learnt.of(&id(1)), learnt.of(&id(2))), (2, 1));
    }
}
