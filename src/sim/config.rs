//! How long things take and how reliable events are. The defaults are what AWS usually shows; tests
//! stretch them. All in seconds of virtual time.

/// How `EventBridge` treats an event: EC2 and EBS are "best effort", delivery is at least once.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EventQuality {
    pub lost_percent: u64,
    pub doubled_percent: u64,
    /// Each copy comes up to so much later: that reorders them, too.
    pub late_seconds: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// From the warning to the end; none for hibernation (TRAP 3).
    pub notice_seconds: i64,
    pub boot_seconds: i64,
    pub stop_seconds: i64,
    pub shutdown_seconds: i64,
    /// From the end of the instance to the volume being available (TRAP 17).
    pub release_seconds: i64,
    pub attach_seconds: i64,
    /// Volumes and network interfaces of one instance, in sum: most Nitro types take as many.
    pub most_attachments: usize,
    pub volume_seconds: i64,
    pub snapshot_seconds: i64,
    /// From the interruption of a persistent request's instance to its next one.
    pub relaunch_seconds: i64,
    pub image_seconds: i64,
    /// From a request to replace a root to the instance being available again.
    pub swap_seconds: i64,
    /// `deregistration_delay.timeout_seconds`.
    pub drain_seconds: i64,
    /// A terminated instance loses its tags, then its entry (TRAP 14).
    pub tags_gone_seconds: i64,
    pub entry_gone_seconds: i64,
    /// How long a creation or a change of tags is not seen by reads.
    pub lag_seconds: i64,
    /// How many other volumes the account has: a listing pages through these, too (TRAP 47).
    pub others_volumes: usize,
    pub others_snapshots: usize,
    /// What one API call costs.
    pub call_millis: i64,
    /// The further time of a launch: meanwhile, the same request is under way.
    pub launch_millis: i64,
    /// Whether a launch that was refused as a whole is remembered with its token, as one refused inside an answer is:
    /// AWS documents neither.
    pub tokens_keep_refusals: bool,
    /// Calls of concurrent steps and invocations mix, as the seed wills.
    pub interleave: bool,
    /// A hibernated instance keeps its launch time when it is resumed.
    pub resume_keeps_launch_time: bool,
    /// Until a group notices that a member has ended; and the heartbeat of its launch hooks.
    pub health_check_seconds: i64,
    pub hook_seconds: i64,
    pub events: EventQuality,
    /// Messages per invocation, and invocations at a time.
    pub batch: usize,
    pub concurrency: usize,
    /// How long the mapping waits for a batch to be full: with a batching window twenty seconds, however short
    /// the window is (TRAP 41): <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>
    pub fills_for_seconds: i64,
    pub visibility_seconds: i64,
    pub max_receives: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            notice_seconds: 120,
            boot_seconds: 20,
            stop_seconds: 20,
            shutdown_seconds: 10,
            release_seconds: 5,
            attach_seconds: 2,
            most_attachments: 28,
            volume_seconds: 4,
            snapshot_seconds: 90,
            relaunch_seconds: 30,
            image_seconds: 3,
            swap_seconds: 30,
            drain_seconds: 300,
            tags_gone_seconds: 1800,
            entry_gone_seconds: 3600,
            lag_seconds: 0,
            others_volumes: 0,
            others_snapshots: 0,
            call_millis: 0,
            launch_millis: 0,
            tokens_keep_refusals: false,
            interleave: false,
            resume_keeps_launch_time: false,
            health_check_seconds: 45,
            hook_seconds: 3600,
            events: EventQuality::default(),
            batch: 10,
            concurrency: 1,
            fills_for_seconds: 0,
            visibility_seconds: 30,
            // Fewer tries than the template has: what is not done by then is left to the sweep.
            max_receives: 5,
        }
    }
}
