//! Our own messages come back through a queue that others may be allowed to write to.

use super::Key;
use crate::clock::Timestamp;
use crate::event::own::text;
use crate::event::{Memory, Proof, Wake};
use time::Duration;

/// A message waits fifteen minutes at most, and is then delivered again for twelve; one that is much older was held
/// back.
const LASTS: Duration = Duration::minutes(45);

/// The wake, to be sent.
pub fn seal(key: &Key, wake: &Wake, now: Timestamp) -> Wake {
    let mut wake = Wake {
        sent: Some(now),
        proof: None,
        ..wake.clone()
    };
    let over = text(&wake);
    let code = key.code(&["wake", &over]);
    wake.proof = Some(Proof { code, over });
    wake
}

/// The part of a wake that may be believed. The warnings in one without a seal count as much as an event; the rest of
/// its memory, and its number of looks, only the function itself can know.
#[must_use]
pub fn believed(key: Option<&Key>, wake: &Wake, now: Timestamp) -> Wake {
    let fits = |key: &Key, proof: &Proof| key.fits(&["wake", &proof.over], &proof.code);
    let sealed = matches!((key, &wake.proof), (Some(key), Some(proof)) if fits(key, proof));
    let recent = |sent: Timestamp| (-Duration::MINUTE..LASTS).contains(&(now - sent));
    if sealed && wake.sent.is_some_and(recent) {
        return wake.clone();
    }
    tracing::warn!(instance = %wake.instance, "a wake without our seal is only taken for a look");
    Wake {
        attempt: 0,
        memory: Memory {
            interruptions: wake.memory.interruptions.clone(),
            ..Memory::default()
        },
        ..wake.clone()
    }
}
