//! The `[alerts]` table: by which channels people are told what opens and what closes.

use std::collections::BTreeSet;
use std::time::Duration;

use adapters::alerts::{Security, is_mailbox};
use operations::alerts::EVERY;

use super::node::{Entries, Reading, Span};

/// Minutes between two looks.
const MINUTES: std::ops::RangeInclusive<u32> = 1..=1440;

/// Whom to tell, and how often to look whether there is something to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Alerts {
    /// The channels; none: nobody is told.
    pub(crate) channels: Vec<Channel>,
    /// From one look to the next.
    pub(crate) every: Duration,
}

/// A channel. Secrets are references without their `@`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Channel {
    /// A webhook as Slack has it, whose address is this secret.
    Slack(String),
    /// Mail.
    Mail(Box<Mail>),
    /// The topic of a deployment, by its ARN.
    Topic(String),
}

/// A mail server, and who writes to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mail {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) security: Security,
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    /// User and password.
    pub(crate) login: Option<(String, String)>,
}

impl Default for Alerts {
    fn default() -> Self {
        Self { channels: Vec::new(), every: EVERY }
    }
}

pub(super) fn read(mut table: Entries, local_hosts: &BTreeSet<String>, reading: &mut Reading) -> Alerts {
    let mut alerts = Alerts::default();
    let span = table.span();
    alerts.channels.extend(secret(&mut table, "slack_url", reading).map(Channel::Slack));
    let is_set = alerts.channels.len();
    let server = table.table("mail", reading);
    let has_server = !server.is_empty();
    if has_server {
        let mail = mail(server, local_hosts, reading).map(Box::new);
        alerts.channels.extend(mail.map(Channel::Mail));
    }
    let minutes = table.number("every_minutes", MINUTES, reading);
    if minutes.is_some() && is_set == 0 && !has_server {
        let cure = "add slack_url or the table [alerts.mail], or leave [alerts] out";
        reading.wrong(span, "alerts names no channel", cure);
    }
    alerts.every = minutes.map_or(EVERY, |minutes| Duration::from_secs(u64::from(minutes) * 60));
    table.nothing_else(reading);
    alerts
}

fn mail(mut table: Entries, local_hosts: &BTreeSet<String>, reading: &mut Reading) -> Option<Mail> {
    let span = table.span();
    let words =
        [("starttls", Security::StartTls), ("connect", Security::OnConnect), ("none", Security::None)];
    let security = table.choice("tls", &words, reading).unwrap_or(Security::StartTls);
    let usual = match security {
        Security::StartTls => 587,
        Security::OnConnect => 465,
        Security::None => 25,
    };
    let port = table.number("port", 1..=65_535, reading).and_then(|port| u16::try_from(port).ok());
    let port = port.unwrap_or(usual);
    let host = needed(table.text("host", reading), "host", &span, reading);
    let from = table.text_at("from", reading).map(|(text, at)| mailbox(&text, at, reading));
    let from = needed(from, "from", &span, reading).flatten();
    let to = table.texts("to", reading);
    let to = needed(to.filter(|to| !to.is_empty()), "to", &span, reading);
    let to: Option<Vec<String>> =
        to.map(|to| to.into_iter().filter_map(|(text, at)| mailbox(&text, at, reading)).collect());
    let (user, password) = (secret(&mut table, "user", reading), secret(&mut table, "password", reading));
    if user.is_some() != password.is_some() {
        reading.wrong(span.clone(), "alerts.mail has user or password alone", "give both, or neither");
    }
    table.nothing_else(reading);
    let host = host?;
    let is_local = [host.to_lowercase(), format!("{}:{port}", host.to_lowercase())];
    if security == Security::None && !is_local.iter().any(|host| local_hosts.contains(host)) {
        let cure =
            "write tls = \"starttls\" or \"connect\", or name the host in network.local_hosts if it is yours";
        reading.wrong(span, format!("alerts.mail would speak to {host} in plain text"), cure);
    }
    Some(Mail { host, port, security, from: from?, to: to?, login: user.zip(password) })
}

fn needed<T>(found: Option<T>, key: &str, span: &Span, reading: &mut Reading) -> Option<T> {
    if found.is_none() {
        reading.wrong(
            span.clone(),
            format!("alerts.mail has no {key}"),
            "add it, or leave [alerts.mail] out",
        );
    }
    found
}

fn mailbox(text: &str, at: Span, reading: &mut Reading) -> Option<String> {
    let text = text.trim();
    if !is_mailbox(text) {
        let problem = format!("\"{text}\" is no mail address");
        reading.wrong(at, problem, "write the address alone, as in ops@example.com");
        return None;
    }
    Some(text.to_owned())
}

/// The name of a secret.
fn secret(table: &mut Entries, key: &'static str, reading: &mut Reading) -> Option<String> {
    let (text, at) = table.text_at(key, reading)?;
    let name = table.path(key);
    let reference = text.trim().strip_prefix('@').and_then(|reference| reference.split_once(':'));
    let is_named =
        reference.is_some_and(|(source, of)| matches!(source, "env" | "file") && !of.trim().is_empty());
    if !is_named {
        let problem = format!("{name} is a secret and must not stand here itself");
        let cure = format!("write {key} = \"@env:NAME\" or \"@file:/path\"");
        reading.wrong(at, problem, cure);
        return None;
    }
    let reference = text.trim().trim_start_matches('@').to_owned();
    reading.secret(at, name, &reference);
    Some(reference)
}
