//! Creates, finds and cancels orders at ShipBob.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use domain::fulfillment::FulfillmentRequest;
use domain::warehouse::{
    Cancellation, Creation, Draft, OrderCancellation, OrderDesk, OrderLookup, WarehouseOrder,
};
use domain::{Failure, Reference, WarehouseOrderId};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;

use super::api::{Shared, query};
use super::wire::{Cancelled, CreateOrder, Order, Page, Product, complaints};
use crate::http::{Answer, Sent};
use crate::wms::answers;
use crate::wms::caller::Call;

const CREATE: &str = "shipbob: create order";
const CHECK: &str = "shipbob: check product";
const FIND: &str = "shipbob: look up order";
const CANCEL: &str = "shipbob: cancel order";
/// How long a product that ShipBob had is not looked up again.
const KNOWN_FOR: SignedDuration = SignedDuration::from_mins(15);

/// Creates orders.
pub(super) struct Desk {
    api: Shared,
    check_products: bool,
    gift_message: bool,
    location: Option<i32>,
    /// SKUs that ShipBob has, with the time at which that was seen.
    known: Mutex<BTreeMap<String, Timestamp>>,
}

impl Desk {
    pub(super) fn new(api: Shared, check_products: bool, gift_message: bool, location: Option<i32>) -> Self {
        Self { api, check_products, gift_message, location, known: Mutex::default() }
    }

    /// ShipBob silently creates a product for a reference that it does not know, so every SKU is looked up first.
    async fn unknown(&self, request: &FulfillmentRequest) -> Result<Vec<String>, Failure> {
        let mut unknown = Vec::new();
        if !self.check_products {
            return Ok(unknown);
        }
        let skus: BTreeSet<&str> = request.lines.iter().map(|line| line.sku.as_str()).collect();
        for sku in skus {
            if self.knows(sku) {
                continue;
            }
            if self.has(sku).await? {
                let seen = (sku.to_owned(), self.api.caller.now());
                self.known.lock().unwrap_or_else(PoisonError::into_inner).extend([seen]);
            } else {
                unknown.push(sku.to_owned());
            }
        }
        Ok(unknown)
    }

    fn knows(&self, sku: &str) -> bool {
        let now = self.api.caller.now();
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(sku).is_some_and(|seen| now.duration_since(*seen) < KNOWN_FOR)
    }

    async fn has(&self, sku: &str) -> Result<bool, Failure> {
        let query = query(&[("SKU", sku), ("PageSize", "250")]);
        let page: Page<Product> = self.api.get(CHECK, &format!("product?{query}")).await?;
        let mut variants = page.items.into_iter().flat_map(|product| product.variants.unwrap_or_default());
        Ok(variants.any(|variant| variant.sku.as_deref() == Some(sku)))
    }

    /// The call that creates an order.
    fn call(&self, request: &FulfillmentRequest) -> Result<Call, Failure> {
        let document = CreateOrder::of(request, self.gift_message, self.location);
        let body = serde_json::to_vec(&document)
            .map_err(|e| Failure::permanent(CREATE, "the order cannot be written as JSON").caused_by(e))?;
        Ok(self.api.request(CREATE, Method::POST, "order", Some(body)))
    }

    async fn outcome(&self, answer: &Answer, request: &FulfillmentRequest) -> Creation {
        let now = self.api.caller.now();
        let failure =
            || Failure::retryable(CREATE, answer.failure(CREATE, now).message).after(answer.wait(now));
        match answer.status {
            200..=299 => match self.api.read::<Order>(CREATE, answer) {
                Ok(order) => id(&order).map_or_else(Creation::Unclear, Creation::Accepted),
                Err(failure) => Creation::Unclear(failure),
            },
            422 => self.duplicate_or_refused(answer, request).await,
            400 | 404 => Creation::Refused(self.why(answer, request).await),
            401 | 403 | 429 | 503 => Creation::NotApplied(failure()),
            _ => Creation::Unclear(failure()),
        }
    }

    /// 422 says either that the reference is taken or that something is wrong with the order; only a look-up tells.
    async fn duplicate_or_refused(&self, answer: &Answer, request: &FulfillmentRequest) -> Creation {
        let orders = match self.api.orders(FIND, &request.reference).await {
            Ok(orders) => orders,
            Err(failure) => return Creation::Unclear(failure),
        };
        let Some(order) = best(orders) else {
            return Creation::Refused(self.why(answer, request).await);
        };
        match difference(&order, request) {
            None => Creation::Duplicate(id(&order).ok()),
            Some(what) => Creation::Refused(format!(
                "ShipBob has an order with this reference already (id {}), and {what} differs",
                order.id
            )),
        }
    }

    async fn why(&self, answer: &Answer, request: &FulfillmentRequest) -> String {
        let said = complaints(&answer.body).join("; ");
        if said.is_empty() {
            return format!("answered {} without a reason that we can read", answer.status);
        }
        let mut personal = answers::personal(&request.ship_to);
        personal.push(&request.comments);
        answers::reason(&said, &personal, &self.api.caller.secrets().await)
    }
}

#[async_trait]
impl OrderDesk for Desk {
    async fn create(&self, request: &FulfillmentRequest) -> Creation {
        match self.unknown(request).await {
            Err(failure) => return Creation::NotApplied(failure),
            Ok(unknown) if !unknown.is_empty() => {
                let skus: String = unknown.join(", ").chars().take(200).collect();
                return Creation::Refused(format!(
                    "ShipBob has no product with SKU {skus}; add it there, or map the listing to one that it has"
                ));
            }
            Ok(_) => {}
        }
        let call = match self.call(request) {
            Ok(call) => call,
            Err(failure) => return Creation::NotApplied(failure),
        };
        match self.api.caller.send(call).await {
            Sent::Answered(answer) => self.outcome(&answer, request).await,
            Sent::NotSent(failure) => Creation::NotApplied(failure),
            Sent::Unclear(failure) => Creation::Unclear(failure),
        }
    }

    async fn draft(&self, request: &FulfillmentRequest) -> Result<Option<Draft>, Failure> {
        self.api.caller.draft(&self.call(request)?).await.map(Some)
    }
}

fn id(order: &Order) -> Result<WarehouseOrderId, Failure> {
    WarehouseOrderId::parse(order.id.to_string())
        .map_err(|e| Failure::poison(FIND, "the order has no usable id").caused_by(e))
}

fn is_cancelled(order: &Order) -> bool {
    order.status.as_deref().is_some_and(|status| status.eq_ignore_ascii_case("cancelled"))
}

/// A live order before a cancelled one.
fn best(mut orders: Vec<Order>) -> Option<Order> {
    orders.sort_by_key(is_cancelled);
    orders.into_iter().next()
}

/// What differs between their order and ours. What they do not tell is not held against them.
fn difference(order: &Order, request: &FulfillmentRequest) -> Option<&'static str> {
    let mut wanted: BTreeMap<&str, i64> = BTreeMap::new();
    for line in &request.lines {
        *wanted.entry(line.sku.as_str()).or_default() += i64::from(line.quantity);
    }
    if let Some(products) = &order.products {
        let told = products.iter().all(|p| p.reference_id.is_some() && p.quantity.is_some());
        let mut there: BTreeMap<&str, i64> = BTreeMap::new();
        for product in products {
            let sku = product.reference_id.as_deref().unwrap_or_default();
            let quantity = there.entry(sku).or_default();
            *quantity = quantity.saturating_add(product.quantity.unwrap_or_default());
        }
        if told && there != wanted {
            return Some("what it orders");
        }
    }
    let recipient = order.recipient.as_ref();
    let address = recipient.and_then(|recipient| recipient.address.as_ref());
    let to = &request.ship_to;
    let other = |theirs: Option<&String>, ours: &str| theirs.is_some_and(|theirs| !same_text(theirs, ours));
    let moved = other(recipient.and_then(|r| r.name.as_ref()), &to.name)
        || other(address.and_then(|a| a.address1.as_ref()), &to.line1)
        || other(address.and_then(|a| a.zip_code.as_ref()), &to.postal_code);
    moved.then_some("where it goes")
}

/// Equal but for case and blanks, which they tidy up.
fn same_text(one: &str, other: &str) -> bool {
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    plain(one) == plain(other)
}

/// Finds orders by their reference.
pub(super) struct Finder(pub(super) Shared);

#[async_trait]
impl OrderLookup for Finder {
    async fn find(&self, reference: &Reference) -> Result<Option<WarehouseOrder>, Failure> {
        let Some(order) = best(self.0.orders(FIND, reference).await?) else {
            return Ok(None);
        };
        Ok(Some(WarehouseOrder { id: id(&order)?, cancelled: is_cancelled(&order) }))
    }
}

/// Cancels orders.
pub(super) struct Canceller(pub(super) Shared);

#[async_trait]
impl OrderCancellation for Canceller {
    async fn cancel(
        &self,
        reference: &Reference,
        order: Option<&WarehouseOrderId>,
    ) -> Result<Cancellation, Failure> {
        let id = match order {
            Some(order) => order.as_str().parse::<i64>().ok(),
            None => best(self.0.orders(FIND, reference).await?).map(|order| order.id),
        };
        let Some(id) = id else {
            return Ok(Cancellation::Refused("ShipBob does not know this order".to_owned()));
        };
        let path = format!("order/{id}:cancel");
        let answer = self.0.call(CANCEL, Method::POST, &path, None).await.answer()?;
        if matches!(answer.status, 400 | 404 | 409 | 422) {
            let said = complaints(&answer.body).join("; ");
            let said = answers::reason(&said, &[], &self.0.caller.secrets().await);
            let why = if said.is_empty() { format!("answered {}", answer.status) } else { said };
            return Ok(Cancellation::Refused(why));
        }
        let cancelled: Cancelled = self.0.read(CANCEL, &answer)?;
        match cancelled.status.as_deref() {
            Some("Success") => Ok(Cancellation::Cancelled),
            Some("PartialSuccess") => {
                Ok(Cancellation::Refused("only some of its shipments could be cancelled".to_owned()))
            }
            Some("Failure") => {
                Ok(Cancellation::Refused("its shipments can no longer be cancelled".to_owned()))
            }
            _ => Err(answers::unreadable(CANCEL, &answer, "it says neither yes nor no")),
        }
    }
}
