//! Closing the books: our counts beside the simulators' own, and every order against what must become of it.

use domain::ports::Ledger;
use domain::record::{Record, Stage};
use domain::{Failure, OrderId, OrderKey};
use operations::status::Books;
use simulator::shop::Expect;
use simulator::store::OrderSpec;
use std::io::Write;

use super::acts::expected;
use super::world::World;

/// One line of the closing: what, ours, theirs, and whether they are the same.
struct Line {
    what: &'static str,
    ours: usize,
    theirs: usize,
}

/// Prints the closed books. False: they do not close.
///
/// # Errors
/// When the ledger cannot be read.
pub(super) async fn close(world: &World, out: &mut dyn Write) -> Result<bool, Failure> {
    let books = world.books().await?;
    let lines = lines(world, &books);
    let wrong = unexpected(world).await?;
    let sums = books.listed() == books.sent + books.held + books.excluded + books.waiting + books.cancelled;
    let same = lines.iter().all(|line| line.ours == line.theirs);
    let _nobody_reads_any_more = print(out, &books, &lines, &wrong);
    Ok(sums && same && wrong.is_empty())
}

fn lines(world: &World, books: &Books) -> Vec<Line> {
    let (store, warehouse) = (world.store.books(), world.warehouse.books());
    vec![
        Line { what: "orders in the store", ours: books.listed(), theirs: store.orders },
        Line { what: "orders at the warehouse", ours: books.sent, theirs: warehouse.orders },
        Line { what: "  of these sent twice", ours: 0, theirs: warehouse.duplicates },
        Line { what: "packages shipped", ours: books.packages.shipped, theirs: world.warehouse.shipments().len() },
        Line { what: "tracking posted to the store", ours: books.packages.posted, theirs: store.tracking_numbers },
        Line {
            what: "  of these posted twice",
            ours: 0,
            theirs: usize::try_from(store.repeated_updates).unwrap_or(usize::MAX),
        },
    ]
}

/// The orders that did not become what they should have become.
async fn unexpected(world: &World) -> Result<Vec<String>, Failure> {
    let mut wrong = Vec::new();
    for order in world.store.orders() {
        let Some(id) = order.id else { continue };
        let key = OrderKey::new(world.connection.id.clone(), OrderId(id));
        let record = world.host.ledger.load(&key, true).await?;
        if !record.as_ref().is_some_and(|record| is_as_expected(&order, record)) {
            let is = record.map_or("not in the ledger".to_owned(), |record| record.stage.word().to_owned());
            wrong.push(format!("order {id} ({:?}) is {is}, not {:?}", order.kind, expected(&order)));
        }
    }
    Ok(wrong)
}

fn is_as_expected(order: &OrderSpec, record: &Record) -> bool {
    match expected(order) {
        Expect::Ship { units } => record.stage == Stage::Posted && record.units == units,
        Expect::Hold => matches!(record.stage, Stage::Held(_)),
        Expect::Exclude => matches!(record.stage, Stage::Excluded(_)),
        Expect::Wait => matches!(record.stage, Stage::Waiting(_)),
    }
}

fn print(out: &mut dyn Write, books: &Books, lines: &[Line], wrong: &[String]) -> std::io::Result<()> {
    writeln!(out, "\nThe books\n")?;
    let Books { sent, held, excluded, waiting, cancelled, .. } = books;
    let mark = if books.listed() == sent + held + excluded + waiting + cancelled { "=" } else { "≠" };
    writeln!(
        out,
        "  cart {} {mark} {sent} sent + {held} held + {excluded} excluded + {waiting} waiting + {cancelled} cancelled",
        books.listed()
    )?;
    let closed = books.packages.shipped == books.packages.posted;
    let mark = if closed { "=" } else { "≠" };
    writeln!(out, "  shipped {} {mark} {} posted\n", books.packages.shipped, books.packages.posted)?;
    writeln!(out, "  {:<32}{:>10}{:>14}", "", "Cartdock", "simulators")?;
    for Line { what, ours, theirs } in lines {
        let mark = if ours == theirs { "" } else { "   ≠" };
        writeln!(out, "  {what:<32}{ours:>10}{theirs:>14}{mark}")?;
    }
    if let Some(held) = Some(books.held_words()).filter(|words| !words.is_empty()) {
        writeln!(out, "\n  held for a person: {held}")?;
    }
    for line in wrong {
        writeln!(out, "  WRONG: {line}")?;
    }
    let verdict = if wrong.is_empty() { "Every order became what it should." } else { "The books do not close." };
    writeln!(out, "\n{verdict}")
}
