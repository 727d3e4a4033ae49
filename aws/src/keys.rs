//! The states of KMS keys.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html>

use super::error::failed;
use aws_sdk_kms::Client;
use spot_rescue::cloud::CloudError;
use spot_rescue::situation::KeyState;

const READ: &str = "DescribeKey";
/// "The request was rejected because the specified entity or resource could not be found."
const GONE: &str = "NotFoundException";

pub async fn state(client: &Client, arn: &str) -> Result<KeyState, CloudError> {
    let answer = client.describe_key().key_id(arn).send().await;
    let answer = match answer.map_err(failed(READ)) {
        Err(error) if error.code == GONE => return Ok(KeyState::Gone),
        answer => answer?,
    };
    let state = answer.key_metadata().and_then(|it| it.key_state());
    state.map(|it| KeyState::of(it.as_str())).ok_or_else(|| {
        CloudError::new(
            READ,
            "Empty",
            "the answer says nothing of the key's state",
            None,
        )
    })
}
