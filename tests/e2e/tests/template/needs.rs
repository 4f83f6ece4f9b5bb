//! What a function needs, by its code: the variables that it reads, and the calls of AWS that it can make. Followed from its
//! `main` and its use case through the ports to the SDK, by name; a name that cannot be followed is a failure, not a gap.

use std::collections::{BTreeMap, BTreeSet};

use crate::code::{Call, Function, Sources, Token, read};

/// An action of IAM and what it is done to: `("sqs:SendMessage", "queue ORDERS")`.
pub(crate) type Grant = (String, String);

/// What a function needs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    pub(crate) variables: BTreeSet<String>,
    pub(crate) grants: BTreeSet<Grant>,
    /// The queue whose messages it handles.
    pub(crate) inbox: Option<String>,
}

/// The name under which use cases hold each port, the trait, and the adapter that `Environment` makes.
const PORTS: [(&str, &str, &str); 3] = [
    ("ledger", "Ledger", "DynamoLedger"),
    ("connections", "Connections", "CachedConnections"),
    ("mappings", "Mappings", "CachedMappings"),
];
/// The names under which they hold the queues that they send to.
const QUEUES: [&str; 3] = ["orders", "shipments", "hints"];

/// All sources that matter.
pub(crate) struct Code {
    domain: Sources,
    delivery: Sources,
    adapters: Sources,
    functions: BTreeMap<String, Sources>,
}

/// The sources of a function; of the one that tells people what is open, those of that use case too.
fn of_function(name: &str) -> Sources {
    let mut sources = read(&format!("functions/{name}/src"));
    if sources.uses.iter().any(|(_, tokens)| tokens.iter().any(|token| token.word() == Some("operations"))) {
        for file in ["alerts.rs", "alerts/open.rs", "alerts/silence.rs", "polled.rs"] {
            let path = crate::code::root().join("shared/operations/src").join(file);
            sources.add(&path, &std::fs::read_to_string(&path).unwrap());
        }
    }
    sources
}

impl Code {
    pub(crate) fn read() -> Self {
        let functions = std::fs::read_dir(crate::code::root().join("functions")).unwrap();
        let names = functions.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let functions = names.map(|name| (name.clone(), of_function(&name))).collect();
        let [domain, delivery, adapters] = ["domain", "delivery", "adapters"];
        let shared = |name: &str| read(&format!("shared/{name}/src"));
        Self { domain: shared(domain), delivery: shared(delivery), adapters: shared(adapters), functions }
    }

    /// The names of all functions.
    pub(crate) fn functions(&self) -> BTreeSet<String> {
        self.functions.keys().cloned().collect()
    }

    /// The names of metrics, and the words of their dimensions, that the code counts.
    pub(crate) fn metrics(&self) -> BTreeSet<String> {
        let everywhere = self.functions.values().chain([&self.adapters]);
        let calls = everywhere.flat_map(|sources| &sources.functions).flat_map(|function| &function.calls);
        let counted = calls.filter(|call| call.is_method && ["count", "took"].contains(&call.name.as_str()));
        let name = |call: &Call| match call.arguments.first() {
            Some(Token::Text(name)) => Some(name.clone()),
            _ => None,
        };
        counted.filter_map(name).collect()
    }

    /// What the function of this name needs.
    pub(crate) fn needs(&self, name: &str) -> Needs {
        let sources = &self.functions[name];
        let main = sources.functions.iter().find(|one| one.name == "main").expect("a function has a main");
        let mut needs = Needs::default();
        let mut queues = BTreeSet::new();
        needs.variables.extend(self.variables("open", None));
        for call in main.calls.iter().filter(|call| call.on.as_deref() == Some("environment")) {
            let argument = call.arguments.first().map(literal);
            needs.variables.extend(self.variables(&call.name, argument.as_deref()));
            match (call.name.as_str(), argument) {
                ("queue" | "inbox", Some(queue)) => {
                    queues.insert(queue.clone());
                    if call.name == "inbox" {
                        let before = needs.inbox.replace(queue);
                        assert_eq!(before, None, "{name} has two inboxes; teach this test");
                    }
                }
                ("outlet", None) => {
                    let reached = self.reached("SnsTopic", "Outlet", "send", "topic ALERT");
                    needs.grants.extend(reached);
                }
                (_, None) => {
                    if self.environment(&call.name).calls.iter().any(|call| call.name == "vault") {
                        needs.grants.extend(self.reached(
                            "SecretsManager",
                            "SecretSource",
                            "fetch",
                            "secrets",
                        ));
                    }
                }
                (_, Some(argument)) => panic!("environment.{}({argument}): teach this test", call.name),
            }
        }
        for (port, method) in self.port_calls(name, needs.inbox.is_some()) {
            needs.grants.extend(self.port(name, &port, &method, &queues, needs.inbox.as_deref()));
        }
        needs
    }

    fn environment(&self, name: &str) -> &Function {
        let mut all = self.adapters.functions.iter();
        let found = all.find(|one| one.owner.as_deref() == Some("Environment") && one.name == name);
        found.unwrap_or_else(|| panic!("Environment has no {name}"))
    }

    /// The variables that a method of `Environment` reads; `argument` fills the place in their names.
    fn variables(&self, method: &str, argument: Option<&str>) -> BTreeSet<String> {
        let names = self.settings_of(self.environment(method));
        let filled = names.into_iter().map(|name| match argument {
            Some(argument) => name.replace("{prefix}", argument),
            None => name,
        });
        filled
            .inspect(|name| assert!(!name.contains('{'), "{method} reads {name}; teach this test"))
            .collect()
    }

    /// The names of the settings that a function reads, and those of whom it hands the settings to.
    fn settings_of(&self, function: &Function) -> BTreeSet<String> {
        const READS: [&str; 4] = ["text", "optional", "parsed", "choice"];
        const NO_READS: [&str; 2] = ["vault", "error"];
        let mut names = BTreeSet::new();
        for call in &function.calls {
            let is_handed = !call.is_method && hands_on(&call.arguments, "settings");
            match call.on.as_deref() {
                Some("settings") if READS.contains(&call.name.as_str()) => {
                    names.insert(setting(&call.arguments));
                }
                Some("settings") => {
                    assert!(
                        NO_READS.contains(&call.name.as_str()),
                        "settings.{}: teach this test",
                        call.name
                    );
                }
                Some(owner) if is_handed => {
                    let owner =
                        if owner == "Self" { function.owner.as_deref().unwrap_or_default() } else { owner };
                    names.extend(self.settings_of(self.associated(owner, &call.name)));
                }
                _ => {}
            }
        }
        names
    }

    fn associated(&self, owner: &str, name: &str) -> &Function {
        let mut all = self.adapters.functions.iter();
        let found = all.find(|one| one.owner.as_deref() == Some(owner) && one.name == name);
        found.unwrap_or_else(|| panic!("{owner}::{name} is handed the settings; teach this test where it is"))
    }

    /// The calls of ports that a function can make, as (name of the port, method): by its own sources, by whatever of the
    /// domain has the name of something that it calls, and so on; by the queue loop where it has an inbox.
    fn port_calls(&self, name: &str, has_inbox: bool) -> BTreeSet<(String, String)> {
        let mut open: Vec<&Function> = self.functions[name].functions.iter().collect();
        if has_inbox {
            open.extend(self.delivery.functions.iter().filter(|one| one.name == "deliver"));
        }
        let mut seen: BTreeSet<(&std::path::Path, Option<&str>, &str)> = BTreeSet::new();
        let mut calls = BTreeSet::new();
        while let Some(function) = open.pop() {
            if !seen.insert((&function.file, function.owner.as_deref(), &function.name)) {
                continue;
            }
            for call in &function.calls {
                match call.on.as_deref().filter(|_| call.is_method).filter(|on| is_port(on, &call.name)) {
                    Some(port) => {
                        calls.insert((port.to_owned(), call.name.clone()));
                    }
                    None => open.extend(self.shared(function, &call.name)),
                }
            }
        }
        calls
    }

    /// Whatever is called like that in the domain, and in the queue loop where the caller is there too; not the ports.
    fn shared<'a>(
        &'a self,
        caller: &Function,
        name: &'a str,
    ) -> impl Iterator<Item = &'a Function> + use<'a> {
        let is_loop = self.delivery.functions.iter().any(|one| one.file == caller.file);
        let queue_loop = self.delivery.functions.iter().filter(move |_| is_loop);
        let all = self.domain.functions.iter().chain(queue_loop);
        all.filter(move |one| one.name == name && !one.file.ends_with("ports.rs"))
    }

    /// What the adapter of a port calls when this method of it is called.
    fn port(
        &self,
        function: &str,
        port: &str,
        method: &str,
        queues: &BTreeSet<String>,
        inbox: Option<&str>,
    ) -> BTreeSet<Grant> {
        if let Some((_, of, adapter)) = PORTS.into_iter().find(|(name, ..)| *name == port) {
            let table = if port == "mappings" { "mappings" } else { "ledger" };
            return self.reached(adapter, of, method, table);
        }
        if port == "queue" {
            let queue = inbox.expect("only the queue loop calls its queue");
            let what = if method == "dead_letter" { "dead letters of" } else { "queue" };
            return self.reached("SqsQueue", "Incoming", method, &format!("{what} {queue}"));
        }
        let queue = port.to_uppercase();
        assert!(queues.contains(&queue), "{function} sends to {port}, but its main opens no {queue}");
        self.reached("SqsQueue", "Outgoing", method, &format!("queue {queue}"))
    }

    fn reached(&self, adapter: &str, of: &str, method: &str, what: &str) -> BTreeSet<Grant> {
        let mut actions = BTreeSet::new();
        self.follow(self.implementation(adapter, of, method), &mut actions, &mut BTreeSet::new());
        assert!(!actions.is_empty(), "{adapter}::{method} calls nothing of AWS; teach this test how it does");
        actions.into_iter().map(|action| (action, what.to_owned())).collect()
    }

    /// The method of an adapter, or the default of its trait.
    fn implementation(&self, adapter: &str, of: &str, method: &str) -> &Function {
        let is_it = |one: &&Function| one.of.as_deref() == Some(of) && one.name == method;
        let own =
            self.adapters.functions.iter().find(|one| is_it(one) && one.owner.as_deref() == Some(adapter));
        let default = || self.domain.functions.iter().find(|one| is_it(one) && one.owner.is_none());
        own.or_else(default).unwrap_or_else(|| panic!("{adapter} has no {of}::{method}"))
    }

    /// Collects the actions of all calls of the SDK that a function of an adapter leads to.
    fn follow(&self, function: &Function, actions: &mut BTreeSet<String>, seen: &mut BTreeSet<String>) {
        let id = format!("{}/{:?}/{}", function.file.display(), function.owner, function.name);
        if !seen.insert(id) {
            return;
        }
        for call in &function.calls {
            match call.on.as_deref() {
                // A cell that holds a client, not a request.
                Some("client") if call.is_method && call.name == "get_or_init" => {}
                Some("client") if call.is_method => {
                    actions.insert(action(&call.name).to_owned());
                }
                Some("table") if call.is_method => {
                    self.follow(self.associated("Table", &call.name), actions, seen)
                }
                Some("behind") if call.is_method => {
                    let of = function.of.as_deref().expect("what is behind a cache has the cache's trait");
                    self.follow(self.implementation(&format!("Dynamo{of}"), of, &call.name), actions, seen);
                }
                Some("self" | "Self") => {
                    let all = self.adapters.functions.iter();
                    let own = all.filter(|one| one.owner == function.owner && one.name == call.name);
                    own.for_each(|one| self.follow(one, actions, seen));
                }
                on if !call.is_method && hands_on(&call.arguments, "table") => {
                    self.follow(self.beside(function, on, &call.name), actions, seen);
                }
                _ => {}
            }
        }
    }

    /// The function that is meant by `name(table, …)` or `module::name(table, …)`.
    fn beside(&self, caller: &Function, module: Option<&str>, name: &str) -> &Function {
        let is_near = |one: &&Function| match module {
            None => one.file == caller.file,
            Some(module) => one.file.ends_with(format!("dynamodb/ledger/{module}.rs")),
        };
        let mut found = self.adapters.functions.iter().filter(|one| one.name == name && is_near(one));
        let one = found.next();
        one.unwrap_or_else(|| {
            panic!("{} hands its table to {name}; teach this test where it is", caller.name)
        })
    }

    /// Where the rules by which this test follows the code are broken: then it could miss something.
    pub(crate) fn faults(&self) -> Vec<String> {
        let all = self.functions.values().chain([&self.domain]);
        all.flat_map(|sources| self.faults_in(sources)).chain(self.sdk_elsewhere()).collect()
    }

    /// The same for the sources of a function, or of the domain.
    pub(crate) fn faults_in(&self, sources: &Sources) -> Vec<String> {
        let mut faults = self.strangers(sources);
        for named in &sources.named {
            let wrong = traits(&named.kind).into_iter().filter(|of| !may_hold(of, &named.name));
            faults.extend(
                wrong.map(|of| format!("a {of} is called {}; call it by its port's name", named.name)),
            );
        }
        for (file, tokens) in sources.tokens.iter().filter(|(file, _)| !file.ends_with("ports.rs")) {
            let wrong = renamed(tokens).into_iter().chain(generic(tokens));
            faults.extend(wrong.map(|what| format!("{}: {what}", file.display())));
        }
        faults
    }

    /// Methods that are called like those of ports, on something that is none by its name, and that nothing else has.
    fn strangers(&self, sources: &Sources) -> Vec<String> {
        /// Of the standard library's types.
        const COMMON: [&str; 6] = ["all", "get", "insert", "open", "replace", "scan"];
        let ports = self.domain.functions.iter().filter(|one| {
            one.file.ends_with("ports.rs")
                && one.of.as_deref().is_some_and(|of| PORTS.iter().any(|port| port.1 == of))
        });
        let methods: BTreeSet<&str> = ports.map(|one| one.name.as_str()).collect();
        let all = self.functions.values().chain([&self.domain]).flat_map(|sources| &sources.functions);
        let others: BTreeSet<&str> =
            all.filter(|one| !one.file.ends_with("ports.rs")).map(|one| one.name.as_str()).collect();
        let calls = sources.functions.iter().flat_map(|one| one.calls.iter().map(move |call| (one, call)));
        let strange = calls.filter(|(_, call)| {
            let name = call.name.as_str();
            let on = call.on.as_deref().unwrap_or_default();
            call.is_method
                && methods.contains(name)
                && !is_port(on, name)
                && !COMMON.contains(&name)
                && !others.contains(name)
        });
        strange
            .map(|(one, call)| {
                format!("{} calls .{}() of {:?}: is that a port?", one.name, call.name, call.on)
            })
            .collect()
    }

    /// The SDK is called only where this test looks.
    fn sdk_elsewhere(&self) -> Vec<String> {
        const PLACES: [&str; 17] = [
            "alerts/sns.rs",
            "aws.rs",
            "aws/wire.rs",
            "environment.rs",
            "secretsmanager.rs",
            "secretsmanager/keep.rs",
            "sqs.rs",
            "dynamodb/connections.rs",
            "dynamodb/erasure.rs",
            "dynamodb/ledger.rs",
            "dynamodb/ledger/item.rs",
            "dynamodb/mappings.rs",
            "dynamodb/meter.rs",
            "dynamodb/notes.rs",
            "dynamodb/table.rs",
            "dynamodb/tables.rs",
            "dynamodb.rs",
        ];
        let is_sdk = |token: &Token| token.word().is_some_and(|word| word.starts_with("aws_sdk_"));
        let all = self.functions.values().chain([&self.domain, &self.delivery, &self.adapters]);
        let files = all
            .flat_map(|sources| sources.tokens.iter().chain(&sources.uses))
            .filter(|(_, tokens)| tokens.iter().any(is_sdk));
        let strange = files.filter(|(file, _)| !PLACES.iter().any(|place| file.ends_with(place)));
        strange.map(|(file, _)| format!("{} uses the SDK; teach this test", file.display())).collect()
    }
}

/// The first argument of a call, which must be a text.
fn literal(token: &Token) -> String {
    match token {
        Token::Text(text) => text.clone(),
        other => panic!("{other:?} is no text; this test cannot follow it"),
    }
}

/// Is this variable one of the arguments, and not only in one of them?
fn hands_on(arguments: &[Token], name: &str) -> bool {
    let mut depth = 0_usize;
    let mut previous = None;
    for token in arguments.iter().chain([&Token::Sign(',')]) {
        match token {
            Token::Sign('(' | '[' | '{') => depth += 1,
            Token::Sign(')' | ']' | '}') => depth -= 1,
            Token::Sign(',') if depth == 0 && previous.and_then(Token::word) == Some(name) => return true,
            _ => {}
        }
        previous = Some(token);
    }
    false
}

/// The name of a setting: `"PACE"`, or `&format!("{prefix}_QUEUE_URL")`.
fn setting(arguments: &[Token]) -> String {
    let first = arguments.iter().find(|token| matches!(token, Token::Text(_)));
    let rest = arguments.iter().take_while(|token| !matches!(token, Token::Text(_)));
    let is_plain = rest
        .into_iter()
        .all(|token| matches!(token, Token::Sign('&' | '!' | '(')) || token.word() == Some("format"));
    assert!(is_plain, "the name of a setting in {arguments:?} cannot be read");
    first.map(literal).expect("a setting has a name")
}

/// Is it a call of one of the ports?
fn is_port(on: &str, method: &str) -> bool {
    PORTS.iter().any(|(name, ..)| *name == on && method != "as_ref" && method != "clone")
        || QUEUES.contains(&on) && method == "send"
        || on == "queue" && ["receive", "delete", "delay", "dead_letter"].contains(&method)
}

/// The ports in a type.
fn traits(kind: &[Token]) -> Vec<&str> {
    let words = kind.iter().filter_map(Token::word);
    words
        .filter(|word| ["Outgoing", "Incoming"].contains(word) || PORTS.iter().any(|port| port.1 == *word))
        .collect()
}

/// May something of this port have this name?
fn may_hold(of: &str, name: &str) -> bool {
    match of {
        "Outgoing" => QUEUES.contains(&name),
        "Incoming" => name == "queue",
        _ => PORTS.iter().any(|(port, known, _)| *known == of && *port == name),
    }
}

/// Variables that hold a port under another name: `let books = self.ledger.as_ref();`
fn renamed(tokens: &[Token]) -> Vec<String> {
    let is = |place: usize, word: &str| tokens.get(place).and_then(Token::word) == Some(word);
    let lets = (0..tokens.len())
        .filter(|at| is(*at, "let") && tokens.get(at + 2).is_some_and(|token| token.is('=')));
    let wrong = lets.filter_map(|at| {
        let name = tokens[at + 1].word()?;
        let value: Vec<&Token> = tokens[at + 3..].iter().take_while(|token| !token.is(';')).collect();
        let plain: Vec<&str> = value
            .iter()
            .filter_map(|token| token.word())
            .filter(|word| !["as_ref", "clone"].contains(word))
            .collect();
        let is_plain = value
            .iter()
            .all(|token| token.word().is_some() || matches!(token, Token::Sign('.' | '&' | '*' | '(' | ')')));
        let port = plain.last().filter(|last| is_plain && PORTS.iter().any(|(port, ..)| port == *last))?;
        (*port != name).then(|| format!("{port} is called {name}; keep its name"))
    });
    wrong.collect()
}

/// Ports as bounds of generics: `impl Ledger`, `L: Ledger`.
fn generic(tokens: &[Token]) -> Vec<String> {
    let at = (1..tokens.len()).filter(|at| !traits(&tokens[*at..=*at]).is_empty());
    let is_path = |at: usize| at > 1 && tokens[at - 1].is(':') && tokens[at - 2].is(':');
    let wrong = at.filter(|at| tokens[at - 1].word() != Some("dyn") && !is_path(*at));
    wrong.map(|at| format!("{:?} is not used as dyn; this test cannot follow it", tokens[at])).collect()
}

/// The action of IAM that a call of the SDK needs.
/// Source: "Actions, resources, and condition keys" for DynamoDB, SQS, SNS and Secrets Manager, service authorization reference.
fn action(call: &str) -> &'static str {
    match call {
        "put_item" => "dynamodb:PutItem",
        "get_item" => "dynamodb:GetItem",
        "update_item" => "dynamodb:UpdateItem",
        "delete_item" => "dynamodb:DeleteItem",
        "query" => "dynamodb:Query",
        "batch_get_item" => "dynamodb:BatchGetItem",
        "send_message" | "send_message_batch" => "sqs:SendMessage",
        "receive_message" => "sqs:ReceiveMessage",
        "delete_message" => "sqs:DeleteMessage",
        "change_message_visibility" => "sqs:ChangeMessageVisibility",
        "get_secret_value" => "secretsmanager:GetSecretValue",
        "publish" => "sns:Publish",
        "get_topic_attributes" => "sns:GetTopicAttributes",
        other => panic!("client.{other}(): which action of IAM does it need? Teach this test"),
    }
}
