//! What a connection does where the order itself leaves a choice.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::mapping::Service;
use crate::money::Currency;
use crate::order::Order;
use crate::record::TestMarker;

/// A SKU that has no listing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownSku {
    /// Hold the order until somebody maps it.
    #[default]
    Hold,
    /// Send the shop's SKU unchanged (what DropStream does).
    Pass,
    /// Leave the line out and ship the rest.
    Drop,
}

/// A line that has no SKU at all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoSku {
    /// Hold the order until the product has a SKU in the store.
    #[default]
    Hold,
    /// Leave the line out: it is digital.
    Drop,
}

/// An order with a remark of the buyer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comment {
    /// Ship it and pass the remark on.
    #[default]
    Ship,
    /// Hold it until a person has read the remark.
    Hold,
}

/// An order that is changed in the store after it was sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Changed {
    /// Hold it, with the difference, until a person has settled it.
    #[default]
    Hold,
    /// Have the warehouse cancel what it has, and send the changed order in its place. What it does not cancel is held.
    Replace,
}

/// A shipping method that no rule matches.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownMethod {
    /// Hold the order until somebody adds a rule.
    #[default]
    Hold,
    /// Book this service instead.
    Use(Service),
}

/// How long each part of an order's way should take at most. An order that takes longer is late: it is told, nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Targets {
    /// Minutes from the import until the warehouse has it. Orders that wait for their payment are not meant.
    pub accept_minutes: u32,
    /// Hours from then until all of it has left.
    pub ship_hours: u32,
    /// Minutes from then until the store shows the tracking.
    pub post_minutes: u32,
}

impl Default for Targets {
    fn default() -> Self {
        Self { accept_minutes: 30, ship_hours: 48, post_minutes: 60 }
    }
}

/// Everything that a connection decides for itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policies {
    /// A SKU that has no listing.
    pub unknown_sku: UnknownSku,
    /// A line without SKU.
    pub no_sku: NoSku,
    /// A shipping method without rule.
    pub unknown_method: UnknownMethod,
    /// A remark of the buyer.
    pub comment: Comment,
    /// A change in the store after the order was sent.
    pub changed: Changed,
    /// Orders placed before this instant are not ours.
    pub start: Option<Timestamp>,
    /// Minutes to leave a new order alone, for cancellations and upsells.
    pub cooling_off_minutes: u32,
    /// Payment statuses (normalised words) that may ship.
    pub ship_statuses: Vec<String>,
    /// Days to wait for an unpaid order before it is excluded.
    pub unpaid_days: u32,
    /// Days that an order already sent is read again for a cancellation or a change.
    pub watch_days: u32,
    /// Days that the body of an order (personal data) is kept.
    pub retention_days: u32,
    /// Currency of the store's amounts.
    pub currency: Currency,
    /// How long an order's way should take.
    pub targets: Targets,
    /// SKUs of test orders: an order with one of them is never sent. Upper and lower case are the same.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub test_skus: Vec<String>,
    /// Words in the buyer's remark that make an order a test order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub test_comments: Vec<String>,
    /// E-mail addresses of people who place test orders.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub test_emails: Vec<String>,
}

impl Default for Policies {
    fn default() -> Self {
        Self {
            unknown_sku: UnknownSku::default(),
            no_sku: NoSku::default(),
            unknown_method: UnknownMethod::default(),
            comment: Comment::default(),
            changed: Changed::default(),
            start: None,
            cooling_off_minutes: 0,
            ship_statuses: vec!["accepted".to_owned()],
            unpaid_days: 30,
            watch_days: 14,
            retention_days: 90,
            currency: Currency::USD,
            targets: Targets::default(),
            test_skus: Vec::new(),
            test_comments: Vec::new(),
            test_emails: Vec::new(),
        }
    }
}

impl Policies {
    /// The marker by which an order is a test order, if it is one. An empty marker marks nothing.
    #[must_use]
    pub fn test_marker(&self, order: &Order) -> Option<TestMarker> {
        let plain = |text: &str| text.trim().to_lowercase();
        let is_in = |markers: &[String], fits: &dyn Fn(&str) -> bool| {
            markers.iter().map(|marker| plain(marker)).any(|marker| !marker.is_empty() && fits(&marker))
        };
        let has_sku = |marker: &str| {
            order.lines.iter().filter_map(|line| line.sku.as_ref()).any(|sku| plain(sku.as_str()) == marker)
        };
        let remark = plain(&order.comments);
        let email = order.ship_to.as_ref().and_then(|to| to.email.as_deref()).map(plain);
        if is_in(&self.test_skus, &has_sku) {
            Some(TestMarker::Sku)
        } else if is_in(&self.test_comments, &|marker| remark.contains(marker)) {
            Some(TestMarker::Comment)
        } else if is_in(&self.test_emails, &|marker| email.as_deref() == Some(marker)) {
            Some(TestMarker::Email)
        } else {
            None
        }
    }

    /// The cooling-off delay.
    #[must_use]
    pub fn cooling_off(&self) -> Duration {
        Duration::from_secs(u64::from(self.cooling_off_minutes) * 60)
    }

    /// Days as a duration.
    #[must_use]
    pub fn days(days: u32) -> Duration {
        Duration::from_secs(u64::from(days) * 86_400)
    }
}
