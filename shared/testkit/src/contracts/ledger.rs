//! What every adapter of [`Ledger`] must do.

mod dates;
mod orders;

use domain::ports::Ledger;

/// Runs the whole contract.
///
/// # Panics
/// When a promise is not kept.
pub async fn ledger(ledger: &dyn Ledger, run: &str) {
    orders::check(ledger, run).await;
    dates::check(ledger, run).await;
}
