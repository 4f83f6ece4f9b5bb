//! Makes the two tables, for one machine and for tests. On AWS the template makes them.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::client::Waiters;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TimeToLiveSpecification,
};
use domain::Failure;

use crate::aws::failure;
use crate::settings::{SettingError, Settings};

const DURING: &str = "dynamodb: create table";

/// The names of the two tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// Orders, dates, cursors, connections.
    pub ledger: String,
    /// Mappings.
    pub mappings: String,
}

impl Default for Names {
    fn default() -> Self {
        Self { ledger: "ledger".to_owned(), mappings: "mappings".to_owned() }
    }
}

impl Names {
    /// The names in the settings `LEDGER_TABLE` and `MAPPINGS_TABLE`.
    ///
    /// # Errors
    /// When one is missing.
    pub fn from_settings(settings: &Settings) -> Result<Self, SettingError> {
        Ok(Self {
            ledger: settings.text("LEDGER_TABLE")?.to_owned(),
            mappings: settings.text("MAPPINGS_TABLE")?.to_owned(),
        })
    }
}

/// Makes both tables, where they are not there yet, and waits until they can be used.
///
/// # Errors
/// When DynamoDB says no or cannot be reached.
pub async fn create(client: &Client, names: &Names) -> Result<(), Failure> {
    for name in [&names.ledger, &names.mappings] {
        if create_one(client, name).await? {
            expire(client, name).await?;
        }
    }
    Ok(())
}

/// True when the table is new.
async fn create_one(client: &Client, name: &str) -> Result<bool, Failure> {
    let request = client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    let answer = request
        .set_attribute_definitions(Some(vec![attribute("pk")?, attribute("sk")?]))
        .set_key_schema(Some(vec![element("pk", KeyType::Hash)?, element("sk", KeyType::Range)?]))
        .send()
        .await;
    match answer {
        Ok(_) => {}
        Err(SdkError::ServiceError(no))
            if matches!(no.err(), CreateTableError::ResourceInUseException(_)) =>
        {
            return Ok(false);
        }
        Err(error) => return Err(failure(DURING, &error)),
    }
    let ready = client.wait_until_table_exists().table_name(name).wait(Duration::from_secs(60)).await;
    ready.map_err(|_| Failure::retryable(DURING, format!("table {name} is not usable after a minute")))?;
    Ok(true)
}

async fn expire(client: &Client, name: &str) -> Result<(), Failure> {
    let by_expires = TimeToLiveSpecification::builder().attribute_name("expires").enabled(true).build();
    let by_expires = by_expires.map_err(|_| unmakeable())?;
    let answer =
        client.update_time_to_live().table_name(name).time_to_live_specification(by_expires).send().await;
    answer.map(|_| ()).map_err(|error| failure(DURING, &error))
}

fn attribute(name: &str) -> Result<AttributeDefinition, Failure> {
    let text = AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S);
    text.build().map_err(|_| unmakeable())
}

fn element(name: &str, kind: KeyType) -> Result<KeySchemaElement, Failure> {
    KeySchemaElement::builder().attribute_name(name).key_type(kind).build().map_err(|_| unmakeable())
}

fn unmakeable() -> Failure {
    Failure::permanent(DURING, "the request cannot be made")
}
