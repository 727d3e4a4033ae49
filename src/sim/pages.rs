//! How many calls a listing takes: EC2 turns the pages of all that the account has, and filters each (TRAP 47).
//!
//! - "If you specify a filter, a page may be empty and have a successor": boto3 issues 1776 and 2552
//! - "Where possible, specify a list of resource IDs": <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-pagination.html>

use super::{State, error::refused};
use crate::cloud::{CloudError, MOST_PAGES, Query, TOO_LONG};
use time::Duration;

/// Items on a page, at most.
const PAGE: usize = 1000;
/// So many ids that are gone are left out one by one, before a filter is used.
const LEFT_OUT: usize = 3;

impl State {
    pub(super) fn list_volumes(&mut self, query: &Query) -> Result<(), CloudError> {
        const CALL: &str = "DescribeVolumes";
        let all = self.volumes.len() + self.config.others_volumes;
        let gone = if let Query::Volumes(ids) = query {
            Some(gone(ids, |it| self.volumes.contains_key(it)))
        } else {
            None
        };
        self.turn(CALL, calls(all, gone), None)
    }

    pub(super) fn list_snapshots(&mut self, query: &Query) -> Result<(), CloudError> {
        const CALL: &str = "DescribeSnapshots";
        let own = self.snapshots.values().filter(|it| it.own).count();
        let all = own + self.config.others_snapshots;
        let gone = if let Query::Snapshots(ids) = query {
            Some(gone(ids, |it| self.snapshots.contains_key(it)))
        } else {
            None
        };
        let unbounded = query.may_be_cut() || query.is_whole();
        let at_most = (!unbounded).then_some(MOST_PAGES);
        self.turn(CALL, calls(all, gone), at_most)
    }

    /// Each page is a call, and takes its time.
    fn turn(
        &mut self,
        call: &'static str,
        pages: usize,
        at_most: Option<usize>,
    ) -> Result<(), CloudError> {
        self.admit(call)?;
        for page in 1..pages {
            if at_most.is_some_and(|it| page >= it) {
                return Err(refused(call, TOO_LONG, "there is no end of it"));
            }
            self.advance_to(self.now + Duration::milliseconds(self.config.call_millis));
            self.admit(call)?;
        }
        Ok(())
    }
}

/// How many of the ids are gone and have to be left out. After the last there is nothing left to ask for.
fn gone<T>(ids: &[T], is_there: impl Fn(&T) -> bool) -> usize {
    let gone = ids.iter().filter(|it| !is_there(it)).count();
    gone.min(ids.len().saturating_sub(1))
}

/// One call by ids, and one more for each that is gone; or all pages.
fn calls(all: usize, gone: Option<usize>) -> usize {
    let pages = all.div_ceil(PAGE).max(1);
    match gone {
        Some(gone) if gone <= LEFT_OUT => 1 + gone,
        Some(_) => 1 + LEFT_OUT + pages,
        None => pages,
    }
}
