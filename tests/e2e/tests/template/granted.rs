//! What the template gives a function: its variables, and what its role allows, in the words of `needs`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::document::{kebab, named_by};
use crate::needs::{Grant, Needs};

/// What only the service needs that brings the messages of a queue: the code never calls it.
const BY_THE_MAPPING: [&str; 3] = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];
/// What only the service needs that keeps the log.
const BY_THE_LOG: [&str; 2] = ["logs:CreateLogStream", "logs:PutLogEvents"];

/// The variables of a function with their values: those of all, and its own.
pub(crate) fn variables<'a>(template: &'a Value, function: &'a Value) -> Vec<(&'a str, &'a Value)> {
    let all = &template["Globals"]["Function"]["Environment"]["Variables"];
    let own = &function["Properties"]["Environment"]["Variables"];
    let entries = [all, own].into_iter().filter_map(Value::as_object).flatten();
    entries.map(|(name, value)| (name.as_str(), value)).collect()
}

/// Everything in which the template and the code differ about one function.
pub(crate) fn differences(template: &Value, name: &str, function: &Value, needs: &Needs) -> Vec<String> {
    let mut differences = Vec::new();
    let set = variables(template, function);
    let names: BTreeSet<String> = set.iter().map(|(name, _)| (*name).to_owned()).collect();
    let mut tell = |what: &str, which: Vec<String>| {
        differences.extend(which.into_iter().map(|one| format!("{name}: {what} {one}")))
    };
    tell("the code reads, and the template does not set,", missing(&needs.variables, &names));
    tell("the template sets, and the code does not read,", missing(&names, &needs.variables));
    tell("set twice:", twice(&set));
    tell(
        "the variable does not hold what its name says:",
        set.iter().filter_map(|(name, value)| misnamed(name, value)).collect(),
    );

    let inboxes = inboxes(function, &set);
    let inbox: Vec<String> = needs.inbox.iter().cloned().collect();
    if inboxes != inbox {
        tell("its event sources and its inbox differ:", vec![format!("{inboxes:?}, {inbox:?}")]);
    }
    let mut needed: BTreeSet<Grant> = needs.grants.clone();
    needed.extend(BY_THE_LOG.map(|action| (action.to_owned(), "log".to_owned())));
    for queue in &inboxes {
        needed.extend(BY_THE_MAPPING.map(|action| (action.to_owned(), format!("queue {queue}"))));
    }
    match role(template, function) {
        Ok(role) => {
            let (granted, faults) = granted(role, name, function, &set);
            tell("", faults);
            let words = |grants: &BTreeSet<Grant>| {
                grants.iter().map(|(action, what)| format!("{action} on {what}")).collect()
            };
            let (needed, granted): (BTreeSet<String>, BTreeSet<String>) = (words(&needed), words(&granted));
            tell("the code may call, and the role does not allow,", missing(&needed, &granted));
            tell("the role allows, and the code never calls,", missing(&granted, &needed));
        }
        Err(fault) => tell("", vec![fault]),
    }
    differences
}

/// What is in the first and not in the second.
fn missing(these: &BTreeSet<String>, those: &BTreeSet<String>) -> Vec<String> {
    these.difference(those).cloned().collect()
}

fn twice(set: &[(&str, &Value)]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    set.iter().filter(|(name, _)| !seen.insert(*name)).map(|(name, _)| (*name).to_owned()).collect()
}

/// A variable of a table, queue or topic that points to something else than its name says.
fn misnamed(name: &str, value: &Value) -> Option<String> {
    let own = |table: &str| json!({"Fn::If": [format!("Own{table}"), {"Ref": format!("{table}Table")}, {"Ref": format!("{table}TableName")}]});
    let queue = |prefix: &str, suffix: &str| {
        let (first, rest) = prefix.split_at(1);
        json!({"Ref": format!("{first}{}{suffix}", rest.to_lowercase())})
    };
    let right = match name {
        "LEDGER_TABLE" => own("Ledger"),
        "MAPPINGS_TABLE" => own("Mappings"),
        "ALERT_TOPIC" => json!({"Fn::If": ["TellsIssues", {"Ref": "Alarms"}, ""]}),
        "STACK" => json!({"Ref": "AWS::StackName"}),
        _ => match (name.strip_suffix("_QUEUE_URL"), name.strip_suffix("_DEAD_LETTERS_URL")) {
            (Some(prefix), _) => queue(prefix, "Queue"),
            (_, Some(prefix)) => queue(prefix, "DeadLetters"),
            _ => return None,
        },
    };
    (*value != right).then(|| format!("{name} is {value}, not {right}"))
}

/// The queues, by the prefix of their variables, that bring their messages to the function.
fn inboxes(function: &Value, set: &[(&str, &Value)]) -> Vec<String> {
    let events = function["Properties"]["Events"].as_object();
    let queues = events.into_iter().flat_map(|events| events.values()).filter(|event| event["Type"] == "SQS");
    queues.map(|event| queue(&event["Properties"]["Queue"], set)).collect()
}

/// The prefix of the variable that names the queue of this ARN.
fn queue(arn: &Value, set: &[(&str, &Value)]) -> String {
    let kind = resource(arn, "", "", set);
    kind.strip_prefix("queue ").map_or_else(|| format!("{arn}"), str::to_owned)
}

fn role<'a>(template: &'a Value, function: &Value) -> Result<&'a Value, String> {
    let name =
        named_by(&function["Properties"]["Role"], "Arn").ok_or("its role is none of the template's")?;
    let role = &template["Resources"][name];
    if role["Properties"]["ManagedPolicyArns"].is_null() && function["Properties"]["Policies"].is_null() {
        Ok(role)
    } else {
        Err("it has managed policies; list actions and ARNs instead".to_owned())
    }
}

/// What a role allows, and what is wrong with how it says so.
fn granted(
    role: &Value,
    name: &str,
    function: &Value,
    set: &[(&str, &Value)],
) -> (BTreeSet<Grant>, Vec<String>) {
    let (mut grants, mut faults) = (BTreeSet::new(), Vec::new());
    let policies = role["Properties"]["Policies"].as_array().unwrap();
    let statements =
        policies.iter().flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().unwrap());
    for statement in statements {
        if let Some(choice) = statement.get("Fn::If") {
            if !CONDITIONAL.iter().any(|known| known() == *choice) {
                faults.push(format!("it allows on a condition {choice}"));
            }
            continue;
        }
        if statement["Effect"] != "Allow"
            || statement.get("NotAction").is_some()
            || statement.get("NotResource").is_some()
        {
            faults.push(format!("a statement is no plain permission: {statement}"));
        }
        let what = resource(
            &statement["Resource"],
            name,
            &function["Properties"]["FunctionName"]["Fn::Sub"].to_string(),
            set,
        );
        for action in statement["Action"].as_array().unwrap() {
            if !grants.insert((action.as_str().unwrap().to_owned(), what.clone())) {
                faults.push(format!("{action} on {what} is allowed twice"));
            }
        }
    }
    (grants, faults)
}

/// Statements that a parameter switches on. X-Ray and network interfaces have no ARN that could be named; the others are
/// for a key of one's own, and only by way of the two services that use it.
const CONDITIONAL: [fn() -> Value; 3] = [
    || {
        let by_way_of =
            |service: &str| json!({"Fn::Sub": format!("{service}.${{AWS::Region}}.${{AWS::URLSuffix}}")});
        json!(["HasKey", {
            "Effect": "Allow",
            "Action": ["kms:Decrypt"],
            "Resource": {"Ref": "KeyArn"},
            "Condition": {"StringEquals": {"kms:ViaService": [by_way_of("dynamodb"), by_way_of("secretsmanager")]}},
        }, {"Ref": "AWS::NoValue"}])
    },
    || {
        let actions = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"];
        json!(["Traced", {"Effect": "Allow", "Action": actions, "Resource": "*"}, {"Ref": "AWS::NoValue"}])
    },
    || {
        let actions = [
            "ec2:CreateNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSubnets",
            "ec2:DeleteNetworkInterface",
            "ec2:AssignPrivateIpAddresses",
            "ec2:UnassignPrivateIpAddresses",
        ];
        json!(["InVpc", {"Effect": "Allow", "Action": actions, "Resource": "*"}, {"Ref": "AWS::NoValue"}])
    },
];

/// What a resource of a statement is, in the words of `needs`; what is not known stays as it is written.
fn resource(arn: &Value, name: &str, function_name: &str, set: &[(&str, &Value)]) -> String {
    const SECRETS: &str = "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:cartdock/${AWS::StackName}/*";
    for table in ["Ledger", "Mappings"] {
        let other = format!(
            "arn:${{AWS::Partition}}:dynamodb:${{AWS::Region}}:${{AWS::AccountId}}:table/${{{table}TableName}}"
        );
        let whole = json!({"Fn::If": [format!("Own{table}"), {"Fn::GetAtt": format!("{table}Table.Arn")}, {"Fn::Sub": other}]});
        if *arn == whole {
            return table.to_lowercase();
        }
    }
    if arn["Fn::Sub"] == SECRETS {
        return "secrets".to_owned();
    }
    if set.iter().any(|(name, value)| *name == "ALERT_TOPIC" && value["Fn::If"][1] == *arn) {
        return "topic ALERT".to_owned();
    }
    let Some(named) = named_by(arn, "Arn") else { return arn.to_string() };
    if named == format!("{name}Log") && function_name.contains(&kebab(name)) {
        return "log".to_owned();
    }
    let variable =
        set.iter().find(|(_, value)| value["Ref"] == named).map(|(name, _)| *name).unwrap_or_default();
    match (variable.strip_suffix("_QUEUE_URL"), variable.strip_suffix("_DEAD_LETTERS_URL")) {
        (Some(prefix), _) => format!("queue {prefix}"),
        (_, Some(prefix)) => format!("dead letters of {prefix}"),
        _ => format!("{named}, which the function is not told of"),
    }
}
