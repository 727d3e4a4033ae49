//! How soon the next look is, while the old instance runs out its two minutes. No volume can move before it ends, and
//! `EventBridge` sends an event for each state of an instance. Events are best effort, so a look comes just before the
//! end, and then every few seconds.

use crate::clock::Timestamp;
use crate::event::Interruption;

/// Seconds between the warning and the end.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html>
const NOTICE: i64 = 120;

const OFTEN: i64 = 5;

/// While the replacement boots and its volumes are still held.
const NOW_AND_THEN: i64 = 30;

/// While a replacement boots that waits for no volume: an event tells when it runs.
const BOOT: i64 = 10;

/// While a stand-in ends that is replaced by Spot.
const GIVEN: i64 = 15;

fn left(interruption: &Interruption, now: Timestamp) -> i64 {
    NOTICE - (now - interruption.at).whole_seconds()
}

fn seconds(of: i64) -> u16 {
    u16::try_from(of.clamp(OFTEN, NOTICE)).unwrap_or_default()
}

/// Seconds until the interrupted instance may have released its volumes. A stand-in that is replaced by Spot is
/// terminated by the function, and nothing tells how long that takes.
#[must_use]
pub fn release(interruption: &Interruption, now: Timestamp) -> u16 {
    if interruption.is_ours() {
        return seconds(GIVEN);
    }
    let left = left(interruption, now);
    seconds(if left > OFTEN {
        left - OFTEN
    } else {
        left + OFTEN
    })
}

/// Seconds until the replacement may run. While its volumes are held, nothing depends on that.
#[must_use]
pub fn boot(interruption: &Interruption, held: bool, now: Timestamp) -> u16 {
    if left(interruption, now) < NOW_AND_THEN {
        return seconds(OFTEN);
    }
    seconds(if held { NOW_AND_THEN } else { BOOT })
}

/// Seconds until a launch is asked again for what it has launched: its answer may come any moment, or, if it was sent for
/// a version that has gone, not at all.
#[must_use]
pub fn answer(launched: Timestamp, now: Timestamp) -> u16 {
    let is_young = (now - launched).whole_seconds() < NOW_AND_THEN;
    seconds(if is_young { OFTEN } else { NOW_AND_THEN })
}

/// Seconds until the sooner of the two.
#[must_use]
pub fn soonest(interruption: &Interruption, boots: bool, held: bool, now: Timestamp) -> u16 {
    let boot = boots.then(|| boot(interruption, held, now));
    let release = held.then(|| release(interruption, now));
    { boot.into_iter().chain(release) }.min().unwrap_or(5)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::InstanceAction;

    #[test]
    fn the_next_look_is_just_before_the_end_and_then_often() {
        let at = Timestamp::UNIX_EPOCH;
        let instance = "i-0123456789abcdef0".parse().expect("an id");
        let mut interruption = Interruption {
            instance,
            action: InstanceAction::Terminate,
            at,
        };
        let after = |seconds| at + time::Duration::seconds(seconds);
        let table = [
            (0, 115, 30),
            (60, 55, 30),
            (95, 20, 5),
            (115, 10, 5),
            (125, 5, 5),
            (3600, 5, 5),
        ];
        for (seconds, until_release, until_boot) in table {
            assert_eq!(release(&interruption, after(seconds)), until_release);
            assert_eq!(boot(&interruption, true, after(seconds)), until_boot);
        }
        assert_eq!(boot(&interruption, false, at), 10);
        // Clocks differ, and a message may have the date of tomorrow.
        assert_eq!(release(&interruption, after(-3600)), 120);
        interruption.action = InstanceAction::Return;
        assert_eq!(release(&interruption, at), 15);
    }
}
