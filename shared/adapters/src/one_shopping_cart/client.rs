//! Speaks with one store: builds requests, keeps the pace, and tells a no from an answer that got lost.

use std::sync::{Arc, OnceLock};

use domain::Failure;
use domain::ports::Clock;
use reqwest::{Method, Url};
use tokio::sync::Mutex;

use super::config::Config;
use super::contacts::Contacts;
use super::discovery::Discovered;
use super::envelope::{self, Refusal, Reply};
use super::list::{self, Ids, Next, PAGE};
use super::text;
use super::xml::Parsed;
use crate::http::{Answer, Http, Request, Sent};
use crate::rate_limit::RateLimit;
use crate::secret::Secret;

/// A client of one store. Cheap to clone; all clones share one pace.
#[derive(Clone)]
pub struct Client(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) config: Config,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) contacts: Contacts,
    pub(super) discovered: Discovered,
    http: Http,
    pace: RateLimit,
    /// One request at a time (dossier section 9).
    turn: Mutex<()>,
    /// By how many seconds our clock was ahead of the store's when it first answered.
    ahead: OnceLock<i64>,
}

/// A parameter of a request.
pub(super) type Parameter = (&'static str, String);

impl Client {
    pub(super) fn new(config: Config, http: Http, clock: Arc<dyn Clock>, pace: RateLimit) -> Self {
        let (contacts, discovered) = (Contacts::default(), Discovered::default());
        let http = http.only([&config.base]);
        Self(Arc::new(Inner {
            config,
            clock,
            contacts,
            discovered,
            http,
            pace,
            turn: Mutex::new(()),
            ahead: OnceLock::new(),
        }))
    }

    /// One page of a table's ids, ascending, and where the next page starts.
    pub(super) async fn list(
        &self,
        during: &'static str,
        table: &str,
        offset: u32,
        filters: &[Parameter],
    ) -> Result<(Vec<u64>, Option<u32>), Failure> {
        let mut parameters = vec![
            ("LimitCount", PAGE.to_string()),
            ("LimitOffset", offset.to_string()),
            ("SortOrder", "ASC".to_owned()),
        ];
        parameters.extend_from_slice(filters);
        let page =
            self.ask(during, &format!("/{table}/LIST"), &parameters, |body| list::read(table, body)).await?;
        let Ids { ids, next } = page.unwrap_or_default();
        match next {
            None => Ok((ids, None)),
            Some(Next::At(next)) if next > offset => Ok((ids, Some(next))),
            Some(Next::Somewhere) => Ok((ids, Some(offset.saturating_add(PAGE)))),
            Some(Next::At(_)) => {
                Err(Failure::retryable(during, "the list says that its next page is an earlier one"))
            }
        }
    }

    /// Asks for something below `/API/{merchant}`. None: the store has no such data (2040).
    pub(super) async fn ask<T>(
        &self,
        during: &'static str,
        path: &str,
        parameters: &[Parameter],
        read: impl FnOnce(&[u8]) -> Parsed<Reply<T>>,
    ) -> Result<Option<T>, Failure> {
        let answer = self.call(during, path, parameters).await?;
        let reply = read(&answer.body);
        self.understood(during, &answer, reply)
    }

    /// Sends a request below `/API/{merchant}`; gives whatever is answered.
    pub(super) async fn call(
        &self,
        during: &'static str,
        path: &str,
        parameters: &[Parameter],
    ) -> Result<Answer, Failure> {
        let url = self.url(during, &format!("/API/{}{path}", self.0.config.merchant))?;
        let mut key = self.0.config.key.get().await?;
        loop {
            let (method, url, body) = match self.0.config.asks_by_get {
                true => (Method::GET, with_query(url.clone(), &key, parameters), Vec::new()),
                false => (Method::POST, url.clone(), request_body(&key, parameters)),
            };
            let answer = self.send(during, method, url, body).await.answer()?;
            match self.other_key(&answer, &key).await {
                Some(other) => key = other,
                None => return Ok(answer),
            }
        }
    }

    /// Another key, when this answer refuses this one and there is another one now. A refused request did nothing, so it
    /// may be sent again at once: a rotation of the key costs no wait. (A refusal renews a key only now and then.)
    pub(super) async fn other_key(&self, answer: &Answer, refused: &Secret) -> Option<Secret> {
        let key = &self.0.config.key;
        if self.is_locked_out(answer) && key.renewed(refused).await { key.get().await.ok() } else { None }
    }

    /// Does this answer refuse the key?
    fn is_locked_out(&self, answer: &Answer) -> bool {
        let codes = &self.0.config.auth_codes;
        let says_so =
            || matches!(envelope::verdict(&answer.body), Ok(Reply::No(no)) if codes.contains(&no.code));
        matches!(answer.status, 401 | 403) || (!codes.is_empty() && says_so())
    }

    /// By how many seconds our clock was ahead of the store's when it first answered, where it said its time.
    pub(super) fn ahead(&self) -> Option<i64> {
        self.0.ahead.get().copied()
    }

    /// An address of the store.
    pub(super) fn url(&self, during: &'static str, path: &str) -> Result<Url, Failure> {
        Url::parse(&format!("{}{path}", self.0.config.base.as_str().trim_end_matches('/')))
            .map_err(|_| Failure::permanent(during, "the path makes no address; check the store's settings"))
    }

    /// Sends one request, in its turn and at the store's pace.
    pub(super) async fn send(&self, during: &'static str, method: Method, url: Url, body: Vec<u8>) -> Sent {
        let mut headers = vec![("accept".to_owned(), "text/xml, application/xml".to_owned())];
        if !body.is_empty() {
            headers.push(("content-type".to_owned(), "text/xml; charset=utf-8".to_owned()));
        }
        let request = Request { method, url, headers, body, timeout: self.0.config.timeout };
        let _turn = self.0.turn.lock().await;
        self.0.pace.acquire().await;
        let sent = self.0.http.send(during, request).await;
        if let Sent::Answered(answer) = &sent
            && let Some(theirs) = answer.date()
        {
            let ours = self.0.clock.now();
            self.0.ahead.get_or_init(|| ours.as_second().saturating_sub(theirs.as_second()));
        }
        if let Sent::Answered(answer) = &sent
            && matches!(answer.status, 429 | 503)
            && let Some(wait) = answer.wait(self.0.clock.now())
        {
            self.0.pace.back_off(wait);
        }
        sent
    }

    /// What an answer means (dossier section 5): the body counts whatever the status, but an outage is an outage.
    pub(super) fn understood<T>(
        &self,
        during: &'static str,
        answer: &Answer,
        reply: Parsed<Reply<T>>,
    ) -> Result<Option<T>, Failure> {
        match reply {
            Ok(Reply::Yes(value)) if answer.is_success() => Ok(Some(value)),
            Ok(Reply::No(refusal)) if !is_outage(answer.status) => self.refused(during, &refusal),
            Ok(Reply::No(refusal)) => Err(self.outage(during, answer, &refusal.reason())),
            Err(broken) if answer.is_success() => Err(broken.failure(during)),
            Ok(Reply::Yes(_)) | Err(_) => Err(self.outage(during, answer, "without a readable reason")),
        }
    }

    /// What the store's no means for the call. Codes are opaque but for those that are known or set.
    fn refused<T>(&self, during: &'static str, refusal: &Refusal) -> Result<Option<T>, Failure> {
        let config = &self.0.config;
        let reason = refusal.reason();
        if refusal.is_no_data() {
            return Ok(None);
        }
        if config.auth_codes.contains(&refusal.code) {
            return Err(Self::locked_out(during, &reason));
        }
        if config.retryable_codes.contains(&refusal.code) {
            return Err(Failure::retryable(during, format!("the store said to try later: {reason}")));
        }
        let cure = "if it may pass, add the code to retryable_codes; if the key was refused, to auth_codes";
        Err(Failure::permanent(during, format!("the store said no: {reason} ({cure})")))
    }

    fn outage(&self, during: &'static str, answer: &Answer, reason: &str) -> Failure {
        match answer.status {
            401 | 403 => Self::locked_out(during, &format!("status {}", answer.status)),
            300..=399 => Failure::retryable(
                during,
                format!("answered {}: it has moved; check base_url", answer.status),
            ),
            status => {
                let wait = answer.wait(self.0.clock.now());
                Failure::retryable(during, format!("answered {status}, {reason}")).after(wait)
            }
        }
    }

    /// A refused key has been fetched anew; until it is right, everything waits and nothing is lost.
    fn locked_out(during: &'static str, reason: &str) -> Failure {
        let cure = "check merchant_id and api_key";
        Failure::retryable(during, format!("the store refused the key ({reason}); {cure}"))
    }
}

/// A status behind which no word of the store is believed to be its last.
fn is_outage(status: u16) -> bool {
    matches!(status, 401 | 403 | 408 | 429 | 500..)
}

/// `?key=…&Name=…` (dossier section 1.2).
fn with_query(mut url: Url, key: &Secret, parameters: &[Parameter]) -> Url {
    url.query_pairs_mut()
        .append_pair("key", key.expose())
        .extend_pairs(parameters.iter().map(|(name, value)| (*name, value.as_str())));
    url
}

/// `<Request><Key>…</Key>…</Request>` (dossier section 1.1).
fn request_body(key: &Secret, parameters: &[Parameter]) -> Vec<u8> {
    let mut body = format!("<Request><Key>{}</Key>", text::escaped(key.expose()));
    for (name, value) in parameters {
        body.push_str(&format!("<{name}>{}</{name}>", text::escaped(value)));
    }
    body.push_str("</Request>");
    body.into_bytes()
}
