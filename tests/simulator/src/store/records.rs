//! READ of a client, a product and a subscription (dossier sections 4.3 to 4.5).

use rust_decimal::Decimal;

use super::envelope::{NO_DATA, Refusal, open_info, success};
use super::read::Style;
use super::state::State;

/// A buyer's record.
pub(super) fn client(state: &State, id: &str, style: &Style<'_>) -> Result<String, Refusal> {
    let client = id.parse().ok().and_then(|id: u64| state.clients.get(&id)).ok_or(NO_DATA)?;
    Ok(success(|writer| {
        open_info(writer, "ClientInfo");
        writer.leaf("Id", &client.id.to_string()).leaf("MerchantId", &style.merchant.to_string());
        if let Some(email) = &client.email {
            writer.leaf("Email", email);
        }
        writer.leaf("FirstName", &client.first_name).leaf("LastName", &client.last_name);
        writer.leaf("Address1", &client.line1).leaf("Address2", &client.line2);
        writer.leaf("City", &client.city).leaf("Zip", &client.zip);
        writer.leaf("StateName", &client.state).leaf("CountryName", &client.country);
        if let Some(phone) = &client.phone {
            writer.leaf("Phone", phone);
        }
        if let Some(phone) = &client.work_phone {
            writer.leaf("WorkPhone", phone);
        }
        writer.leaf("EmailOptIn", "true").leaf("CreatedAt", "2026-10-05T09:14:20").leaf("IsValid", "true");
        writer.close("ClientInfo");
    }))
}

/// A product of the catalogue. Its `TopHtml` may hold real markup, unescaped, as in the vendor's own sample.
pub(super) fn product(state: &State, id: &str, style: &Style<'_>) -> Result<String, Refusal> {
    let product = id.parse().ok().and_then(|id: u64| state.products.get(&id)).ok_or(NO_DATA)?;
    Ok(success(|writer| {
        open_info(writer, "ProductInfo");
        writer.leaf("Id", &product.id.to_string()).leaf("VisibleId", &format!("{:032x}", product.id));
        writer.leaf("MerchantId", &style.merchant.to_string());
        writer.leaf("ProductName", &product.name).leaf("ProductPrice", &product.price.to_string());
        if let Some(sku) = &product.sku {
            writer.leaf("ProductSku", sku);
        }
        writer.empty("ShortDescription").empty("LongDescription");
        writer.leaf("ImageUrl", &format!("/content/{}/productimage/{}.jpg", style.merchant, product.id));
        writer.raw("<ProductAutoresponders><AutoresponderId>1</AutoresponderId></ProductAutoresponders>");
        writer.leaf("ProductBasedShippingCost", if product.physical { "2.0" } else { "0" });
        writer.leaf("HasShippingCalculation", &product.physical.to_string());
        writer.leaf("ProductWeight", if product.physical { "1.1" } else { "0" });
        writer.leaf("IsCommissionable", "false").leaf("IsTaxable", "true");
        if product.top_html.is_empty() {
            writer.empty("TopHtml");
        } else {
            writer.open("TopHtml").raw(&product.top_html).close("TopHtml");
        }
        writer.empty("ThankYouUrl").empty("DestinationUrl");
        writer.leaf("MinPurchasing", "0").leaf("MaxPurchasing", "0").leaf("VendorId", "0");
        writer.leaf("IsFeaturedProduct", "false").leaf("ProductType", "General");
        writer.leaf("ClearCartUrl", "BACK").empty("ProductOptions").leaf("IsAmemberProduct", "false");
        writer.leaf("CommissionTier1", "0").leaf("CommissionTier2", "0");
        writer.leaf("IsDiscountEnabled", "false").leaf("IsValid", "true");
        writer.leaf("UseSalePrice", "false").leaf("SalePrice", &Decimal::ZERO.to_string());
        writer.leaf("IsActive", "true").close("ProductInfo");
    }))
}

/// A subscription.
pub(super) fn recurring(state: &State, id: &str, style: &Style<'_>) -> Result<String, Refusal> {
    let sub = id.parse().ok().and_then(|id: u64| state.recurring.get(&id)).ok_or(NO_DATA)?;
    Ok(success(|writer| {
        open_info(writer, "RecurringOrderInfo");
        writer.leaf("Id", &sub.id.to_string()).leaf("MerchantId", &style.merchant.to_string());
        writer.leaf_with("OrderId", &[("href", &style.link("Orders", sub.order))], &sub.order.to_string());
        writer.leaf_with(
            "ClientId",
            &[("href", &style.link("Clients", sub.client))],
            &sub.client.to_string(),
        );
        let product = style.link("Products", sub.product);
        writer.leaf_with("ProductId", &[("href", &product)], &sub.product.to_string());
        writer.leaf("RecurringPrice", &sub.price.to_string()).leaf("Quantity", "1");
        writer.leaf("CurrentRecurring", &sub.cycles.to_string()).leaf("TotalRecurringCycles", "12");
        writer.leaf("LastCharge", "2026-10-06T03:00:11").leaf("NextCharge", "2026-11-06T03:00:00");
        writer.leaf("Status", &sub.status).leaf("Attempts", "0").leaf("IsRetryable", "true");
        writer.leaf("IsValid", "true").leaf("CreatedAt", &style.date(sub.created_at));
        writer.leaf("DaysCycle", "0").leaf("IsDateBased", "true").leaf("MonthlyBillingDate", "6");
        writer.close("RecurringOrderInfo");
    }))
}
