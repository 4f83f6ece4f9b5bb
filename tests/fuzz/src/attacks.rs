//! Documents that are made to hurt, by generators: none of them is kept as a file. Each has to be refused, early and cheaply.

mod csv;
mod json;
mod toml;
mod xml;

use crate::run::{Tried, once};
use crate::target::Verdict;
use crate::targets;

/// One attack on one target.
pub struct Attack {
    /// What is attacked.
    pub target: &'static str,
    /// What with.
    pub what: &'static str,
    /// The document.
    pub input: Vec<u8>,
    /// What has to come of it.
    pub expected: Verdict,
}

/// A document that hurts: its name and its maker.
type Maker = (&'static str, fn() -> Vec<u8>);

/// One mebibyte.
const MIB: usize = 1024 * 1024;

/// All attacks, each made when its turn comes.
pub fn all() -> impl Iterator<Item = Attack> {
    let xml = [
        ("order_xml", ""),
        ("order_list", ""),
        ("notification", ""),
        ("wms_xml", "create 201\n"),
        ("wms_xml", "webhook 200\n"),
    ];
    let json = [
        ("wms_json", "create 201\n"),
        ("wms_json", "webhook 200\n"),
        ("shipbob", "find 200\n"),
        ("message", ""),
        ("ledger_record", ""),
    ];
    let xml = xml.into_iter().flat_map(|target| made(target, xml::REFUSED));
    let json = json.into_iter().flat_map(|target| made(target, json::REFUSED));
    let csv = made(("mapping_csv", ""), csv::REFUSED);
    let toml = made(("settings", ""), toml::REFUSED);
    xml.chain(json).chain(csv).chain(toml).chain(made(("order_xml", ""), xml::ORDERS)).chain(harmless())
}

/// Attacks on one target; its inputs begin with `head`.
fn made(
    (target, head): (&'static str, &'static str),
    makers: &'static [Maker],
) -> impl Iterator<Item = Attack> {
    makers.iter().map(move |(what, make)| {
        let input = [head.as_bytes(), &make()].concat();
        Attack { target, what, input, expected: Verdict::Refused }
    })
}

/// Documents that look like attacks and are not: the limits must not refuse what is right.
fn harmless() -> impl Iterator<Item = Attack> {
    let harmless = [
        ("order_xml", "the longest comment", xml::longest_comment as fn() -> Vec<u8>),
        ("order_xml", "all references and sections that are allowed", xml::dressed_up),
        ("mapping_csv", "as many rows as are allowed", csv::longest),
        ("wms_json", "a page of a thousand shipments", json::thousand_shipments),
        ("wms_xml", "a page of a thousand shipments", xml::thousand_shipments),
    ];
    let accepted = |(target, what, make): (&'static str, &'static str, fn() -> Vec<u8>)| Attack {
        target,
        what,
        input: make(),
        expected: Verdict::Accepted,
    };
    harmless.into_iter().map(accepted)
}

impl Attack {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}: {}", self.target, self.what)
    }

    /// Must it be refused within 10 ms? What the ledger holds does not come from outside.
    #[must_use]
    pub fn must_be_quick(&self) -> bool {
        self.expected == Verdict::Refused && !self.target.starts_with("ledger")
    }

    /// Tries it. What comes of it is an error when it is not what is expected.
    #[must_use]
    pub fn run(&self) -> Tried {
        let Some(target) = targets::named(self.target) else { panic!("no target {}", self.target) };
        let mut tried = once(&target, &self.input);
        if tried.verdict.as_ref().is_ok_and(|verdict| *verdict != self.expected) {
            tried.verdict = Err(format!("{:?} was expected", self.expected));
        }
        tried
    }
}
