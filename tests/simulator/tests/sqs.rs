//! The simulated queue service, driven by the SDK that the product uses.
#![expect(clippy::expect_used, reason = "a test that cannot go on should say where")]

mod support;

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region, retry::RetryConfig};
use aws_sdk_sqs::types::{
    DeleteMessageBatchRequestEntry, Message, MessageAttributeValue, MessageSystemAttributeName,
    QueueAttributeName, SendMessageBatchRequestEntry,
};
use simulator::faults::When;
use simulator::sqs::{Action, Fault, FaultPlan, Sqs};
use support::soon;

async fn start() -> (Sqs, Client, String) {
    let sqs = Sqs::start().await.expect("a port");
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(sqs.endpoint())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("simulated", "simulated", None, None, "simulated"))
        .retry_config(RetryConfig::disabled())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    let url = sqs.create_queue("orders");
    (sqs, Client::from_conf(config), url)
}

async fn receive(client: &Client, url: &str, wait: i32) -> Vec<Message> {
    let request = client.receive_message().queue_url(url).max_number_of_messages(10).wait_time_seconds(wait);
    let request = request.message_system_attribute_names(MessageSystemAttributeName::All);
    request.message_attribute_names("All").send().await.expect("an answer").messages.unwrap_or_default()
}

fn receives(message: &Message) -> &str {
    let attributes = message.attributes.as_ref().expect("system attributes");
    &attributes[&MessageSystemAttributeName::ApproximateReceiveCount]
}

#[tokio::test]
async fn a_message_is_received_with_its_attributes_and_count_and_deleted() {
    let (sqs, client, url) = start().await;
    let version =
        MessageAttributeValue::builder().data_type("String").string_value("1").build().expect("whole");
    let body = "{\"order\": \"é 🎁\"}";
    let sent =
        client.send_message().queue_url(&url).message_body(body).message_attributes("version", version);
    let sent = sent.send().await.expect("sent");
    let got = receive(&client, &url, 0).await.remove(0);
    assert_eq!((got.body(), got.message_id(), receives(&got)), (Some(body), sent.message_id(), "1"));
    assert_eq!(got.md5_of_body(), sent.md5_of_message_body());
    let attributes = got.message_attributes.as_ref().expect("attributes");
    assert_eq!(attributes["version"].string_value(), Some("1"));
    assert!(receive(&client, &url, 0).await.is_empty());
    let receipt = got.receipt_handle().expect("a receipt");
    client.delete_message().queue_url(&url).receipt_handle(receipt).send().await.expect("deleted");
    assert!(sqs.peek("orders").is_empty());
}

#[tokio::test]
async fn a_message_shows_itself_again_and_goes_to_the_dead_letters_after_its_last_receive() {
    let (sqs, client, _) = start().await;
    let (url, _) = sqs.create_queue_with_dead_letters("shipments", 2);
    sqs.send("shipments", "hello");
    for expected in ["1", "2"] {
        let got = receive(&client, &url, 0).await.remove(0);
        assert_eq!(receives(&got), expected);
        let receipt = got.receipt_handle().expect("a receipt");
        let change = client.change_message_visibility().queue_url(&url).receipt_handle(receipt);
        change.visibility_timeout(0).send().await.expect("changed");
    }
    assert!(receive(&client, &url, 0).await.is_empty());
    assert_eq!(sqs.peek("shipments"), []);
    assert_eq!(sqs.peek("shipments-dead").remove(0).body, "hello");
}

#[tokio::test]
async fn an_old_receipt_deletes_nothing() {
    let (sqs, client, url) = start().await;
    sqs.send("orders", "hello");
    let old = receive(&client, &url, 0).await.remove(0);
    sqs.make_visible("orders");
    receive(&client, &url, 0).await;
    let receipt = old.receipt_handle().expect("a receipt");
    client.delete_message().queue_url(&url).receipt_handle(receipt).send().await.expect("answered");
    let change =
        client.change_message_visibility().queue_url(&url).receipt_handle(receipt).visibility_timeout(1);
    let error = change.send().await.expect_err("not in flight").into_service_error();
    assert!(error.is_message_not_inflight(), "{error:?}");
    assert_eq!(sqs.peek("orders").len(), 1);
}

#[tokio::test]
async fn a_long_poll_ends_when_a_message_comes_and_when_one_shows_itself_again() {
    let (sqs, client, url) = start().await;
    let (got, ()) = tokio::join!(soon(receive(&client, &url, 20)), async {
        sqs.until(|sqs| sqs.requests().contains_key(&Action::ReceiveMessage)).await;
        sqs.send("orders", "late");
    });
    assert_eq!(got.len(), 1);
    let receipt = got[0].receipt_handle().expect("a receipt");
    let change =
        client.change_message_visibility().queue_url(&url).receipt_handle(receipt).visibility_timeout(1);
    change.send().await.expect("changed");
    let again = soon(receive(&client, &url, 20)).await;
    assert_eq!(receives(&again[0]), "2");
}

#[tokio::test]
async fn batches_answer_entry_by_entry() {
    let (sqs, client, url) = start().await;
    let entry = |id: u32| {
        SendMessageBatchRequestEntry::builder()
            .id(id.to_string())
            .message_body(format!("m{id}"))
            .build()
            .expect("whole")
    };
    let plan =
        FaultPlan::new().and_about("orders", Action::SendMessageBatch, When::Next(1), Fault::FirstEntryFails);
    sqs.plan_faults(plan);
    let sent = client.send_message_batch().queue_url(&url).set_entries(Some((1..=10).map(entry).collect()));
    let sent = sent.send().await.expect("an answer");
    assert_eq!((sent.successful().len(), sent.failed().len(), sent.failed()[0].id()), (9, 1, "1"));
    let too_many =
        client.send_message_batch().queue_url(&url).set_entries(Some((1..=11).map(entry).collect()));
    let error = too_many.send().await.expect_err("too many").into_service_error();
    assert!(error.is_too_many_entries_in_batch_request(), "{error:?}");
    let got = receive(&client, &url, 0).await;
    assert_eq!(got.len(), 9);
    let entry = |(id, message): (usize, &Message)| {
        let builder = DeleteMessageBatchRequestEntry::builder().id(id.to_string());
        builder.set_receipt_handle(message.receipt_handle.clone()).build().expect("whole")
    };
    let entries: Vec<_> = got.iter().enumerate().map(entry).collect();
    client.delete_message_batch().queue_url(&url).set_entries(Some(entries)).send().await.expect("an answer");
    assert!(sqs.peek("orders").is_empty());
    assert_eq!(sqs.requests()[&Action::SendMessageBatch], 2);
}

#[tokio::test]
async fn queues_are_made_found_described_and_purged() {
    let (sqs, client, url) = start().await;
    let policy =
        r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:orders","maxReceiveCount":"3"}"#;
    let made = client.create_queue().queue_name("more").attributes(QueueAttributeName::RedrivePolicy, policy);
    let made = made.attributes(QueueAttributeName::VisibilityTimeout, "7").send().await.expect("made");
    let found = client.get_queue_url().queue_name("more").send().await.expect("found");
    assert_eq!(found.queue_url(), made.queue_url());
    let error =
        client.get_queue_url().queue_name("none").send().await.expect_err("none").into_service_error();
    assert!(error.is_queue_does_not_exist(), "{error:?}");
    sqs.send("orders", "one");
    sqs.send("orders", "two");
    client.receive_message().queue_url(&url).send().await.expect("one of them");
    let described = client.get_queue_attributes().queue_url(&url).attribute_names(QueueAttributeName::All);
    let described = described.send().await.expect("described");
    let attributes = described.attributes().expect("some");
    assert_eq!(attributes[&QueueAttributeName::ApproximateNumberOfMessages], "1");
    assert_eq!(attributes[&QueueAttributeName::ApproximateNumberOfMessagesNotVisible], "1");
    let described = client.get_queue_attributes().queue_url(found.queue_url().expect("a URL")).send().await;
    let described = described.expect("described");
    let attributes = described.attributes().expect("some");
    assert!(attributes[&QueueAttributeName::RedrivePolicy].contains("\"maxReceiveCount\":3"));
    assert_eq!(attributes[&QueueAttributeName::VisibilityTimeout], "7");
    client.purge_queue().queue_url(&url).send().await.expect("purged");
    assert!(sqs.peek("orders").is_empty());
}

#[tokio::test]
async fn a_delayed_message_is_hidden_at_first() {
    let (sqs, client, url) = start().await;
    client.send_message().queue_url(&url).message_body("x").delay_seconds(900).send().await.expect("sent");
    assert!(receive(&client, &url, 0).await.is_empty());
    assert!(sqs.peek("orders")[0].hidden);
    sqs.make_visible("orders");
    assert_eq!(receive(&client, &url, 0).await.len(), 1);
}

#[tokio::test]
async fn requests_fail_as_planned() {
    let (sqs, client, url) = start().await;
    for (fault, kept) in
        [(Fault::Unavailable, 0), (Fault::Throttled, 0), (Fault::HangUp, 0), (Fault::DoneButHangUp, 1)]
    {
        sqs.plan_faults(FaultPlan::new().and(Action::SendMessage, When::Next(1), fault));
        let sent = client.send_message().queue_url(&url).message_body("x").send();
        let sent = tokio::time::timeout(Duration::from_secs(10), sent).await.expect("an end");
        assert!(sent.is_err(), "{fault:?}");
        assert_eq!(sqs.peek("orders").len(), kept, "{fault:?}");
    }
}
