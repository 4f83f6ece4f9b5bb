//! Documents that are made to hurt: each is refused early, with a reason that says where and shows nothing of it.

use domain::limits::{STORE_TEXT_BYTES, XML_ATTRIBUTES, XML_DEPTH};
use domain::money::Currency;
use domain::ports::Read;
use jiff::tz::TimeZone;

use crate::one_shopping_cart::read_order_document;

/// Why a document is refused. An answer of the store beyond our limits is unreadable, everything else a failure.
fn refusal(body: &[u8]) -> String {
    match read_order_document(body, &TimeZone::UTC, Currency::USD) {
        Err(failure) => failure.to_string(),
        Ok(Read::Unreadable { why, .. }) => format!("unreadable: {why}"),
        Ok(other) => panic!("{other:?}"),
    }
}

fn order_with(inside: &str) -> Vec<u8> {
    format!(
        "<Response success=\"true\"><OrderInfo><Id>7</Id><Comments>{inside}</Comments><LineItems>\
         <LineItemInfo><Quantity>1</Quantity></LineItemInfo></LineItems></OrderInfo></Response>"
    )
    .into_bytes()
}

fn is_read(inside: &str) -> bool {
    matches!(read_order_document(&order_with(inside), &TimeZone::UTC, Currency::USD), Ok(Read::Order(_)))
}

#[test]
fn a_billion_laughs_are_not_heard() {
    let mut dtd = String::from("<?xml version=\"1.0\"?><!DOCTYPE lolz [<!ENTITY lol \"lol\">");
    for level in 1..10 {
        dtd.push_str(&format!("<!ENTITY lol{level} \"{}\">", "&lol;".repeat(10)));
    }
    dtd.push_str("]><Response success=\"true\">&lol9;</Response>");
    assert!(refusal(dtd.as_bytes()).contains("document type definition"), "{}", refusal(dtd.as_bytes()));
}

#[test]
fn an_external_entity_is_not_fetched() {
    let body = b"<!DOCTYPE r [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><Response>&x;</Response>";
    assert!(refusal(body).contains("document type definition"));
    let late = order_with("<!DOCTYPE r [<!ENTITY x SYSTEM \"http://evil.example/\">]>&x;");
    assert!(refusal(&late).contains("document type definition"));
}

#[test]
fn a_processing_instruction_is_refused() {
    for body in [
        order_with("<?php system('x') ?>"),
        b"<?xml-stylesheet href='http://evil.example/'?><Response success=\"true\"/>".to_vec(),
        order_with("<?xml version=\"1.0\"?>"),
    ] {
        assert!(refusal(&body).contains("processing instruction"));
    }
}

#[test]
fn nesting_has_a_bottom() {
    let deep = |levels: usize| format!("{}{}", "<a>".repeat(levels), "</a>".repeat(levels));
    // Response, OrderInfo and Comments are three.
    assert!(is_read(&deep(XML_DEPTH - 3)));
    let why = refusal(&order_with(&deep(XML_DEPTH - 2)));
    assert!(why.starts_with("unreadable: is nested too deeply"), "{why}");
    assert!(refusal(&order_with(&deep(100_000))).contains("nested too deeply"));
    assert!(refusal("<a>".repeat(100_000).as_bytes()).starts_with("1ShoppingCart: read order: the answer"));
}

#[test]
fn attributes_are_counted() {
    let with = |count: usize| {
        let attributes: String = (0..count).map(|n| format!(" a{n}=\"\"")).collect();
        format!("<b{attributes}/>")
    };
    assert!(is_read(&with(XML_ATTRIBUTES)));
    assert!(refusal(&order_with(&with(XML_ATTRIBUTES + 1))).contains("too many attributes"));
    assert!(refusal(&order_with(&with(80_000))).contains("too many attributes"));
    let same = format!("<b{}/>", " a=\"\"".repeat(150_000));
    assert!(refusal(&order_with(&same)).contains("too many attributes"));
    assert!(refusal(&order_with(&with(800_000))).contains("larger than 1 MiB"));
}

#[test]
fn text_and_size_have_an_end() {
    assert!(is_read(&"x".repeat(STORE_TEXT_BYTES)));
    for long in [
        "x".repeat(STORE_TEXT_BYTES + 1),
        "x&amp;".repeat(STORE_TEXT_BYTES / 2 + 1),
        format!("<![CDATA[{}]]>", "x".repeat(STORE_TEXT_BYTES + 1)),
        format!("&{};", "x".repeat(STORE_TEXT_BYTES + 1)),
    ] {
        let why = refusal(&order_with(&long));
        assert!(why.contains("too long a text") || why.contains("too many elements"), "{why}");
    }
    assert!(refusal(&order_with(&format!("<!--{}-->", "x".repeat(70_000)))).contains("too long a comment"));
    let mut huge = order_with("");
    huge.resize(64 * 1024 * 1024, b'x');
    assert!(refusal(&huge).contains("larger than 1 MiB"));
}

#[test]
fn elements_are_counted() {
    assert!(refusal(&order_with(&"<a/>".repeat(100_000))).contains("too many elements"));
    assert!(refusal(&order_with(&"<!---->".repeat(100_000))).contains("too many elements"));
}

#[test]
fn a_nul_does_not_get_through() {
    let body = order_with("a\0b&#0;c");
    let Ok(Read::Order(order)) = read_order_document(&body, &TimeZone::UTC, Currency::USD) else { panic!() };
    assert_eq!(order.comments, "abc");
    assert!(refusal(&[0; 100]).contains("is empty"));
}

#[test]
fn a_refusal_says_where_and_shows_nothing() {
    let secret = "avery@example.com";
    for (body, what) in [
        (format!("<html><body>{secret}</body></html>"), "is a web page"),
        (secret.to_owned(), "is not XML"),
        (format!("{{\"email\":\"{secret}\"}}"), "is not XML"),
        (format!("<Response success=\"true\"><OrderInfo><Comments>{secret}</Id>"), "does not match"),
        (format!("<Response success=\"true\"><{secret}></Id>"), "in Response/…)"),
        (format!("<Response success=\"true\"/>{secret}"), "goes on after its end"),
        ("<Response success=\"true\"/><Response success=\"true\"/>".to_owned(), "goes on after its end"),
        (format!("<{secret}/>"), "its root is not Response"),
        (format!("<Response success=\"true\"><Comments a=\"{secret}"), "ends in the middle of a tag"),
        ("<Response success=\"true\"><>x</></Response>".to_owned(), "tag without a name"),
    ] {
        let why = refusal(body.as_bytes());
        assert!(why.contains(what), "{why}");
        assert!(!why.contains("avery"), "{why}");
        assert!(why.contains("byte"), "{why}");
    }
    let bytes = [order_with("").as_slice(), b"\xff"].concat();
    assert!(refusal(&bytes).contains("is not UTF-8"));
    let why = refusal(b"<Response success=\"true\"><OrderInfo><Comments>x</OrderInfo>");
    assert!(why.ends_with("(byte 59, in Response/OrderInfo/Comments)"), "{why}");
}
