//! What a request asks of the store: which method, about what, with which parameters (dossier sections 1 and 2).

use super::faults::Endpoint;
use crate::xml::Element;

/// A request, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    /// The merchant's number in the path.
    pub(super) merchant: String,
    pub(super) endpoint: Endpoint,
    /// The table in the path, in the store's own spelling.
    pub(super) table: &'static str,
    /// The number or token in the path.
    pub(super) item: String,
    /// Parameters by their names, the key among them.
    parameters: Vec<(String, String)>,
    /// The XML body of a POST.
    pub(super) body: Option<Element>,
}

/// The tables, as they are written in documents.
pub(super) const TABLES: [&str; 6] =
    ["Orders", "Clients", "Products", "RecurringOrders", "Errors", "Notifications"];

impl Call {
    /// Understands a request; none when its body is not a `Request` document.
    pub(super) fn read(path: &str, query: &str, body: &str) -> Option<Self> {
        let mut parameters: Vec<(String, String)> = pairs(query).collect();
        let body = if body.trim().is_empty() {
            None
        } else {
            let root = Element::read(body).filter(|root| root.name == "Request")?;
            parameters
                .extend(root.children.iter().map(|child| (child.name.clone(), child.text.trim().to_owned())));
            Some(root)
        };
        let (merchant, table, item, endpoint) = route(path);
        let mut call = Self { merchant, endpoint, table, item, parameters, body };
        if call.parameter("doc") == Some("1") {
            call.endpoint = Endpoint::Doc;
        }
        Some(call)
    }

    /// A parameter by its exact name.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(parameter, _)| parameter == name).map(|(_, value)| value.as_str())
    }

    /// The merchant's key; the case of its name does not matter (dossier section 1.2).
    pub(super) fn key(&self) -> &str {
        let key = self.parameters.iter().find(|(parameter, _)| parameter.eq_ignore_ascii_case("key"));
        key.map_or("", |(_, value)| value)
    }
}

/// `/API/{merchant}[/{table}[/{item}][/{command}]]`, in any case.
fn route(path: &str) -> (String, &'static str, String, Endpoint) {
    let mut words = path.split('/').filter(|word| !word.is_empty());
    let api = words.next().unwrap_or_default();
    let merchant = words.next().unwrap_or_default().to_owned();
    let rest: Vec<&str> = words.collect();
    if !api.eq_ignore_ascii_case("API") || merchant.is_empty() {
        return (merchant, "", String::new(), Endpoint::Unknown);
    }
    let Some((table, rest)) = rest.split_first() else {
        return (merchant, "", String::new(), Endpoint::Group);
    };
    let table = TABLES.into_iter().find(|known| known.eq_ignore_ascii_case(table)).unwrap_or_default();
    let (item, command) = match *rest {
        [] => ("", String::new()),
        [word] if is_command(word) => ("", word.to_ascii_uppercase()),
        [item] => (item, "READ".to_owned()),
        [item, command] => (item, command.to_ascii_uppercase()),
        _ => ("", "?".to_owned()),
    };
    (merchant, table, item.to_owned(), endpoint(table, item, &command))
}

fn is_command(word: &str) -> bool {
    ["LIST", "READ", "COUNT", "TEST", "UPDATE"].iter().any(|command| command.eq_ignore_ascii_case(word))
}

fn endpoint(table: &str, item: &str, command: &str) -> Endpoint {
    match (table, item.is_empty(), command) {
        ("", ..) => Endpoint::Unknown,
        (_, true, "") => Endpoint::Methods,
        ("Orders", true, "LIST") => Endpoint::OrdersList,
        ("Orders", true, "COUNT") => Endpoint::OrdersCount,
        ("Orders", false, "READ") => Endpoint::OrderRead,
        ("Orders", false, "UPDATE") => Endpoint::OrderUpdate,
        ("Clients", true, "LIST") => Endpoint::ClientsList,
        ("Clients", false, "READ") => Endpoint::ClientRead,
        ("Products", true, "LIST") => Endpoint::ProductsList,
        ("Products", false, "READ") => Endpoint::ProductRead,
        ("RecurringOrders", true, "LIST") => Endpoint::RecurringOrdersList,
        ("RecurringOrders", false, "READ") => Endpoint::RecurringOrderRead,
        ("Errors", true, "LIST") => Endpoint::ErrorsList,
        ("Notifications", true, "TEST") => Endpoint::NotificationsTest,
        _ => Endpoint::Unknown,
    }
}

/// The pairs of a query string, decoded.
pub(crate) fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    })
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let escaped = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match (first, escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
                continue;
            }
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(*byte),
        }
        rest = tail;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_of_the_dossier_is_understood_in_any_case() {
        for (path, endpoint, item) in [
            ("/API/1", Endpoint::Group, ""),
            ("/api/1/orders", Endpoint::Methods, ""),
            ("/API/1/ORDERS/LIST", Endpoint::OrdersList, ""),
            ("/API/1/Orders/count", Endpoint::OrdersCount, ""),
            ("/API/1/Orders/77", Endpoint::OrderRead, "77"),
            ("/API/1/Orders/tok-1/READ", Endpoint::OrderRead, "tok-1"),
            ("/API/1/Orders/77/Update", Endpoint::OrderUpdate, "77"),
            ("/API/1/RecurringOrders/List", Endpoint::RecurringOrdersList, ""),
            ("/API/1/Notifications/TEST", Endpoint::NotificationsTest, ""),
            ("/API/1/Orders/READ", Endpoint::Unknown, ""),
            ("/API/1/Coupons/LIST", Endpoint::Unknown, ""),
            ("/API/1/Orders/77/READ/more", Endpoint::Unknown, ""),
            ("/other", Endpoint::Unknown, ""),
        ] {
            let call = Call::read(path, "", "").expect("no body");
            assert_eq!((call.endpoint, call.item.as_str()), (endpoint, item), "{path}");
        }
    }

    #[test]
    fn a_query_is_decoded_and_the_name_of_the_key_has_any_case() {
        let call =
            Call::read("/API/1/Orders/LIST", "KEY=a%2Fb&LimitStartDate=10%2f05%2F2026+00:00:00&x=100%", "");
        let call = call.expect("no body");
        assert_eq!((call.key(), call.parameter("x")), ("a/b", Some("100%")));
        assert_eq!(call.parameter("LimitStartDate"), Some("10/05/2026 00:00:00"));
    }

    proptest::proptest! {
        #[test]
        fn no_request_makes_the_reader_panic(path in "/(API/)?\\PC{0,30}", query in "\\PC{0,40}", body in "\\PC{0,40}") {
            drop(Call::read(&path, &query, &body));
        }

        #[test]
        fn a_value_survives_being_encoded_and_decoded(value in "\\PC{0,20}") {
            let encoded: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let pairs: Vec<_> = pairs(&format!("a={encoded}&b=")).collect();
            proptest::prop_assert_eq!(pairs, [("a".to_owned(), value), ("b".to_owned(), String::new())]);
        }
    }
}
