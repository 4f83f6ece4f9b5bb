//! What goes over a queue: a version and ids, never a name, an address or a body.

use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::ids::{ConnectionId, OrderId, OrderKey, Reference};
use crate::limits::MESSAGE_BYTES;

/// The version that this build writes. It reads this one only; a newer message goes to the dead letters with a reason.
pub const VERSION: u32 = 1;

/// A message between use cases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Message {
    /// Send this order to its warehouse, or find out whether it is there.
    Forward {
        /// Its connection.
        connection: ConnectionId,
        /// Its number.
        order: OrderId,
    },
    /// Post the tracking of this order's packages to the store.
    Post {
        /// Its connection.
        connection: ConnectionId,
        /// Its number.
        order: OrderId,
    },
    /// Ask the warehouse what it shipped under this reference, then post it.
    Reread {
        /// The connection.
        connection: ConnectionId,
        /// Our reference.
        reference: Reference,
    },
    /// The store hinted that this order is new or changed.
    Hint {
        /// The connection.
        connection: ConnectionId,
        /// The store's token or order number: opaque, it takes the place of the id in READ.
        token: String,
    },
}

impl Message {
    /// The message that forwards `key`.
    #[must_use]
    pub fn forward(key: &OrderKey) -> Self {
        Self::Forward { connection: key.connection.clone(), order: key.order }
    }

    /// The message that posts the tracking of `key`.
    #[must_use]
    pub fn post(key: &OrderKey) -> Self {
        Self::Post { connection: key.connection.clone(), order: key.order }
    }

    /// The connection it belongs to: the lane of fair queues.
    #[must_use]
    pub fn connection(&self) -> &ConnectionId {
        match self {
            Self::Forward { connection, .. }
            | Self::Post { connection, .. }
            | Self::Reread { connection, .. }
            | Self::Hint { connection, .. } => connection,
        }
    }

    /// The text that goes over the queue.
    #[must_use]
    pub fn encode(&self) -> String {
        let versioned = Versioned { v: VERSION, message: self };
        serde_json::to_string(&versioned).unwrap_or_default()
    }

    /// Reads what came over the queue.
    ///
    /// # Errors
    /// Poison: not JSON, another version, an unknown kind, an id that breaks its rule. The text itself is not repeated.
    pub fn decode(text: &str) -> Result<Self, Failure> {
        const DURING: &str = "read queue message";
        if text.len() > MESSAGE_BYTES {
            return Err(Failure::poison(DURING, format!("larger than {MESSAGE_BYTES} bytes")));
        }
        let value: serde_json::Value = serde_json::from_str(text).map_err(|e| {
            Failure::poison(DURING, format!("not JSON at line {} column {}", e.line(), e.column()))
        })?;
        let mut fields = match value {
            serde_json::Value::Object(fields) => fields,
            _ => return Err(Failure::poison(DURING, "not a JSON object")),
        };
        match fields.remove("v").and_then(|v| v.as_u64()) {
            Some(v) if v == u64::from(VERSION) => {}
            Some(v) => {
                return Err(Failure::poison(
                    DURING,
                    format!("version {v} is unknown here; this build reads {VERSION}"),
                ));
            }
            None => return Err(Failure::poison(DURING, "no version")),
        }
        serde_json::from_value(serde_json::Value::Object(fields))
            .map_err(|_| Failure::poison(DURING, "its kind or its ids are not understood"))
    }
}

#[derive(Serialize)]
struct Versioned<'a> {
    v: u32,
    #[serde(flatten)]
    message: &'a Message,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_message_is_read_back() {
        let key: OrderKey = "main/5".parse().unwrap();
        for message in [
            Message::forward(&key),
            Message::post(&key),
            Message::Reread {
                connection: key.connection.clone(),
                reference: Reference::parse("main-5").unwrap(),
            },
            Message::Hint { connection: key.connection.clone(), token: "a\"b".into() },
        ] {
            assert_eq!(Message::decode(&message.encode()).unwrap(), message);
        }
        assert_eq!(
            Message::forward(&key).encode(),
            r#"{"v":1,"do":"forward","connection":"main","order":5}"#
        );
    }

    #[test]
    fn a_message_may_be_as_large_as_it_is_allowed_to_be() {
        let padded = |bytes: usize| {
            let text = r#"{"v":1,"do":"forward","connection":"main","order":5}"#;
            Message::decode(&format!("{text}{}", " ".repeat(bytes - text.len())))
        };
        assert!(padded(MESSAGE_BYTES).is_ok());
        for bytes in [MESSAGE_BYTES + 1, 2 * MESSAGE_BYTES] {
            assert!(padded(bytes).unwrap_err().to_string().contains("larger than"), "{bytes}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_poison_with_a_reason() {
        for (text, reason) in [
            ("{", "line 1"),
            ("[]", "object"),
            (r#"{"do":"forward"}"#, "no version"),
            (r#"{"v":2,"do":"forward","connection":"main","order":5}"#, "version 2"),
            (r#"{"v":1,"do":"dance"}"#, "kind"),
            (r#"{"v":1,"do":"forward","connection":"NOT OK","order":5}"#, "ids"),
            (r#"{"v":1,"do":"forward","connection":"main","order":5,"name":"x"}"#, "not understood"),
        ] {
            let failure = Message::decode(text).unwrap_err();
            assert_eq!(failure.kind, crate::Kind::Poison);
            assert!(failure.message.contains(reason), "{text}: {failure}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,200}") {
            let _ignored = Message::decode(&text);
        }
    }
}
