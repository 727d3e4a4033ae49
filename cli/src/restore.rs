//! `spot-rescue restore`: volumes of a set, free or attached.

use crate::args::RestoreArgs;
use crate::progress::Progress as Shown;
use crate::{errors, print};
use spot_rescue::backup::SetState;
use spot_rescue::clock::{Clock, WallClock};
use spot_rescue::cloud::{Class, CloudError};
use spot_rescue::id::VolumeId;
use spot_rescue::restore::{Found, Hands, Kind, Next, Offer, Order, Progress, Run, To, find};
use spot_rescue::step::token;
use std::time::{Duration, Instant};

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(3);

pub async fn restore(cloud: &dyn Hands, asked: &RestoreArgs) -> Result<(), String> {
    let id = &asked.instance;
    let found = find(cloud, id, asked.any_volume).await;
    let found = found.map_err(|it| errors::told(&format!("looking for backups of {id}"), &it))?;
    let order = order(asked, &found)?;
    let name = order.offer.set.name.clone();
    print::line(&format!(
        "restoring {name}, {} volumes",
        order.offer.parts.len()
    ));
    let mut run = Run::new(cloud, order);
    let told = |it: CloudError| {
        let told = errors::told(&format!("restoring {name}"), &it);
        format!("{told}; nothing is lost, and the same command goes on with it")
    };
    if asked.dry_run {
        return foreseen(run.foreseen().await.map_err(told)?);
    }
    let volumes = play(&mut run, asked, told).await?;
    for (device, volume) in volumes {
        print::line(&format!("{device} is {volume}"));
    }
    Ok(())
}

/// Look after look, until it is done. What may pass is tried again.
async fn play(
    run: &mut Run<'_>,
    asked: &RestoreArgs,
    told: impl Fn(CloudError) -> String,
) -> Result<Vec<(String, VolumeId)>, String> {
    let until = Instant::now() + Duration::from_secs(60 * u64::from(asked.minutes));
    let mut shown = Shown::begin();
    loop {
        match run.look().await {
            Ok(Progress::Done(volumes)) => return Ok(volumes),
            Ok(Progress::Refused(why)) => return Err(why),
            Ok(Progress::Called(calls)) => {
                for (call, answer) in calls {
                    shown.did(format!("{call} {answer}").trim_end());
                }
            }
            Ok(Progress::Waits(what)) => shown.waits(&what),
            Err(error) if error.class == Class::Transient => shown.waits(&error.to_string()),
            Err(error) => return Err(told(error)),
        }
        if Instant::now() > until {
            let minutes = asked.minutes;
            return Err(format!(
                "not done after {minutes} minutes; nothing is lost, and the same command goes on with it"
            ));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn foreseen(next: Next) -> Result<(), String> {
    match next {
        Next::Refused(why) => return Err(why),
        Next::Calls(calls) => {
            for call in calls {
                print::line(&format!("would {call}"));
            }
        }
        Next::Wait(what) => print::line(&format!("would wait for {what}")),
        Next::Done(volumes) => {
            for (device, volume) in volumes {
                print::line(&format!(
                    "{device} is {volume} already; --again makes a new one"
                ));
            }
        }
    }
    Ok(())
}

fn order(asked: &RestoreArgs, found: &Found) -> Result<Order, String> {
    let offer = wanted(asked, chosen(asked, found)?)?;
    let to = place(asked, found)?;
    let now = WallClock.now();
    let attempt = now.unix_timestamp_nanos().to_string();
    let keep = time::Duration::days(i64::from(asked.keep_days));
    let place = format!("{to:?}");
    let mut parts = vec![offer.set.name.as_str(), &place];
    if asked.again {
        parts.push(&attempt);
    }
    Ok(Order {
        run: token(&parts),
        attempt,
        to,
        in_place: asked.in_place.then(|| now + keep),
        rate: asked.rate,
        offer,
    })
}

fn chosen(asked: &RestoreArgs, found: &Found) -> Result<Offer, String> {
    let id = &asked.instance;
    let is_wanted = |it: &&Offer| match &asked.set {
        Some(name) => it.set.name == *name,
        None => it.kind == Kind::Backup && it.set.state == SetState::Completed,
    };
    let offer = found.offers.iter().find(is_wanted).cloned();
    offer.ok_or_else(|| match &asked.set {
        Some(name) => format!("{id} has no set {name}; `spot-rescue backups {id}` lists them"),
        None => format!("{id} has no complete backup; `spot-rescue backups {id}` lists all sets"),
    })
}

/// The devices that were named, or all but the root.
fn wanted(asked: &RestoreArgs, offer: Offer) -> Result<Offer, String> {
    if !asked.device.is_empty() {
        return offer.only(&asked.device.iter().cloned().collect());
    }
    let parts = offer.parts.into_iter().filter(|it| asked.root || !it.root);
    Ok(Offer {
        parts: parts.collect(),
        ..offer
    })
}

fn place(asked: &RestoreArgs, found: &Found) -> Result<To, String> {
    if let Some(id) = &asked.to {
        return Ok(To::Instance(id.clone()));
    }
    let zone = found.owner.as_ref().map(|it| it.availability_zone.clone());
    let zone = asked.zone.clone().or(zone);
    zone.map(To::Zone)
        .ok_or_else(|| format!("{} is gone: say where, with --zone or --to", asked.instance))
}
