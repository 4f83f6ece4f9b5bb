//! How AWS is reached: one set-up of the SDK for every service, and what its errors mean to us.

#[cfg(feature = "terminal")]
mod terminal;
mod wire;

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Credentials, Region, SharedCredentialsProvider, StalledStreamProtectionConfig,
};
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_types::sdk_config::Builder;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use domain::Failure;
use rustls::ClientConfig;

use crate::tls;

pub use aws_types::SdkConfig;
#[cfg(feature = "terminal")]
pub use terminal::{config, of_person};

/// Time for one attempt of a call; the SDK makes at most three.
pub(crate) const ATTEMPT: Duration = Duration::from_secs(5);

/// The set-up of a function from its environment: the region and the credentials that Lambda puts there, and
/// `AWS_ENDPOINT_URL` or `AWS_ENDPOINT_URL_DYNAMODB` where an emulator stands in for AWS. Nobody else is asked, so none of
/// what a person's computer has is in a function.
///
/// # Errors
/// When the region or the credentials are missing, by name.
pub fn of_a_function(variables: &BTreeMap<String, String>, tls: ClientConfig) -> Result<SdkConfig, Failure> {
    let optional = |name: &str| variables.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
    let text = |name: &str| {
        let missing = || format!("{name} is not set; Lambda sets it, elsewhere set it yourself");
        optional(name).map(str::to_owned).ok_or_else(|| Failure::permanent("set up AWS", missing()))
    };
    let token = optional("AWS_SESSION_TOKEN").map(str::to_owned);
    let credentials = Credentials::new(
        text("AWS_ACCESS_KEY_ID")?,
        text("AWS_SECRET_ACCESS_KEY")?,
        token,
        None,
        "environment",
    );
    let mut sdk = bounded(SdkConfig::builder(), tls)
        .region(Region::new(text("AWS_REGION")?))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .service_config(Variables(variables.clone()));
    sdk.set_endpoint_url(optional("AWS_ENDPOINT_URL").map(str::to_owned));
    Ok(sdk.build())
}

/// What the environment says about one service: `AWS_ENDPOINT_URL_SECRETS_MANAGER`.
#[derive(Debug)]
struct Variables(BTreeMap<String, String>);

impl LoadServiceConfig for Variables {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().to_ascii_uppercase().replace(' ', "_");
        self.0.get(&format!("{}_{service}", key.env())).cloned()
    }
}

/// The set-up for a service of this process or of a test: everything goes to `endpoint`, with credentials that are
/// none.
#[must_use]
pub fn local(endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new("local", "local", None, None, "cartdock");
    bounded(SdkConfig::builder(), tls::built_in())
        .endpoint_url(endpoint)
        .region(Region::from_static("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

/// Bounded in every direction: a call ends within 20 seconds whatever happens. An answer is read within its attempt, so
/// nobody else need watch whether it stalls.
fn bounded(sdk: Builder, tls: ClientConfig) -> Builder {
    let retries =
        RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(100));
    let timeouts =
        TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT).operation_timeout(ATTEMPT * 4).build();
    sdk.behavior_version(BehaviorVersion::latest())
        .http_client(wire::client(tls))
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .retry_config(retries)
        .timeout_config(timeouts)
}

/// What an error of the SDK means. Being locked out or finding no table is retryable: one wrong policy must not
/// dead-letter the orders of a day.
pub fn failure<E, R>(during: &'static str, error: &SdkError<E, R>) -> Failure
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
            "AWS cannot be reached or no credentials were found; check region, network and role (or profile)",
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
        "AccessDeniedException"
        | "AccessDenied"
        | "AuthorizationError"
        | "UnrecognizedClientException"
        | "KmsAccessDenied" => {
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

    fn function(variables: &[(&str, &str)]) -> Result<SdkConfig, Failure> {
        let variables =
            variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        of_a_function(&variables, tls::built_in())
    }

    const ROLE: [(&str, &str); 3] =
        [("AWS_REGION", "eu-central-1"), ("AWS_ACCESS_KEY_ID", "A"), ("AWS_SECRET_ACCESS_KEY", "S")];

    #[test]
    fn a_function_without_region_or_role_does_not_start() {
        for missing in 0..ROLE.len() {
            for text in [None, Some(" ")] {
                let mut variables = ROLE.to_vec();
                let (name, _) = variables.remove(missing);
                variables.extend(text.map(|text| (name, text)));
                assert!(function(&variables).unwrap_err().message.contains(name));
            }
        }
        assert_eq!(function(&ROLE).unwrap().region().map(AsRef::as_ref), Some("eu-central-1"));
    }

    #[test]
    fn an_emulator_stands_in_for_all_of_aws_or_for_one_service() {
        let all = [("AWS_ENDPOINT_URL", "http://all")];
        let one = [("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://one"), ("AWS_ENDPOINT_URL", "")];
        for (variables, all, one) in
            [(&[][..], None, None), (&all, Some("http://all"), None), (&one, None, Some("http://one"))]
        {
            let sdk = function(&[&ROLE, variables].concat()).unwrap();
            let key = ServiceConfigKey::builder().service_id("Secrets Manager").env("AWS_ENDPOINT_URL");
            let key = key.profile("endpoint_url").build().unwrap();
            let told = sdk.service_config().and_then(|variables| variables.load_config(key));
            assert_eq!((sdk.endpoint_url(), told.as_deref()), (all, one));
        }
    }
}
