//! Reads by ids: EC2 looks them up directly, while a filter pages through all there are (TRAP 47).
//!
//! "Where possible, specify a list of resource IDs in your describe calls. This is the fastest way."
//! <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-pagination.html>
//!
//! One id that is gone fails the whole call (TRAP 35). The error names it: the rest is asked for again without it.

use super::{convert, error::failed, network};
use aws_sdk_ec2::Client;
use spot_rescue::cloud::{CloudError, Query};
use spot_rescue::situation::{Image, NetworkInterface, Snapshot, Volume};

/// "You should not specify more than 1,000 IDs in a single call."
const AT_ONCE: usize = 200;
/// How often the rest is asked for again; after that a filter is quicker.
const AGAIN: usize = 3;

/// None if the query has no ids, or if a filter is quicker.
type Found<T> = Result<Option<Vec<T>>, CloudError>;

pub async fn volumes(ec2: &Client, query: &Query) -> Found<Volume> {
    let Query::Volumes(ids) = query else {
        return Ok(None);
    };
    let (mut asked, mut found) = (Asked::for_all(ids), Vec::new());
    while let Some(ids) = asked.next() {
        let request = ec2.describe_volumes().set_volume_ids(Some(ids));
        let answer = request.send().await.map_err(failed("DescribeVolumes"));
        if let Some(answer) = asked.answered(answer)? {
            found.extend(answer.volumes().iter().filter_map(convert::volume));
        }
    }
    Ok(asked.is_done().then_some(found))
}

/// The account's own snapshots, by snapshot or volume ids (TRAP 27).
pub async fn snapshots(ec2: &Client, query: &Query) -> Found<Snapshot> {
    let Query::Snapshots(ids) = query else {
        return Ok(None);
    };
    let (mut asked, mut found) = (Asked::for_all(ids), Vec::new());
    while let Some(ids) = asked.next() {
        let request = ec2.describe_snapshots().owner_ids("self");
        let request = request.set_snapshot_ids(Some(ids));
        let answer = request.send().await.map_err(failed("DescribeSnapshots"));
        if let Some(answer) = asked.answered(answer)? {
            let usable = answer
                .snapshots()
                .iter()
                .filter(|it| convert::is_usable(it));
            found.extend(usable.filter_map(convert::snapshot));
        }
    }
    Ok(asked.is_done().then_some(found))
}

/// Images of any owner: a filter would look through all that are public.
pub async fn images(ec2: &Client, query: &Query) -> Found<Image> {
    let Query::Images(ids) = query else {
        return Ok(None);
    };
    let (mut asked, mut found) = (Asked::for_all(ids), Vec::new());
    while let Some(ids) = asked.next() {
        let request = ec2.describe_images().include_deprecated(true);
        let request = request.set_image_ids(Some(ids));
        let answer = request.send().await.map_err(failed("DescribeImages"));
        if let Some(answer) = asked.answered(answer)? {
            found.extend(answer.images().iter().filter_map(convert::image));
        }
    }
    Ok(asked.is_done().then_some(found))
}

pub async fn interfaces(ec2: &Client, query: &Query) -> Found<NetworkInterface> {
    let Query::Interfaces(ids) = query else {
        return Ok(None);
    };
    let (mut asked, mut found) = (Asked::for_all(ids), Vec::new());
    while let Some(ids) = asked.next() {
        let request = ec2.describe_network_interfaces();
        let request = request.set_network_interface_ids(Some(ids));
        let answer = request.send().await;
        let answer = answer.map_err(failed("DescribeNetworkInterfaces"));
        if let Some(answer) = asked.answered(answer)? {
            let all = answer.network_interfaces().iter();
            found.extend(all.filter_map(network::interface));
        }
    }
    Ok(asked.is_done().then_some(found))
}

/// The ids that are still to be asked for.
struct Asked {
    /// The last chunk is asked for next.
    left: Vec<Vec<String>>,
    /// How often ids have been left out of the next chunk.
    again: usize,
    /// The missing ids are unknown, or there are too many of them.
    given_up: bool,
}

impl Asked {
    fn for_all<T: ToString>(ids: &[T]) -> Self {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        Self {
            left: ids.chunks(AT_ONCE).map(<[String]>::to_vec).collect(),
            again: 0,
            given_up: false,
        }
    }

    fn next(&self) -> Option<Vec<String>> {
        self.left.last().filter(|_| !self.given_up).cloned()
    }

    /// None if some ids were missing: the rest is asked for again.
    fn answered<T>(&mut self, answer: Result<T, CloudError>) -> Result<Option<T>, CloudError> {
        match answer {
            Ok(found) => {
                self.proceed();
                Ok(Some(found))
            }
            Err(error) if is_gone(&error) => {
                self.leave_out(&error.message);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn proceed(&mut self) {
        self.left.pop();
        self.again = 0;
    }

    fn leave_out(&mut self, message: &str) {
        let Some(ids) = self.left.last_mut() else {
            return;
        };
        let before = ids.len();
        ids.retain(|it| before > 1 && !names(message, it));
        self.again += 1;
        self.given_up = ids.len() == before || self.again > AGAIN;
        if ids.is_empty() {
            self.given_up = false;
            self.proceed();
        }
    }

    fn is_done(&self) -> bool {
        !self.given_up
    }
}

fn is_gone(error: &CloudError) -> bool {
    let code = error.code.as_str();
    code.ends_with(".NotFound") || code == "InvalidAMIID.Unavailable"
}

/// The id itself, not the beginning of a longer one.
fn names(message: &str, id: &str) -> bool {
    let mut after = message.split(id).skip(1);
    after.any(|it| !it.starts_with(|c: char| c.is_ascii_alphanumeric()))
}
