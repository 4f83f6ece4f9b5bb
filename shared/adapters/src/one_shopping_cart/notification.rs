//! Notifications of the store: hints that something happened, without a signature (dossier section 6).

use domain::limits::TOKEN_BYTES;
use domain::{Failure, OrderId};

use super::text;
use super::xml::{Document, Parsed};

const DURING: &str = "1ShoppingCart: read notification";

/// What the store pushed. Only what READ returns afterwards may be believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notification {
    /// A new order; its token stands in place of the order number in a READ, and is opaque otherwise.
    NewOrder {
        /// To be given to `OrderSource::read`.
        token: String,
    },
    /// An order's status changed.
    OrderStatusChange {
        /// Its number.
        order: OrderId,
    },
    /// A subscription's status changed.
    RecurringOrderStatusChange {
        /// Its number, which is not that of an order.
        recurring_order: u64,
    },
    /// The merchant pressed the button that sends a test.
    Test,
}

/// Reads the body of a notification, within the limits of every document of the store.
///
/// # Errors
/// Poison when it is none; the message says where and why, without content.
pub fn read_notification(body: &[u8]) -> Result<Notification, Failure> {
    let unreadable = |why: String| Failure::poison(DURING, format!("the notification cannot be read: {why}"));
    let (root, token, id) = read_parts(body).map_err(|broken| unreadable(broken.to_string()))?;
    match root.as_str() {
        "NewOrder" if is_token(&token) => Ok(Notification::NewOrder { token }),
        "NewOrder" => Err(unreadable(format!("its Token is not 1 to {TOKEN_BYTES} plain bytes"))),
        "OrderStatusChange" => id
            .parse()
            .map(|order| Notification::OrderStatusChange { order })
            .map_err(|_| unreadable("its Id is not a whole number".to_owned())),
        "RecurringOrderStatusChange" => id
            .parse()
            .map(|recurring_order| Notification::RecurringOrderStatusChange { recurring_order })
            .map_err(|_| unreadable("its Id is not a whole number".to_owned())),
        // The name of the test's root is not on record: whatever calls itself a test is one.
        test if test.to_ascii_lowercase().contains("test") => Ok(Notification::Test),
        other => Err(unreadable(format!("{} is no known kind", super::xml::plain(other)))),
    }
}

/// Can this stand in place of an order number?
pub(super) fn is_token(token: &str) -> bool {
    (1..=TOKEN_BYTES).contains(&token.len())
        && token.bytes().all(|b| b.is_ascii_graphic())
        && !token.bytes().all(|b| b == b'.')
}

/// The root's name, `Token` and `Id`.
fn read_parts(body: &[u8]) -> Parsed<(String, String, String)> {
    let source = text::decoded(body)?;
    let (mut document, root) = Document::open(&source)?;
    let (mut token, mut id) = Default::default();
    while let Some(name) = document.child()? {
        match name {
            "Token" => document.field(&mut token)?,
            "Id" => document.field(&mut id)?,
            _ => document.skip()?,
        }
    }
    document.finish()?;
    Ok((root.to_owned(), token.into_owned(), id.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Kind;
    use proptest::prelude::*;

    macro_rules! fixture {
        ($name:literal) => {
            include_bytes!(concat!("../../fixtures/one_shopping_cart/", $name))
        };
    }

    #[test]
    fn every_kind_is_read() {
        assert_eq!(
            read_notification(fixture!("notification-new-order.xml")).unwrap(),
            Notification::NewOrder { token: "700100201".into() }
        );
        assert_eq!(
            read_notification(fixture!("notification-order-status-change.xml")).unwrap(),
            Notification::OrderStatusChange { order: OrderId(700_100_202) }
        );
        assert_eq!(
            read_notification(fixture!("notification-recurring-order-status-change.xml")).unwrap(),
            Notification::RecurringOrderStatusChange { recurring_order: 500_600_701 }
        );
        assert_eq!(read_notification(fixture!("notification-test-ASSUMED.xml")).unwrap(), Notification::Test);
    }

    #[test]
    fn what_is_none_is_poison_and_not_repeated() {
        for body in [
            "",
            "{}",
            "<html>avery@example.com</html>",
            "<NewOrder/>",
            "<NewOrder><Token> </Token></NewOrder>",
            "<NewOrder><Token>..</Token></NewOrder>",
            "<NewOrder><Token>avery example</Token></NewOrder>",
            "<NewOrder><Token>7",
            "<OrderStatusChange><Id>avery</Id></OrderStatusChange>",
            "<Avery><Token>7</Token></Avery>x",
            &format!("<NewOrder><Token>{}</Token></NewOrder>", "7".repeat(201)),
        ] {
            let failure = read_notification(body.as_bytes()).unwrap_err();
            assert_eq!(failure.kind, Kind::Poison, "{body}");
            assert!(!failure.message.contains("avery"), "{failure}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _any = read_notification(&body);
        }

        #[test]
        fn a_token_comes_through(token in "[a-zA-Z0-9{}/+=%-]{1,60}") {
            let body = format!("<NewOrder><Token>{token}</Token></NewOrder>");
            prop_assert_eq!(read_notification(body.as_bytes()).unwrap(), Notification::NewOrder { token });
        }
    }
}
