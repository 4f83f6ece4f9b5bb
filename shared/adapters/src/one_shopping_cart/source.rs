//! The store as a source of orders: pages of numbers, and one order at a time with its buyer's contact data.

use async_trait::async_trait;
use domain::order::Order;
use domain::ports::{ListPage, OrderSource, Product, ProductPage, ProductSource, Read, Window};
use domain::{Failure, OrderId};

use super::client::Client;
use super::notification::is_token;
use super::records::{self, Contact};
use super::{canonical, dates, text};

#[async_trait]
impl OrderSource for Client {
    async fn list(&self, window: Window, offset: u32) -> Result<ListPage, Failure> {
        let zone = &self.0.config.zone;
        let from = window.from.map(|from| ("LimitStartDate", dates::filter(from, zone)));
        // An end without a time of day would mean the midnight before (dossier section 2).
        let to = ("LimitEndDate", dates::filter(window.to, zone));
        let filters: Vec<_> = from.into_iter().chain([to]).collect();
        let (ids, next_offset) =
            Client::list(self, "1ShoppingCart: list orders", "Orders", offset, &filters).await?;
        Ok(ListPage { orders: ids.into_iter().map(OrderId).collect(), next_offset })
    }

    async fn read(&self, which: &str) -> Result<Read, Failure> {
        match self.read_order(which).await? {
            Read::Order(order) => Ok(Read::Order(Box::new(self.with_contact(*order).await?))),
            other => Ok(other),
        }
    }
}

#[async_trait]
impl ProductSource for Client {
    async fn page(&self, offset: u32) -> Result<ProductPage, Failure> {
        let (products, next_offset) =
            Client::list(self, "1ShoppingCart: list products", "Products", offset, &[]).await?;
        Ok(ProductPage { products, next_offset })
    }

    async fn product(&self, id: u64) -> Result<Option<Product>, Failure> {
        let path = format!("/Products/{id}/READ");
        let read = self.ask("1ShoppingCart: read product", &path, &[], records::read_product).await?;
        Ok(read.flatten())
    }
}

impl Client {
    /// One order, without its buyer's contact data.
    pub(super) async fn read_order(&self, which: &str) -> Result<Read, Failure> {
        const DURING: &str = "1ShoppingCart: read order";
        let path = order_path(DURING, which)?;
        let config = &self.0.config;
        let read =
            self.ask(DURING, &path, &[], |body| canonical::read(body, &config.zone, config.currency)).await?;
        Ok(match read {
            None => Read::Absent,
            Some(Read::Unreadable { order, why }) => {
                Read::Unreadable { order: order.or_else(|| which.parse().ok()), why }
            }
            Some(read) => read,
        })
    }

    /// The tracking numbers that the store shows for an order. None: it has no such order.
    pub(super) async fn read_tracking(&self, order: OrderId) -> Result<Option<Vec<String>>, Failure> {
        const DURING: &str = "1ShoppingCart: read tracking";
        let path = order_path(DURING, &order.to_string())?;
        self.ask(DURING, &path, &[], canonical::read_tracking).await
    }

    /// The order with phone and e-mail of its buyer, where it is shipped and the buyer has a record.
    async fn with_contact(&self, mut order: Order) -> Result<Order, Failure> {
        if let Some(address) = order.ship_to.as_mut()
            && order.client != 0
            && self.0.config.reads_contact
        {
            let contact = self.contact(order.client).await?;
            (address.phone, address.email) = (contact.phone, contact.email);
        }
        Ok(order)
    }

    /// How a buyer can be reached; empty where the store has no such record.
    async fn contact(&self, client: u64) -> Result<Contact, Failure> {
        let inner = &self.0;
        if let Some(contact) = inner.contacts.get(client, inner.clock.now()) {
            return Ok(contact);
        }
        let path = format!("/Clients/{client}/READ");
        let read = self.ask("1ShoppingCart: read client", &path, &[], records::read_contact).await?;
        let contact = read.unwrap_or_default();
        inner.contacts.put(client, contact.clone(), inner.clock.now());
        Ok(contact)
    }
}

/// The path of an order, by its number or by a notification's token, which is opaque and must not lead elsewhere.
fn order_path(during: &'static str, which: &str) -> Result<String, Failure> {
    if !is_token(which) {
        return Err(Failure::permanent(
            during,
            "asked for something that is neither an order number nor a token",
        ));
    }
    Ok(format!("/Orders/{}/READ", text::percent_encoded(which)))
}
