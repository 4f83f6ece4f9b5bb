//! The simulated Lambda host, with this very program as the function: started by the host it serves events, started by
//! the test runner it tests.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test program of its own"
)]

use std::path::PathBuf;
use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};
use simulator::lambda::{Host, LambdaError, events};

const DEADLINE: Duration = Duration::from_secs(10);

#[expect(clippy::disallowed_methods, reason = "the environment is what is tested")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    if variable("AWS_LAMBDA_RUNTIME_API").is_none() {
        return runtime.block_on(tests());
    }
    assert!(variable("BROKEN").is_none(), "broken from the start");
    runtime.block_on(lambda_runtime::run(service_fn(function))).expect("the host answers");
}

/// The function under test: echoes, fails, dies or hangs as the event says.
async fn function(event: LambdaEvent<Value>) -> Result<Value, Error> {
    eprintln!("got an event for {}", event.context.request_id);
    match event.payload["do"].as_str() {
        Some("fail") => Err("failed on purpose".into()),
        Some("die") => std::process::exit(3),
        Some("hang") => std::future::pending().await,
        _ => Ok(json!({
            "event": event.payload,
            "deadline": event.context.deadline,
            "setting": variable("SETTING"),
            "home": variable("HOME"),
            "name": variable("AWS_LAMBDA_FUNCTION_NAME"),
        })),
    }
}

async fn start(env: &[(&str, &str)]) -> Host {
    let this: PathBuf = std::env::current_exe().expect("a path");
    Host::start(&this, env).await.expect("it starts")
}

async fn tests() {
    a_function_gets_events_and_a_clean_environment().await;
    a_failing_function_fails_its_invocation_and_lives_on().await;
    a_function_that_dies_fails_the_pending_invocation().await;
    a_function_that_hangs_is_killed_at_its_deadline().await;
    a_function_that_cannot_start_says_so().await;
    a_killed_function_fails_what_it_was_doing().await;
    events_have_the_shape_of_the_real_ones();
    println!("7 tests of the Lambda host passed");
}

async fn a_function_gets_events_and_a_clean_environment() {
    let host = start(&[("SETTING", "1")]).await;
    let ready = host.ready().await.expect("it starts");
    assert_eq!(host.init_time(), Some(ready));
    for number in 1..=3 {
        let answer = host.invoke(json!({"number": number}), DEADLINE).await.expect("an answer");
        assert_eq!(answer["event"]["number"], number);
        assert_eq!((&answer["setting"], &answer["home"]), (&json!("1"), &Value::Null));
        assert!(answer["name"].as_str().is_some_and(|name| name.starts_with("lambda")), "{answer}");
        assert!(answer["deadline"].as_u64() > Some(1_700_000_000_000), "{answer}");
    }
    host.logged("00000000-0000-4000-8000-000000000003").await;
}

async fn a_failing_function_fails_its_invocation_and_lives_on() {
    let host = start(&[]).await;
    let error = host.invoke(json!({"do": "fail"}), DEADLINE).await.expect_err("it fails");
    let LambdaError::Answered { document, .. } = &error else { panic!("{error}") };
    assert_eq!(document["errorMessage"], "failed on purpose");
    assert!(host.invoke(json!({}), DEADLINE).await.is_ok());
}

async fn a_function_that_dies_fails_the_pending_invocation() {
    let host = start(&[]).await;
    let error = host.invoke(json!({"do": "die"}), DEADLINE).await.expect_err("it dies");
    let LambdaError::Died { exit, .. } = &error else { panic!("{error}") };
    assert!(exit.contains('3'), "{error}");
    let error = host.invoke(json!({}), DEADLINE).await.expect_err("it is dead");
    assert!(matches!(error, LambdaError::Died { .. }), "{error}");
}

async fn a_function_that_hangs_is_killed_at_its_deadline() {
    let host = start(&[]).await;
    host.ready().await.expect("it starts");
    let error = host.invoke(json!({"do": "hang"}), Duration::from_millis(200)).await.expect_err("it hangs");
    assert!(matches!(error, LambdaError::TimedOut { .. }), "{error}");
    let error = host.invoke(json!({}), DEADLINE).await.expect_err("it was killed");
    assert!(matches!(error, LambdaError::Died { .. }), "{error}");
}

async fn a_function_that_cannot_start_says_so() {
    let host = start(&[("BROKEN", "1")]).await;
    let error = host.ready().await.expect_err("it is broken");
    let LambdaError::Died { logs, .. } = &error else { panic!("{error}") };
    assert!(logs.contains("broken from the start"), "{error}");
}

async fn a_killed_function_fails_what_it_was_doing() {
    let host = start(&[]).await;
    let (answer, ()) = tokio::join!(host.invoke(json!({"do": "hang"}), DEADLINE), async {
        host.logged("got an event").await;
        host.kill();
    });
    assert!(matches!(answer, Err(LambdaError::Died { .. })));
}

fn events_have_the_shape_of_the_real_ones() {
    let batch = events::sqs(&[("m-1", "{}", 1), ("m-2", "x", 4)]);
    assert_eq!(batch["Records"][1]["attributes"]["ApproximateReceiveCount"], "4");
    assert_eq!(batch["Records"][0]["md5OfBody"], "99914b932bd37a50b983c5e7c90ae93b");
    assert_eq!(batch["Records"][0]["eventSourceARN"], "arn:aws:sqs:us-east-1:000000000000:orders");
    let request = events::http_v2("POST", "/hooks/c1?a=b%20c", &[("Webhook-Id", "m")], b"\xff{}");
    assert_eq!((&request["body"], &request["isBase64Encoded"]), (&json!("/3t9"), &json!(true)));
    assert_eq!((&request["rawPath"], &request["rawQueryString"]), (&json!("/hooks/c1"), &json!("a=b%20c")));
    assert_eq!(request["headers"]["webhook-id"], "m");
    assert_eq!(request["queryStringParameters"]["a"], "b c");
    assert_eq!(request["requestContext"]["http"]["method"], "POST");
    assert_eq!(events::schedule()["source"], "aws.scheduler");
}
