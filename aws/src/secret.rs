//! The stack's secret, from which seals are made.
//!
//! <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html>

use super::error::failed;
use aws_sdk_secretsmanager::Client;
use spot_rescue::cloud::CloudError;

const READ: &str = "GetSecretValue";

pub async fn read(client: &Client, arn: Option<&str>) -> Result<String, CloudError> {
    let Some(arn) = arn else {
        let message = "SPOT_RESCUE_SECRET_ARN is not set, so nothing can be told to be ours; set it to the \
            ARN of the secret that the stack has generated";
        return Err(CloudError::new(READ, "NoSecret", message, None));
    };
    let answer = client.get_secret_value().secret_id(arn).send().await;
    let answer = answer.map_err(failed(READ))?;
    answer.secret_string().map(str::to_owned).ok_or_else(|| {
        let message = "the secret holds no text; let the stack generate it again";
        CloudError::new(READ, "Empty", message, None)
    })
}
