//! A shop's day as plain data: orders of every kind that is known to occur, what a correct connector makes of each, and
//! the mappings that it needs (with two left out on purpose).

mod catalogue;
mod day;
mod people;

pub use catalogue::{
    digital_skus, listings, missing_listings, missing_rules, products, rules, services, subscriptions,
};
pub use day::{FIRST_MORNING, day, day_from};
pub use people::clients;

/// What is special about an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Nothing: paid, one line.
    Physical,
    /// More than one line.
    SeveralLines,
    /// To Canada, the United Kingdom, Germany or Japan, in their letters.
    International,
    /// Pending when it is listed, paid later, and never listed again.
    PendingThenPaid,
    /// Pending when it is listed, declined later.
    PendingThenDeclined,
    /// Pending for the whole day.
    StillPending,
    /// Declined from the start.
    Declined,
    /// Voided before anybody could import it.
    Voided,
    /// Refunded before anybody could import it.
    Refunded,
    /// Refunded in part: not `Accepted`, so not shipped by default.
    PartlyRefunded,
    /// Funds reserved, not captured.
    Authorized,
    /// A subscription's next parcel.
    RebillPhysical,
    /// A subscription's next period of something digital.
    RebillDigital,
    /// Nothing to ship, no shipping parts in the document.
    Digital,
    /// Something digital and something that ships.
    Mixed,
    /// A line that has to be shipped and has no SKU.
    NoSku,
    /// A SKU that stands for several warehouse SKUs.
    Kit,
    /// A product so new that nobody has listed it at the warehouse.
    UnmappedSku,
    /// A shipping method that no rule knows.
    UnmappedMethod,
    /// The method begins with "Select Shipping Method - ".
    PrefixedMethod,
    /// It names another order that was sold on top of it.
    UpsellParent,
    /// The order that was sold on top.
    Upsell,
    /// The buyer wrote a remark, with letters that need care.
    Comments,
    /// Hidden in the store's admin pages.
    Archived,
    /// It cost nothing.
    Free,
    /// Twelve of one thing.
    ManyPieces,
    /// Address lines near the limit of what labels take.
    LongAddress,
    /// Older than the connection's start date.
    BeforeStart,
    /// Its document cannot be understood: the quantity is no number.
    Unreadable,
    /// Markup in the product's name.
    MarkupInName,
    /// The shipping amount is empty instead of zero.
    EmptyAmount,
}

/// What a correct connector does with an order, under default policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Sends it, as so many pieces in the warehouse's units.
    Ship {
        /// Pieces over all lines, kits taken apart.
        units: u32,
    },
    /// Holds it for a person.
    Hold,
    /// Never sends it.
    Exclude,
    /// Waits for its payment.
    Wait,
}

/// The mappings of a connection as plain pairs: a shop's SKU and what the warehouse takes for one piece of it.
pub type Listings = Vec<(&'static str, Vec<(&'static str, u32)>)>;

/// Shipping rules as plain pairs: the method's text, without the store's prefix, and the warehouse's service code.
pub type Rules = Vec<(&'static str, &'static str)>;
