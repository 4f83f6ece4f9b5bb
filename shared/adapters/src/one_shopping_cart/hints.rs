//! The store's notifications as hints: they carry no proof, so their address ends in a segment that nobody can guess.

use async_trait::async_trait;
use domain::Failure;
use domain::ports::HintReader;
use domain::warehouse::{RawWebhook, Unverified, Webhook};
use subtle::ConstantTimeEq;

use super::{Notification, read_notification};
use crate::secret::SecretRef;

/// Reads notifications that arrive at `/notify/{connection}/{notify_secret}`.
pub(super) struct Hints {
    pub(super) secret: Option<SecretRef>,
}

#[async_trait]
impl HintReader for Hints {
    async fn verify(&self, raw: RawWebhook) -> Result<Webhook, Unverified> {
        let Some(secret) = &self.secret else {
            return Err(Unverified::Stranger(
                "no notify_secret is set for this connection's store".to_owned(),
            ));
        };
        let secret = secret.get().await.map_err(|failure| Unverified::Unsure(failure.to_string()))?;
        if bool::from(secret.expose().as_bytes().ct_eq(raw.path_rest.as_bytes())) {
            Ok(Webhook::verified(raw))
        } else {
            Err(Unverified::Stranger("the address does not end in the notify_secret".to_owned()))
        }
    }

    fn read(&self, webhook: &Webhook) -> Result<Vec<String>, Failure> {
        Ok(match read_notification(&webhook.raw().body)? {
            Notification::NewOrder { token } => vec![token],
            Notification::OrderStatusChange { order } => vec![order.to_string()],
            // A subscription's number is no order's; what it bills comes as an order of its own.
            Notification::RecurringOrderStatusChange { .. } | Notification::Test => Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::SystemClock;
    use crate::secret::{GivenSecrets, Vault};

    fn hints(secret: Option<&str>) -> Hints {
        let given = GivenSecrets::new(secret.map(|value| ("notify".to_owned(), value.to_owned())));
        let vault = Arc::new(Vault::new(vec![Box::new(given)], Arc::new(SystemClock)));
        Hints { secret: secret.map(|_| SecretRef::new(vault, "given:notify")) }
    }

    fn raw(path_rest: &str, body: &str) -> RawWebhook {
        RawWebhook { headers: Vec::new(), path_rest: path_rest.into(), body: body.into() }
    }

    #[tokio::test]
    async fn only_the_unguessable_address_is_believed() {
        assert!(hints(Some("unguessable")).verify(raw("unguessable", "")).await.is_ok());
        for wrong in ["", "unguessabl", "unguessable2", "Unguessable"] {
            assert!(hints(Some("unguessable")).verify(raw(wrong, "")).await.is_err(), "{wrong:?}");
        }
        assert!(hints(None).verify(raw("", "")).await.is_err(), "no secret is never a yes");
    }

    #[tokio::test]
    async fn a_secret_that_cannot_be_read_is_our_trouble_and_not_the_senders() {
        let vault = Arc::new(Vault::new(Vec::new(), Arc::new(SystemClock)));
        let hints = Hints { secret: Some(SecretRef::new(vault, "given:notify")) };
        assert!(matches!(hints.verify(raw("unguessable", "")).await, Err(Unverified::Unsure(_))));
        let refused = self::hints(Some("unguessable")).verify(raw("wrong", "")).await;
        assert!(matches!(refused, Err(Unverified::Stranger(_))));
    }

    #[tokio::test]
    async fn a_notification_names_what_to_read() {
        let read = |body: &str| hints(None).read(&Webhook::verified(raw("", body)));
        assert_eq!(read("<NewOrder><Token>abc-1</Token></NewOrder>").unwrap(), ["abc-1"]);
        assert_eq!(read("<OrderStatusChange><Id>7</Id></OrderStatusChange>").unwrap(), ["7"]);
        assert!(
            read("<RecurringOrderStatusChange><Id>7</Id></RecurringOrderStatusChange>").unwrap().is_empty()
        );
        assert!(read("<NewOrder").is_err());
    }
}
