//! What we have done for one order: its state in the ledger, small enough to be written often.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{OrderKey, Token, WarehouseOrderId};
use crate::mapping::Gap;
use crate::order::OrderDigest;
use crate::shipment::Package;
use crate::text::Text;

/// How many entries of the story the record itself keeps; older ones are items of their own.
pub const RECENT_ENTRIES: usize = 6;

/// The right of one attempt to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Names the attempt.
    pub token: Token,
    /// When nothing of this attempt can land any more, clocks of other machines included.
    pub until: Timestamp,
    /// Does it repeat an attempt of which nobody knows whether it has landed? Then the order stays in doubt when this one
    /// certainly did not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeats: bool,
}

/// Why an order waits for something that will come by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wait {
    /// Not paid yet; the store's status word.
    Unpaid(String),
    /// Younger than the connection's cooling-off delay.
    CoolingOff,
}

/// Why an order will never be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exclusion {
    /// Ordered before the connection's start date.
    BeforeStart,
    /// Nothing in it is shipped.
    Digital,
    /// Its payment failed or was taken back; the store's status word.
    NotPaid(String),
    /// Waited longer for its payment than the connection allows.
    NeverPaid,
    /// Hidden in the store's admin pages.
    Archived,
    /// A person said so.
    ByPerson(String),
    /// A test: it carries a marker that the connection names; which kind of marker.
    Test(TestMarker),
}

/// What an order is known by as a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestMarker {
    /// A SKU in it.
    Sku,
    /// Words in the buyer's remark.
    Comment,
    /// The buyer's e-mail address.
    Email,
}

/// Why an order is held for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Words that no mapping translates. Heals when the mapping is changed.
    Unmapped(Vec<Gap>),
    /// Address parts that are missing.
    BadAddress(Vec<String>),
    /// The warehouse's limits do not fit: field and limit.
    TooLong(Vec<String>),
    /// The warehouse said no; its reason.
    Refused(String),
    /// The buyer left a remark and the policy is to read it first.
    Comment,
    /// The store's document cannot be read; where and why. Read again by itself.
    Unreadable(String),
    /// The store lists the order and then does not have it. Read again by itself.
    Vanished,
    /// Sent, the answer was lost, and this warehouse cannot be asked: a person looks there.
    InDoubt,
    /// Placed before this ledger began: an earlier one may have sent it, and this warehouse cannot be asked.
    OlderThanLedger,
    /// Changed in the store after it was sent.
    ChangedAfterSending,
    /// Taken back in the store after it was sent, and the warehouse did not cancel it; why.
    NotCancelled(String),
    /// A person said so.
    ByPerson(String),
}

impl Cause {
    /// Does it heal when something outside changes, so that it is worth looking again by itself?
    #[must_use]
    pub fn may_heal(&self) -> bool {
        matches!(self, Self::Unmapped(_) | Self::Unreadable(_) | Self::Vanished)
    }

    /// The fixed word for counts and filters.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Unmapped(_) => "unmapped",
            Self::BadAddress(_) => "bad address",
            Self::TooLong(_) => "too long",
            Self::Refused(_) => "refused",
            Self::Comment => "comment",
            Self::Unreadable(_) => "unreadable",
            Self::Vanished => "vanished",
            Self::InDoubt => "in doubt",
            Self::OlderThanLedger => "older than the ledger",
            Self::ChangedAfterSending => "changed after sending",
            Self::NotCancelled(_) => "not cancelled",
            Self::ByPerson(_) => "by a person",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unmapped(gaps) => {
                let gaps: Vec<String> = gaps.iter().map(ToString::to_string).collect();
                f.write_str(&gaps.join("; "))
            }
            Self::BadAddress(missing) => write!(f, "the address lacks {}", missing.join(", ")),
            Self::TooLong(fields) => write!(f, "too long for the warehouse: {}", fields.join(", ")),
            Self::Refused(reason) => write!(f, "refused by the warehouse: {reason}"),
            Self::Comment => f.write_str("the buyer left a remark"),
            Self::Unreadable(why) => write!(f, "the store's document cannot be read: {why}"),
            Self::Vanished => f.write_str("the store lists it and then does not have it"),
            Self::InDoubt => f.write_str("sent, the answer was lost, and this warehouse cannot be asked"),
            Self::OlderThanLedger => f.write_str(
                "placed before this ledger began: an earlier one may have sent it, and this warehouse cannot be asked",
            ),
            Self::ChangedAfterSending => f.write_str("changed in the store after it was sent"),
            Self::NotCancelled(why) => {
                write!(f, "taken back in the store, but not cancelled by the warehouse: {why}")
            }
            Self::ByPerson(note) => write!(f, "a person said so: {note}"),
        }
    }
}

impl fmt::Display for Exclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BeforeStart => f.write_str("ordered before the connection's start date"),
            Self::Digital => f.write_str("nothing in it is shipped"),
            Self::NotPaid(word) => write!(f, "its payment is {word}"),
            Self::NeverPaid => f.write_str("never paid"),
            Self::Archived => f.write_str("archived in the store"),
            Self::ByPerson(note) => write!(f, "a person said so: {note}"),
            Self::Test(marker) => write!(f, "a test order, by its {marker}"),
        }
    }
}

impl fmt::Display for TestMarker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sku => "SKU",
            Self::Comment => "remark",
            Self::Email => "e-mail address",
        })
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unpaid(word) => write!(f, "its payment is {word}"),
            Self::CoolingOff => f.write_str("inside the cooling-off delay"),
        }
    }
}

/// Where an order stands. [`crate::life`] says which step leads where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Will be looked at again by itself.
    Waiting(Wait),
    /// To be sent, not before the given instant.
    Ready {
        /// When the next attempt may start; none for at once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        not_before: Option<Timestamp>,
    },
    /// Claimed by an attempt that is sending.
    Sending(Claim),
    /// Sent, the answer lost: to be asked about, not before the claim has ended.
    InDoubt {
        /// When the warehouse's answer can be trusted.
        ask_at: Timestamp,
    },
    /// Held for a person.
    Held(Cause),
    /// Not ours to send.
    Excluded(Exclusion),
    /// The warehouse has it.
    Accepted,
    /// Some of it has left.
    PartlyShipped,
    /// All of it has left; tracking is still to be posted.
    Shipped,
    /// All of it has left and the store shows it.
    Posted,
    /// Taken back.
    Cancelled,
}

impl Stage {
    /// The fixed word for counts and filters.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Waiting(_) => "waiting",
            Self::Ready { .. } => "ready",
            Self::Sending(_) => "sending",
            Self::InDoubt { .. } => "in doubt",
            Self::Held(_) => "held",
            Self::Excluded(_) => "excluded",
            Self::Accepted => "accepted",
            Self::PartlyShipped => "partly shipped",
            Self::Shipped => "shipped",
            Self::Posted => "posted",
            Self::Cancelled => "cancelled",
        }
    }

    /// Has the warehouse taken it?
    #[must_use]
    pub fn is_sent(&self) -> bool {
        matches!(self, Self::Accepted | Self::PartlyShipped | Self::Shipped | Self::Posted)
    }
}

/// One line of an order's story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Counts up from 0.
    #[serde(rename = "n")]
    pub seq: u32,
    /// When.
    #[serde(rename = "t")]
    pub at: Timestamp,
    /// Which use case or person.
    #[serde(rename = "by")]
    pub by: Text,
    /// What happened, in our words; no personal data.
    #[serde(rename = "w")]
    pub what: Text,
}

/// Everything that the ledger knows about one order, but its body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Which order.
    pub key: OrderKey,
    /// Counts up with every write; the condition of the next one.
    #[serde(rename = "v")]
    pub version: u64,
    /// Who wrote this version: how a writer recognises its own write after a lost answer.
    #[serde(rename = "w")]
    pub written: Token,
    /// Where it stands.
    #[serde(rename = "st")]
    pub stage: Stage,
    /// Since when.
    #[serde(rename = "si")]
    pub since: Timestamp,
    /// When it came into the ledger.
    #[serde(rename = "im")]
    pub imported_at: Timestamp,
    /// Attempts to send so far.
    #[serde(rename = "at", default)]
    pub attempts: u32,
    /// Counts up when a changed order is sent anew; part of the reference.
    #[serde(rename = "rv", default)]
    pub revision: u32,
    /// Digest of the body that was last decided on; none when the order could not be read.
    #[serde(rename = "dg", default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<OrderDigest>,
    /// When somebody should look again; a due entry at this instant or later exists in the ledger.
    #[serde(rename = "wk", default, skip_serializing_if = "Option::is_none")]
    pub wake: Option<Timestamp>,
    /// Pieces that were sent to the warehouse.
    #[serde(rename = "un", default)]
    pub units: u32,
    /// Version of the mapping that was used to send it.
    #[serde(rename = "mv", default)]
    pub mapping: u64,
    /// The warehouse's id of it.
    #[serde(rename = "wo", default, skip_serializing_if = "Option::is_none")]
    pub warehouse_order: Option<WarehouseOrderId>,
    /// The sale was taken back (how, in words) and the warehouse is to cancel. Written before it is asked, so
    /// that it is asked until it has answered, whatever becomes of the order in the store.
    #[serde(rename = "rc", default, skip_serializing_if = "Option::is_none")]
    pub recall: Option<String>,
    /// It was changed in the store, and the warehouse is to cancel what it has, so that the changed order can be sent in its
    /// place. Written before the warehouse is asked, as [`Record::recall`] is.
    #[serde(rename = "rp", default, skip_serializing_if = "std::ops::Not::not")]
    pub replace: bool,
    /// The version of the order that a person let go: what asks a person only does not hold it again.
    #[serde(rename = "rl", default, skip_serializing_if = "Option::is_none")]
    pub released: Option<OrderDigest>,
    /// A person said that the warehouse keeps it, although the sale was taken back: it is not asked to cancel any more.
    #[serde(rename = "kp", default, skip_serializing_if = "std::ops::Not::not")]
    pub kept: bool,
    /// When the last attempt to send it began.
    #[serde(rename = "sa", default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
    /// When we first knew that the warehouse has it.
    #[serde(rename = "ac", default, skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<Timestamp>,
    /// What has left.
    #[serde(rename = "pk", default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<Package>,
    /// The last entries of its story.
    #[serde(rename = "sy")]
    pub story: Vec<Entry>,
    /// Entries that the last step pushed out of `story`; the ledger stores them beside the record.
    #[serde(skip)]
    pub spilled: Vec<Entry>,
}

impl Record {
    /// Is nothing left to do, so that nobody has to look again?
    #[must_use]
    pub fn is_finished(&self) -> bool {
        match self.stage {
            Stage::Posted | Stage::Excluded(_) => true,
            Stage::Cancelled => self.packages.iter().all(Package::is_settled),
            _ => false,
        }
    }

    /// Is there nothing new in what a notice tells of this package?
    #[must_use]
    pub fn knows(&self, package: &Package) -> bool {
        self.packages.iter().any(|known| known.id == package.id && known.knows(package))
    }

    /// The packages whose tracking somebody must still post.
    pub fn due_posts(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.is_due())
    }
}
