//! Hears of ShipBob's shipments: a queue that we poll and acknowledge, and webhooks that say which order to ask about.

use std::collections::BTreeSet;

use async_trait::async_trait;
use domain::limits::WEBHOOK_BYTES;
use domain::mapping::WarehouseSku;
use domain::shipment::{Contents, ShipmentNotice};
use domain::warehouse::{
    FeedPage, Heard, NoticeReader, RawWebhook, ShipmentFeed, ShipmentLookup, StockFeed, StockLevel,
    Unverified, Webhook,
};
use domain::{Failure, PackageId, Reference, WarehouseOrderId};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use reqwest::Method;

use super::api::{PAGE, Shared, query};
use super::wire::{Level, Order, Page, Shipment, ShippedProduct, TrackingUploaded};
use crate::json;
use crate::signature::Verifier;
use crate::wms::answers;
use crate::wms::generic::notices::{instant, tracking};

const LIST: &str = "shipbob: list shipments";
const ACKNOWLEDGE: &str = "shipbob: acknowledge shipments";
const OF_ORDER: &str = "shipbob: shipments of order";
const STOCK: &str = "shipbob: list stock";
const READ: &str = "shipbob: read webhook";
/// Shipments that are acknowledged with one call.
const BATCH: usize = 100;
/// Pages of stock that are read at most.
const MAX_PAGES: usize = 1000;

/// A shipment of an order as a notice; none while it has left nothing to tell.
fn notice(order: &Order, shipment: &Shipment) -> Result<Option<ShipmentNotice>, String> {
    let status = shipment.status.as_deref().unwrap_or_default();
    let info = shipment.tracking.as_ref();
    let of =
        |pick: fn(&super::wire::TrackingInfo) -> &Option<String>| info.and_then(|info| pick(info).clone());
    let tracking = tracking(of(|i| &i.carrier), of(|i| &i.tracking_number), of(|i| &i.tracking_url));
    let gone = matches!(status, "Completed" | "LabeledCreated");
    let voided = status == "Cancelled";
    if tracking.is_none() && !gone {
        return Ok(None);
    }
    let time = of(|i| &i.shipping_date).or_else(|| shipment.actual_fulfillment_date.clone());
    let reference = order.reference_id.clone().ok_or("its order has no reference")?;
    Ok(Some(ShipmentNotice {
        reference: Reference::parse(reference).map_err(|e| e.to_string())?,
        warehouse_order: WarehouseOrderId::parse(order.id.to_string()).ok(),
        package: PackageId::parse(shipment.id.to_string()).map_err(|e| e.to_string())?,
        shipped_at: time.and_then(|text| instant(&text, &TimeZone::UTC)),
        tracking,
        contents: contents(order, shipment),
        voided,
    }))
}

/// A fulfilled order is complete whatever its shipments list; else pieces count where they can be told apart.
fn contents(order: &Order, shipment: &Shipment) -> Contents {
    if order.status.as_deref() == Some("Fulfilled") {
        return Contents::Everything;
    }
    let products = shipment.products.as_deref().unwrap_or_default();
    match products.iter().map(pieces).collect::<Option<Vec<_>>>() {
        Some(lines) if !lines.is_empty() => Contents::Lines(lines),
        _ => Contents::Part,
    }
}

/// SKU and pieces of a product; none for a bundle, whose inventory is not what was ordered.
fn pieces(product: &ShippedProduct) -> Option<(WarehouseSku, u32)> {
    let items = product.inventory_items.as_deref()?;
    let kinds: BTreeSet<Option<i64>> = items.iter().map(|item| item.id).collect();
    if kinds.len() != 1 {
        return None;
    }
    let total = items.iter().try_fold(0_i64, |sum, item| sum.checked_add(item.quantity?))?;
    let sku = product.reference_id.as_deref().or(product.sku.as_deref())?;
    Some((WarehouseSku::parse(sku).ok()?, u32::try_from(total).ok().filter(|total| *total > 0)?))
}

/// The notices of an order, and what of it could not be read.
fn notices(order: &Order, wanted: fn(&Shipment) -> bool) -> (Vec<ShipmentNotice>, Vec<String>) {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for value in order.shipments.as_deref().unwrap_or_default() {
        match serde_json::from_value::<Shipment>(value.clone()) {
            Err(_) => bad.push(format!("a shipment of order {} is no shipment", order.id)),
            Ok(shipment) if !wanted(&shipment) => {}
            Ok(shipment) => match notice(order, &shipment) {
                Ok(found) => good.extend(found),
                Err(why) => bad.push(format!("shipment {} of order {}: {why}", shipment.id, order.id)),
            },
        }
    }
    (good, bad)
}

/// What ShipBob has shipped and we have not acknowledged. The bookmark is a page number, and after the last page comes
/// the first again. What is acknowledged leaves the list, so that later entries move up and may be passed over: the next
/// round finds them. Going on, rather than staying, keeps entries that nobody acknowledges from blocking the rest.
pub(super) struct Feed(pub(super) Shared);

#[async_trait]
impl ShipmentFeed for Feed {
    async fn page(&self, bookmark: Option<&str>) -> Result<FeedPage, Failure> {
        let number: u32 = bookmark.and_then(|text| text.parse().ok()).unwrap_or(1);
        let query = query(&[
            ("HasTracking", "true"),
            ("IsTrackingUploaded", "false"),
            ("Limit", &PAGE.to_string()),
            ("Page", &number.to_string()),
        ]);
        let entries: Vec<serde_json::Value> = self.0.get(LIST, &format!("order?{query}")).await?;
        let full = entries.len() >= PAGE;
        let mut page = FeedPage { notices: Vec::new(), unreadable: Vec::new(), bookmark: None, more: full };
        for (index, entry) in entries.into_iter().enumerate() {
            match serde_json::from_value::<Order>(entry) {
                Err(_) => page.unreadable.push(format!("entry {} of the page is no order", index + 1)),
                Ok(order) if !self.0.is_ours(&order) => {}
                Ok(order) => {
                    let (good, bad) = notices(&order, |shipment| {
                        shipment.tracking.is_some() && !shipment.is_tracking_uploaded
                    });
                    page.notices.extend(good);
                    page.unreadable.extend(bad);
                }
            }
        }
        let next = if full { number.saturating_add(1) } else { 1 };
        page.bookmark = Some(next.to_string());
        Ok(page)
    }

    async fn acknowledge(&self, notices: &[ShipmentNotice]) -> Result<(), Failure> {
        let ids: Vec<i64> =
            notices.iter().filter_map(|notice| notice.package.as_str().parse().ok()).collect();
        for batch in ids.chunks(BATCH) {
            let body = TrackingUploaded { shipment_ids: batch.to_vec(), is_tracking_uploaded: true };
            let body = serde_json::to_vec(&body)
                .map_err(|e| Failure::permanent(ACKNOWLEDGE, "cannot be written as JSON").caused_by(e))?;
            let path = "shipment:batchUpdateTrackingUpload";
            let answer = self.0.call(ACKNOWLEDGE, Method::POST, path, Some(body)).await.answer()?;
            if !answer.is_success() {
                return Err(answers::failure(&answer, ACKNOWLEDGE, self.0.caller.now()));
            }
        }
        Ok(())
    }
}

/// The shipments of one order, acknowledged or not.
pub(super) struct OfOrder(pub(super) Shared);

#[async_trait]
impl ShipmentLookup for OfOrder {
    async fn shipments(&self, reference: &Reference) -> Result<Vec<ShipmentNotice>, Failure> {
        let mut found = Vec::new();
        for order in self.0.orders(OF_ORDER, reference).await? {
            let (good, bad) = notices(&order, |_| true);
            if let Some(why) = bad.into_iter().next() {
                return Err(Failure::retryable(OF_ORDER, why));
            }
            found.extend(good);
        }
        Ok(found)
    }
}

/// Stock over all of their warehouses.
pub(super) struct Stock(pub(super) Shared);

#[async_trait]
impl StockFeed for Stock {
    async fn levels(&self) -> Result<Vec<StockLevel>, Failure> {
        let (mut levels, mut path) = (Vec::new(), "inventory-level?PageSize=250".to_owned());
        for _ in 0..MAX_PAGES {
            let page: Page<Level> = self.0.get(STOCK, &path).await?;
            for level in page.items {
                let sku = level.sku.and_then(|sku| WarehouseSku::parse(sku).ok());
                if let Some((sku, available)) = sku.zip(level.total_sellable_quantity) {
                    levels.push(StockLevel { sku, available });
                }
            }
            match page.next.filter(|next| !next.is_empty()) {
                Some(next) => path = self.below(&next)?,
                None => return Ok(levels),
            }
        }
        Err(Failure::permanent(STOCK, format!("there are more than {MAX_PAGES} pages")))
    }
}

impl Stock {
    /// Only the query of the next page's address is believed: host and path stay ours.
    fn below(&self, next: &str) -> Result<String, Failure> {
        let query = next.split_once('?').map(|(_, query)| query);
        query
            .map(|query| format!("inventory-level?{query}"))
            .ok_or_else(|| Failure::retryable(STOCK, "the address of the next page cannot be read"))
    }
}

/// Reads webhooks. What they hold per topic is not published for the dated versions, so they are hints: the order that
/// they name is read again. One that names only ShipBob's own id is left to the poll.
pub(super) struct Reader(pub(super) Verifier);

/// Where the reference of an order has been seen or may stand.
const REFERENCES: &[&str] = &[
    "/reference_id",
    "/order/reference_id",
    "/data/reference_id",
    "/data/order/reference_id",
    "/shipment/reference_id",
];

#[async_trait]
impl NoticeReader for Reader {
    async fn verify(&self, raw: RawWebhook, now: Timestamp) -> Result<Webhook, Unverified> {
        self.0.verify(raw, now).await
    }

    fn read(&self, webhook: &Webhook) -> Result<Vec<Heard>, Failure> {
        let raw = webhook.raw();
        let body: serde_json::Value =
            json::read(&raw.body, WEBHOOK_BYTES).map_err(|why| Failure::poison(READ, why))?;
        if !body.is_object() {
            return Err(Failure::poison(READ, "it is no JSON object"));
        }
        let topic = raw.header("x-webhook-topic").unwrap_or("order.");
        if !topic.starts_with("order.") {
            return Ok(Vec::new());
        }
        let text = REFERENCES.iter().find_map(|path| body.pointer(path)?.as_str());
        match text.map(Reference::parse) {
            Some(Ok(reference)) => Ok(vec![Heard::Changed(reference)]),
            Some(Err(e)) => Err(Failure::poison(READ, e.to_string())),
            None => Ok(Vec::new()),
        }
    }
}
