//! The environment of a Lambda function.
//!
//! The SDK's own loader also reads profiles, and asks containers, single sign-on and web identities for
//! credentials. A function has none of these, and their code would be a twentieth of the zip.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>
//! <https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html>

use super::trust::Https;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::identity::IdentityCache;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use std::env;

pub fn config() -> SdkConfig {
    let credentials = EnvironmentVariableCredentialsProvider::new();
    let mut builder = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(Https::new())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        // One for all clients: credentials are read once.
        .identity_cache(IdentityCache::lazy().build())
        .service_config(Environment);
    builder.set_region(text("AWS_REGION").map(Region::new));
    builder.set_endpoint_url(text("AWS_ENDPOINT_URL"));
    builder.set_use_fips(flag("AWS_USE_FIPS_ENDPOINT"));
    builder.set_use_dual_stack(flag("AWS_USE_DUALSTACK_ENDPOINT"));
    builder.build()
}

/// An endpoint of one service's own, as in `AWS_ENDPOINT_URL_EC2`: a VPC endpoint without private DNS.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>
#[derive(Debug)]
struct Environment;

impl LoadServiceConfig for Environment {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().replace([' ', '-'], "_");
        text(&format!("{}_{}", key.env(), service.to_uppercase()))
    }
}

/// An empty variable counts as not set.
fn text(name: &str) -> Option<String> {
    env::var(name).ok().filter(|it| !it.is_empty())
}

fn flag(name: &str) -> Option<bool> {
    text(name).map(|it| it.eq_ignore_ascii_case("true"))
}
