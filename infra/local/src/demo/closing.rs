//! Closing the books: our counts beside the simulators' own, and every order against what must become of it.

use domain::record::{Record, Stage};
use domain::{Failure, OrderId, OrderKey};
use operations::status::{Books, Closing, Outside};
use operations::text::Style;
use simulator::shop::Expect;
use simulator::store::OrderSpec;
use std::io::Write;

use super::world::World;

/// Prints the closed books. False: they do not close.
///
/// # Errors
/// When the ledger cannot be read.
pub(super) async fn close(world: &World, style: Style, out: &mut dyn Write) -> Result<bool, Failure> {
    let books = world.books().await?;
    let (store, warehouse) = (world.store.books(), world.warehouse.books());
    let closing = books.close(&Outside {
        orders_in_store: u64::try_from(store.orders).ok(),
        orders_at_warehouse: u64::try_from(warehouse.orders).ok(),
        packages_shipped: u64::try_from(world.warehouse.shipments().len()).ok(),
        packages_in_store: u64::try_from(store.tracking_numbers).ok(),
    });
    let twice = (warehouse.duplicates as u64, store.repeated_updates);
    let wrong = unexpected(world).await?;
    let all_posted = books.packages.shipped == books.packages.posted;
    let _nobody_reads_any_more = print(out, style, &books, &closing, twice, &wrong);
    Ok(closing.closes() && all_posted && twice == (0, 0) && wrong.is_empty())
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
            wrong.push(format!("order {id} ({:?}) is {is}, not {:?}", order.kind, order.ends_as()));
        }
    }
    Ok(wrong)
}

fn is_as_expected(order: &OrderSpec, record: &Record) -> bool {
    match order.ends_as() {
        Expect::Ship { units } => record.stage == Stage::Posted && record.units == units,
        Expect::Hold => matches!(record.stage, Stage::Held(_)),
        Expect::Exclude => matches!(record.stage, Stage::Excluded(_)),
        Expect::Wait => matches!(record.stage, Stage::Waiting(_)),
    }
}

fn print(
    out: &mut dyn Write,
    style: Style,
    books: &Books,
    closing: &Closing,
    (sent_twice, posted_twice): (u64, u64),
    wrong: &[String],
) -> std::io::Result<()> {
    writeln!(out, "\nClosing the books: ours beside the simulators' own counts\n")?;
    writeln!(out, "{}", closing.text(style))?;
    writeln!(out, "  parcels {}\n", books.packages.line())?;
    writeln!(out, "Sent twice: {sent_twice}. Posted twice: {posted_twice}.")?;
    for line in wrong {
        writeln!(out, "WRONG: {line}")?;
    }
    if wrong.is_empty() {
        writeln!(out, "Every order became what it should have become.")?;
    }
    Ok(())
}
