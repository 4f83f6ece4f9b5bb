//! READ of an order: its document, element by element in the order of the observed ones (dossier section 4.1).

use jiff::tz::TimeZone;

use super::envelope::{NO_DATA, Refusal, open_info, success};
use super::options::DateForm;
use super::orders::Kept;
use super::spec::{LineSpec, ShipTo};
use super::state::State;
use crate::xml::Writer;

/// What a document needs to know of the store besides its own record.
pub(super) struct Style<'a> {
    pub(super) merchant: u64,
    pub(super) dates: DateForm,
    pub(super) zone: &'a TimeZone,
}

impl Style<'_> {
    /// The plain `href` of READ documents; LIST answers have `xlink:href`.
    pub(super) fn link(&self, table: &str, id: u64) -> String {
        format!("https://www.mcssl.com/API/{}/{table}/{id}", self.merchant)
    }

    pub(super) fn date(&self, at: jiff::civil::DateTime) -> String {
        self.dates.write(at, self.zone)
    }
}

/// The order that the path names by number or token.
pub(super) fn order(state: &State, name: &str, style: &Style<'_>) -> Result<String, Refusal> {
    let id = state.order_named(name).ok_or(NO_DATA)?;
    let kept = state.orders.get(id).ok_or(NO_DATA)?;
    Ok(success(|writer| {
        info(writer, id, kept, style);
        if let Some(to) = &kept.spec.ship_to {
            profile(writer, kept.profile, to);
        }
    }))
}

fn info(writer: &mut Writer, id: u64, kept: &Kept, style: &Style<'_>) {
    let spec = &kept.spec;
    open_info(writer, "OrderInfo");
    writer.leaf("Id", &id.to_string());
    writer.leaf_with("ClientId", &[("href", &style.link("Clients", spec.client))], &spec.client.to_string());
    writer.leaf("RecurringOrderId", &spec.recurring_order.map(|id| id.to_string()).unwrap_or_default());
    writer.leaf("Comments", &spec.comments);
    writer.leaf("GrandTotal", &spec.total().to_string());
    payment(writer, id, kept);
    writer.leaf("IsArchived", &spec.archived.to_string());
    writer.leaf("OrderDate", &style.date(spec.ordered_at));
    writer.leaf("ModifiedAt", &style.date(kept.modified_at));
    writer.leaf("CreatedFromIp", &format!("203.0.113.{}", id % 254 + 1));
    writer.open("LineItems");
    for (index, line) in spec.lines.iter().enumerate() {
        let garbled = spec.garbled_quantity.as_deref().filter(|_| index == 0);
        line_item(writer, id, kept, index, line, garbled, style);
    }
    writer.close("LineItems");
    if let Some(shipping) = &spec.shipping {
        writer.open("ShippingInfo").leaf("ShippingMethodName", &shipping.method);
        writer.leaf("ShippingAmount", &shipping.amount.map(|amount| amount.to_string()).unwrap_or_default());
        writer.close("ShippingInfo");
    }
    writer.empty("OrderBundles").empty("Discounts");
    tracking(writer, kept);
    writer.empty("ShippingTaxes").leaf("OrderedAt", &style.date(spec.ordered_at));
    writer.leaf("BillingCyclesCharged", &spec.billing_cycles.to_string()).empty("CustomFields");
    if !spec.upsells.is_empty() {
        writer.open("UpsellOrders");
        for upsell in &spec.upsells {
            writer.leaf("Orders", &upsell.to_string());
        }
        writer.close("UpsellOrders");
    }
    writer.close("OrderInfo");
}

fn payment(writer: &mut Writer, id: u64, kept: &Kept) {
    let spec = &kept.spec;
    let paid = matches!(spec.status.as_str(), "Accepted" | "Approved");
    writer.leaf("OrderPaymentType", &spec.payment);
    writer.leaf("OrderChargeStatusType", if paid { "Charged" } else { &spec.status });
    writer.leaf("OrderStatusType", &spec.status);
    writer.empty("PendingReasonType");
    if paid && spec.recurring_order.is_none() {
        writer.leaf("TransactionId", &(600_000_000 + id % 1_000_000).to_string());
    }
}

fn line_item(
    writer: &mut Writer,
    order: u64,
    kept: &Kept,
    index: usize,
    line: &LineSpec,
    garbled: Option<&str>,
    style: &Style<'_>,
) {
    let at = style.date(kept.spec.ordered_at);
    writer.open("LineItemInfo");
    writer.leaf("Id", &(kept.first_line + index as u64).to_string()).leaf("OrderId", &order.to_string());
    writer.leaf_with(
        "ProductId",
        &[("href", &style.link("Products", line.product))],
        &line.product.to_string(),
    );
    writer.leaf("Quantity", garbled.unwrap_or(&line.quantity.to_string()));
    writer.leaf("ProductName", &line.name);
    if let Some(sku) = &line.sku {
        writer.leaf("Sku", sku);
    }
    writer.leaf("ProductType", "General").leaf("UnitPrice", &line.unit_price.to_string());
    writer.leaf("IsRecurring", &line.recurring.to_string());
    writer.leaf("IsTaxable", &(!line.recurring).to_string()).leaf("IsCommissionable", "false");
    writer.leaf("CreatedAt", &at).leaf("ModifiedAt", &at);
    writer.empty("SelectedOptions").empty("ProductTaxes").empty("Discounts").empty("LineItemAttributeValues");
    writer.close("LineItemInfo");
}

/// The container is real, its children are assumed (dossier section 8.2).
fn tracking(writer: &mut Writer, kept: &Kept) {
    let mut stored = kept.tracking.iter().filter(|tracking| tracking.stored).peekable();
    if stored.peek().is_none() {
        writer.empty("ShippingTrackingMethods");
        return;
    }
    writer.open("ShippingTrackingMethods");
    for tracking in stored {
        writer.open("ShippingTrackingMethodInfo").leaf("CarrierName", &tracking.carrier);
        writer.leaf("TrackingNumber", &tracking.number).leaf("ShippedAt", &tracking.shipped_at);
        writer.close("ShippingTrackingMethodInfo");
    }
    writer.close("ShippingTrackingMethods");
}

fn profile(writer: &mut Writer, id: u64, to: &ShipTo) {
    open_info(writer, "OrderShippingProfileInfo");
    writer.leaf("Id", &id.to_string()).leaf("Name", &to.name);
    writer.leaf("Address1", &to.line1).leaf("Address2", &to.line2);
    writer.leaf("City", &to.city).leaf("Zip", &to.zip);
    writer.leaf("StateName", &to.state).leaf("CountryName", &to.country);
    writer.leaf("IsResidential", &to.residential.to_string());
    writer.close("OrderShippingProfileInfo");
}
