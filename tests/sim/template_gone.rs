//! The launch template, which holds the record, is deleted in the middle of a rescue.

use crate::support::{assert_whole, count, journal, prepared, settle};
use spot_rescue::event::InstanceAction;
use spot_rescue::step::Action;

/// It is made again from the living instance, and goes on.
#[tokio::test]
async fn a_rescue_goes_on_when_its_template_is_deleted() {
    for at in [1, 30, 130] {
        let (world, function, protected) = prepared(90, &[]).await;
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        let _ = world.run_for(&function, at).await;
        world.change(|it| it.templates.clear());
        let _ = world.run_until_quiet(&function).await;
        for _ in 0..8 {
            world.advance(900);
            world.sweep();
            let _ = world.run_until_quiet(&function).await;
        }
        println!("{}", journal(&world));
        settle(&world, &function).await;
        println!("deleted after {at} s");
        assert_whole(&world, &protected);
        let launched = count(&world, |it| matches!(it, Action::Launch(_)));
        assert!(launched <= 2, "{launched} launches\n{}", journal(&world));
    }
}
