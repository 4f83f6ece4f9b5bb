//! An HTTP request that comes in and its answer, whoever serves it: a Lambda or the local host.

use std::fmt;

use async_trait::async_trait;

/// A request from outside. Nothing in it has been checked.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct HttpRequest {
    /// GET, POST and so on.
    pub method: String,
    /// The path, still percent-encoded, without the query.
    pub path: String,
    /// Names and values of the query, decoded, in their order.
    pub query: Vec<(String, String)>,
    /// Header names in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

/// A request never prints what it carries: path, query and headers may prove who sent it, the body may name a buyer.
impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpRequest({}, {} headers, {} bytes)", self.method, self.headers.len(), self.body.len())
    }
}

impl HttpRequest {
    /// The value of a header, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }
}

/// What is answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HttpAnswer {
    /// HTTP status.
    pub status: u16,
    /// Header names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl HttpAnswer {
    /// A status with a short plain text.
    #[must_use]
    pub fn text(status: u16, body: impl Into<String>) -> Self {
        let headers = vec![("content-type".to_owned(), "text/plain; charset=utf-8".to_owned())];
        Self { status, headers, body: body.into().into_bytes() }
    }
}

/// Something that answers requests.
#[async_trait]
pub trait Endpoint: Send + Sync {
    /// The answer; a failure is one, too.
    async fn answer(&self, request: HttpRequest) -> HttpAnswer;
}
