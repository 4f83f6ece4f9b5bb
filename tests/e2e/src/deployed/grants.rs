//! Least privilege, shown: what the roles of the stack allow beside what was done with them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use reqwest::Url;
use serde_json::Value;

use super::aws::texts;
use super::stack::{STACK, Stack};

const IAM: (&str, &str) = ("iam", "2010-05-08");
/// Allowed although a resource has a `*`, and why.
const WILDCARDS: [(&str, &str); 3] = [
    (
        "secretsmanager:GetSecretValue",
        "connections name their secrets, and AWS ends each ARN with six letters of its own",
    ),
    ("logs:CreateLogStream", "Lambda names the streams of the function's own log group"),
    ("logs:PutLogEvents", "Lambda names the streams of the function's own log group"),
];

/// Who may do, or did, what with what.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Grant {
    /// The role, as the template calls it.
    pub(super) role: String,
    /// `dynamodb:PutItem`
    pub(super) action: String,
    /// The ARN.
    pub(super) resource: String,
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} on {}", self.role, self.action, self.resource)
    }
}

/// Both sides, and what neither may have.
pub(super) struct Comparison {
    /// What the roles of the functions and of the scheduler allow.
    pub(super) granted: BTreeSet<Grant>,
    /// What the functions did.
    pub(super) used: BTreeSet<Grant>,
    /// What AWS does in their name, without a request of ours: reads the queues, writes the logs, starts the runs.
    pub(super) by_aws: BTreeSet<Grant>,
    /// What was wanted and not allowed.
    pub(super) denied: BTreeSet<Grant>,
}

impl Comparison {
    /// Everything that the stack allows and everything that was decided so far.
    pub(super) async fn of(stack: &Stack<'_>, decisions: &Path) -> Self {
        let roles = roles(stack);
        let mut granted = BTreeSet::new();
        for (role, physical) in &roles {
            for (_, document) in policies(stack, physical).await {
                granted.extend(grants(role, &document));
            }
        }
        let (mut used, mut denied) = (BTreeSet::new(), BTreeSet::new());
        for (grant, is_allowed) in decided(&roles, decisions) {
            if is_allowed {
                used.insert(grant)
            } else {
                denied.insert(grant)
            };
        }
        let mut by_aws = from_queues(stack).await;
        by_aws.extend(to_logs(stack));
        by_aws.extend(from_schedules(stack).await);
        Self { granted, used, by_aws, denied }
    }

    /// What is granted and not used, or used and not granted, and every `*` without a reason.
    pub(super) fn problems(&self) -> Vec<String> {
        let all = || self.used.iter().chain(&self.by_aws);
        let unused = self.granted.iter().filter(|grant| !all().any(|used| grant.covers(used)));
        let beyond = all().filter(|used| !self.granted.iter().any(|grant| grant.covers(used)));
        let excused = |grant: &Grant| WILDCARDS.iter().any(|(action, _)| *action == grant.action);
        let wild =
            self.granted.iter().filter(|g| g.action.contains('*') || g.resource.contains('*') && !excused(g));
        let unused = unused.map(|grant| format!("granted and never used: {grant}"));
        let beyond = beyond.map(|grant| format!("done by AWS in its name and not granted: {grant}"));
        unused.chain(beyond).chain(wild.map(|grant| format!("granted with a *: {grant}"))).collect()
    }

    /// How many grants are used by the functions, and how many by AWS.
    pub(super) fn used_by(&self) -> (usize, usize) {
        let by = |all: &BTreeSet<Grant>| {
            self.granted.iter().filter(|grant| all.iter().any(|used| grant.covers(used))).count()
        };
        (by(&self.used), by(&self.by_aws))
    }

    /// The exceptions that were needed, with their reasons.
    pub(super) fn exceptions(&self) -> Vec<String> {
        let needed =
            |action: &str| self.granted.iter().any(|g| g.action == action && g.resource.contains('*'));
        let needed = WILDCARDS.iter().filter(|(action, _)| needed(action));
        needed.map(|(action, why)| format!("{action} on *: {why}")).collect()
    }
}

impl Grant {
    fn covers(&self, used: &Self) -> bool {
        let covers = match self.resource.strip_suffix('*') {
            Some(begin) => used.resource.starts_with(begin),
            None => used.resource == self.resource,
        };
        covers && (&self.role, &self.action) == (&used.role, &used.action)
    }
}

/// The roles of the functions and of the scheduler, with the names that AWS gave them. (That of CodeDeploy is SAM's own.)
fn roles(stack: &Stack<'_>) -> BTreeMap<String, String> {
    let roles = stack.resources("Role").into_iter().filter(|(name, _)| *name != "CodeDeployServiceRole");
    roles.map(|(name, physical)| (name.to_owned(), physical.to_owned())).collect()
}

/// The policies of a role by name. There is none but those in the template.
pub(super) async fn policies(stack: &Stack<'_>, role: &str) -> Vec<(String, Value)> {
    let of_role = [("RoleName", role)];
    let attached =
        stack.aws.form(IAM, "ListAttachedRolePolicies", &of_role).await.expect("the role is there");
    assert!(texts(&attached, "PolicyArn").is_empty(), "{role} has policies from elsewhere: {attached}");
    let names = stack.aws.form(IAM, "ListRolePolicies", &of_role).await.expect("the role is there");
    let mut policies = Vec::new();
    for name in texts(&names, "member") {
        let which = [("RoleName", role), ("PolicyName", &name)];
        let told = stack.aws.form(IAM, "GetRolePolicy", &which).await.expect("the policy is there");
        let document = texts(&told, "PolicyDocument").pop().expect("a document");
        let url = Url::parse(&format!("http://policy/?document={document}")).expect("an address");
        let (_, document) = url.query_pairs().next().expect("a document");
        policies.push((name, serde_json::from_str(&document).expect("a policy is JSON")));
    }
    policies
}

/// Replaces a policy of a role.
pub(super) async fn put_policy(stack: &Stack<'_>, role: &str, name: &str, document: &Value) {
    let document = document.to_string();
    let fields = [("RoleName", role), ("PolicyName", name), ("PolicyDocument", &document)];
    stack.aws.form(IAM, "PutRolePolicy", &fields).await.expect("the policy is put");
}

/// Each action with each resource of each statement.
fn grants(role: &str, document: &Value) -> Vec<Grant> {
    let mut grants = Vec::new();
    for statement in document["Statement"].as_array().expect("statements") {
        assert_eq!(statement["Effect"], "Allow", "{statement}");
        for action in several(&statement["Action"]) {
            for resource in several(&statement["Resource"]) {
                let grant = Grant { role: role.to_owned(), action: action.clone(), resource };
                grants.push(grant);
            }
        }
    }
    grants
}

/// A text, or a list of texts.
fn several(value: &Value) -> Vec<String> {
    let one = |value: &Value| value.as_str().expect("a text").to_owned();
    value.as_array().map_or_else(|| vec![one(value)], |all| all.iter().map(one).collect())
}

/// What the emulator decided about requests of our roles, and whether it allowed them.
fn decided(roles: &BTreeMap<String, String>, decisions: &Path) -> Vec<(Grant, bool)> {
    let text = std::fs::read_to_string(decisions).expect("the emulator's decisions");
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a decision is JSON"));
    let of = |line: Value| {
        let principal = line["principal"].as_str().expect("a principal").to_owned();
        let physical = principal.split('/').nth(1).unwrap_or_default();
        let (role, _) = roles.iter().find(|(_, name)| *name == physical)?;
        let text = |name: &str| line[name].as_str().expect("a text").to_owned();
        let grant = Grant { role: role.clone(), action: text("action"), resource: text("resource") };
        Some((grant, line["decision"] == "Allow"))
    };
    lines.filter_map(of).collect()
}

/// What the pollers of Lambda do with the queues that functions read.
async fn from_queues(stack: &Stack<'_>) -> BTreeSet<Grant> {
    let told = stack.aws.rest("lambda", "GET", ("/2015-03-31/event-source-mappings", ""), Vec::new()).await;
    let told = told.json();
    let mappings = told["EventSourceMappings"].as_array().expect("the stack has mappings");
    let actions = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];
    let of = |mapping: &Value| {
        let function = mapping["FunctionArn"].as_str().expect("a function");
        let role = role_of(function.split(':').nth(6).expect("a name"));
        let resource = mapping["EventSourceArn"].as_str().expect("a queue").to_owned();
        actions.map(|action| Grant {
            role: role.clone(),
            action: action.to_owned(),
            resource: resource.clone(),
        })
    };
    mappings.iter().flat_map(of).collect()
}

/// What Lambda does with the log group of each function.
fn to_logs(stack: &Stack<'_>) -> BTreeSet<Grant> {
    let functions = crate::chaos::FUNCTIONS.into_iter().flat_map(|name| {
        let account = account(stack);
        let resource =
            format!("arn:aws:logs:us-east-1:{account}:log-group:/aws/lambda/{STACK}-{name}:log-stream:any");
        let role = role_of(&format!("{STACK}-{name}"));
        ["logs:CreateLogStream", "logs:PutLogEvents"].map(|action| Grant {
            role: role.clone(),
            action: action.to_owned(),
            resource: resource.clone(),
        })
    });
    functions.collect()
}

/// What the scheduler does with what it starts, and with what it could not start.
async fn from_schedules(stack: &Stack<'_>) -> BTreeSet<Grant> {
    let mut grants = BTreeSet::new();
    for (_, name) in stack.resources("Schedule") {
        let query = format!("groupName={STACK}");
        let told =
            stack.aws.rest("scheduler", "GET", (&format!("/schedules/{name}"), &query), Vec::new()).await;
        let target = &told.json()["Target"];
        let arn = |value: &Value| value.as_str().expect("an ARN").to_owned();
        let dead_letters = &target["DeadLetterConfig"]["Arn"];
        for (action, resource) in
            [("lambda:InvokeFunction", &target["Arn"]), ("sqs:SendMessage", dead_letters)]
        {
            let (role, action) = ("SchedulerRole".to_owned(), action.to_owned());
            grants.insert(Grant { role, action, resource: arn(resource) });
        }
    }
    grants
}

fn account<'a>(stack: &'a Stack<'_>) -> &'a str {
    stack.resource("Alarms").split(':').nth(4).expect("an account")
}

/// `shop-poll-orders` has the role `PollOrdersRole`.
fn role_of(function: &str) -> String {
    let name = function.trim_start_matches(STACK);
    let words = name.split('-').map(|word| {
        let mut letters = word.chars();
        letters
            .next()
            .map(|first| first.to_uppercase().chain(letters).collect::<String>())
            .unwrap_or_default()
    });
    format!("{}Role", words.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn comparison(granted: Value, used: &[(&str, &str)]) -> Comparison {
        let one = |(action, resource): &(&str, &str)| Grant {
            role: "SweepRole".to_owned(),
            action: (*action).to_owned(),
            resource: (*resource).to_owned(),
        };
        let granted = grants("SweepRole", &json!({"Statement": granted})).into_iter().collect();
        let used = used.iter().map(one).collect();
        Comparison { granted, used, by_aws: BTreeSet::new(), denied: BTreeSet::new() }
    }

    #[test]
    fn what_is_granted_is_used_and_what_is_used_is_granted() {
        let granted = json!([
            {"Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": "q"},
            {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": ["s/*"]},
        ]);
        let used = [("sqs:SendMessage", "q"), ("secretsmanager:GetSecretValue", "s/key")];
        let told = comparison(granted.clone(), &used);
        assert_eq!((told.problems(), told.exceptions().len()), (Vec::new(), 1));
        let told = comparison(granted.clone(), &used[..1]).problems();
        assert_eq!(told, ["granted and never used: SweepRole: secretsmanager:GetSecretValue on s/*"]);
        let told = comparison(granted, &[used[0], used[1], ("sqs:SendMessage", "other")]).problems();
        assert_eq!(told.len(), 1, "{told:?}");
    }

    #[test]
    fn a_wildcard_without_a_reason_is_told() {
        for statement in [
            json!({"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}),
            json!({"Effect": "Allow", "Action": "secretsmanager:*", "Resource": "s"}),
        ] {
            let action = statement["Action"].as_str().expect("a text").to_owned();
            let told = comparison(json!([statement]), &[(&action, "s")]).problems();
            assert!(told.iter().any(|line| line.contains("granted with a *")), "{told:?}");
        }
    }

    #[test]
    fn a_function_has_the_role_that_the_template_calls_after_it() {
        assert_eq!(role_of("shop-poll-orders"), "PollOrdersRole");
        assert_eq!(role_of("shop-sweep"), "SweepRole");
    }
}
