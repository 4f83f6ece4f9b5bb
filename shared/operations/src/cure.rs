//! What a person does about a held order: one cure per cause, with the command and the CSV row where there is one.

use domain::mapping::Gap;
use domain::record::Cause;
use domain::{ConnectionId, OrderKey};
use serde::Serialize;

use crate::mapping_csv::csv_line;

/// A cure.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Cure {
    /// What to do, in a sentence.
    pub what: String,
    /// The row to add to the CSV file, with `<…>` where only a person knows the word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<String>,
    /// The command to type afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Do the orders go on by themselves once it is done, without anybody releasing them?
    pub releases: bool,
}

/// Stands in a command for the number of an order, where a cure is that of many.
pub(crate) const ORDER: &str = "ORDER";

impl Cure {
    /// The cure as it is typed for one order.
    pub(crate) fn of_order(mut self, key: &OrderKey) -> Self {
        let of_many = format!("{}/{ORDER}", key.connection);
        self.command = self.command.map(|command| command.replace(&of_many, &key.to_string()));
        self
    }

    fn outside(what: impl Into<String>) -> Self {
        Self { what: what.into(), releases: true, ..Self::default() }
    }

    /// What a person decides, and the command that says so.
    fn by_hand(what: &str, command: String) -> Self {
        Self { what: what.to_owned(), command: Some(command), ..Self::default() }
    }
}

/// The cure of a gap in the mapping.
#[must_use]
pub(crate) fn of_gap(gap: &Gap, connection: &ConnectionId) -> Cure {
    match gap {
        Gap::UnknownSku(sku) => Cure {
            what: "Add a listing for it (warehouse SKU - if it is not shipped).".to_owned(),
            row: Some(csv_line(&[sku.as_str(), "<warehouse SKU>", "1"])),
            command: Some(format!("cartdock map import listings.csv --connection {connection}")),
            releases: true,
        },
        Gap::NoSku(product) => Cure::outside(format!(
            "Give product {product} a SKU in the store (new orders will have it), or set no_sku = \"drop\" if \
             products without SKU are not shipped."
        )),
        Gap::UnknownMethod { method, country } => Cure {
            what: "Add a shipping rule for it to the rules in force, above a rule for any method (cartdock map export rules \
                   --out rules.csv writes them)."
                .to_owned(),
            row: Some(csv_line(&["is", method, country_code(country), "", "", "<service>"])),
            command: Some(format!("cartdock map import rules.csv --connection {connection}")),
            releases: true,
        },
        Gap::NoMethod => Cure::outside(
            "Correct the order in the store, or set unknown_method = { use = \"<service>\" } for such orders.",
        ),
        Gap::HeldMethod(_) => Cure {
            what: "Decide which service it gets, and change the rule that says HOLD.".to_owned(),
            row: None,
            command: Some(format!("cartdock map import rules.csv --connection {connection}")),
            releases: true,
        },
        Gap::TooMany(_) => Cure::outside("Correct the quantity in the store or in the listing."),
    }
}

/// The country as a rule can name it: only ISO codes; otherwise the rule is for all countries.
fn country_code(country: &str) -> &str {
    let is_code = country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase());
    if is_code { country } else { "" }
}

/// The cure of an order that the warehouse knows and has cancelled.
pub(crate) fn of_cancelled_there(connection: &ConnectionId) -> Cure {
    Cure::by_hand(
        "Look at it in the warehouse, and say how it stands there: --there=ID (another order has taken its place), --anew (it is \
         sent under a new reference) or --cancelled.",
        format!("cartdock resolve {connection}/{ORDER}"),
    )
}

/// The cure of a cause that is no gap in the mapping.
#[must_use]
pub(crate) fn of_cause(cause: &Cause, connection: &ConnectionId) -> Cure {
    let settle = || format!("cartdock resolve {connection}/{ORDER}");
    let release = || format!("cartdock release {connection}/{ORDER}");
    match cause {
        Cause::Unmapped(gaps) => gaps.first().map(|gap| of_gap(gap, connection)).unwrap_or_default(),
        Cause::BadAddress(_) => {
            Cure::outside("Complete the address in the store; it is read again by itself.")
        }
        Cause::TooLong(_) => {
            Cure::outside("Shorten the field in the store (or the SKU); it is read again by itself.")
        }
        Cause::Refused(_) => Cure {
            what: "Put right what the warehouse names. An order that is corrected in the store is read again by itself; \
                   after a correction at the warehouse try it again."
                .to_owned(),
            command: Some("cartdock replay --cause refused".to_owned()),
            releases: true,
            ..Cure::default()
        },
        Cause::Comment => Cure::by_hand(
            "Read the remark in the store's admin pages. To ship orders with a remark, set comment = \"ship\".",
            release(),
        ),
        Cause::Unreadable(_) => Cure::outside(
            "Nothing, if the store was ill: it is read again by itself. If it stays, report it with this text.",
        ),
        Cause::Vanished => Cure::outside("Look for it in the store. It is read again by itself."),
        Cause::InDoubt => Cure::by_hand(
            "Look for its reference in the warehouse, and say what you found: --there, --not-there or --cancelled. It is \
             not sent again until a person has decided.",
            settle(),
        ),
        Cause::OlderThanLedger => Cure {
            what: "Look for its reference in the warehouse. Where the connection is new and nothing was ever sent, say so."
                .to_owned(),
            command: Some(format!("cartdock rebuild {connection} --new")),
            ..Cure::default()
        },
        Cause::ChangedAfterSending => Cure::by_hand(
            "Compare the order in the store with the warehouse's, and change it there. Then say how it stands there: --there, \
             --anew (it was cancelled there, and is sent as it is now) or --cancelled.",
            settle(),
        ),
        Cause::NotCancelled(_) => Cure::by_hand(
            "Ask the warehouse to stop it, or let the parcel come back: the buyer was refunded. Then say how it stands there: \
             --there or --cancelled.",
            settle(),
        ),
        Cause::ByPerson(_) => Cure::by_hand("Ask the person who held it.", release()),
    }
}
