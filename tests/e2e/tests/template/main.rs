//! The AWS template and the code, read together: each function gets the variables that it reads and no others, and may call
//! what it can call and nothing else. Alarms have their pages and ring for metrics that exist; times fit each other.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot read the sources has failed"
)]

mod bill;
mod code;
mod document;
mod granted;
mod needs;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::{Value, json};

use code::root;
use document::{kebab, named_by, resources};
use needs::Code;

static CODE: LazyLock<Code> = LazyLock::new(Code::read);
static TEMPLATE: LazyLock<Value> = LazyLock::new(document::read);

/// Everything in which a template and the code differ.
fn differences(template: &Value) -> Vec<String> {
    let functions = resources(template, "AWS::Serverless::Function");
    let each = functions.iter().flat_map(|(name, function)| {
        granted::differences(template, name, function, &CODE.needs(&kebab(name)))
    });
    each.collect()
}

#[test]
fn each_function_gets_what_it_needs_and_nothing_else() {
    let deployed = resources(&TEMPLATE, "AWS::Serverless::Function");
    let deployed: BTreeSet<String> = deployed.iter().map(|(name, _)| kebab(name)).collect();
    assert_eq!(deployed, CODE.functions(), "a function is new or gone");
    let differences = differences(&TEMPLATE);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn the_code_can_be_followed() {
    let faults = CODE.faults();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn code_that_cannot_be_followed_is_noticed() {
    for (text, said) in [
        ("struct Poll { books: Arc<dyn Ledger> }", "a Ledger is called books"),
        ("struct Poll { queue_of_orders: Arc<dyn Outgoing> }", "a Outgoing is called queue_of_orders"),
        ("fn look(books: &dyn Ledger) {}", "a Ledger is called books"),
        ("fn look(&self) { let books = self.ledger.as_ref(); }", "ledger is called books"),
        ("fn look<L: Ledger>(ledger: L) {}", "is not used as dyn"),
        ("fn look(ledger: impl Ledger) {}", "is not used as dyn"),
        ("fn look(&self) { (self.ledger).unpark(&id); }", "calls .unpark()"),
        (
            "fn look(&self) { tokio::select! { _ = self.books().set_circuit(&id, &circuit) => {} } }",
            "calls .set_circuit()",
        ),
    ] {
        let mut sources = code::Sources::default();
        sources.add(std::path::Path::new("lib.rs"), text);
        let faults = CODE.faults_in(&sources);
        assert!(faults.iter().any(|fault| fault.contains(said)), "{text}: {faults:?}");
    }
}

#[test]
fn what_is_followed_is_what_is_there() {
    let sweep = CODE.needs("sweep");
    let has = |action: &str, what: &str| sweep.grants.contains(&(action.to_owned(), what.to_owned()));
    assert!(has("dynamodb:DeleteItem", "ledger") && has("dynamodb:Query", "mappings"), "{sweep:?}");
    assert!(
        has("sqs:SendMessage", "queue ORDERS") && has("secretsmanager:GetSecretValue", "secrets"),
        "{sweep:?}"
    );
    assert!(has("sns:Publish", "topic ALERT") && sweep.variables.contains("ALERT_TOPIC"), "{sweep:?}");
    let forward = CODE.needs("forward-orders");
    assert_eq!(forward.inbox.as_deref(), Some("ORDERS"));
    for variable in
        ["LEDGER_TABLE", "PACE", "LOCAL_HOSTS", "FAIR_QUEUES", "ORDERS_DEAD_LETTERS_URL", "METRICS_NAMESPACE"]
    {
        assert!(forward.variables.contains(variable), "{variable}: {forward:?}");
    }
}

/// A template with one mistake; what is said about it must name the mistake.
fn notices(plant: impl FnOnce(&mut Value), said: &str) {
    let mut template = TEMPLATE.clone();
    plant(&mut template);
    let differences = differences(&template);
    assert!(differences.iter().any(|one| one.contains(said)), "nobody says \"{said}\": {differences:?}");
}

fn statements<'a>(template: &'a mut Value, role: &str) -> &'a mut Vec<Value> {
    let statements =
        &mut template["Resources"][role]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"];
    statements.as_array_mut().unwrap()
}

#[test]
fn a_mistake_in_the_variables_is_noticed() {
    let variables = "/Resources/Sweep/Properties/Environment/Variables";
    let of_sweep = |template: &mut Value, change: &dyn Fn(&mut serde_json::Map<String, Value>)| {
        change(template.pointer_mut(variables).unwrap().as_object_mut().unwrap());
    };
    let forget = |template: &mut Value| of_sweep(template, &|all| drop(all.remove("SHIPMENTS_QUEUE_URL")));
    notices(forget, "Sweep: the code reads, and the template does not set, SHIPMENTS_QUEUE_URL");
    let add =
        |template: &mut Value| of_sweep(template, &|all| drop(all.insert("DEBUG".to_owned(), json!("1"))));
    notices(add, "Sweep: the template sets, and the code does not read, DEBUG");
    let swap = |template: &mut Value| {
        of_sweep(template, &|all| {
            drop(all.insert("ORDERS_QUEUE_URL".to_owned(), json!({"Ref": "HintsQueue"})))
        });
    };
    notices(swap, "ORDERS_QUEUE_URL is {\"Ref\":\"HintsQueue\"}");
    let everywhere = |template: &mut Value| {
        template["Globals"]["Function"]["Environment"]["Variables"]
            .as_object_mut()
            .unwrap()
            .remove("LEDGER_TABLE");
    };
    notices(everywhere, "PollOrders: the code reads, and the template does not set, LEDGER_TABLE");
}

#[test]
fn a_mistake_in_a_role_is_noticed() {
    let first = |template: &mut Value, role: &str| {
        statements(template, role)[0]["Action"].as_array_mut().unwrap().clone()
    };
    notices(
        |template| {
            let more = [first(template, "WriteTrackingRole"), vec![json!("dynamodb:DeleteItem")]].concat();
            statements(template, "WriteTrackingRole")[0]["Action"] = json!(more);
        },
        "WriteTracking: the role allows, and the code never calls, dynamodb:DeleteItem on ledger",
    );
    notices(
        |template| {
            let mut fewer = first(template, "PollOrdersRole");
            fewer.retain(|action| action != "dynamodb:UpdateItem");
            statements(template, "PollOrdersRole")[0]["Action"] = json!(fewer);
        },
        "PollOrders: the code may call, and the role does not allow, dynamodb:UpdateItem on ledger",
    );
    notices(
        |template| statements(template, "SweepRole")[0]["Resource"] = json!("*"),
        "the role allows, and the code never calls, dynamodb:BatchGetItem on \"*\"",
    );
    notices(
        |template| {
            statements(template, "ReceiveNoticesRole")
                .retain(|one| one["Resource"]["Fn::GetAtt"] != "HintsQueue.Arn");
        },
        "ReceiveNotices: the code may call, and the role does not allow, sqs:SendMessage on queue HINTS",
    );
    notices(
        |template| {
            let other = json!({"Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": {"Fn::GetAtt": "SchedulesDeadLetters.Arn"}});
            statements(template, "SweepRole").push(other);
        },
        "sqs:SendMessage on SchedulesDeadLetters, which the function is not told of",
    );
    notices(
        |template| {
            let is_publish = |statement: &Value| statement["Action"] == json!(["sns:Publish"]);
            statements(template, "SweepRole").retain(|statement| !is_publish(statement));
        },
        "Sweep: the code may call, and the role does not allow, sns:Publish on topic ALERT",
    );
    notices(
        |template| {
            statements(template, "SweepRole").push(
                json!({"Fn::If": ["Traced", {"Effect": "Allow", "Action": ["*"], "Resource": "*"}, ""]}),
            )
        },
        "Sweep:  it allows on a condition",
    );
    notices(
        |template| {
            template["Resources"]["SweepRole"]["Properties"]["ManagedPolicyArns"] =
                json!(["arn:aws:iam::aws:policy/AdministratorAccess"])
        },
        "Sweep:  it has managed policies",
    );
    notices(
        |template| {
            drop(
                template["Resources"]["ForwardOrders"]["Properties"]
                    .as_object_mut()
                    .unwrap()
                    .remove("Events"),
            )
        },
        "ForwardOrders: its event sources and its inbox differ",
    );
}

#[test]
fn each_function_is_built_of_its_own_package() {
    for (name, function) in resources(&TEMPLATE, "AWS::Serverless::Function") {
        let name = kebab(name);
        assert_eq!(function["Metadata"]["BuildMethod"], "rust-cargolambda", "{name}");
        assert_eq!(function["Metadata"]["BuildProperties"]["Binary"], name.as_str());
        assert_eq!(
            function["Properties"]["CodeUri"],
            format!("../functions/{name}"),
            "the workspace's default package is another"
        );
        assert_eq!(function["Properties"]["FunctionName"]["Fn::Sub"], format!("${{AWS::StackName}}-{name}"));
    }
}

#[test]
fn messages_stay_away_while_their_function_may_still_run() {
    for (name, function) in resources(&TEMPLATE, "AWS::Serverless::Function") {
        let timeout = function["Properties"]["Timeout"].as_u64().unwrap();
        for event in
            function["Properties"]["Events"].as_object().into_iter().flat_map(|events| events.values())
        {
            let event = &event["Properties"];
            let queue = &TEMPLATE["Resources"][named_by(&event["Queue"], "Arn").unwrap()]["Properties"];
            let window = event["MaximumBatchingWindowInSeconds"].as_u64().unwrap_or(0);
            let visible = queue["VisibilityTimeout"].as_u64().unwrap();
            assert!(visible >= 6 * timeout + window, "{name}: {visible} s");
            assert_eq!(event["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]), "{name}");
            assert!(queue["RedrivePolicy"]["maxReceiveCount"].as_u64().unwrap() >= 5, "{name}");
            assert_eq!(queue["ReceiveMessageWaitTimeSeconds"], 20, "{name}");
        }
    }
}

#[test]
fn an_attempt_is_given_the_time_that_it_is_allowed() {
    let pace = domain::life::Pace::default();
    for (name, function) in resources(&TEMPLATE, "AWS::Serverless::Function") {
        let timeout = function["Properties"]["Timeout"].as_u64().unwrap();
        if CODE.needs(&kebab(name)).inbox.is_some() {
            // A tenth of the time is kept for saying what failed.
            assert!(timeout * 9 / 10 > pace.send_within.as_secs(), "{name}: {timeout} s");
            assert!(timeout < pace.lease.as_secs(), "{name}: {timeout} s");
        }
    }
}

#[test]
fn data_outlives_the_stack() {
    for (name, table) in resources(&TEMPLATE, "AWS::DynamoDB::Table") {
        let properties = &table["Properties"];
        assert_eq!(
            (&table["DeletionPolicy"], &table["UpdateReplacePolicy"]),
            (&json!("Retain"), &json!("Retain")),
            "{name}"
        );
        assert_eq!(properties["DeletionProtectionEnabled"], true, "{name}");
        assert_eq!(
            properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true,
            "{name}"
        );
        assert_eq!(
            properties["TimeToLiveSpecification"],
            json!({"AttributeName": "expires", "Enabled": true}),
            "{name}"
        );
        let key: Vec<&Value> =
            properties["KeySchema"].as_array().unwrap().iter().map(|key| &key["AttributeName"]).collect();
        assert_eq!(key, ["pk", "sk"], "{name}");
    }
}

#[test]
fn everything_reaches_the_alias_and_nothing_else_does() {
    let text = TEMPLATE["Resources"].to_string();
    for (name, _) in resources(&TEMPLATE, "AWS::Serverless::Function") {
        assert!(
            !text.contains(&format!("\"Ref\":\"{name}\"")) && !text.contains(&format!("\"{name}.Arn\"")),
            "{name}"
        );
    }
    for (name, schedule) in resources(&TEMPLATE, "AWS::Scheduler::Schedule") {
        let target = &schedule["Properties"]["Target"];
        assert!(target["Arn"]["Ref"].as_str().unwrap().ends_with(".Alias"), "{name}");
        assert!(target["RetryPolicy"].is_object() && target["DeadLetterConfig"].is_object(), "{name}");
    }
}

#[test]
fn no_path_gets_into_the_access_log() {
    let (_, stage) = resources(&TEMPLATE, "AWS::ApiGatewayV2::Stage")[0];
    let format = stage["Properties"]["AccessLogSettings"]["Format"].as_str().unwrap();
    for word in ["path", "Path", "sourceIp", "identity", "userAgent"] {
        assert!(!format.contains(word), "{format}");
    }
    assert!(format.contains("$context.routeKey"), "{format}");
}

/// The pages, without their ending.
fn pages() -> BTreeSet<String> {
    let pages = std::fs::read_dir(root().join("infra/runbooks")).unwrap();
    pages.map(|page| page.unwrap().file_name().into_string().unwrap().replace(".md", "")).collect()
}

#[test]
fn each_alarm_says_what_it_means_and_has_its_page() {
    let pages = pages();
    let mut named = BTreeSet::new();
    for (name, alarm) in resources(&TEMPLATE, "AWS::CloudWatch::Alarm") {
        let properties = &alarm["Properties"];
        let text = properties["AlarmDescription"].as_str().unwrap();
        let (meaning, page) =
            text.split_once(" What to do: infra/runbooks/").unwrap_or_else(|| panic!("{name}: {text}"));
        let page = page.trim().strip_suffix(".md").unwrap();
        assert!(meaning.len() > 40 && pages.contains(page), "{name}: {text}");
        let own = properties["AlarmName"]["Fn::Sub"].as_str().unwrap();
        assert!(own.starts_with(&format!("${{AWS::StackName}}-{page}")), "{name}: {own} and {page}");
        assert_eq!(properties["AlarmActions"], json!([{"Ref": "Alarms"}]), "{name}");
        named.insert(page.to_owned());
    }
    let index = std::fs::read_to_string(root().join("infra/runbooks/README.md")).unwrap();
    for page in pages.iter().filter(|page| *page != "README") {
        assert!(index.contains(&format!("({page}.md)")), "the index does not lead to {page}.md");
    }
}

#[test]
fn the_outputs_that_pages_name_are_there() {
    let outputs = TEMPLATE["Outputs"].as_object().unwrap();
    let pages =
        pages().into_iter().map(|page| format!("infra/runbooks/{page}.md")).chain(["README.md".to_owned()]);
    let mut found = 0;
    for page in pages {
        let text = std::fs::read_to_string(root().join(&page)).unwrap();
        for named in text.split("output `").skip(1) {
            let name = named.split('`').next().unwrap();
            assert!(outputs.contains_key(name), "{page}: the stack has no output {name}");
            found += 1;
        }
    }
    assert!(found > 5, "{found}");
}

#[test]
fn alarms_and_dashboard_know_only_metrics_that_are_counted() {
    let ours = CODE.metrics();
    // Counted by CloudWatch: a metric filter of the template.
    let filtered = resources(&TEMPLATE, "AWS::Logs::MetricFilter").into_iter().map(|(_, filter)| {
        filter["Properties"]["MetricTransformations"][0]["MetricName"].as_str().unwrap().to_owned()
    });
    let known: BTreeSet<String> = ours.into_iter().chain(filtered).collect();
    let mut seen = BTreeSet::new();
    for (name, alarm) in resources(&TEMPLATE, "AWS::CloudWatch::Alarm") {
        let properties = &alarm["Properties"];
        let several =
            properties["Metrics"].as_array().into_iter().flatten().map(|one| &one["MetricStat"]["Metric"]);
        for metric in several.chain([properties]).filter(|metric| metric["Namespace"]["Fn::Sub"].is_string())
        {
            let metric = metric["MetricName"].as_str().unwrap();
            assert!(known.contains(metric), "{name}: nobody counts {metric}");
            seen.insert(metric.to_owned());
        }
    }
    let (_, dashboard) = resources(&TEMPLATE, "AWS::CloudWatch::Dashboard")[0];
    let body: Value =
        serde_json::from_str(dashboard["Properties"]["DashboardBody"]["Fn::Sub"].as_str().unwrap()).unwrap();
    let widgets = body["widgets"].as_array().unwrap();
    let metrics = widgets.iter().flat_map(|widget| widget["properties"]["metrics"].as_array().unwrap());
    for metric in
        metrics.filter(|metric| metric[0].as_str().is_some_and(|space| space.starts_with("Cartdock/")))
    {
        let metric = metric[1].as_str().unwrap();
        assert!(known.contains(metric), "the dashboard: nobody counts {metric}");
        seen.insert(metric.to_owned());
    }
    let unseen: Vec<&String> = known.difference(&seen).collect();
    assert!(unseen.is_empty(), "counted, and neither on the dashboard nor in an alarm: {unseen:?}");
}
