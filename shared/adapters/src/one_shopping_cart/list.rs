//! Lists of the store: ids, and where the next page begins.

use std::borrow::Cow;

use domain::OrderId;

use super::envelope::{self, Reply};
use super::text;
use super::xml::{Broken, Document, Parsed};

/// The most entries of one page (dossier section 2), and what we ask for.
pub(super) const PAGE: u32 = 100;

/// One page of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Ids {
    /// The ids in the order of the document; repeats within the page are left out.
    pub(super) ids: Vec<u64>,
    /// Where the next page begins, in the store's words; none when this is the last.
    pub(super) next: Option<Next>,
}

/// The store's word on where the next page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// At this record.
    At(u32),
    /// There is more, but it does not say where.
    Somewhere,
}

/// Reads a page of a table's list: `Response/{Table}/{Entry}` with the id as text (dossier section 3.1).
///
/// An empty list is the error 2040. Whoever says yes and has no list has not answered: taken for an empty list, it would
/// have the store's cursor pass orders that nobody has seen.
pub(super) fn read(table: &str, body: &[u8]) -> Parsed<Reply<Ids>> {
    let source = text::decoded(body)?;
    let (mut page, mut is_list) = (Ids::default(), false);
    let reply = envelope::open(&source, |document, name| match name {
        "NextRecordSet" => read_next(document, &mut page),
        name if name == table => {
            is_list = true;
            read_entries(document, &mut page.ids)
        }
        _ => document.skip_unknown(),
    })?;
    Ok(match reply {
        Reply::Yes(_) if !is_list => {
            return Err(Broken::outside("says success and has no element of the list", source.len()));
        }
        Reply::Yes(_) => Reply::Yes(page),
        Reply::No(refusal) if refusal.is_no_data() => Reply::Yes(Ids::default()),
        Reply::No(refusal) => Reply::No(refusal),
    })
}

fn read_next(document: &mut Document<'_>, page: &mut Ids) -> Parsed<()> {
    let mut offset = None;
    while let Some(name) = document.child()? {
        match name {
            "LimitOffset" => offset = document.text()?.trim().parse().ok(),
            _ => document.skip()?,
        }
    }
    page.next = Some(offset.map_or(Next::Somewhere, Next::At));
    Ok(())
}

fn read_entries(document: &mut Document<'_>, ids: &mut Vec<u64>) -> Parsed<()> {
    while document.child()?.is_some() {
        let text = document.text()?;
        let mut id = Cow::Borrowed(text.trim());
        if id.is_empty() {
            // The id is the text. The link is never followed, yet an entry without text still names its id at its end.
            let link = document.attribute("xlink:href").or_else(|| document.attribute("href"));
            id = Cow::Owned(link.unwrap_or_default().rsplit('/').next().unwrap_or_default().to_owned());
        }
        let id =
            id.parse::<OrderId>().map_err(|_| document.broken("has an entry whose id is not a number"))?.0;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(body: &str) -> Ids {
        page_of("Orders", body)
    }

    fn page_of(table: &str, body: &str) -> Ids {
        match read(table, body.as_bytes()).unwrap() {
            Reply::Yes(page) => page,
            Reply::No(refusal) => panic!("{}", refusal.reason()),
        }
    }

    fn inside(parts: &str) -> String {
        format!(r#"<Response success="true" xmlns:xlink="http://www.w3.org/1999/xlink">{parts}</Response>"#)
    }

    #[test]
    fn a_page_tells_where_the_next_begins() {
        let read = page(include_str!("../../fixtures/one_shopping_cart/orders-list-page1.xml"));
        assert_eq!(read.ids, [700_100_201, 700_100_202, 700_100_203]);
        assert_eq!(read.next, Some(Next::At(3)));
    }

    #[test]
    fn a_last_page_with_one_entry_is_a_page() {
        let read = page(include_str!("../../fixtures/one_shopping_cart/orders-list-last-page.xml"));
        assert_eq!(read, Ids { ids: vec![700_100_204], next: None });
    }

    #[test]
    fn clients_and_products_are_listed_alike() {
        let clients = page_of("Clients", include_str!("../../fixtures/one_shopping_cart/clients-list.xml"));
        assert_eq!((clients.ids.len(), clients.next), (2, Some(Next::At(2))));
        let products =
            page_of("Products", include_str!("../../fixtures/one_shopping_cart/products-list.xml"));
        assert_eq!((products.ids.len(), products.next), (2, None));
    }

    #[test]
    fn no_data_is_an_empty_page() {
        let none = include_str!("../../fixtures/one_shopping_cart/error-2040-no-data.xml");
        assert_eq!(page(none), Ids::default());
        assert_eq!(page(&inside("<Orders/>")), Ids::default());
    }

    #[test]
    fn success_without_the_list_that_was_asked_for_is_not_an_empty_list() {
        for parts in ["", "<Clients/>", "<NextRecordSet/>", "<Response><Orders/></Response>", "<orders/>"] {
            let broken = read("Orders", inside(parts).as_bytes()).unwrap_err();
            assert_eq!(broken.what, "says success and has no element of the list", "{parts}");
        }
    }

    #[test]
    fn a_repeated_entry_is_one() {
        assert_eq!(page(&inside("<Orders><Order>7</Order><Order> 7 </Order></Orders>")).ids, [7]);
    }

    #[test]
    fn either_link_attribute_will_do_and_none_is_needed() {
        let entries = r#"<Orders><Order href="https://evil.example/Orders/1">7</Order>
            <Order xlink:href="https://www.mcssl.com/API/1/Orders/8"/><Order>9</Order></Orders>"#;
        assert_eq!(page(&inside(entries)).ids, [7, 8, 9]);
    }

    #[test]
    fn an_entry_without_a_number_is_not_lost_in_silence() {
        let broken = read("Orders", inside("<Orders><Order>x7</Order></Orders>").as_bytes()).unwrap_err();
        assert_eq!(broken.what, "has an entry whose id is not a number");
        assert_eq!(broken.path, "Response/Orders");
    }

    #[test]
    fn more_without_an_offset_is_still_more() {
        assert_eq!(page(&inside("<NextRecordSet/><Orders/>")).next, Some(Next::Somewhere));
    }
}
