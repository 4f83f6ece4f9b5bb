//! What the store says about itself: its methods, its error codes, its documentation pages (dossier section 1).

use super::call::{Call, TABLES};
use super::envelope::{ALL, success};
use super::options::WriteBack;

/// The commands of a table, as far as this merchant may use them.
fn commands(table: &str, write_back: WriteBack) -> Vec<&'static str> {
    match table {
        "Orders" if write_back == WriteBack::NotOffered => vec!["LIST", "READ", "COUNT"],
        "Orders" => vec!["LIST", "READ", "COUNT", "UPDATE"],
        "Errors" => vec!["LIST"],
        "Notifications" => vec!["TEST"],
        _ => vec!["LIST", "READ"],
    }
}

/// The methods of every table. The real shape of these two listings is not known.
pub(super) fn group(call: &Call, write_back: WriteBack) -> String {
    methods(call, &TABLES, write_back)
}

/// The methods of one table.
pub(super) fn table(call: &Call, write_back: WriteBack) -> String {
    methods(call, &[call.table], write_back)
}

fn methods(call: &Call, tables: &[&str], write_back: WriteBack) -> String {
    success(|writer| {
        writer.open("Methods");
        for table in tables {
            for command in commands(table, write_back) {
                let link = format!("https://localhost/API/{}/{table}/{command}", call.merchant);
                writer.leaf_with("Method", &[("xlink:href", &link)], &format!("{table}/{command}"));
            }
        }
        writer.close("Methods");
    })
}

/// Every error code. The real shape is not known.
pub(super) fn errors() -> String {
    success(|writer| {
        writer.open("Errors");
        for refusal in ALL {
            writer.leaf_with("ErrorCode", &[("code", &refusal.code.to_string())], refusal.message);
        }
        writer.close("Errors");
    })
}

/// The page that describes a method; any key opens it.
pub(super) fn page(call: &Call) -> String {
    let table = if call.table.is_empty() { "API" } else { call.table };
    format!(
        "<!DOCTYPE html><html><head><title>{table} - API documentation (simulated)</title></head><body>\
         <h1>{table}</h1><table><tr><th>Parameter</th><th>Default</th></tr>\
         <tr><td>Key</td><td>required</td></tr><tr><td>LimitCount</td><td>100 (max 100)</td></tr>\
         <tr><td>LimitOffset</td><td>0</td></tr><tr><td>SortOrder</td><td>DESC</td></tr></table></body></html>"
    )
}
