//! What an owner fears: a secret that is missing, a message that nobody can read, a permission that is missing, an alarm
//! that nobody hears.

use std::path::Path;

use domain::Kind;
use domain::record::Stage;
use serde_json::{Value, json};
use simulator::store::OrderSpec;

use super::aws::texts;
use super::day::sweep_until;
use super::grants::{Comparison, policies, put_policy};
use super::shop::{Shop, reference};
use super::stack::{SECRETS_BEGIN, STACK, Stack};
use super::wait::{PATIENCE, until};

const CLOUDWATCH: (&str, &str) = ("monitoring", "2010-08-01");
const SNS: (&str, &str) = ("sns", "2010-03-31");

/// A secret is missing: the run fails and names it, the line of the log is one that the alarm's metric counts, and with
/// what is counted the alarm rings. The emulator counts no lines: what AWS would have counted is put.
pub(super) async fn missing_secret(stack: &Stack<'_>, ear: &Ear<'_>) {
    let name = format!("{SECRETS_BEGIN}main/api-key");
    let failure = stack.run("poll-orders").await.expect_err("a run without its secret fails");
    assert!(failure.contains(&name) && failure.contains("create it"), "{failure}");
    let ask = json!({"logGroupName": stack.resource("PollOrdersLog")});
    let told = stack.aws.json("logs", "Logs_20140328.DescribeMetricFilters", &ask).await;
    let filter = &told["metricFilters"][0];
    let pattern = filter["filterPattern"].as_str().unwrap_or_default().to_owned();
    let words = pattern.trim_matches('"');
    assert!(!words.is_empty(), "a metric counts secrets that cannot be read: {told}");
    until("the log names the secret", PATIENCE, async || {
        let lines = stack.logs("poll-orders").await;
        lines.iter().any(|line| line.contains(words) && line.contains(&name)).then_some(())
    })
    .await;
    let counted = &filter["metricTransformations"][0];
    let [namespace, name, value] = ["metricNamespace", "metricName", "metricValue"]
        .map(|field| counted[field].as_str().expect("what a line is counted as"));
    assert_eq!(value, "1", "a line is counted once: {told}");
    ear.hears("secret-unreadable", &Metric { namespace, name, dimension: None }).await;
}

/// A message that nobody can read, on each queue: it is a dead letter with its reason; put back, it is one again; then a
/// person throws it away.
pub(super) async fn dead_letters(stack: &Stack<'_>) {
    for queue in ["Orders", "Shipments", "Hints"] {
        let (url, dead) =
            (stack.resource(&format!("{queue}Queue")), stack.resource(&format!("{queue}DeadLetters")));
        let poison = format!("nothing that {queue} could be");
        for _ in 0..2 {
            stack.send(url, &poison).await;
            let letter =
                until("the poison is a dead letter", PATIENCE, async || stack.take(dead).await.pop());
            let letter = letter.await;
            assert_eq!(letter["Body"], *poison, "{letter}");
            let attribute = |name: &str| letter["MessageAttributes"][name]["StringValue"].clone();
            assert_eq!(attribute("kind"), Kind::Poison.word(), "{letter}");
            assert!(attribute("reason").as_str().is_some_and(|reason| !reason.is_empty()), "{letter}");
        }
    }
}

/// One statement of a policy is missing: the function is refused and says so, the order stays ready in the ledger, and goes
/// its way once, when the statement is back.
pub(super) async fn missing_permission(stack: &Stack<'_>, shop: &Shop, decisions: &Path, order: OrderSpec) {
    let role = stack.resource("ForwardOrdersRole");
    let (policy, document) = policies(stack, role).await.pop().expect("the role has a policy");
    let mut less = document.clone();
    let statements = less["Statement"].as_array_mut().expect("statements");
    let before = statements.len();
    statements.retain(|statement| !statement["Action"].to_string().contains("dynamodb:PutItem"));
    assert_eq!(statements.len(), before - 1, "one statement lets the function write the ledger");
    put_policy(stack, role, &policy, &less).await;
    let order = shop.sell(vec![order]).pop().expect("an order");
    until("the function is refused and says so", PATIENCE, async || {
        let is_denied =
            Comparison::of(stack, decisions).await.denied.iter().any(|g| g.role == "ForwardOrdersRole");
        let lines = stack.logs("forward-orders").await;
        (is_denied && lines.iter().any(|line| line.contains("the role lacks a permission"))).then_some(())
    })
    .await;
    let record = shop.record(order).await.expect("the order is in the ledger");
    assert!(matches!(record.stage, Stage::Ready { .. }), "{:?}", record.stage);
    assert_eq!(shop.warehouse.creates_for(&reference(order)), 0);
    put_policy(stack, role, &policy, &document).await;
    sweep_until(stack, "the order is sent after all", async || {
        (shop.warehouse.creates_for(&reference(order)) > 0).then_some(())
    })
    .await;
    assert_eq!(shop.warehouse.creates_for(&reference(order)), 1);
}

/// What hears what the stack's topic tells.
pub(super) struct Ear<'a> {
    stack: &'a Stack<'a>,
    inbox: String,
}

/// What an alarm looks at.
struct Metric<'a> {
    namespace: &'a str,
    name: &'a str,
    dimension: Option<(&'a str, &'a str)>,
}

impl<'a> Ear<'a> {
    /// A queue that listens to the topic.
    pub(super) async fn at(stack: &'a Stack<'a>) -> Self {
        let inbox = stack.aws.json("sqs", "AmazonSQS.CreateQueue", &json!({"QueueName": "inbox"})).await;
        let inbox = inbox["QueueUrl"].as_str().expect("a queue").to_owned();
        let ask = json!({"QueueUrl": inbox, "AttributeNames": ["QueueArn"]});
        let told = stack.aws.json("sqs", "AmazonSQS.GetQueueAttributes", &ask).await;
        let arn = told["Attributes"]["QueueArn"].as_str().expect("an ARN").to_owned();
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
            "Resource": arn,
        }]});
        let set = json!({"QueueUrl": inbox, "Attributes": {"Policy": policy.to_string()}});
        stack.aws.json("sqs", "AmazonSQS.SetQueueAttributes", &set).await;
        let fields = [("TopicArn", stack.resource("Alarms")), ("Protocol", "sqs"), ("Endpoint", &arn)];
        stack.aws.form(SNS, "Subscribe", &fields).await.expect("the topic is there");
        Self { stack, inbox }
    }

    /// A metric is put as AWS puts it: the alarm rings, and who listens to the topic hears which, and where its page is.
    async fn hears(&self, alarm: &str, metric: &Metric<'_>) {
        let (name, page) = (format!("{STACK}-{alarm}"), format!("infra/runbooks/{alarm}.md"));
        let mut fields = vec![
            ("Namespace", metric.namespace),
            ("MetricData.member.1.MetricName", metric.name),
            ("MetricData.member.1.Value", "1"),
        ];
        if let Some((dimension, value)) = metric.dimension {
            fields.push(("MetricData.member.1.Dimensions.member.1.Name", dimension));
            fields.push(("MetricData.member.1.Dimensions.member.1.Value", value));
        }
        self.stack.aws.form(CLOUDWATCH, "PutMetricData", &fields).await.expect("the metric is put");
        until(&format!("the alarm {name} rings"), PATIENCE, async || {
            let which = [("AlarmNames.member.1", &*name)];
            let told =
                self.stack.aws.form(CLOUDWATCH, "DescribeAlarms", &which).await.expect("the alarm is there");
            (texts(&told, "StateValue") == ["ALARM"]).then_some(())
        })
        .await;
        let heard = until("the topic tells of it", PATIENCE, async || {
            let heard = self.stack.take(&self.inbox).await.into_iter().filter_map(|message| {
                let notification: Value = serde_json::from_str(message["Body"].as_str()?).ok()?;
                serde_json::from_str::<Value>(notification["Message"].as_str()?).ok()
            });
            heard.into_iter().find(|heard| heard["AlarmName"] == *name && heard["NewStateValue"] == "ALARM")
        })
        .await;
        assert!(heard["AlarmDescription"].as_str().is_some_and(|text| text.contains(&page)), "{heard}");
    }

    /// There is a dead letter.
    pub(super) async fn hears_of_dead_letters(&self) {
        let dead_letters = self.stack.resource("OrdersDeadLetters").rsplit('/').next().expect("a name");
        let metric = Metric {
            namespace: "AWS/SQS",
            name: "ApproximateNumberOfMessagesVisible",
            dimension: Some(("QueueName", dead_letters)),
        };
        self.hears("orders-dead", &metric).await;
    }
}
