//! AWS as a person at a terminal reaches it: credentials and region from wherever the AWS command line finds them too.

use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use rustls::ClientConfig;

use super::{bounded, wire};
use crate::tls;

/// The set-up from what the process has around it: region, credentials wherever they are kept, and `AWS_ENDPOINT_URL` or
/// `AWS_ENDPOINT_URL_DYNAMODB` where an emulator stands in for AWS.
pub async fn config(tls: ClientConfig) -> SdkConfig {
    loaded(aws_config::defaults(BehaviorVersion::latest()), tls).await
}

/// The set-up of a person at a terminal: credentials and region from the environment or from a profile of the shared
/// configuration files, this one and this region where they are named.
pub async fn of_person(profile: Option<&str>, region: Option<&str>) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest());
    if let Some(profile) = profile {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = region {
        loader = loader.region(Region::new(region.to_owned()));
    }
    loaded(loader, tls::of_the_system().unwrap_or_else(|_| tls::built_in())).await
}

/// Whoever gives credentials is asked over the same client.
async fn loaded(loader: ConfigLoader, tls: ClientConfig) -> SdkConfig {
    let found = loader.http_client(wire::client(tls.clone())).load().await;
    bounded(found.into_builder(), tls).build()
}
