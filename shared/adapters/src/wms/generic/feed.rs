//! Polls shipments and stock of a warehouse that is described by settings.

use std::sync::Arc;

use async_trait::async_trait;
use domain::limits::BOOKMARK_BYTES;
use domain::mapping::WarehouseSku;
use domain::shipment::ShipmentNotice;
use domain::warehouse::{FeedPage, ShipmentFeed, ShipmentLookup, StockFeed, StockLevel};
use domain::{Failure, Reference};
use jiff::SignedDuration;
use reqwest::Method;

use super::fields::LISTS;
use super::keys::{Keys, Operation};
use super::notices::ShipmentPaths;
use crate::http::Answer;
use crate::settings::SettingError;
use crate::wms::answers;
use crate::wms::caller::Caller;
use crate::wms::document::{Document, Format, Path};
use crate::wms::template::Value;

const SHIPMENTS: &str = "warehouse: list shipments";
const OF_ORDER: &str = "warehouse: shipments of order";
const STOCK: &str = "warehouse: list stock";
/// Pages of stock that are read at most.
const MAX_PAGES: u32 = 1000;

/// Asks and reads the answer as a document.
async fn ask<'v>(
    caller: &Caller,
    operation: &Operation,
    format: Format,
    during: &'static str,
    value: &(dyn Fn(&str) -> Value<'v> + Sync),
) -> Result<(Answer, Document), Failure> {
    let call = operation.call(during, value);
    let answer = caller.send(call).await.answer()?;
    if !operation.success.contains(answer.status) {
        return Err(answers::failure(&answer, during, caller.now()));
    }
    let document =
        Document::parse(format, &answer.body).map_err(|why| answers::unreadable(during, &answer, &why))?;
    Ok((answer, document))
}

/// How the pages of a list follow each other.
struct Paging {
    next: Option<Path>,
    more: Option<Path>,
    page_size: usize,
    numbered: bool,
    since: SignedDuration,
}

impl Paging {
    fn read(keys: &Keys<'_>, name: &str, operation: &Operation) -> Result<Self, SettingError> {
        let key = |part: &str| format!("{name}.{part}");
        let numbered = operation.path.uses("page") && !operation.path.uses("cursor");
        let page_size = keys.settings.parsed(&key("page_size"), 100)?;
        if page_size == 0 {
            return Err(keys.settings.error(&key("page_size"), "must be at least 1"));
        }
        let days: i64 = keys.settings.parsed(&key("since_days"), 14)?;
        if !(1..=3650).contains(&days) {
            return Err(keys.settings.error(&key("since_days"), "must be between 1 and 3650"));
        }
        if !numbered && operation.path.uses("cursor") && keys.path(&key("next"))?.is_none() {
            let why = format!("is missing, and \"{}\" has {{cursor}}; add it", key("path"));
            return Err(keys.settings.error(&key("next"), why));
        }
        Ok(Self {
            next: keys.path(&key("next"))?,
            more: keys.path(&key("more"))?,
            page_size,
            numbered,
            since: SignedDuration::from_hours(days * 24),
        })
    }

    /// The values of the request for the page at a bookmark.
    fn values(&self, caller: &Caller, bookmark: Option<&str>) -> impl Fn(&str) -> Value<'static> + use<> {
        let cursor = bookmark.unwrap_or_default().to_owned();
        let page = bookmark.and_then(|text| text.parse().ok()).unwrap_or(1_u32);
        let since = caller.now().saturating_sub(self.since).unwrap_or_default().to_string();
        move |name| match name {
            "cursor" => Value::Text(cursor.clone().into()),
            "page" => Value::Number(page.to_string()),
            _ => Value::Text(since.clone().into()),
        }
    }

    /// Where the next page starts, and whether it is worth asking for at once.
    fn after(&self, bookmark: Option<&str>, document: &Document, entries: usize) -> (Option<String>, bool) {
        let said = self.more.as_ref().and_then(|path| document.top().flag(path));
        if self.numbered {
            let page = bookmark.and_then(|text| text.parse().ok()).unwrap_or(1_u32);
            let more = said.unwrap_or(entries >= self.page_size);
            // After the last page the next poll begins at the first again.
            let next = if more { page.saturating_add(1) } else { 1 };
            return (Some(next.to_string()), more);
        }
        let next = self.next.as_ref().and_then(|path| document.top().text(path));
        // It would be kept in the ledger: one that cannot be is none, and what comes after waits for the next poll.
        let next = next.filter(|next| next.len() <= BOOKMARK_BYTES);
        let moved = next.is_some() && next.as_deref() != bookmark;
        let more = moved && said.unwrap_or(entries > 0);
        (next.or_else(|| bookmark.map(str::to_owned)), more)
    }
}

/// All shipments, page by page.
pub(super) struct Feed {
    caller: Arc<Caller>,
    format: Format,
    operation: Operation,
    list: Path,
    paging: Paging,
    paths: Arc<ShipmentPaths>,
}

impl Feed {
    /// Reads `shipments.*`, where there is a `shipments.path`.
    pub(super) fn read(
        keys: &Keys<'_>,
        caller: Arc<Caller>,
        paths: Option<&Arc<ShipmentPaths>>,
    ) -> Result<Option<Self>, SettingError> {
        let Some((operation, paths)) =
            keys.operation("shipments", Method::GET, &[LISTS])?.zip(paths.cloned())
        else {
            return Ok(None);
        };
        let paging = Paging::read(keys, "shipments", &operation)?;
        let list = keys.need_path("shipments.list")?;
        Ok(Some(Self { caller, format: keys.format, operation, list, paging, paths }))
    }
}

#[async_trait]
impl ShipmentFeed for Feed {
    async fn page(&self, bookmark: Option<&str>) -> Result<FeedPage, Failure> {
        let values = self.paging.values(&self.caller, bookmark);
        let (answer, document) = ask(&self.caller, &self.operation, self.format, SHIPMENTS, &values).await?;
        let entries = document
            .top()
            .list(&self.list)
            .ok_or_else(|| answers::unreadable(SHIPMENTS, &answer, "there is no list in it"))?;
        let (bookmark, more) = self.paging.after(bookmark, &document, entries.len());
        let mut page = FeedPage { notices: Vec::new(), unreadable: Vec::new(), bookmark, more };
        for (index, entry) in entries.into_iter().enumerate() {
            match self.paths.notice(entry) {
                Ok(notice) => page.notices.push(notice),
                Err(why) => page.unreadable.push(format!("shipment {} of the page: {why}", index + 1)),
            }
        }
        Ok(page)
    }

    async fn acknowledge(&self, _: &[ShipmentNotice]) -> Result<(), Failure> {
        Ok(())
    }
}

/// The shipments of one order.
pub(super) struct OfOrder {
    caller: Arc<Caller>,
    format: Format,
    operation: Operation,
    list: Path,
    paths: Arc<ShipmentPaths>,
}

impl OfOrder {
    /// Reads `order_shipments.*`, where there is an `order_shipments.path`.
    pub(super) fn read(
        keys: &Keys<'_>,
        caller: Arc<Caller>,
        paths: Option<&Arc<ShipmentPaths>>,
    ) -> Result<Option<Self>, SettingError> {
        let operation = keys.operation("order_shipments", Method::GET, &[&["reference"]])?;
        let Some((operation, paths)) = operation.zip(paths.cloned()) else {
            return Ok(None);
        };
        let list = match keys.path("order_shipments.list")? {
            Some(list) => list,
            None => keys.need_path("shipments.list")?,
        };
        Ok(Some(Self { caller, format: keys.format, operation, list, paths }))
    }
}

#[async_trait]
impl ShipmentLookup for OfOrder {
    async fn shipments(&self, reference: &Reference) -> Result<Vec<ShipmentNotice>, Failure> {
        let wanted = reference.as_str().to_owned();
        let values = move |_: &str| Value::Text(wanted.clone().into());
        let (answer, document) = ask(&self.caller, &self.operation, self.format, OF_ORDER, &values).await?;
        let unreadable = |why: &str| answers::unreadable(OF_ORDER, &answer, why);
        let entries = document.top().list(&self.list).ok_or_else(|| unreadable("there is no list in it"))?;
        let mut notices = Vec::new();
        for entry in entries {
            let notice = self.paths.notice(entry).map_err(|why| unreadable(&why))?;
            if notice.reference == *reference {
                notices.push(notice);
            }
        }
        Ok(notices)
    }
}

/// Stock, all pages at once.
pub(super) struct Stock {
    caller: Arc<Caller>,
    format: Format,
    operation: Operation,
    list: Path,
    sku: Path,
    available: Path,
    paging: Paging,
}

impl Stock {
    /// Reads `stock.*`, where there is a `stock.path`.
    pub(super) fn read(keys: &Keys<'_>, caller: Arc<Caller>) -> Result<Option<Self>, SettingError> {
        let Some(operation) = keys.operation("stock", Method::GET, &[LISTS])? else {
            return Ok(None);
        };
        Ok(Some(Self {
            caller,
            format: keys.format,
            list: keys.need_path("stock.list")?,
            sku: keys.need_path("stock.sku")?,
            available: keys.need_path("stock.available")?,
            paging: Paging::read(keys, "stock", &operation)?,
            operation,
        }))
    }
}

#[async_trait]
impl StockFeed for Stock {
    async fn levels(&self) -> Result<Vec<StockLevel>, Failure> {
        let (mut levels, mut bookmark) = (Vec::new(), None::<String>);
        for _ in 0..MAX_PAGES {
            let values = self.paging.values(&self.caller, bookmark.as_deref());
            let (answer, document) = ask(&self.caller, &self.operation, self.format, STOCK, &values).await?;
            let unreadable = |why: &str| answers::unreadable(STOCK, &answer, why);
            let entries =
                document.top().list(&self.list).ok_or_else(|| unreadable("there is no list in it"))?;
            let (next, more) = self.paging.after(bookmark.as_deref(), &document, entries.len());
            for entry in entries {
                let sku = entry.text(&self.sku).and_then(|sku| WarehouseSku::parse(sku).ok());
                let available = entry.text(&self.available).and_then(|text| level(&text));
                let (sku, available) =
                    sku.zip(available).ok_or_else(|| unreadable("an entry has no SKU or no whole level"))?;
                levels.push(StockLevel { sku, available });
            }
            if !more {
                return Ok(levels);
            }
            bookmark = next;
        }
        Err(Failure::permanent(STOCK, format!("there are more than {MAX_PAGES} pages")))
    }
}

/// A level, which some warehouses write as `12.0`.
fn level(text: &str) -> Option<i64> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    whole.parse().ok().filter(|_| rest.bytes().all(|b| b == b'0'))
}
