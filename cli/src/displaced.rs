//! `spot-rescue displaced`: what restores in place have detached and kept.

use crate::args::DisplacedArgs;
use crate::{errors, print};
use spot_rescue::clock::{self, Clock, WallClock};
use spot_rescue::cloud::Query;
use spot_rescue::restore::{Hands, KEPT_UNTIL};
use spot_rescue::situation::Volume;
use spot_rescue::step::Action;

pub async fn list(cloud: &dyn Hands, asked: &DisplacedArgs) -> Result<(), String> {
    let kept = cloud.volumes(&Query::TagKey(KEPT_UNTIL)).await;
    let kept = kept.map_err(|it| errors::told("listing displaced volumes", &it))?;
    let now = WallClock.now();
    for volume in kept {
        let over = until(&volume).is_some_and(|it| it <= now);
        print::line(&told(&volume, over));
        // One that is attached is in use again.
        if asked.delete && over && volume.is_free() {
            delete(cloud, &volume).await?;
        }
    }
    Ok(())
}

async fn delete(cloud: &dyn Hands, volume: &Volume) -> Result<(), String> {
    let id = &volume.id;
    let action = Action::DeleteVolume { volume: id.clone() };
    let answer = cloud.act(&action).await;
    answer.map_err(|it| errors::told(&format!("deleting {id}"), &it))?;
    print::line(&format!("{id} is deleted"));
    Ok(())
}

fn until(volume: &Volume) -> Option<clock::Timestamp> {
    clock::parse(volume.tags.get(KEPT_UNTIL)?).ok()
}

fn told(volume: &Volume, over: bool) -> String {
    let id = &volume.id;
    let size = volume.settings.size;
    let until = volume.tags.get(KEPT_UNTIL).map_or("", String::as_str);
    let state = match (volume.is_free(), over) {
        (false, _) => "it is attached",
        (true, true) => "its time is over",
        (true, false) => "it is kept",
    };
    format!("{id}, {size} GiB, kept until {until}: {state}")
}
