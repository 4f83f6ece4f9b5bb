//! A deployment on AWS, found by the name of its stack: where its tables are, and what else its outputs say.

use std::collections::BTreeMap;

use adapters::alerts::sns::SnsTopic;
use adapters::aws::{self, SdkConfig};
use adapters::dynamodb::Names;
use adapters::secretsmanager::SecretsManager;
use adapters::settings::Settings;
use adapters::sqs;
use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::error::ProvideErrorMetadata;
use aws_sdk_cloudformation::types::Stack as Described;
use domain::Failure;
use domain::life::Pace;
use operations::doctor::Depth;

use crate::config::alerts::{Alerts, Channel};
use crate::host::{Options, Place};

const DURING: &str = "find the deployment";

/// How the outputs of the queues end, and those of their dead letters.
const QUEUE: &str = "QueueUrl";
const DEAD_LETTERS: &str = "DeadLettersUrl";

/// A deployment.
pub(crate) struct Deployment {
    /// The name of its stack.
    pub(crate) stack: String,
    /// Under which address the outside reaches its webhooks, without a slash at its end.
    pub(crate) webhooks: Option<String>,
    /// What the names of the secrets begin with that its functions may read.
    pub(crate) secret_prefix: Option<String>,
    /// The topic of its alarms and alerts.
    pub(crate) topic: Option<String>,
    /// Its queues and their dead letters, each by the name of its output.
    pub(crate) queues: Vec<(String, String)>,
    sdk: SdkConfig,
    names: Names,
}

impl Deployment {
    /// Looks a stack up, with the credentials of `profile` in `region`, or those of the environment.
    ///
    /// # Errors
    /// When there is no such stack, it is no deployment of ours, or AWS says no.
    pub(crate) async fn find(
        stack: &str,
        profile: Option<&str>,
        region: Option<&str>,
    ) -> Result<Self, Failure> {
        let sdk = aws::of_person(profile, region).await;
        if sdk.region().is_none() {
            let cure = "add --region, or set AWS_REGION or a region in the profile";
            return Err(Failure::permanent(DURING, format!("no region is known; {cure}")));
        }
        let mut outputs = outputs(&Client::new(&sdk), stack, sdk.region().map(AsRef::as_ref)).await?;
        let mut table = |output: &str| {
            let cure = "is it a stack of Cartdock, and is it deployed to its end?";
            let missing =
                || Failure::permanent(DURING, format!("stack {stack} has no output {output}; {cure}"));
            outputs.remove(output).ok_or_else(missing)
        };
        let names = Names { ledger: table("LedgerTable")?, mappings: table("MappingsTable")? };
        let webhooks = outputs.remove("WebhooksUrl").map(|url| url.trim_end_matches('/').to_owned());
        let secret_prefix = outputs.remove("SecretPrefix").filter(|prefix| !prefix.is_empty());
        let topic = outputs.remove("AlarmTopic");
        let queues = outputs
            .into_iter()
            .filter(|(name, _)| name.ends_with(QUEUE) || name.ends_with(DEAD_LETTERS))
            .collect();
        Ok(Self { stack: stack.to_owned(), webhooks, secret_prefix, topic, queues, sdk, names })
    }

    /// How much is on each of its queues, and among its dead letters.
    ///
    /// # Errors
    /// When SQS says no or cannot be reached.
    pub(crate) async fn depths(&self) -> Result<Vec<Depth>, Failure> {
        let client = sqs::Client::new(&self.sdk);
        let mut depths = Vec::new();
        for (output, url) in &self.queues {
            let dead = output.strip_suffix(DEAD_LETTERS);
            let name = dead.or(output.strip_suffix(QUEUE)).unwrap_or(output).to_lowercase();
            let messages = sqs::depth(&client, url).await?;
            depths.push(Depth { name, is_dead: dead.is_some(), messages });
        }
        Ok(depths)
    }

    /// Its secret store, as the person may write it.
    pub(crate) fn secrets(&self) -> SecretsManager {
        SecretsManager::with(self.sdk.clone())
    }

    /// How many have subscribed to its topic, and how many of those have not confirmed it yet; none where it has no topic.
    ///
    /// # Errors
    /// When SNS says no or cannot be reached.
    pub(crate) async fn subscriptions(&self) -> Result<Option<(u64, u64)>, Failure> {
        let Some(topic) = &self.topic else { return Ok(None) };
        SnsTopic::new(self.sdk.clone(), topic).subscriptions().await.map(Some)
    }

    /// The options of a host that works on its tables.
    pub(crate) fn options(&self) -> Options {
        Options {
            place: Place::Cloud(Box::new(self.sdk.clone()), self.names.clone()),
            local_hosts: local_hosts(),
            pace: Pace::default(),
            sweep_every: std::time::Duration::from_secs(60),
            reconcile_every: domain::reconciliation::EVERY,
            alerts: Alerts {
                channels: self.topic.iter().cloned().map(Channel::Topic).collect(),
                ..Alerts::default()
            },
            secrets: Vec::new(),
            beat: None,
        }
    }
}

/// What a stack says of itself.
async fn outputs(
    client: &Client,
    stack: &str,
    region: Option<&str>,
) -> Result<BTreeMap<String, String>, Failure> {
    let answer = client.describe_stacks().stack_name(stack).send().await.map_err(|error| {
        let is_absent = error.as_service_error().is_some_and(|refused| {
            refused.code() == Some("ValidationError")
                && refused.message().is_some_and(|message| message.contains("does not exist"))
        });
        if is_absent {
            let region = region.unwrap_or_default();
            let cure = "correct --stack, --region or --profile, or deploy it first";
            Failure::permanent(DURING, format!("there is no stack {stack} in {region}; {cure}"))
        } else {
            aws::failure(DURING, &error)
        }
    })?;
    let described = answer.stacks().first();
    let outputs = described.map(Described::outputs).unwrap_or_default();
    let pair = |output: &aws_sdk_cloudformation::types::Output| {
        Some((output.output_key()?.to_owned(), output.output_value()?.to_owned()))
    };
    Ok(outputs.iter().filter_map(pair).collect())
}

/// The hosts that may be reached although they are local or not https, from the same variable as the functions': for tests.
fn local_hosts() -> Vec<String> {
    let variables = Settings::variables();
    let hosts = variables.get("LOCAL_HOSTS").map(String::as_str).unwrap_or_default();
    hosts.split(',').map(str::trim).filter(|host| !host.is_empty()).map(str::to_owned).collect()
}
