//! `spot-rescue backups`: the sets of an instance.

use crate::args::BackupsArgs;
use crate::{errors, print};
use serde_json::json;
use spot_rescue::backup::SetState;
use spot_rescue::clock::{self, Clock, Timestamp, WallClock};
use spot_rescue::restore::{Hands, Offer, find, kept};

pub async fn list(cloud: &dyn Hands, asked: &BackupsArgs) -> Result<(), String> {
    let id = &asked.instance;
    let found = find(cloud, id, asked.any_volume).await;
    let found = found.map_err(|it| errors::told(&format!("listing the backups of {id}"), &it))?;
    if found.offers.is_empty() {
        return Err(format!(
            "there is no backup of {id}; its tag spot-rescue:backup says when one is taken, and the log of BackupFunction what came of it; \
             --any-volume lists sets of volumes that it has no more"
        ));
    }
    if asked.json {
        let kept = kept(&found).into_iter();
        let all = found.offers.iter().zip(kept);
        all.for_each(|(it, kept)| print::line(&object(it, &kept)));
        return Ok(());
    }
    let now = WallClock.now();
    let head = [
        "SET", "TAKEN", "AGE", "KIND", "STATE", "GiB", "DEVICES", "KEPT",
    ];
    let head = head.map(str::to_owned);
    let kept = kept(&found).into_iter();
    let rows = { found.offers.iter().zip(kept) }.map(|(it, kept)| row(it, now, kept));
    print::table(&[head.to_vec()].into_iter().chain(rows).collect::<Vec<_>>());
    found.offers.iter().for_each(strangers);
    Ok(())
}

fn row(offer: &Offer, now: Timestamp, kept: String) -> Vec<String> {
    let set = &offer.set;
    vec![
        set.name.clone(),
        clock::format(set.started),
        age(now - set.started),
        offer.kind.to_string(),
        state(set.state).to_owned(),
        offer.size().to_string(),
        devices(offer).join(" "),
        kept,
    ]
}

fn object(offer: &Offer, kept: &str) -> String {
    let set = &offer.set;
    let line = json!({
        "set": set.name,
        "taken": clock::format(set.started),
        "completed": set.completed.map(clock::format),
        "kind": offer.kind.to_string(),
        "state": state(set.state),
        "gib": offer.size(),
        "devices": devices(offer),
        "snapshots": set.snapshots,
        "strangers": offer.strangers,
        "kept": kept,
    });
    line.to_string()
}

fn devices(offer: &Offer) -> Vec<String> {
    let name = |it: &spot_rescue::restore::Part| {
        it.device.clone().unwrap_or_else(|| it.volume.to_string())
    };
    offer.parts.iter().map(name).collect()
}

fn strangers(offer: &Offer) {
    if !offer.strangers.is_empty() {
        let all: Vec<&str> = offer.strangers.iter().map(|it| it.as_str()).collect();
        print::problem(&format!(
            "{}: {} described as part of it, of a volume that the instance does not have: not used without --any-volume",
            offer.set.name,
            all.join(" ")
        ));
    }
}

pub fn state(of: SetState) -> &'static str {
    match of {
        SetState::Pending => "pending",
        SetState::Completed => "completed",
        SetState::Failed => "failed",
    }
}

fn age(since: time::Duration) -> String {
    let (days, hours, minutes) = (
        since.whole_days(),
        since.whole_hours(),
        since.whole_minutes(),
    );
    match (days, hours) {
        (2.., _) => format!("{days} days"),
        (_, 2..) => format!("{hours} hours"),
        _ => format!("{minutes} minutes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_in_one_unit() {
        for (minutes, told) in [
            (0, "0 minutes"),
            (119, "119 minutes"),
            (120, "2 hours"),
            (47 * 60, "47 hours"),
            (48 * 60, "2 days"),
        ] {
            assert_eq!(age(time::Duration::minutes(minutes)), told);
        }
    }
}
