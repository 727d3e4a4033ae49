//! Plan x Cloud -> Report. Makes no choices: a step starts as soon as those named in its `after` are settled and no
//! other step is writing the same tags; a failing step never stops an independent one.

mod job;
mod queue;

use crate::calls::Calls;
use crate::cloud::{Class, CloudError};
use crate::plan::Plan;
use crate::report::{StepOutcome, StepReport};
use crate::step::{Action, Step};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use job::Job;
use queue::Queue;
use std::time::Duration;
use tokio::time::Instant;

/// What this invocation has done already: describes are eventually consistent, so a step may be
/// planned again a moment after it succeeded. It is not repeated.
#[derive(Debug, Default)]
pub struct Done(Vec<Action>);

impl Done {
    #[must_use]
    pub fn contains(&self, action: &Action) -> bool {
        self.0.contains(action)
    }
}

/// The time the invocation still has.
struct Time {
    started: Instant,
    left: Duration,
}

impl Time {
    fn left(&self) -> Duration {
        self.left.saturating_sub(self.started.elapsed())
    }
}

/// Runs the steps not done before. `left` is the time the invocation still has.
pub async fn execute(
    plan: &Plan,
    calls: &Calls<'_>,
    done: &mut Done,
    left: Duration,
) -> Vec<StepReport> {
    let started = Instant::now();
    let time = &Time { started, left };
    let open = plan.steps.iter().filter(|it| !done.contains(&it.action));
    let mut queue = Queue::of(open);
    let mut under_way = FuturesUnordered::new();
    loop {
        let ready = queue.ready().into_iter();
        under_way.extend(ready.map(|job| run(job, calls, time)));
        let Some((job, outcome)) = under_way.next().await else {
            break;
        };
        queue.finish(&job, outcome);
    }
    let reports = queue.end();
    remember(plan, &reports, done);
    reports
}

async fn run<'a>(job: Job<'a>, calls: &Calls<'_>, time: &Time) -> (Job<'a>, StepOutcome) {
    let outcome = match &job.not_done {
        Some(why) => StepOutcome::Skipped { why: why.clone() },
        None => send(job.action(), calls, time.left()).await,
    };
    (job, outcome)
}

async fn send(action: &Action, calls: &Calls<'_>, left: Duration) -> StepOutcome {
    if let Action::Rehearse(_) = action {
        return rehearse(action, calls, left).await;
    }
    let budget = action.budget().min(left);
    match tokio::time::timeout(budget, calls.act(action)).await {
        Ok(Ok(what)) => StepOutcome::Done { what },
        Ok(Err(error)) if error.class == Class::AlreadyDone => {
            StepOutcome::AlreadyDone { why: error.code }
        }
        Ok(Err(error)) => StepOutcome::Failed(error),
        Err(_) => StepOutcome::OutOfTime,
    }
}

/// Every answer to a rehearsal is a result: no change was to be made.
async fn rehearse(action: &Action, calls: &Calls<'_>, left: Duration) -> StepOutcome {
    let budget = action.budget().min(left);
    match tokio::time::timeout(budget, calls.act(action)).await {
        Ok(Ok(what)) => StepOutcome::Done { what },
        Ok(Err(error)) => StepOutcome::Foretold(error),
        Err(_) => StepOutcome::Foretold(CloudError::no_answer("DryRun")),
    }
}

fn remember(plan: &Plan, reports: &[StepReport], done: &mut Done) {
    let succeeded = |step: &&Step| {
        reports
            .iter()
            .any(|it| it.id == step.id && it.outcome.succeeded())
    };
    done.0.extend(
        plan.steps
            .iter()
            .filter(succeeded)
            .map(|it| it.action.clone()),
    );
}

#[cfg(all(test, feature = "sim"))]
mod tests {
    use super::*;
    use crate::sim::{FailingCloud, Fault, Kind, On, World};
    use crate::tags::Tags;

    fn tag(id: &str, resource: &str) -> Step {
        let action = Action::Tag {
            resources: vec![resource.to_owned()],
            tags: Tags::from([(id.to_owned(), "yes".to_owned())]),
        };
        Step::new(id, action)
    }

    fn plan(steps: Vec<Step>) -> Plan {
        Plan {
            steps,
            ..Plan::default()
        }
    }

    /// A call that is never answered is out of time; by then all steps that do not wait for it are done.
    #[tokio::test]
    async fn only_steps_that_name_the_slowest_wait_for_it() {
        let world = World::new(1);
        let [slow, quick, other] = [(); 3].map(|()| world.volume("eu-west-1a"));
        let silent = Fault {
            on: On::Call("DeleteVolume", 0),
            kind: Kind::Silence,
        };
        let cloud = FailingCloud::new(world.clone(), vec![silent]);
        let delete = Action::DeleteVolume { volume: slow };
        let steps = vec![
            Step::new("slow", delete),
            tag("quick", quick.as_str()),
            tag("next", other.as_str()).after("quick"),
            tag("last", other.as_str()).after("next"),
            tag("never", other.as_str()).after("slow"),
        ];
        let (plan, mut done) = (plan(steps), Done::default());
        let left = Duration::from_millis(50);
        let reports = execute(&plan, &Calls::new(&cloud), &mut done, left).await;
        let ids = reports.iter().map(|it| it.id.as_str());
        assert_eq!(
            ids.collect::<Vec<_>>(),
            ["quick", "next", "last", "slow", "never"]
        );
        let because = "because [slow] was not done".to_owned();
        let [.., slow, never] = reports.as_slice() else {
            panic!("{reports:?}");
        };
        assert_eq!(slow.outcome, StepOutcome::OutOfTime);
        assert_eq!(never.outcome, StepOutcome::Skipped { why: because });
        let succeeded = reports[..3].iter().all(|it| it.outcome.succeeded());
        assert!(succeeded, "{reports:?}");
        let again = |id: &str| plan.steps.iter().find(|it| it.id == id);
        assert!(again("last").is_some_and(|it| done.contains(&it.action)));
        assert!(again("never").is_some_and(|it| !done.contains(&it.action)));
    }

    /// TRAP 56: a call that tags a resource while another call tags it is refused.
    #[tokio::test]
    async fn no_two_calls_write_the_tags_of_one_resource_at_once() {
        for seed in 0..20 {
            let world = World::new(seed);
            world.change(|it| it.config.interleave = true);
            let volumes = [(); 4].map(|()| world.volume("eu-west-1a"));
            let steps = (0..20).map(|n| tag(&format!("tag {n}"), volumes[n % 4].as_str()));
            let plan = plan(steps.collect());
            let left = Duration::from_mins(1);
            let calls = Calls::new(&world);
            let reports = execute(&plan, &calls, &mut Done::default(), left).await;
            let failed = reports.iter().find(|it| !it.outcome.succeeded());
            assert_eq!(failed, None);
        }
    }
}
