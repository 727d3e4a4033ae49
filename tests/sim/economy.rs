//! What a rescue costs in calls: EC2 and Elastic Load Balancing grant few a second, to the whole account.

use crate::support::{assert_whole, failing, prepared, settle};
use spot_rescue::event::InstanceAction;

#[tokio::test]
async fn a_single_rescue_takes_about_a_hundred_calls() {
    let (world, _, protected) = prepared(3, &[]).await;
    let function = failing(&world, Vec::new());
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_whole(&world, &protected);
    let calls = function.cloud.calls();
    let all: u64 = calls.values().sum();
    assert!(all <= 105, "{all}: {calls:?}");
}
