//! Puts a secret into AWS Secrets Manager, for a person at a terminal. The functions only read.

use aws_sdk_secretsmanager::operation::create_secret::CreateSecretError;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use domain::Failure;
use serde_json::{Map, Value};

use super::SecretsManager;
use crate::aws;
use crate::secret::Secret;

const DURING: &str = "keep secret";

impl SecretsManager {
    /// Keeps a value under a name, or in one field of the JSON object that is kept there; its other fields stay. A name that
    /// is not there yet is made.
    ///
    /// # Errors
    /// When Secrets Manager says no, or what is kept there is no JSON object.
    pub async fn keep(&self, name: &str, field: Option<&str>, value: &Secret) -> Result<(), Failure> {
        let known = self.known(name).await?;
        let text = match field {
            None => value.expose().to_owned(),
            Some(field) => with_field(name, known.as_deref(), field, value)?,
        };
        match known {
            Some(_) => self.replace(name, text).await,
            None => self.create(name, text).await,
        }
    }

    /// What is kept under a name, as it is.
    async fn known(&self, name: &str) -> Result<Option<String>, Failure> {
        match self.client().get_secret_value().secret_id(name).send().await {
            Ok(answer) => Ok(Some(answer.secret_string().unwrap_or_default().to_owned())),
            Err(error) => match error.as_service_error() {
                Some(GetSecretValueError::ResourceNotFoundException(_)) => Ok(None),
                _ => Err(aws::failure(DURING, &error)),
            },
        }
    }

    async fn create(&self, name: &str, text: String) -> Result<(), Failure> {
        let sent = self.client().create_secret().name(name).secret_string(text.clone()).send().await;
        match sent {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                // There all the same: without a value, or made by somebody else just now.
                Some(CreateSecretError::ResourceExistsException(_)) => self.replace(name, text).await,
                _ => Err(aws::failure(DURING, &error)),
            },
        }
    }

    async fn replace(&self, name: &str, text: String) -> Result<(), Failure> {
        let sent = self.client().put_secret_value().secret_id(name).secret_string(text).send().await;
        sent.map(drop).map_err(|error| aws::failure(DURING, &error))
    }
}

/// The JSON object with one field set. What cannot be read is not repeated.
fn with_field(name: &str, known: Option<&str>, field: &str, value: &Secret) -> Result<String, Failure> {
    let mut fields: Map<String, Value> = match known.filter(|text| !text.trim().is_empty()) {
        None => Map::new(),
        Some(text) => serde_json::from_str(text).map_err(|_| {
            let cure = "choose another name for it in the settings";
            Failure::permanent(DURING, format!("the secret {name} is no JSON object with fields; {cure}"))
        })?,
    };
    fields.insert(field.to_owned(), Value::String(value.expose().to_owned()));
    Ok(Value::Object(fields).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_set_and_the_others_stay() {
        let secret = Secret::new("n\"ew");
        let text = with_field("main", Some(r#"{"a":"1","b":"2"}"#), "b", &secret).unwrap();
        assert_eq!(text, r#"{"a":"1","b":"n\"ew"}"#);
        assert_eq!(with_field("main", None, "b", &Secret::new("2")).unwrap(), r#"{"b":"2"}"#);
        let failure = with_field("main", Some("hunter2"), "b", &secret).unwrap_err();
        assert!(failure.message.contains("main") && !failure.to_string().contains("hunter2"));
    }
}
