//! Instances that EC2 accepted and that die while they boot, with a `StateReason` (TRAP 46): a key, a limit, a
//! snapshot that is gone, a host that fails.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StateReason.html>

use super::{State, World};

impl World {
    /// So many of the next instances to boot die for this reason.
    pub fn die_booting(&self, reason: &'static str, next: usize) {
        let dying = std::iter::repeat_n(reason, next);
        self.change(|it| it.boot_failures.extend(dying));
    }

    /// All instances that boot die for this reason, until mended.
    pub fn all_die_booting(&self, reason: &'static str) {
        self.change(|it| it.dies_booting = Some(reason));
    }

    pub fn mend_booting(&self) {
        self.change(|it| {
            it.dies_booting = None;
            it.boot_failures.clear();
        });
    }
}

impl State {
    /// What the one that boots now dies of.
    pub(super) fn dies_of(&mut self) -> Option<&'static str> {
        self.boot_failures.pop().or(self.dies_booting)
    }
}
