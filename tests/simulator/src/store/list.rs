//! LIST and COUNT: filter, sort, page (dossier sections 2, 2.1, 3.1, 3.2).

use std::cmp::Ordering;

use jiff::civil::{Date, DateTime};

use super::call::Call;
use super::envelope::{BAD_PARAMETER, NO_DATA, Refusal, success};
use super::faults::Endpoint;
use super::state::State;
use crate::xml::Writer;

/// The most that one page holds, and what it holds when nothing is asked.
const PAGE: usize = 100;

/// The answer to a LIST; `repeated` ids of the page before are put in front of the page.
pub(super) fn list(state: &State, call: &Call, repeated: usize) -> Result<String, Refusal> {
    let mut ids = matching(state, call)?;
    sort(state, call, &mut ids);
    let count = number(call, "LimitCount")?.unwrap_or(PAGE).clamp(1, PAGE);
    let offset = number(call, "LimitOffset")?.unwrap_or(0);
    let start = offset.saturating_sub(repeated).min(ids.len());
    let end = offset.saturating_add(count).min(ids.len());
    let page = ids.get(start..end).unwrap_or_default();
    if page.is_empty() {
        return Err(NO_DATA);
    }
    let more = end < ids.len();
    Ok(success(|writer| {
        if more {
            next_record_set(writer, call, end);
        }
        entries(writer, call, page);
    }))
}

/// The answer to `Orders/COUNT`; its real shape is not known.
pub(super) fn count(state: &State, call: &Call) -> Result<String, Refusal> {
    let ids = matching(state, call)?;
    Ok(success(|writer| {
        writer.leaf("Count", &ids.len().to_string());
    }))
}

/// Exactly the parameters that were sent, with the offset moved on.
fn next_record_set(writer: &mut Writer, call: &Call, offset: usize) {
    writer.open("NextRecordSet");
    let names = [
        "LimitCount",
        "LimitOffset",
        "LimitStartDate",
        "LimitEndDate",
        "LimitClient",
        "SortColumn",
        "SortOrder",
    ];
    for name in names {
        if name == "LimitOffset" {
            writer.leaf(name, &offset.to_string());
        } else if let Some(value) = call.parameter(name) {
            writer.leaf(name, value);
        }
    }
    writer.close("NextRecordSet");
}

fn entries(writer: &mut Writer, call: &Call, page: &[u64]) {
    let entry = call.table.trim_end_matches('s');
    writer.open(call.table);
    for id in page {
        // The host is the vendor's own development machine: links are not to be trusted (dossier section 9).
        let link = format!("https://localhost/API/{}/{}/{id}", call.merchant, call.table);
        let attributes = [("xlink:href", link.as_str())];
        let linked = call.endpoint != Endpoint::RecurringOrdersList;
        writer.leaf_with(entry, if linked { &attributes } else { &[] }, &id.to_string());
    }
    writer.close(call.table);
}

fn matching(state: &State, call: &Call) -> Result<Vec<u64>, Refusal> {
    Ok(match call.endpoint {
        Endpoint::ClientsList => state.clients.keys().copied().collect(),
        Endpoint::ProductsList => state.products.keys().copied().collect(),
        Endpoint::RecurringOrdersList => {
            let client = number(call, "LimitClient")?.map(|id| id as u64);
            let wanted = state.recurring.values().filter(|sub| client.is_none_or(|id| id == sub.client));
            wanted.map(|sub| sub.id).collect()
        }
        _ => {
            let from = date(call, "LimitStartDate")?.unwrap_or(DateTime::MIN);
            let to = date(call, "LimitEndDate")?.unwrap_or(DateTime::MAX);
            state.orders.placed(from, to)
        }
    })
}

fn sort(state: &State, call: &Call, ids: &mut [u64]) {
    let column = call.parameter("SortColumn").unwrap_or("Id");
    ids.sort_unstable();
    if column != "Id" {
        // What is equal in the column stays in the order of the numbers.
        ids.sort_by(|a, b| by_column(state, call.endpoint, column, *a, *b));
    }
    let ascending = call.parameter("SortOrder").is_some_and(|order| order.eq_ignore_ascii_case("ASC"));
    if !ascending {
        ids.reverse();
    }
}

fn by_column(state: &State, endpoint: Endpoint, column: &str, a: u64, b: u64) -> Ordering {
    match (endpoint, column) {
        (Endpoint::OrdersList, "GrandTotal") => {
            let total = |id| state.orders.get(id).map(|order| order.spec.total());
            total(a).cmp(&total(b))
        }
        (Endpoint::ClientsList, "FirstName" | "LastName") => {
            let name = |id| {
                let client = state.clients.get(&id)?;
                Some(if column == "FirstName" { &client.first_name } else { &client.last_name })
            };
            name(a).cmp(&name(b))
        }
        _ => Ordering::Equal,
    }
}

fn number(call: &Call, name: &str) -> Result<Option<usize>, Refusal> {
    match call.parameter(name) {
        None | Some("") => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|_| BAD_PARAMETER),
    }
}

/// The documented form and the two others that worked (dossier section 2). A bare date is its midnight.
fn date(call: &Call, name: &str) -> Result<Option<DateTime>, Refusal> {
    let Some(text) = call.parameter(name).filter(|text| !text.is_empty()) else { return Ok(None) };
    DateTime::strptime("%m/%d/%Y %H:%M:%S", text)
        .or_else(|_| Date::strptime("%m/%d/%Y", text).map(DateTime::from))
        .or_else(|_| text.parse())
        .map(Some)
        .map_err(|_| BAD_PARAMETER)
}
