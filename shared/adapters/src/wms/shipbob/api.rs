//! Calls to ShipBob: version, channel, and what its statuses mean.

use std::sync::Arc;

use domain::limits::ANSWER_BYTES;
use domain::{Failure, Reference};
use reqwest::Method;
use serde::de::DeserializeOwned;
use url::form_urlencoded;

use super::wire::Order;
use crate::http::{Answer, Sent};
use crate::json;
use crate::wms::answers;
use crate::wms::caller::{Call, Caller};

/// Orders on one page at most (dossier section 3.3).
pub(super) const PAGE: usize = 250;

/// One merchant's ShipBob, seen from one channel.
pub(super) struct Api {
    pub(super) caller: Caller,
    pub(super) version: String,
    pub(super) channel: u64,
}

impl Api {
    /// Asks once; `path` follows the version.
    pub(super) async fn call(
        &self,
        during: &'static str,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Sent {
        self.caller.send(self.request(during, method, path, body)).await
    }

    /// The call with what every request to ShipBob says.
    pub(super) fn request(
        &self,
        during: &'static str,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Call {
        let mut headers = vec![
            ("accept".to_owned(), "application/json".to_owned()),
            ("shipbob_channel_id".to_owned(), self.channel.to_string()),
        ];
        if body.is_some() {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        let path = format!("/{}/{path}", self.version);
        Call { during, method, path, headers, body: body.unwrap_or_default() }
    }

    /// Reads something.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        during: &'static str,
        path: &str,
    ) -> Result<T, Failure> {
        let answer = self.call(during, Method::GET, path, None).await.answer()?;
        self.read(during, &answer)
    }

    /// Reads an answer whose status should be a success.
    pub(super) fn read<T: DeserializeOwned>(
        &self,
        during: &'static str,
        answer: &Answer,
    ) -> Result<T, Failure> {
        if !answer.is_success() {
            return Err(answers::failure(answer, during, self.caller.now()));
        }
        json::read(&answer.body, ANSWER_BYTES).map_err(|why| answers::unreadable(during, answer, &why))
    }

    /// The orders of this channel with exactly this reference.
    pub(super) async fn orders(
        &self,
        during: &'static str,
        reference: &Reference,
    ) -> Result<Vec<Order>, Failure> {
        let query: String = query(&[("ReferenceIds", reference.as_str())]);
        let mut orders: Vec<Order> = self.get(during, &format!("order?{query}")).await?;
        orders.retain(|o| o.reference_id.as_deref() == Some(reference.as_str()) && self.is_ours(o));
        Ok(orders)
    }

    /// Did the order come in through our channel? A token may see the orders of others, too.
    pub(super) fn is_ours(&self, order: &Order) -> bool {
        order.channel.as_ref().and_then(|channel| channel.id).is_none_or(|id| id == self.channel)
    }
}

/// A query string.
pub(super) fn query(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// What the parts of the adapter share.
pub(super) type Shared = Arc<Api>;
