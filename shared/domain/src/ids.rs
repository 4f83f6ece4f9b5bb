//! The names of things: newtypes that are parsed once, at the edge.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::text::Text;

/// Why a text is not a valid id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidId {
    /// Which kind of id was wanted.
    pub what: &'static str,
    /// The rule that the text breaks.
    pub rule: &'static str,
}

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a {}: {}", self.what, self.rule)
    }
}

impl std::error::Error for InvalidId {}

/// A text newtype with one rule; `$check` says whether a text keeps it.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Text);

        impl $name {
            /// Parses the text.
            ///
            /// # Errors
            /// When the text breaks the rule of this kind of id.
            pub fn parse(text: impl Into<String>) -> Result<Self, InvalidId> {
                let text = text.into();
                let keeps: fn(&str) -> bool = $check;
                if keeps(&text) { Ok(Self(text.into())) } else { Err(InvalidId { what: $what, rule: $rule }) }
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.into()
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::parse(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

fn is_slug(text: &str) -> bool {
    (1..=40).contains(&text.len())
        && !text.starts_with('-')
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn is_plain(text: &str) -> bool {
    (1..=200).contains(&text.len()) && text.trim() == text && !text.chars().any(char::is_control)
}

text_id!(
    /// One store joined to one warehouse (DropStream's word). Chosen by a person; part of keys, paths and references.
    ConnectionId, "connection id", "1 to 40 lower-case letters, digits or hyphens, not starting with a hyphen", is_slug
);
text_id!(
    /// The reference that we give a warehouse order: deterministic, unique per order and revision.
    Reference, "reference", "1 to 200 characters without control characters or outer blanks", is_plain
);
text_id!(
    /// The warehouse's own id of its copy of an order.
    WarehouseOrderId, "warehouse order id", "1 to 200 characters without control characters or outer blanks", is_plain
);
text_id!(
    /// The warehouse's id of one shipped package, unique within its order.
    PackageId, "package id", "1 to 200 characters without control characters or outer blanks", is_plain
);

/// The store's order number (1ShoppingCart `OrderInfo/Id`; below 2^31 in 2022, kept in 64 bits).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderId(pub u64);

impl FromStr for OrderId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let digits = text.trim();
        let all_digits = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        digits
            .parse()
            .ok()
            .filter(|number| all_digits && *number > 0)
            .map(Self)
            .ok_or(InvalidId { what: "order id", rule: "a whole number above 0" })
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One order of one connection. Printed and parsed as `connection/order`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OrderKey {
    /// The connection that the order came through.
    pub connection: ConnectionId,
    /// The store's number of the order.
    pub order: OrderId,
}

impl OrderKey {
    /// The key of `order` in `connection`.
    #[must_use]
    pub fn new(connection: ConnectionId, order: OrderId) -> Self {
        Self { connection, order }
    }
}

impl fmt::Display for OrderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.connection, self.order)
    }
}

impl FromStr for OrderKey {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let wrong = InvalidId { what: "order key", rule: "connection/order, as in main/10482" };
        let (connection, order) = text.split_once('/').ok_or(wrong)?;
        Ok(Self::new(connection.parse()?, order.parse()?))
    }
}

/// A random number that names one attempt or one write, so that we can recognise our own later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Token(pub u64);

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl From<Token> for String {
    fn from(token: Token) -> Self {
        token.to_string()
    }
}

impl TryFrom<String> for Token {
    type Error = InvalidId;
    fn try_from(text: String) -> Result<Self, InvalidId> {
        u64::from_str_radix(&text, 16)
            .map(Self)
            .map_err(|_| InvalidId { what: "token", rule: "16 hex digits" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_id_is_a_slug() {
        for good in ["main", "a", "3pl-acme-2"] {
            assert_eq!(ConnectionId::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "-a", "Main", "a b", "ä", "a/b", &"x".repeat(41)] {
            assert!(ConnectionId::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_order_id_is_only_digits() {
        assert_eq!(" 700100201 ".parse(), Ok(OrderId(700_100_201)));
        for bad in ["", "0", "000", "+1", "-1", "1.0", "12a", "99999999999999999999999"] {
            assert!(bad.parse::<OrderId>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_order_key_is_read_back_as_printed() {
        let key: OrderKey = "main/10482".parse().unwrap();
        assert_eq!(key.to_string(), "main/10482");
        assert!("10482".parse::<OrderKey>().is_err());
    }

    #[test]
    fn a_token_survives_its_text() {
        let token = Token(7);
        assert_eq!(Token::try_from(String::from(token)), Ok(token));
        assert_eq!(token.to_string().len(), 16);
    }
}
