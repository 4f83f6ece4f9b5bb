//! All targets: one for each reader of bytes from outside.

mod ledger;
mod mapping;
mod outside;
mod queue;
mod settings;
mod store;
mod warehouse;

use crate::target::Target;

/// Every target.
#[rustfmt::skip]
pub const ALL: &[Target] = &[
    Target { name: "order_xml", read: store::order_xml, words: &[store::WORDS] },
    Target { name: "order_list", read: store::order_list, words: &[store::WORDS] },
    Target { name: "notification", read: store::notification, words: &[store::WORDS] },
    Target { name: "store_answers", read: store::answers, words: &[store::WORDS] },
    Target { name: "wms_json", read: warehouse::json, words: &[warehouse::CALLS, warehouse::JSON_MARKS, warehouse::JSON] },
    Target { name: "wms_xml", read: warehouse::xml, words: &[warehouse::CALLS, warehouse::XML] },
    Target { name: "shipbob", read: warehouse::shipbob, words: &[warehouse::CALLS, warehouse::JSON_MARKS, warehouse::SHIPBOB] },
    Target { name: "mapping_csv", read: mapping::csv, words: &[mapping::WORDS] },
    Target { name: "settings", read: settings::file, words: &[settings::WORDS] },
    Target { name: "message", read: queue::message, words: &[queue::WORDS] },
    Target { name: "lambda_event", read: queue::lambda_event, words: &[queue::WORDS] },
    Target { name: "ledger_record", read: ledger::record, words: &[ledger::WORDS] },
    Target { name: "ledger_order", read: ledger::order, words: &[ledger::WORDS] },
    Target { name: "ledger_ids", read: ledger::ids, words: &[] },
];

/// The target of a name.
#[must_use]
pub fn named(name: &str) -> Option<Target> {
    ALL.iter().find(|target| target.name == name).copied()
}
