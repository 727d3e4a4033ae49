//! AWS by the usual chain of credentials.

use crate::args::AwsArgs;
use aws_config::{BehaviorVersion, Region};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use spot_rescue_aws::{Aws, Stack};

pub async fn connect(args: &AwsArgs) -> Aws {
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
    Aws::connect(&loader.load().await, Stack::default())
}
