//! The store as a place for tracking: a call that the settings describe, because the store documents none.

use async_trait::async_trait;
use domain::carrier::Tracking;
use domain::ports::{PostAnswer, SinkMode, TrackingSink};
use domain::{Failure, OrderId};
use jiff::Timestamp;
use reqwest::Method;

use super::client::Client;
use super::config::Mode;
use super::dates;
use super::envelope::{self, Reply};
use super::template::Escape;
use crate::http::Answer;

const DURING: &str = "1ShoppingCart: post tracking";

#[async_trait]
impl TrackingSink for Client {
    async fn mode(&self) -> Result<SinkMode, Failure> {
        match self.0.config.writeback.mode {
            Mode::Api => Ok(SinkMode::Api),
            Mode::Outbox => Ok(SinkMode::Outbox("the setting writeback.mode says so".to_owned())),
            Mode::Off => Ok(SinkMode::Off),
            Mode::Discover => self.discover().await,
        }
    }

    async fn shown(&self, order: OrderId) -> Result<Vec<String>, Failure> {
        let shown = self.read_tracking(order).await?;
        shown.ok_or_else(|| {
            Failure::permanent("1ShoppingCart: read tracking", format!("the store has no order {order}"))
        })
    }

    async fn post(
        &self,
        order: OrderId,
        tracking: &Tracking,
        shipped_at: Timestamp,
    ) -> Result<PostAnswer, Failure> {
        let config = &self.0.config;
        let (order, link) = (order.to_string(), tracking.url().unwrap_or_default());
        let shipped_at = dates::stamp(shipped_at, &config.zone);
        let writeback = &config.writeback;
        let mut key = config.key.get().await?;
        loop {
            let values = [
                ("merchant_id", config.merchant.as_str()),
                ("key", key.expose()),
                ("order_id", &order),
                ("carrier", &tracking.carrier.name),
                ("tracking_number", tracking.number.as_str()),
                ("tracking_url", &link),
                ("shipped_at", &shipped_at),
            ];
            let url = self.url(DURING, &writeback.path.fill(&values, Escape::Url))?;
            let body = match writeback.verb {
                Method::GET => Vec::new(),
                _ => writeback.body.fill(&values, Escape::Xml).into_bytes(),
            };
            let answer = self.send(DURING, writeback.verb.clone(), url, body).await.answer()?;
            match self.other_key(&answer, &key).await {
                Some(other) => key = other,
                None => return self.post_answer(&answer),
            }
        }
    }

    fn verifies(&self) -> bool {
        self.0.config.writeback.verifies
    }
}

impl Client {
    /// What the answer to a post means: taken only where the envelope says success.
    fn post_answer(&self, answer: &Answer) -> Result<PostAnswer, Failure> {
        let reply = envelope::verdict(&answer.body);
        let no_such_call = matches!(answer.status, 400 | 404 | 405 | 410 | 501);
        if no_such_call && !matches!(reply, Ok(Reply::No(_))) {
            return Ok(PostAnswer::Refused(format!("answered {}: it knows no such call", answer.status)));
        }
        match self.understood(DURING, answer, reply) {
            Ok(Some(())) => Ok(PostAnswer::Taken),
            Ok(None) => Ok(PostAnswer::Refused("error 2040: the store has no such order".to_owned())),
            Err(failure) if failure.is_retryable() => Err(failure),
            Err(failure) => Ok(PostAnswer::Refused(failure.message)),
        }
    }
}
