//! Why each set stays, or that it goes: what retention says, in the words of a person.

use super::find::Found;
use super::offers::{Kind, Offer};
use crate::backup::{Reason, Set, Untouched, Verdict, decide};
use crate::policy::Policy;
use std::collections::BTreeMap;

/// In the order of the offers.
#[must_use]
pub fn kept(found: &Found) -> Vec<String> {
    let said = said(&found.policy, &found.offers);
    let of = |it: &Offer| match it.kind {
        Kind::Rescue => "for a day after the rescue".to_owned(),
        Kind::Backup => said.get(&it.set.name).cloned().unwrap_or_default(),
    };
    found.offers.iter().map(of).collect()
}

fn said(policy: &Policy, offers: &[Offer]) -> BTreeMap<String, String> {
    let backups = offers.iter().filter(|it| it.kind == Kind::Backup);
    // Retention is asked about the oldest first.
    let mut sets: Vec<Set> = backups.map(|it| it.set.clone()).collect();
    sets.reverse();
    let (Some(schedule), Some(retention)) = (&policy.backup.value, &policy.retain.value) else {
        let all = sets.into_iter();
        return all.map(|it| (it.name, "all are".to_owned())).collect();
    };
    let verdicts = decide(retention, schedule.zone(), &sets);
    let names = sets.into_iter().map(|it| it.name);
    names.zip(verdicts.iter().map(told)).collect()
}

fn told(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Kept(reasons) => {
            let reasons: Vec<String> = reasons.iter().map(Reason::to_string).collect();
            reasons.join(", ")
        }
        Verdict::Goes => "not: it goes with the next run".to_owned(),
        Verdict::Untouched(Untouched::Pending) => "until it is complete".to_owned(),
        Verdict::Untouched(Untouched::Failed) => "until you delete it".to_owned(),
    }
}
