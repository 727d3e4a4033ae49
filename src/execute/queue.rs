//! Open calls in the order of the plan: which may start now, and the reports of the finished ones.
//!
//! EC2 refuses to change the tags of a resource while another call does (`ConcurrentTagAccess`, TRAP 56): such calls
//! go one after the other. Other invocations are not seen here, so the code may still come.

use super::job::Job;
use crate::cloud::CloudError;
use crate::report::{StepOutcome, StepReport};
use crate::step::Step;
use std::collections::BTreeSet;
use std::mem;

#[derive(Debug, Default)]
pub struct Queue<'a> {
    /// In the order of the plan.
    waiting: Vec<Job<'a>>,
    /// Steps without a report.
    open: BTreeSet<&'a str>,
    /// Resources with tags that are being written.
    busy: BTreeSet<String>,
    reports: Vec<StepReport>,
}

impl<'a> Queue<'a> {
    pub fn of(steps: impl Iterator<Item = &'a Step>) -> Self {
        let jobs = steps.enumerate();
        let waiting: Vec<Job> = jobs.map(|(place, it)| Job::of(place, it)).collect();
        Self {
            open: waiting.iter().map(|it| it.step.id.as_str()).collect(),
            waiting,
            ..Self::default()
        }
    }

    /// The calls that may start now. They count as under way from then on.
    pub fn ready(&mut self) -> Vec<Job<'a>> {
        let mut claimed = self.busy.clone();
        let all = mem::take(&mut self.waiting);
        let (mut ready, waiting): (Vec<_>, Vec<_>) = all
            .into_iter()
            .partition(|job| self.is_settled(job) && job.claims(&mut claimed));
        self.waiting = waiting;
        for job in &mut ready {
            job.not_done = self.cause(job);
            let tagged = job.action().tagged().into_iter();
            self.busy.extend(tagged.map(str::to_owned));
        }
        ready
    }

    /// A step is waited for until it has a report, unless it is not part of this execution.
    fn is_settled(&self, job: &Job) -> bool {
        let mut after = job.step.after.iter();
        job.noted.is_some() || !after.any(|id| self.open.contains(id.as_str()))
    }

    /// Why the call is not worth sending.
    fn cause(&self, job: &Job) -> Option<String> {
        let failed = |id: &&String| {
            let mut reports = self.reports.iter();
            reports.any(|it| it.id == **id && !it.outcome.succeeded())
        };
        let cause = job.step.after.iter().find(failed)?;
        Some(format!("because [{cause}] was not done"))
    }

    pub fn finish(&mut self, job: &Job<'a>, outcome: StepOutcome) {
        for it in job.action().tagged() {
            self.busy.remove(it);
        }
        if job.noted.is_some() {
            if !outcome.succeeded() {
                let step = &job.step.id;
                tracing::warn!(step, ?outcome, "failed to write down a failure");
            }
            return;
        }
        if let StepOutcome::Failed(error) = &outcome {
            self.note(job, error);
        }
        self.open.remove(job.step.id.as_str());
        self.reports.push(report(job.step, outcome));
    }

    /// Writes down what the plan wants written when AWS has answered a launch with a refusal: the answer is
    /// remembered with the request's token. A request that AWS has not examined is sent again as it was, and every
    /// invocation that sends it gets the same instance. Should the writing fail, the same request is only repeated
    /// once more.
    fn note(&mut self, job: &Job<'a>, failed: &CloudError) {
        let refusal = job.step.on_failure.as_ref();
        let refusal = refusal.filter(|it| it.counts(failed));
        let Some(action) = refusal.and_then(|it| it.action(failed)) else {
            return;
        };
        let note = Job {
            noted: Some(action),
            ..Job::of(job.place, job.step)
        };
        let earlier = |it: &Job| it.place < job.place;
        let at = self.waiting.partition_point(earlier);
        self.waiting.insert(at, note);
    }

    /// When no call is under way any more: calls that still wait form a circle, which is a bug in the plan.
    pub fn end(self) -> Vec<StepReport> {
        let why = "its dependencies form a circle";
        let skipped = |job: Job| report(job.step, StepOutcome::Skipped { why: why.into() });
        let mut reports = self.reports;
        reports.extend(self.waiting.into_iter().map(skipped));
        reports
    }
}

fn report(step: &Step, outcome: StepOutcome) -> StepReport {
    StepReport {
        id: step.id.clone(),
        action: step.action.to_string(),
        outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::{Action, Refusal};
    use crate::tags::{self, Tags};
    use time::OffsetDateTime;

    fn tag(id: &str, resources: &[&str]) -> Step {
        let action = Action::Tag {
            resources: resources.iter().map(|it| (*it).to_owned()).collect(),
            tags: Tags::new(),
        };
        Step::new(id, action)
    }

    fn ids(jobs: &[Job]) -> Vec<String> {
        let id = |it: &Job| match &it.noted {
            Some(_) => format!("note of {}", it.step.id),
            None => it.step.id.clone(),
        };
        jobs.iter().map(id).collect()
    }

    fn done() -> StepOutcome {
        StepOutcome::Done {
            what: String::new(),
        }
    }

    /// TRAP 56
    #[test]
    fn tags_of_one_resource_are_written_one_call_after_the_other_in_the_order_of_the_plan() {
        let steps = [
            tag("a", &["vol-1"]),
            tag("b", &["vol-1", "vol-2"]),
            tag("c", &["vol-2"]),
            tag("d", &["vol-3"]),
        ];
        let mut queue = Queue::of(steps.iter());
        let mut jobs = queue.ready();
        assert_eq!(ids(&jobs), ["a", "d"]);
        queue.finish(&jobs.swap_remove(1), done());
        assert_eq!(ids(&queue.ready()), [""; 0]);
        queue.finish(&jobs.remove(0), done());
        let mut jobs = queue.ready();
        assert_eq!(ids(&jobs), ["b"]);
        queue.finish(&jobs.remove(0), done());
        assert_eq!(ids(&queue.ready()), ["c"]);
    }

    /// TRAP 56: a refusal is written where the plan has its launch.
    #[test]
    fn a_refusal_is_noted_as_soon_as_no_other_step_writes_the_record() {
        let record = "lt-0123456789abcdef0";
        let refusal = Refusal {
            template: record.parse().ok(),
            counted: (tags::ATTEMPTS, "1".to_owned()),
            attempt: 1,
            at: OffsetDateTime::UNIX_EPOCH,
            only_capacity: false,
            pools: Vec::new(),
            known: Vec::new(),
        };
        let steps = [
            tag("launch", &[]).or_else(refusal),
            tag("first", &[record]),
            tag("second", &[record]),
        ];
        let mut queue = Queue::of(steps.iter());
        let mut jobs = queue.ready();
        assert_eq!(ids(&jobs), ["launch", "first"]);
        let none_left = CloudError::new("CreateFleet", "UnfulfillableCapacity", "", None);
        queue.finish(&jobs.remove(0), StepOutcome::Failed(none_left));
        assert_eq!(ids(&queue.ready()), [""; 0]);
        queue.finish(&jobs.remove(0), done());
        let mut jobs = queue.ready();
        assert_eq!(ids(&jobs), ["note of launch"]);
        queue.finish(&jobs.remove(0), done());
        assert_eq!(ids(&queue.ready()), ["second"]);
        let reports = queue.end();
        let reported = reports.iter().map(|it| it.id.as_str());
        assert_eq!(reported.collect::<Vec<_>>(), ["launch", "first"]);
    }

    #[test]
    fn a_step_waits_for_the_steps_it_names_and_no_others() {
        let steps = [
            tag("slow", &[]),
            tag("quick", &[]),
            tag("next", &[]).after("quick").after("not part of it"),
            tag("last", &[]).after("next").after("slow"),
        ];
        let mut queue = Queue::of(steps.iter());
        let mut jobs = queue.ready();
        assert_eq!(ids(&jobs), ["slow", "quick"]);
        queue.finish(&jobs.remove(1), StepOutcome::OutOfTime);
        let mut next = queue.ready();
        assert_eq!(ids(&next), ["next"]);
        let why = next[0].not_done.clone();
        assert_eq!(why.unwrap(), "because [quick] was not done");
        let skipped = StepOutcome::Skipped { why: String::new() };
        queue.finish(&next.remove(0), skipped);
        assert_eq!(ids(&queue.ready()), [""; 0]);
        queue.finish(&jobs.remove(0), done());
        let last = queue.ready();
        let why = last[0].not_done.as_deref();
        assert_eq!(why, Some("because [next] was not done"));
    }

    #[test]
    fn a_circle_of_steps_is_reported() {
        let steps = [
            tag("a", &[]).after("b"),
            tag("b", &[]).after("a"),
            tag("c", &[]),
        ];
        let mut queue = Queue::of(steps.iter());
        let mut jobs = queue.ready();
        queue.finish(&jobs.remove(0), done());
        assert_eq!(ids(&queue.ready()), [""; 0]);
        let told: Vec<String> = queue.end().iter().map(|it| it.id.clone()).collect();
        assert_eq!(told, ["c", "a", "b"]);
    }
}
