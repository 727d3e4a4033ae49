//! Shown while a restore lasts, on a terminal; a log gets each line once.

use crate::print::clean;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

const TURN: Duration = Duration::from_millis(120);

pub struct Progress {
    bar: ProgressBar,
    last: String,
}

impl Progress {
    /// Hidden where standard error is no terminal.
    pub fn begin() -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(TURN);
        Self {
            bar,
            last: String::new(),
        }
    }

    /// What is waited for.
    pub fn waits(&mut self, what: &str) {
        let what = format!("waiting for {}", clean(what));
        if self.bar.is_hidden() && self.last != what {
            eprintln!("{what}");
        }
        self.bar.set_message(what.clone());
        self.last = what;
    }

    /// What has been done.
    pub fn did(&self, what: &str) {
        let what = clean(what);
        if self.bar.is_hidden() {
            eprintln!("{what}");
        } else {
            self.bar.println(what);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
