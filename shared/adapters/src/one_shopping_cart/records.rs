//! READ of the two records beside the order: the client (for contact data) and the product.

use std::borrow::Cow;

use domain::mapping::Sku;
use domain::ports::Product;

use super::canonical::{number, truth};
use super::envelope::{self, Reply};
use super::text;
use super::xml::Parsed;

/// How a buyer can be reached. Personal data: it never prints itself.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Contact {
    /// `Phone`, or `WorkPhone` where there is no other.
    pub(super) phone: Option<String>,
    /// `Email`.
    pub(super) email: Option<String>,
}

/// Reads the answer to a READ of a client (dossier section 4.3). Any part of it may be absent.
pub(super) fn read_contact(body: &[u8]) -> Parsed<Reply<Contact>> {
    let source = text::decoded(body)?;
    let (mut email, mut phone, mut work) = (Cow::Borrowed(""), Cow::Borrowed(""), Cow::Borrowed(""));
    let reply = envelope::open(&source, |document, name| {
        if name != "ClientInfo" {
            return document.skip();
        }
        while let Some(name) = document.child()? {
            match name {
                "Email" => document.field(&mut email)?,
                "Phone" => document.field(&mut phone)?,
                "WorkPhone" => document.field(&mut work)?,
                _ => document.skip()?,
            }
        }
        Ok(())
    })?;
    Ok(match reply {
        Reply::Yes(_) => Reply::Yes(Contact { phone: given(&phone).or(given(&work)), email: given(&email) }),
        Reply::No(refusal) => Reply::No(refusal),
    })
}

fn given(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Reads the answer to a READ of a product (dossier section 4.4). None: the answer holds no product.
pub(super) fn read_product(body: &[u8]) -> Parsed<Reply<Option<Product>>> {
    let source = text::decoded(body)?;
    let [mut id, mut name, mut sku, mut has_shipping, mut weight] = [const { Cow::Borrowed("") }; 5];
    let reply = envelope::open(&source, |document, part| {
        if part != "ProductInfo" {
            return document.skip();
        }
        while let Some(part) = document.child()? {
            match part {
                "Id" => document.field(&mut id)?,
                "ProductName" => document.field(&mut name)?,
                "ProductSku" => document.field(&mut sku)?,
                "HasShippingCalculation" => document.field(&mut has_shipping)?,
                "ProductWeight" => document.field(&mut weight)?,
                _ => document.skip()?,
            }
        }
        Ok(())
    })?;
    Ok(match reply {
        Reply::Yes(_) => Reply::Yes(Some(number(&id)).filter(|id| *id != 0).map(|id| Product {
            id,
            name: name.into_owned(),
            sku: Sku::parse(&sku).ok(),
            has_shipping: truth(&has_shipping) == Some(true),
            weight: weight.parse().ok(),
        })),
        Reply::No(refusal) => Reply::No(refusal),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::Decimal;

    #[test]
    fn a_client_has_phone_and_mail() {
        let body = include_bytes!("../../fixtures/one_shopping_cart/client-read.xml");
        let Reply::Yes(contact) = read_contact(body).unwrap() else { panic!() };
        assert_eq!(contact.phone.as_deref(), Some("555-0100"));
        assert_eq!(contact.email.as_deref(), Some("avery@example.com"));
    }

    #[test]
    fn the_phone_at_work_will_do_and_anything_may_be_absent() {
        let body = br#"<Response success="true"><ClientInfo><Phone/><WorkPhone>555-0101</WorkPhone></ClientInfo></Response>"#;
        let Reply::Yes(contact) = read_contact(body).unwrap() else { panic!() };
        assert!(contact == Contact { phone: Some("555-0101".into()), email: None });
    }

    #[test]
    fn a_product_is_read_although_html_stands_in_it() {
        let body = include_bytes!("../../fixtures/one_shopping_cart/product-read.xml");
        let plain = String::from_utf8(body.to_vec()).unwrap();
        let html = plain.replace(
            "<TopHtml />",
            "<TopHtml><FONT color=red nowrap>Hot &nbsp; & new<ProductSku>X</ProductSku></FONT></TopHtml>",
        );
        assert_ne!(plain, html);
        for body in [plain, html] {
            let Reply::Yes(Some(product)) = read_product(body.as_bytes()).unwrap() else { panic!() };
            assert_eq!((product.id, product.name.as_str()), (9_300_011, "Ceramic Mug, 12 oz"));
            assert_eq!(product.sku, Some(Sku::parse("MUG-12-BLU").unwrap()));
            assert!(product.has_shipping);
            assert_eq!(product.weight, Some(Decimal::new(11, 1)));
        }
    }
}
