//! How AWS is reached: one set-up of the SDK for every service, and what its errors mean to us.

mod wire;

use std::time::Duration;

use aws_config::environment::credentials::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_sdk_dynamodb::config::Credentials;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use domain::Failure;
use rustls::ClientConfig;

use crate::tls;

/// Time for one attempt of a call; the SDK makes at most three.
pub(crate) const ATTEMPT: Duration = Duration::from_secs(5);

/// The set-up from what the process has around it: region, credentials of the role wherever they are kept, and `AWS_ENDPOINT_URL` or
/// `AWS_ENDPOINT_URL_DYNAMODB` where an emulator stands in for AWS.
pub async fn config(tls: ClientConfig) -> SdkConfig {
    bounded(tls).load().await
}

/// The set-up of a function: the same, with the credentials that Lambda puts into the environment. Nobody need be asked for
/// others.
pub(crate) async fn of_a_function(tls: ClientConfig) -> SdkConfig {
    bounded(tls).credentials_provider(EnvironmentVariableCredentialsProvider::new()).load().await
}

/// The set-up for a service of this process or of a test: everything goes to `endpoint`, with credentials that are
/// none.
pub async fn local(endpoint: &str) -> SdkConfig {
    bounded(tls::built_in())
        .endpoint_url(endpoint)
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "cartdock"))
        .load()
        .await
}

/// Bounded in every direction: a call ends within 20 seconds whatever happens. An answer is read within its attempt, so
/// nobody else need watch whether it stalls.
fn bounded(tls: ClientConfig) -> ConfigLoader {
    let retries =
        RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(100));
    let timeouts =
        TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT).operation_timeout(ATTEMPT * 4).build();
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(wire::client(tls))
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .retry_config(retries)
        .timeout_config(timeouts)
}

/// What an error of the SDK means. Being locked out or finding no table is retryable: one wrong policy must not
/// dead-letter the orders of a day.
pub(crate) fn failure<E, R>(during: &'static str, error: &SdkError<E, R>) -> Failure
where
    E: ProvideErrorMetadata,
{
    match error {
        SdkError::TimeoutError(_) => Failure::retryable(during, "AWS did not answer in time"),
        SdkError::DispatchFailure(lost) if lost.is_timeout() => {
            Failure::retryable(during, "AWS did not answer in time")
        }
        SdkError::DispatchFailure(_) => Failure::retryable(
            during,
            "AWS cannot be reached or no credentials were found; check region, network and role",
        ),
        SdkError::ServiceError(refused) => {
            let refused = refused.err();
            refusal(during, refused.code().unwrap_or("unknown"), refused.message().unwrap_or_default())
        }
        SdkError::ConstructionFailure(_) => Failure::permanent(during, "the request cannot be made"),
        _ => Failure::retryable(during, "AWS gave an answer that cannot be read"),
    }
}

/// AWS understood and said no: its error code without a namespace, and its own sentence, shortened.
pub(crate) fn refusal(during: &'static str, code: &str, sentence: &str) -> Failure {
    let code = code.rsplit('#').next().unwrap_or(code);
    let sentence: String = sentence.chars().filter(|c| !c.is_control()).take(300).collect();
    match code {
        "ValidationException"
        | "InvalidMessageContents"
        | "InvalidParameterValue"
        | "BatchRequestTooLong" => Failure::permanent(during, format!("refused as {code}: {sentence}")),
        "AccessDeniedException" | "AccessDenied" | "UnrecognizedClientException" | "KmsAccessDenied" => {
            Failure::retryable(during, format!("the role lacks a permission, {code}: {sentence}"))
        }
        "ResourceNotFoundException" | "QueueDoesNotExist" => {
            Failure::retryable(during, format!("{code}: create it, or correct its name in the settings"))
        }
        _ => Failure::retryable(during, format!("answered {code}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_final_only_where_the_request_itself_is_wrong() {
        for (code, retryable) in [
            ("ValidationException", false),
            ("com.amazonaws.sqs#InvalidMessageContents", false),
            ("AccessDeniedException", true),
            ("ProvisionedThroughputExceededException", true),
            ("ThrottlingException", true),
            ("RequestLimitExceeded", true),
            ("InternalServerError", true),
            ("ResourceNotFoundException", true),
            ("SomethingNew", true),
        ] {
            assert_eq!(refusal("test", code, "why").is_retryable(), retryable, "{code}");
        }
        let denied = refusal("test", "AccessDeniedException", "not authorized to perform: dynamodb:PutItem");
        assert!(denied.message.contains("the role lacks") && denied.message.contains("PutItem"));
    }
}
