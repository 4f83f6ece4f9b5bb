//! Calls of AWS's own APIs, signed as AWS wants them (Signature Version 4), to one endpoint.
//! Source: "Create a signed AWS API request", AWS Identity and Access Management user guide.

use adapters::clock::SystemClock;
use domain::ports::Clock;
use reqwest::Url;
use ring::{digest, hmac};
use serde_json::Value;

/// The only credentials that the emulator gives every right.
const KEY: &str = "test";
const REGION: &str = "us-east-1";

/// The APIs at one endpoint, called as the owner of the account.
pub(super) struct Aws {
    endpoint: String,
    client: reqwest::Client,
}

/// An answer: its status, what a function says about itself when it failed, and its body.
pub(super) struct Answer {
    status: u16,
    /// Only of a function that was invoked: it failed.
    pub(super) is_function_error: bool,
    pub(super) body: Vec<u8>,
}

/// A call before it is signed.
struct Request<'a> {
    service: &'a str,
    method: &'a str,
    /// The path and the query, which are the same signed and sent: no character in them needs to be escaped.
    path: &'a str,
    query: &'a str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Aws {
    pub(super) fn at(endpoint: &str) -> Self {
        let client = reqwest::Client::builder().tls_backend_preconfigured(adapters::tls::built_in()).build();
        Self { endpoint: endpoint.to_owned(), client: client.expect("a client") }
    }

    pub(super) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// A call of an API that speaks JSON, such as `AmazonSQS.SendMessage`.
    ///
    /// # Panics
    /// When it is refused: the test cannot go on.
    pub(super) async fn json(&self, service: &str, target: &str, body: &Value) -> Value {
        let headers = vec![
            ("content-type", "application/x-amz-json-1.1".to_owned()),
            ("x-amz-target", target.to_owned()),
        ];
        let body = body.to_string().into_bytes();
        let request = Request { service, method: "POST", path: "/", query: "", headers, body };
        let answer = self.send(request).await;
        assert!(answer.status < 300, "{target}: {}", answer.text());
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }

    /// A call of an API that takes a form and answers XML, such as CloudFormation's.
    ///
    /// # Errors
    /// The sentence with which it is refused.
    pub(super) async fn form(
        &self,
        (service, version): (&str, &str),
        action: &str,
        fields: &[(&str, &str)],
    ) -> Result<String, String> {
        let mut form = Url::parse("http://form").expect("an address");
        form.query_pairs_mut().extend_pairs([("Action", action), ("Version", version)]).extend_pairs(fields);
        let headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
        let body = form.query().unwrap_or_default().as_bytes().to_vec();
        let answer =
            self.send(Request { service, method: "POST", path: "/", query: "", headers, body }).await;
        let text = answer.text();
        if answer.status < 300 { Ok(text) } else { Err(texts(&text, "Message").pop().unwrap_or(text)) }
    }

    /// A call of an API with a path of its own for each thing.
    ///
    /// # Panics
    /// When it is refused: the test cannot go on.
    pub(super) async fn rest(
        &self,
        service: &str,
        method: &str,
        (path, query): (&str, &str),
        body: Vec<u8>,
    ) -> Answer {
        let answer = self.send(Request { service, method, path, query, headers: Vec::new(), body }).await;
        assert!(answer.status < 300, "{method} {path}: {}", answer.text());
        answer
    }

    async fn send(&self, mut request: Request<'_>) -> Answer {
        let host = self.endpoint.trim_start_matches("http://").to_owned();
        let at = SystemClock.now().strftime("%Y%m%dT%H%M%SZ").to_string();
        request.headers.push(("host", host));
        request.headers.push(("x-amz-content-sha256", hex(&sha256(&request.body))));
        request.headers.push(("x-amz-date", at.clone()));
        request.headers.sort_unstable();
        let authorization = request.authorization(&at);
        let url = format!("{}{}?{}", self.endpoint, request.path, request.query);
        let method = request.method.parse().expect("a method");
        let mut call = self.client.request(method, url).header("authorization", authorization);
        for (name, value) in request.headers.iter().filter(|(name, _)| *name != "host") {
            call = call.header(*name, value);
        }
        let response = call.body(request.body).send().await.expect("the emulator answers");
        Answer {
            status: response.status().as_u16(),
            is_function_error: response.headers().contains_key("x-amz-function-error"),
            body: response.bytes().await.expect("a whole answer").to_vec(),
        }
    }
}

impl Answer {
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

impl Request<'_> {
    fn authorization(&self, at: &str) -> String {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let headers: String = self.headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let (method, path, query) = (self.method, self.path, self.query);
        let body = hex(&sha256(&self.body));
        let canonical = format!("{method}\n{path}\n{query}\n{headers}\n{names}\n{body}");
        let day = at.split('T').next().unwrap_or_default();
        let scope = format!("{day}/{REGION}/{}/aws4_request", self.service);
        let to_sign = format!("AWS4-HMAC-SHA256\n{at}\n{scope}\n{}", hex(&sha256(canonical.as_bytes())));
        let parts = [day, REGION, self.service, "aws4_request"];
        let key = parts.iter().fold(format!("AWS4{KEY}").into_bytes(), |key, part| sign(&key, part));
        let signature = hex(&sign(&key, &to_sign));
        format!("AWS4-HMAC-SHA256 Credential={KEY}/{scope}, SignedHeaders={names}, Signature={signature}")
    }
}

/// The texts of all elements of a name, in their order.
pub(super) fn texts(xml: &str, element: &str) -> Vec<String> {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    let parts = xml.split(&open).skip(1).filter_map(|rest| rest.split_once(&close));
    parts.map(|(text, _)| unescaped(text)).collect()
}

fn unescaped(text: &str) -> String {
    let escapes =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#x27;", "'"), ("&#39;", "'"), ("&apos;", "'")];
    let text = escapes.iter().fold(text.to_owned(), |text, (escape, what)| text.replace(escape, what));
    text.replace("&amp;", "&")
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, bytes).as_ref().to_vec()
}

fn sign(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_of_an_answer_are_found_and_unescaped() {
        let xml = "<a><Message>Give &quot;both&quot; &amp;amp; more</Message></a><Message>two</Message>";
        assert_eq!(texts(xml, "Message"), ["Give \"both\" &amp; more", "two"]);
        assert!(texts(xml, "Code").is_empty());
    }
}
