//! Fleets, asked for one by one: one id that EC2 has forgotten fails a whole list, there is no filter by id, and without
//! an id no `instant` fleet is shown.
//!
//! - <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeFleets.html>
//! - <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSpotFleetRequests.html>

use super::error::failed;
use aws_sdk_ec2::Client;
use futures_util::future::try_join_all;
use spot_rescue::cloud::CloudError;
use spot_rescue::situation::Fleet;

const AT_ONCE: usize = 8;

pub async fn read(ec2: &Client, ids: &[String]) -> Result<Vec<Fleet>, CloudError> {
    let mut found = Vec::new();
    for ids in ids.chunks(AT_ONCE) {
        let answers = try_join_all(ids.iter().map(|id| one(ec2, id))).await?;
        found.extend(answers.into_iter().flatten());
    }
    Ok(found)
}

async fn one(ec2: &Client, id: &str) -> Result<Option<Fleet>, CloudError> {
    let answer = if Fleet::is_spot(id) {
        spot_fleet(ec2, id).await
    } else {
        fleet(ec2, id).await
    };
    answer.or_else(|error| {
        if is_gone(&error) {
            Ok(None)
        } else {
            Err(error)
        }
    })
}

/// `InvalidFleetId.NotFound`, `InvalidSpotFleetRequestId.NotFound`: the documents name neither.
fn is_gone(error: &CloudError) -> bool {
    let code = error.code.to_lowercase();
    code.contains("fleet") && (code.ends_with("notfound") || code.ends_with("doesnotexist"))
}

async fn fleet(ec2: &Client, id: &str) -> Result<Option<Fleet>, CloudError> {
    let answer = ec2.describe_fleets().fleet_ids(id).send().await;
    let answer = answer.map_err(failed("DescribeFleets"))?;
    let found = answer.fleets().iter().find(|it| it.fleet_id() == Some(id));
    Ok(found.map(|it| {
        let kind = it.r#type().map_or("", |it| it.as_str());
        let state = it.fleet_state().map_or("", |it| it.as_str());
        Fleet::of(id, kind, state)
    }))
}

/// A request without a type maintains: that is the default.
async fn spot_fleet(ec2: &Client, id: &str) -> Result<Option<Fleet>, CloudError> {
    let request = ec2
        .describe_spot_fleet_requests()
        .spot_fleet_request_ids(id);
    let answer = request.send().await;
    let answer = answer.map_err(failed("DescribeSpotFleetRequests"))?;
    let all = answer.spot_fleet_request_configs();
    let found = all.iter().find(|it| it.spot_fleet_request_id() == Some(id));
    Ok(found.map(|it| {
        let config = it.spot_fleet_request_config();
        let kind = config.and_then(|it| it.r#type());
        let kind = kind.map_or("maintain", |it| it.as_str());
        let state = it.spot_fleet_request_state().map_or("", |it| it.as_str());
        Fleet::of(id, kind, state)
    }))
}
