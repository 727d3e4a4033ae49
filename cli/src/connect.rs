//! AWS by the usual chain of credentials.

use crate::args::AwsArgs;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::ProvideCredentials;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use spot_rescue_aws::{Aws, Stack};

pub async fn connect(args: &AwsArgs) -> Result<Aws, String> {
    // As in the function: TLS is rustls on ring, which needs no C++ compiler.
    let https = Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(https);
    if let Some(profile) = &args.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = &args.region {
        loader = loader.region(Region::new(region.clone()));
    }
    let config = loader.load().await;
    usable(&config).await?;
    Ok(Aws::connect(&config, Stack::default()))
}

/// Told at once, and not as a call that has failed.
async fn usable(config: &SdkConfig) -> Result<(), String> {
    if config.region().is_none() {
        return Err("no AWS Region is set: say --region, or set AWS_REGION".to_owned());
    }
    let known = match config.credentials_provider() {
        Some(provider) => provider.provide_credentials().await.is_ok(),
        None => false,
    };
    let advice = "no AWS credentials are found: say --profile, set AWS_PROFILE, or sign in; `aws sts get-caller-identity` \
                  shows when they are there";
    known.then_some(()).ok_or_else(|| advice.to_owned())
}
