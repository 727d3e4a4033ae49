//! Refused launches, over all codes that the table of refusals knows and one that it does not: another way is tried
//! where there is one, few calls are made, and all is whole again soon after the cause is mended.

use crate::support::{assert_whole, count, journal, missing, prepared};
use spot_rescue::clock::{Clock, Timestamp};
use spot_rescue::cloud::launching::{Scope, codes, meaning};
use spot_rescue::event::InstanceAction;
use spot_rescue::sim::{Launches, Protected, World};
use spot_rescue::situation::Market;
use spot_rescue::step::Action;

/// Which launches are refused. In all other ways there is capacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// In the instance's own; the policy names another.
    Subnet,
    Spot,
    Both,
}

/// Where the refusal stands, and whether its token remembers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Inside,
    OnTop,
    OnTopRemembered,
}

/// The required result of a code that rules out so much.
struct Row {
    scope: Scope,
    /// Seconds until the way that is left is used. None where there is no such refusal: a quota is one of the whole
    /// Region, a subnet is full for both markets.
    subnet: Option<i64>,
    spot: Option<i64>,
    /// Seconds until a replacement is launched after everything was refused and is mended.
    mended: i64,
    /// The most launch calls within two hours while everything is refused.
    calls: usize,
}

/// The wakes have ended by then, or come rarely: the sweep goes on.
const NEXT_SWEEP: i64 = 900;
const TABLE: [Row; 7] = [
    row(Scope::Pool, Some(5), Some(5), NEXT_SWEEP, 80),
    row(Scope::Subnet, Some(5), None, NEXT_SWEEP, 14),
    row(Scope::Quota, None, Some(5), NEXT_SWEEP, 80),
    row(Scope::Market, None, Some(30), NEXT_SWEEP, 26),
    row(Scope::Denied, Some(60), Some(30), NEXT_SWEEP, 26),
    row(Scope::Request, Some(130), Some(65), NEXT_SWEEP, 26),
    row(Scope::Unknown, Some(60), Some(30), NEXT_SWEEP, 80),
];
/// Where another way is open: one for each way, and one without what the type may not take.
const FEW: usize = 4;

const fn row(
    scope: Scope,
    subnet: Option<i64>,
    spot: Option<i64>,
    mended: i64,
    calls: usize,
) -> Row {
    Row {
        scope,
        subnet,
        spot,
        mended,
        calls,
    }
}

/// Every code with the required result. Those about tokens are answered to tokens only.
fn all() -> impl Iterator<Item = (String, &'static Row)> {
    let unknown = std::iter::once("SomethingNew".to_owned());
    let all = codes().chain(unknown);
    let launches = all.filter(|it| meaning(it).scope != Scope::Token);
    launches.map(|code| {
        let scope = meaning(&code).scope;
        let row = TABLE.iter().find(|it| it.scope == scope);
        (code, row.expect("a row for each scope"))
    })
}

struct Played {
    world: World,
    protected: Protected,
    /// Seconds from the interruption to the launch that succeeded.
    launched: Option<i64>,
    calls: usize,
    said: String,
}

const MENDED: i64 = 1200;

/// Two hours with a sweep every quarter of an hour, the cause mended after twenty minutes or never.
async fn play(code: &str, reach: Reach, how: How, mended: bool) -> Played {
    let (world, function, protected) = prepared(1, &[]).await;
    world.change(|it| it.config.tokens_keep_refusals = how == How::OnTopRemembered);
    let of = refused(&world, &protected, reach);
    match how {
        How::Inside => world.refuse_launches(of, code),
        How::OnTop | How::OnTopRemembered => world.refuse_requests(of, code),
    }
    let began = world.now();
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, MENDED).await;
    if mended {
        world.mend_launches();
    }
    for _ in 0..8 {
        let _ = world.run_for(&function, 750).await;
        world.sweep();
    }
    let launched = launched(&world).map(|it| (it - began).whole_seconds());
    let calls = count(&world, |it| matches!(it, Action::Launch(_)));
    let said = format!("{code} {reach:?} {how:?}, mended: {mended}; {calls} calls");
    Played {
        world,
        protected,
        launched,
        calls,
        said,
    }
}

fn refused(world: &World, protected: &Protected, reach: Reach) -> Launches {
    let facts = world.look(|it| it.instances[&protected.instance].facts.clone());
    match reach {
        Reach::Both => Launches::All,
        Reach::Spot => Launches::Of(Market::Spot),
        Reach::Subnet => {
            let elsewhere = world.subnet("eu-west-1b");
            let tag = ("spot-rescue:subnets", elsewhere.as_str());
            world.retag(protected.instance.as_str(), &[tag]);
            Launches::In(facts.subnet.expect("it runs in one"))
        }
    }
}

/// When the launch that EC2 accepted was requested.
fn launched(world: &World) -> Option<Timestamp> {
    world.look(|it| {
        let mut all = it.journal.iter();
        let taken = all.find(|it| matches!(it.action, Action::Launch(_)) && it.outcome.is_ok());
        taken.map(|it| it.at)
    })
}

impl Played {
    fn launched_within(&self, seconds: i64, calls: usize) {
        let text = || format!("{}\n{}", self.said, journal(&self.world));
        let launched = self.launched.is_some_and(|it| it <= seconds);
        assert!(launched, "{:?} {}", self.launched, text());
        assert!(self.calls <= calls, "{}", text());
        assert_whole(&self.world, &self.protected);
    }
}

async fn each(codes: impl Iterator<Item = (String, i64)>, reach: Reach) {
    for (code, soon) in codes {
        for mended in [true, false] {
            let played = play(&code, reach, How::Inside, mended).await;
            played.launched_within(soon, FEW);
        }
    }
}

#[tokio::test]
async fn a_launch_refused_in_one_subnet_is_tried_in_another() {
    let codes = all().filter_map(|(code, row)| Some((code, row.subnet?)));
    each(codes, Reach::Subnet).await;
}

#[tokio::test]
async fn a_launch_refused_as_spot_is_tried_on_demand() {
    let codes = all().filter_map(|(code, row)| Some((code, row.spot?)));
    each(codes, Reach::Spot).await;
}

async fn refused_everywhere(code: &str, row: &Row, how: How) {
    let mended = play(code, Reach::Both, how, true).await;
    mended.launched_within(MENDED + row.mended, row.calls);
    let never = play(code, Reach::Both, how, false).await;
    assert!(!missing(&never.world, &never.protected).is_empty());
    let calls = never.calls;
    let asked = (2..=row.calls).contains(&calls);
    assert!(asked, "{}\n{}", never.said, journal(&never.world));
}

/// TRAP 43: the answer is remembered with the token, and the key pair is back.
#[tokio::test]
async fn a_launch_refused_everywhere_is_tried_now_and_then_until_it_is_mended() {
    for (code, row) in all() {
        refused_everywhere(&code, row, How::Inside).await;
    }
}

/// Whether a token remembers what was refused as a whole is not documented.
#[tokio::test]
async fn a_request_refused_as_a_whole_is_like_any_other() {
    for row in &TABLE {
        let (code, _) = all().find(|it| it.1.scope == row.scope).expect("a code");
        for how in [How::OnTop, How::OnTopRemembered] {
            refused_everywhere(&code, row, how).await;
            if let Some(soon) = row.spot {
                let spot = play(&code, Reach::Spot, how, false).await;
                spot.launched_within(soon, FEW);
            }
        }
    }
}
