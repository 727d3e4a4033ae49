//! How long a call is waited for, and how often it is made.

use aws_sdk_ec2::config::retry::RetryConfig;
use aws_sdk_ec2::config::timeout::TimeoutConfig;
use aws_types::sdk_config::Builder;
use std::time::Duration;

/// How long a call may take and how often it is tried: an attempt that is not answered and another fit into it.
/// The core gives a step more time than this, or says why less (`Action::budget`).
#[must_use]
pub fn with_timeouts(builder: Builder) -> Builder {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(4))
        .operation_timeout(Duration::from_secs(9))
        .build();
    builder
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(3))
}

/// For a launch: one attempt has all the time that other calls have for several. EC2 launches within the call, and
/// would answer the same request only that it is under way; the next look sends it anyway.
pub fn unhurried(ec2: &aws_sdk_ec2::Client) -> aws_sdk_ec2::config::Builder {
    let usual = ec2.config().timeout_config().cloned();
    let timeouts = usual.map(|it| it.to_builder().disable_operation_attempt_timeout().build());
    let mut builder = aws_sdk_ec2::Config::builder();
    builder.set_timeout_config(timeouts);
    builder
}
