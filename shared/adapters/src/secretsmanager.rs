//! Secrets of AWS Secrets Manager: `secret:NAME`, or `secret:NAME#field` where the secret is a JSON object.

#[cfg(feature = "terminal")]
mod keep;

use std::sync::OnceLock;

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use domain::Failure;
use serde_json::Value;

use crate::aws::{self, SdkConfig};
use crate::secret::{Secret, SecretSource};

const DURING: &str = "read secret";

/// Secrets Manager. The first secret that is asked for sets the client up.
#[derive(Debug)]
pub struct SecretsManager {
    config: SdkConfig,
    client: OnceLock<Client>,
}

impl SecretsManager {
    /// Secrets Manager as `config` says.
    #[must_use]
    pub fn with(config: SdkConfig) -> Self {
        Self { config, client: OnceLock::new() }
    }

    fn client(&self) -> &Client {
        self.client.get_or_init(|| Client::new(&self.config))
    }
}

#[async_trait]
impl SecretSource for SecretsManager {
    async fn fetch(&self, reference: &str) -> Result<Option<Secret>, Failure> {
        let Some(name) = reference.strip_prefix("secret:") else { return Ok(None) };
        let (name, field) = name.split_once('#').map_or((name, None), |(name, field)| (name, Some(field)));
        let client = self.client();
        let answer = client.get_secret_value().secret_id(name).send().await.map_err(|error| {
            match error.as_service_error() {
                Some(GetSecretValueError::ResourceNotFoundException(_)) => missing(name),
                _ => aws::failure(DURING, &error),
            }
        })?;
        pick(name, answer.secret_string().unwrap_or_default(), field).map(Some)
    }
}

fn missing(name: &str) -> Failure {
    Failure::retryable(DURING, format!("Secrets Manager has no secret {name}; create it"))
}

/// The whole text, or one field of it. What cannot be read is not repeated.
fn pick(name: &str, text: &str, field: Option<&str>) -> Result<Secret, Failure> {
    let value = match field {
        None => Some(text.trim().to_owned()),
        Some(field) => serde_json::from_str::<Value>(text).ok().and_then(|object| {
            object.get(field).and_then(Value::as_str).map(|value| value.trim().to_owned())
        }),
    };
    value.filter(|value| !value.is_empty()).map(Secret::new).ok_or_else(|| {
        let what =
            field.map_or("is empty".to_owned(), |field| format!("has no text in its field \"{field}\""));
        Failure::retryable(DURING, format!("the secret {name} {what}; correct it"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::routing::post;

    async fn server() -> String {
        let answer = async |body: String| {
            if body.contains("main/store") {
                r#"{"Name":"main/store","SecretString":"{\"key\":\" s3cret \"}"}"#.to_owned()
            } else {
                r#"{"Name":"plain","SecretString":"pl4in"}"#.to_owned()
            }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes = Router::new().route("/", post(answer));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        format!("http://{address}")
    }

    #[tokio::test]
    async fn a_secret_is_read_by_its_name_and_field() {
        let source = SecretsManager::with(aws::local(&server().await));
        for (reference, value) in [("secret:plain", "pl4in"), ("secret:main/store#key", "s3cret")] {
            let secret = source.fetch(reference).await.unwrap().unwrap();
            assert_eq!(secret.expose(), value);
        }
        assert!(source.fetch("env:HOME").await.unwrap().is_none(), "not ours");
    }

    #[tokio::test]
    async fn what_is_missing_is_named_and_nothing_is_repeated() {
        let source = SecretsManager::with(aws::local(&server().await));
        let failure = source.fetch("secret:main/store#other").await.unwrap_err();
        assert!(failure.message.contains("main/store") && failure.message.contains("other"), "{failure}");
        assert!(!failure.to_string().contains("s3cret"));
    }
}
