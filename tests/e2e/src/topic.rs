//! A topic of SNS on a loopback port: keeps what was published.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;

/// The topic.
pub struct Topic {
    /// Where it is.
    pub endpoint: String,
    published: Arc<Mutex<Vec<String>>>,
}

/// Its ARN.
pub(crate) const ARN: &str = "arn:aws:sns:us-east-1:1:cartdock-test-Alarms";

impl Topic {
    /// Opens one.
    pub(crate) async fn start() -> Self {
        let published: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = published.clone();
        let answering = move |body: String| async move {
            kept.lock().unwrap_or_else(PoisonError::into_inner).push(body);
            "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult><MessageId>1</MessageId>\
             </PublishResult></PublishResponse>"
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answering)).await });
        Self { endpoint, published }
    }

    /// Everything that was published, as it came: a form.
    #[must_use]
    pub fn published(&self) -> Vec<String> {
        self.published.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
