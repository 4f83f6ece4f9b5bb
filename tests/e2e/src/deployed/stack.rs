//! The stack: the template as it is, deployed and changed through CloudFormation, and what it says of itself.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use simulator::lambda::events;

use super::aws::{Aws, texts};
use super::wait::{PATIENCE, until};
use crate::chaos::FUNCTIONS;

/// Its name, which is in the names of functions, logs, alarms and secrets.
pub(super) const STACK: &str = "shop";
/// The names of all secrets that its functions can read begin so.
pub(super) const SECRETS_BEGIN: &str = "cartdock/shop/";
const BUCKET: &str = "deploy";
const CLOUDFORMATION: (&str, &str) = ("cloudformation", "2010-05-15");
/// The alias that everything in the template calls.
const LIVE: &str = "Qualifier=live";

/// A deployed stack.
pub(super) struct Stack<'a> {
    pub(super) aws: &'a Aws,
    parameters: BTreeMap<String, String>,
    resources: BTreeMap<String, String>,
}

/// Puts the code and the template where CloudFormation finds them: what `sam package` does.
pub(super) async fn package(aws: &Aws, template: &Path, zips: &Path) {
    aws.rest("s3", "PUT", (&format!("/{BUCKET}"), ""), Vec::new()).await;
    for name in FUNCTIONS {
        let zip = std::fs::read(zips.join(format!("{name}.zip"))).expect("the function's zip");
        put(aws, &format!("{name}.zip"), zip).await;
    }
    let template = std::fs::read_to_string(template).expect("the template");
    put(aws, "template.yaml", packaged(&template).into_bytes()).await;
}

async fn put(aws: &Aws, key: &str, body: Vec<u8>) {
    aws.rest("s3", "PUT", (&format!("/{BUCKET}/{key}"), ""), body).await;
}

/// The template with the address of each function's code instead of its folder; nothing else is changed.
fn packaged(template: &str) -> String {
    let mut binary = "";
    let line = |line: &'_ str| {
        if let Some((_, rest)) = line.split_once("Binary: ") {
            binary = FUNCTIONS.into_iter().find(|name| rest.starts_with(name)).expect("a function of ours");
        }
        match line.split_once("CodeUri: ") {
            Some((indent, _)) => format!("{indent}CodeUri: s3://{BUCKET}/{binary}.zip\n"),
            None => format!("{line}\n"),
        }
    };
    template.lines().map(line).collect()
}

impl<'a> Stack<'a> {
    /// Deploys it.
    ///
    /// # Errors
    /// The sentence with which CloudFormation refuses these parameters.
    pub(super) async fn create(aws: &'a Aws, parameters: &[(&str, &str)]) -> Result<Self, String> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let parameters = parameters.iter().map(own).collect();
        let mut stack = Self { aws, parameters, resources: BTreeMap::new() };
        stack.deploy("CreateStack", "CREATE_COMPLETE").await?;
        Ok(stack)
    }

    /// Deploys over it with a changed parameter.
    pub(super) async fn update(&mut self, name: &str, value: &str) {
        self.parameters.insert(name.to_owned(), value.to_owned());
        self.deploy("UpdateStack", "UPDATE_COMPLETE").await.expect("the stack is updated");
    }

    async fn deploy(&mut self, action: &str, end: &str) -> Result<(), String> {
        let template = format!("{}/{BUCKET}/template.yaml", self.aws.endpoint());
        let mut fields = vec![
            ("StackName".to_owned(), STACK.to_owned()),
            ("TemplateURL".to_owned(), template),
            ("Capabilities.member.1".to_owned(), "CAPABILITY_IAM".to_owned()),
            ("Capabilities.member.2".to_owned(), "CAPABILITY_AUTO_EXPAND".to_owned()),
        ];
        for (n, (name, value)) in (1..).zip(&self.parameters) {
            fields.push((format!("Parameters.member.{n}.ParameterKey"), name.clone()));
            fields.push((format!("Parameters.member.{n}.ParameterValue"), value.clone()));
        }
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
        self.aws.form(CLOUDFORMATION, action, &fields).await?;
        let status = until("the stack is deployed", PATIENCE, async || {
            let status = texts(&self.describe("DescribeStacks").await, "StackStatus").pop()?;
            (!status.ends_with("_IN_PROGRESS")).then_some(status)
        });
        assert_eq!(status.await, end, "{}", self.describe("DescribeStackEvents").await);
        let resources = self.describe("DescribeStackResources").await;
        let names = texts(&resources, "LogicalResourceId");
        self.resources = names.into_iter().zip(texts(&resources, "PhysicalResourceId")).collect();
        Ok(())
    }

    async fn describe(&self, action: &str) -> String {
        self.aws.form(CLOUDFORMATION, action, &[("StackName", STACK)]).await.expect("the stack is there")
    }

    /// What AWS calls the resource of this name in the template.
    pub(super) fn resource(&self, name: &str) -> &str {
        self.resources.get(name).unwrap_or_else(|| panic!("the stack has no resource {name}"))
    }

    /// The resources whose name in the template ends so: that name, and what AWS calls them.
    pub(super) fn resources(&self, end: &str) -> Vec<(&str, &str)> {
        let all = self.resources.iter().filter(|(name, _)| name.ends_with(end));
        all.map(|(name, physical)| (&**name, &**physical)).collect()
    }

    /// The address of a path of the HTTP API. The emulator serves it under the API's id: its host names do not resolve.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}/_aws/execute-api/{}/$default{path}", self.aws.endpoint(), self.resource("WebhooksApi"))
    }

    /// Invokes a function with the event of its schedule.
    ///
    /// # Errors
    /// What the function says when it fails.
    pub(super) async fn run(&self, function: &str) -> Result<Value, String> {
        let path = format!("/2015-03-31/functions/{STACK}-{function}/invocations");
        let event = events::schedule().to_string().into_bytes();
        let answer = self.aws.rest("lambda", "POST", (&path, LIVE), event).await;
        if answer.is_function_error { Err(answer.text()) } else { Ok(answer.json()) }
    }

    /// Puts a message on a queue.
    pub(super) async fn send(&self, url: &str, body: &str) {
        let message = json!({"QueueUrl": url, "MessageBody": body});
        self.aws.json("sqs", "AmazonSQS.SendMessage", &message).await;
    }

    /// Takes up to ten messages off a queue.
    pub(super) async fn take(&self, url: &str) -> Vec<Value> {
        let ask = json!({"QueueUrl": url, "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"]});
        let told = self.aws.json("sqs", "AmazonSQS.ReceiveMessage", &ask).await;
        let messages = told["Messages"].as_array().cloned().unwrap_or_default();
        for message in &messages {
            let taken = json!({"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]});
            self.aws.json("sqs", "AmazonSQS.DeleteMessage", &taken).await;
        }
        messages
    }

    /// Creates a secret.
    pub(super) async fn secret(&self, name: &str, value: &str) {
        let name = format!("{SECRETS_BEGIN}{name}");
        let secret = json!({"Name": name, "SecretString": value});
        self.aws.json("secretsmanager", "secretsmanager.CreateSecret", &secret).await;
    }

    /// All lines that a function has logged.
    pub(super) async fn logs(&self, function: &str) -> Vec<String> {
        let (mut lines, mut next) = (Vec::new(), Value::Null);
        loop {
            let mut ask = json!({"logGroupName": format!("/aws/lambda/{STACK}-{function}")});
            if !next.is_null() {
                ask["nextToken"] = next;
            }
            let told = self.aws.json("logs", "Logs_20140328.FilterLogEvents", &ask).await;
            let events = told["events"].as_array().cloned().unwrap_or_default();
            let texts = events.iter().filter_map(|event| event["message"].as_str());
            lines.extend(texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()));
            next = told["nextToken"].clone();
            if next.is_null() {
                return lines;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packaging_changes_the_place_of_each_code_and_nothing_else() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/template.yaml");
        let template = std::fs::read_to_string(path).expect("the template");
        let packaged = packaged(&template);
        let changed = template.lines().zip(packaged.lines()).filter(|(before, after)| before != after);
        let changed: Vec<&str> = changed.map(|(_, after)| after.trim()).collect();
        let mut wanted = FUNCTIONS.map(|name| format!("CodeUri: s3://{BUCKET}/{name}.zip"));
        wanted.sort_unstable();
        let mut found = changed.clone();
        found.sort_unstable();
        assert_eq!(found, wanted);
    }
}
