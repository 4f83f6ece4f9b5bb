//! What a comparison of ledger, store and warehouse found, for people: lines that sum, and every difference with its cure.

use domain::ConnectionId;
use domain::reconciliation::{Difference, Differing, PackageLeg, Reconciliation, StoreLeg, WarehouseLeg};
use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::text::{Style, Table, Tone, count, instant, moment, pairs, wrap};

/// What was found of one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconciled {
    /// Which connection.
    pub connection: ConnectionId,
    /// What was found.
    pub found: Reconciliation,
}

/// An order that differs, as it is told.
#[derive(Debug, Serialize)]
struct Line {
    order: String,
    what: Vec<String>,
    fixed: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cures: Vec<String>,
}

impl Serialize for Reconciled {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Told<'a> {
            connection: &'a str,
            line: String,
            sums: bool,
            found: &'a Reconciliation,
            orders: Vec<Line>,
        }
        let told = Told {
            connection: self.connection.as_str(),
            line: self.line(),
            sums: self.found.sums(),
            found: &self.found,
            orders: self.lines(),
        };
        told.serialize(serializer)
    }
}

impl Reconciled {
    /// Does an order differ that was not put right, or does a count not sum?
    #[must_use]
    pub fn needs_attention(&self) -> bool {
        self.found.unsettled() > 0 || !self.found.sums() || !self.found.listed_all
    }

    /// The line that must sum.
    #[must_use]
    pub fn line(&self) -> String {
        line(&self.found)
    }

    /// What was found, for people.
    #[must_use]
    pub fn text(&self, style: Style) -> String {
        let found = &self.found;
        let placed = format!("{}: orders placed since {}", self.connection, instant(found.since));
        let mut rows = vec![
            ("orders", self.line()),
            ("store", store(found.listed, &found.store)),
            ("warehouse", warehouse(found.store.known, &found.warehouse)),
            ("packages", packages(&found.packages)),
        ];
        if found.unanswered > 0 {
            let orders = count(found.unanswered, "order", "orders");
            rows.push(("unanswered", format!("{orders}: a side did not answer; compare again later")));
        }
        if !found.listed_all {
            rows.push(("list", "the store's list moved while it was read; compare again".to_owned()));
        }
        let mut out = format!("{}{}", style.heading(&placed), pairs(&rows, style));
        out.push_str(&self.differences(style));
        let (word, tone) = self.verdict();
        out.push_str(&format!("  {}\n", style.paint(tone, &word)));
        out
    }

    fn verdict(&self) -> (String, Tone) {
        let found = &self.found;
        let unsettled = found.unsettled();
        match (found.sums(), unsettled, found.differ) {
            (false, ..) => ("The counts do NOT sum.".to_owned(), Tone::Bad),
            (_, 0, 0) if found.listed_all && found.warehouse.not_asked > 0 => {
                let orders = count(found.warehouse.not_asked, "order", "orders");
                (
                    format!(
                        "All sides agree as far as they were asked; about {orders} the warehouse was not."
                    ),
                    Tone::Good,
                )
            }
            (_, 0, 0) if found.listed_all => ("All sides agree.".to_owned(), Tone::Good),
            (_, 0, 0) => ("Nothing differs in what could be compared.".to_owned(), Tone::Warn),
            (_, 0, fixed) => (format!("{} put right.", count(fixed, "order was", "orders were")), Tone::Good),
            (_, left, _) => (format!("{}.", count(left, "order differs", "orders differ")), Tone::Bad),
        }
    }

    fn differences(&self, style: Style) -> String {
        let lines = self.lines();
        if lines.is_empty() {
            return String::new();
        }
        let mut table = Table::new(&["ORDER", "WHAT"]);
        let (mut cures, more) = (Vec::new(), self.found.differ.saturating_sub(lines.len() as u64));
        for line in lines {
            let fixed = if line.fixed { " (put right)" } else { "" };
            table.row([line.order.as_str().into(), format!("{}{fixed}", line.what.join("; ")).into()]);
            cures.extend(line.cures);
        }
        cures.dedup();
        let mut out = format!("\n{}", table.text(style));
        if more > 0 {
            out.push_str(&format!("  and {more} more\n"));
        }
        for cure in cures {
            for line in wrap(&format!("cure: {cure}"), style.width.saturating_sub(2)) {
                out.push_str(&format!("  {line}\n"));
            }
        }
        out.push('\n');
        out
    }

    fn lines(&self) -> Vec<Line> {
        let line = |differing: &Differing| {
            let order = format!("{}/{}", self.connection, differing.order);
            let cure = |difference: &Difference| cure(difference, &order, &self.connection);
            Line {
                what: differing.differences.iter().map(words).collect(),
                fixed: differing.fixed,
                cures: if differing.fixed {
                    Vec::new()
                } else {
                    differing.differences.iter().map(cure).collect()
                },
                order,
            }
        };
        self.found.differing.iter().map(line).collect()
    }
}

/// `120 = 117 agree + 1 on the way + 2 DIFFER`.
pub(crate) fn line(found: &Reconciliation) -> String {
    let Reconciliation { listed, agree, on_the_way, differ, .. } = found;
    let differ = if *differ > 0 { format!("{differ} DIFFER") } else { "0 differ".to_owned() };
    format!("{listed} = {agree} agree + {on_the_way} on the way + {differ}")
}

/// The last daily one in a line, for `status`.
pub(crate) fn last(found: &Reconciliation, now: Timestamp) -> String {
    format!("{}: {}", moment(found.at, now), line(found))
}

fn store(listed: u64, leg: &StoreLeg) -> String {
    let StoreLeg { known, not_yet, missing, gone } = leg;
    let missing = if *missing > 0 { format!("{missing} MISSING") } else { "0 missing".to_owned() };
    let gone = if *gone > 0 { format!(" + {gone} gone meanwhile") } else { String::new() };
    format!("{listed} listed = {known} in the ledger + {not_yet} not polled yet + {missing}{gone}")
}

fn warehouse(known: u64, leg: &WarehouseLeg) -> String {
    let WarehouseLeg { there, not_sent, on_the_way, not_asked, differing } = leg;
    let asked = if *not_asked > 0 { format!(" + {not_asked} not asked about") } else { String::new() };
    let differing = if *differing > 0 { format!("{differing} DIFFER") } else { "0 differ".to_owned() };
    format!(
        "{known} in the ledger = {there} there + {not_sent} never sent + {on_the_way} on the way + {differing}{asked}"
    )
}

fn packages(leg: &PackageLeg) -> String {
    let PackageLeg { shown, not_asked, due, outbox, not_needed, differing } = leg;
    let all = shown + not_asked + due + outbox + not_needed + differing;
    let asked =
        if *not_asked > 0 { format!(" + {not_asked} posted, not asked about") } else { String::new() };
    let needed = if *not_needed > 0 { format!(" + {not_needed} without post") } else { String::new() };
    let differing = if *differing > 0 { format!("{differing} DIFFER") } else { "0 differ".to_owned() };
    format!(
        "{all} left = {shown} shown by the store + {due} to be posted + {outbox} in the outbox + {differing}{asked}{needed}"
    )
}

fn words(difference: &Difference) -> String {
    match difference {
        Difference::Missing => "the store has it, the ledger does not".to_owned(),
        Difference::NotAtWarehouse => "sent, and the warehouse does not have it".to_owned(),
        Difference::CancelledAtWarehouse => "sent, and the warehouse has cancelled it".to_owned(),
        Difference::AtWarehouse(id) => format!("never sent, and the warehouse has it as {id}"),
        Difference::NotTold(package) => {
            format!("package {package} has left, and the ledger does not know it as the warehouse does")
        }
        Difference::NotShown(package) => {
            format!("tracking of package {package} was posted, and the store does not show it")
        }
    }
}

fn cure(difference: &Difference, order: &str, connection: &ConnectionId) -> String {
    match difference {
        Difference::Missing | Difference::NotTold(_) => format!("cartdock reconcile {connection} --fix"),
        Difference::NotAtWarehouse => format!(
            "ask the warehouse where {order} went (cartdock explain {order} has its id there); enter it there by hand"
        ),
        Difference::CancelledAtWarehouse => {
            format!("ask the warehouse why; if it is not to be shipped: cartdock cancel {order}")
        }
        Difference::AtWarehouse(_) => {
            format!("if it was entered there by hand: cartdock exclude {order}; else cancel it there")
        }
        Difference::NotShown(_) => {
            format!("enter the tracking of {order} in the store by hand (cartdock explain {order})")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::reconciliation::Verdict;
    use domain::{OrderId, PackageId, WarehouseOrderId};

    fn found(differences: &[(u64, Difference, bool)]) -> Reconciled {
        let at: Timestamp = "2026-11-23T09:00:00Z".parse().unwrap();
        let mut found = Reconciliation::begun(at, "2026-11-16T09:00:00Z".parse().unwrap());
        for order in 1..=10 {
            found.listed += 1;
            let here = differences.iter().find(|(number, ..)| *number == order);
            let missing = matches!(here, Some((_, Difference::Missing, _)));
            let differs = here.is_some() && !missing;
            *(if missing { &mut found.store.missing } else { &mut found.store.known }) += 1;
            if !missing {
                *(if differs { &mut found.warehouse.differing } else { &mut found.warehouse.there }) += 1;
            }
            let verdict = Verdict {
                differences: here.map(|(_, difference, _)| difference.clone()).into_iter().collect(),
                fixed: here.is_some_and(|(.., fixed)| *fixed),
                on_its_way: false,
            };
            found.count(OrderId(order), verdict);
        }
        Reconciled { connection: "main".parse().unwrap(), found }
    }

    #[test]
    fn sides_that_agree_are_four_lines_that_sum() {
        let all = found(&[]);
        assert!(!all.needs_attention());
        assert_eq!(
            all.text(Style::PLAIN),
            "main: orders placed since 2026-11-16T09:00:00Z\n  \
             orders     10 = 10 agree + 0 on the way + 0 differ\n  \
             store      10 listed = 10 in the ledger + 0 not polled yet + 0 missing\n  \
             warehouse  10 in the ledger = 10 there + 0 never sent + 0 on the way + 0\n             \
             differ\n  \
             packages   0 left = 0 shown by the store + 0 to be posted + 0 in the outbox +\n             \
             0 differ\n  \
             All sides agree.\n"
        );
    }

    #[test]
    fn every_difference_is_named_with_its_cure() {
        let id = WarehouseOrderId::parse("WO-9").unwrap();
        let package = PackageId::parse("P1").unwrap();
        let all = found(&[
            (1, Difference::Missing, false),
            (2, Difference::NotAtWarehouse, false),
            (3, Difference::CancelledAtWarehouse, false),
            (4, Difference::AtWarehouse(id), false),
            (5, Difference::NotTold(package.clone()), false),
            (6, Difference::NotShown(package), false),
            (7, Difference::Missing, true),
        ]);
        assert!(all.needs_attention() && all.found.sums());
        let text = all.text(Style::PLAIN);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in [
            "10 = 3 agree + 0 on the way + 7 DIFFER",
            "10 listed = 8 in the ledger + 0 not polled yet + 2 MISSING",
            "main/1 the store has it, the ledger does not",
            "cure: cartdock reconcile main --fix",
            "main/4 never sent, and the warehouse has it as WO-9",
            "cartdock exclude main/4",
            "main/7 the store has it, the ledger does not (put right)",
            "6 orders differ.",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
        let json = serde_json::to_value(&all).unwrap();
        assert_eq!(json["orders"][0]["cures"][0], "cartdock reconcile main --fix");
        assert_eq!((&json["sums"], &json["found"]["differ"]), (&true.into(), &7.into()));
    }

    #[test]
    fn what_was_put_right_needs_nobody() {
        let all = found(&[(7, Difference::Missing, true)]);
        assert!(!all.needs_attention());
        assert!(all.text(Style::PLAIN).contains("1 order was put right."));
    }
}
