//! A deployment on AWS for the real binary: the tables, and the two services that say where they are and what the secrets
//! are.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use adapters::dynamodb::{Client, DynamoConnections, DynamoLedger, Names, tables};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use domain::connection::Connection;
use domain::ports::Connections;
use tokio::process::Command;

/// The stack that there is.
pub(crate) const STACK: &str = "shop-prod";

/// What the names of its secrets begin with.
pub(crate) const SECRETS: &str = "cartdock/shop-prod/";

/// A deployment whose tables are not called as they usually are.
pub(crate) struct Aws {
    pub(crate) client: Client,
    pub(crate) names: Names,
    database: String,
    services: String,
    secrets: Arc<Mutex<Vec<(String, String)>>>,
}

async fn listen() -> (tokio::net::TcpListener, String) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    (listener, address)
}

impl Aws {
    pub(crate) async fn start() -> Self {
        let (listener, database) = listen().await;
        let engine = dynoxide::Database::memory().expect("a database");
        tokio::spawn(dynoxide::server::serve_with_shutdown(listener, engine, std::future::pending()));
        let client = Client::new(&adapters::aws::local(&database));
        let names =
            Names { ledger: "shop-prod-Ledger-X1".to_owned(), mappings: "shop-prod-Mappings-Y2".to_owned() };
        tables::create(&client, &names).await.expect("tables");
        Self::with(client, names, database).await
    }

    /// A deployment whose tables are those of the `cartdock run` that writes down its endpoint in this file. What its
    /// ledger calls a secret by the first of two names is called by the second one on the deployment.
    pub(crate) async fn of_a_run(endpoint: PathBuf, names: Vec<(String, String)>) -> Self {
        let (listener, database) = listen().await;
        let app = Router::new().route("/", post(renamed)).with_state(Arc::new((endpoint, names)));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self::with(Client::new(&adapters::aws::local(&database)), Names::default(), database).await
    }

    async fn with(client: Client, names: Names, database: String) -> Self {
        let secrets: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
        let (listener, services) = listen().await;
        let app = Router::new().route("/", post(answer)).with_state((names.clone(), secrets.clone()));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { client, names, database, services, secrets }
    }

    /// Puts a secret into Secrets Manager.
    pub(crate) fn keep(&self, name: &str, value: &str) {
        self.secrets.lock().expect("nobody panics").push((format!("{SECRETS}{name}"), value.to_owned()));
    }

    /// What Secrets Manager keeps under a name.
    pub(crate) fn kept(&self, name: &str) -> Option<String> {
        let (kept, name) = (self.secrets.lock().expect("nobody panics"), format!("{SECRETS}{name}"));
        kept.iter().rev().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
    }

    pub(crate) fn ledger(&self) -> DynamoLedger {
        DynamoLedger::new(self.client.clone(), &self.names.ledger, None)
    }

    pub(crate) fn connections(&self) -> DynamoConnections {
        DynamoConnections::new(self.client.clone(), &self.names.ledger, None)
    }

    pub(crate) async fn connection(&self, id: &str) -> Option<Connection> {
        self.connections().get(&id.parse().expect("an id")).await.expect("the ledger answers")
    }

    /// How many items are in both tables.
    pub(crate) async fn items(&self) -> usize {
        let mut all = 0;
        for name in [&self.names.ledger, &self.names.mappings] {
            all += self.client.scan().table_name(name).send().await.expect("a page").items().len();
        }
        all
    }

    /// The binary, with a profile of AWS's configuration files, and nothing else of the deployment in its environment.
    pub(crate) fn command(&self, dir: &Path, args: &[&str], hosts: &[String]) -> Command {
        self.command_on(STACK, dir, args, hosts)
    }

    /// The same, on another stack.
    pub(crate) fn command_on(&self, stack: &str, dir: &Path, args: &[&str], hosts: &[String]) -> Command {
        let keys = "[shop]\naws_access_key_id = AKIATEST\naws_secret_access_key = test\n";
        std::fs::write(dir.join("credentials"), keys).expect("a file");
        std::fs::write(dir.join("config"), "[profile shop]\nregion = eu-central-1\n").expect("a file");
        let mut command = super::cartdock(dir, args);
        command
            .args(["--stack", stack, "--profile", "shop"])
            .env("AWS_SHARED_CREDENTIALS_FILE", dir.join("credentials"))
            .env("AWS_CONFIG_FILE", dir.join("config"))
            .env("AWS_ENDPOINT_URL_DYNAMODB", &self.database)
            .env("AWS_ENDPOINT_URL_CLOUDFORMATION", &self.services)
            .env("AWS_ENDPOINT_URL_SECRETS_MANAGER", &self.services)
            .env("AWS_ENDPOINT_URL_SQS", &self.services)
            .env("AWS_ENDPOINT_URL_SNS", &self.services)
            .env("LOCAL_HOSTS", hosts.join(","));
        command
    }
}

/// Where a run writes down its endpoint, and what secrets are called there and on the deployment.
type Run = Arc<(PathBuf, Vec<(String, String)>)>;

/// A request to the database of a run, once there is one, with the names that the run uses, and its answer the other way.
async fn renamed(State(run): State<Run>, headers: HeaderMap, body: String) -> (StatusCode, String) {
    let (file, names) = run.as_ref();
    let started = async {
        loop {
            match std::fs::read_to_string(file) {
                Ok(endpoint) => return endpoint.trim().to_owned(),
                Err(_) => super::a_moment().await,
            }
        }
    };
    let endpoint = super::in_time("`cartdock run` starts", started).await;
    let asked = names.iter().fold(body, |text, (run, stack)| text.replace(stack, run));
    let client = reqwest::Client::builder().tls_backend_preconfigured(adapters::tls::built_in()).build();
    let mut request = client.expect("a client").post(endpoint).body(asked);
    for name in ["x-amz-target", "content-type", "authorization", "x-amz-date"] {
        if let Some(value) = headers.get(name) {
            request = request.header(name, value);
        }
    }
    let answer = request.send().await.expect("the run is at work");
    let status = answer.status();
    let text = answer.text().await.expect("an answer");
    (status, names.iter().fold(text, |text, (run, stack)| text.replace(run, stack)))
}

type Known = (Names, Arc<Mutex<Vec<(String, String)>>>);

/// CloudFormation, Secrets Manager, SQS and SNS, as far as they are asked.
async fn answer(
    State((names, secrets)): State<Known>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, String) {
    let signed = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    assert!(signed.contains("AKIATEST/") && signed.contains("/eu-central-1/"), "the profile's: {signed}");
    if body.contains("Action=DescribeStacks") {
        return described(&names, &body);
    }
    if body.contains("TopicArn=") {
        return topic(&body);
    }
    let call: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    if let Some(queue) = call["QueueUrl"].as_str() {
        let messages = if queue.ends_with("dead") { ("1", "1") } else { ("4", "3") };
        let attributes = serde_json::json!({
            "ApproximateNumberOfMessages": messages.0, "ApproximateNumberOfMessagesNotVisible": messages.1,
        });
        return (StatusCode::OK, serde_json::json!({ "Attributes": attributes }).to_string());
    }
    let mut kept = secrets.lock().expect("nobody panics");
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if let Some(name) = call["Name"].as_str().or(call["SecretId"].as_str())
        && let Some(value) = call["SecretString"].as_str()
    {
        let is_there = kept.iter().any(|(known, _)| known == name);
        assert_eq!(is_there, target.ends_with("PutSecretValue"), "made once, and only then replaced");
        kept.push((name.to_owned(), value.to_owned()));
        return (StatusCode::OK, serde_json::json!({ "Name": name }).to_string());
    }
    match kept.iter().rev().find(|(name, _)| call["SecretId"] == name.as_str()) {
        Some((name, value)) => {
            (StatusCode::OK, serde_json::json!({ "Name": name, "SecretString": value }).to_string())
        }
        None => (StatusCode::BAD_REQUEST, r#"{"__type":"ResourceNotFoundException"}"#.to_owned()),
    }
}

/// What the topic takes, and who has subscribed to it: nobody who has confirmed it.
fn topic(body: &str) -> (StatusCode, String) {
    let action = if body.contains("Action=Publish") { "Publish" } else { "GetTopicAttributes" };
    let entry = |key: &str, value: &str| format!("<entry><key>{key}</key><value>{value}</value></entry>");
    let attributes =
        format!("{}{}", entry("SubscriptionsConfirmed", "0"), entry("SubscriptionsPending", "1"));
    let result = format!("<MessageId>1</MessageId><Attributes>{attributes}</Attributes>");
    let whole = format!(
        "<{action}Response xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><{action}Result>{result}</{action}Result>\
         </{action}Response>"
    );
    (StatusCode::OK, whole)
}

fn described(names: &Names, body: &str) -> (StatusCode, String) {
    let wrapped =
        |inner: &str| format!("<{inner} xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\">");
    if body.contains("StackName=other") {
        let error = "<Error><Type>Sender</Type><Code>ValidationError</Code><Message>Stack with id other does not exist\
                     </Message></Error><RequestId>1</RequestId>";
        return (StatusCode::BAD_REQUEST, format!("{}{error}</ErrorResponse>", wrapped("ErrorResponse")));
    }
    let outputs = [
        ("LedgerTable", names.ledger.as_str()),
        ("MappingsTable", &names.mappings),
        ("WebhooksUrl", "https://abc.execute-api.eu-central-1.amazonaws.com"),
        ("SecretPrefix", SECRETS),
        ("AlarmTopic", "arn:aws:sns:eu-central-1:1:shop-prod-Alarms"),
        ("OrdersQueueUrl", "https://sqs.eu-central-1.amazonaws.com/1/orders"),
        ("OrdersDeadLettersUrl", "https://sqs.eu-central-1.amazonaws.com/1/orders-dead"),
    ];
    let member = |(name, value): (&str, &str)| {
        format!("<member><OutputKey>{name}</OutputKey><OutputValue>{value}</OutputValue></member>")
    };
    // One is deployed by half: nothing is put out yet.
    let known = if body.contains("StackName=half") { &outputs[..0] } else { &outputs[..] };
    let outputs: String = known.iter().copied().map(member).collect();
    let stack = format!(
        "<member><StackName>{STACK}</StackName><CreationTime>2026-11-01T00:00:00Z</CreationTime>\
         <StackStatus>CREATE_COMPLETE</StackStatus><Outputs>{outputs}</Outputs></member>"
    );
    let whole = format!(
        "{}<DescribeStacksResult><Stacks>{stack}</Stacks></DescribeStacksResult></DescribeStacksResponse>",
        wrapped("DescribeStacksResponse")
    );
    (StatusCode::OK, whole)
}
