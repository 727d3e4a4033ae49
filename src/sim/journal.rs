//! Every change in its order, with the virtual time and its result.

use crate::clock::{self, Timestamp};
use crate::cloud::CloudError;
use crate::step::Action;
use std::fmt;

#[derive(Debug, Clone)]
pub struct Entry {
    pub at: Timestamp,
    pub action: Action,
    pub outcome: Result<String, CloudError>,
    /// Resources it meant to change that did not carry our tags at that moment.
    pub foreign: Vec<String>,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            at,
            action,
            outcome,
            foreign,
        } = self;
        write!(f, "{} {action}: ", clock::format(*at))?;
        match outcome {
            Ok(what) if what.is_empty() => f.write_str("done")?,
            Ok(what) => f.write_str(what)?,
            Err(error) => write!(f, "{} ({:?})", error.code, error.class)?,
        }
        if foreign.is_empty() {
            Ok(())
        } else {
            write!(f, " FOREIGN {}", foreign.join(" "))
        }
    }
}
