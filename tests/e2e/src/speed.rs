//! How fast the functions start and how little an order costs them: their release binaries, measured beside a function
//! that does nothing.

mod binaries;
mod calls;
mod orders;
mod process;
mod report;
mod starts;
mod tls;

use std::path::Path;

pub use report::Report;

use crate::chaos::FUNCTIONS;
use orders::Forwarding;
use starts::Starts;
use tls::FirstTls;

/// The function that does nothing, and the function whose orders are counted.
const FLOOR: &str = "floor";
const CONSUMER: &str = "forward-orders";

/// What is measured.
#[derive(Debug, Clone)]
pub struct Options {
    /// How often each function is started.
    pub starts: usize,
    /// How many orders are sent; none: what an order costs is not measured.
    pub orders: usize,
    /// The functions, by name.
    pub functions: Vec<String>,
    /// Build what is measured first?
    pub build: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { starts: 30, orders: 2000, functions: FUNCTIONS.map(str::to_owned).into(), build: true }
    }
}

/// Measures everything.
///
/// # Errors
/// Says what cannot be built or is missing.
pub async fn measure(options: &Options) -> Result<Report, String> {
    let dir = binaries::dir()?;
    if options.build {
        binaries::build(&dir)?;
    }
    let names = std::iter::once(FLOOR.to_owned()).chain(options.functions.iter().cloned());
    let functions: Vec<(String, Starts)> = starts::all(&dir, names.collect(), options.starts).await?;
    let consumer = dir.join(CONSUMER);
    let orders = if options.orders > 0 { Some(forward(&consumer, options.orders).await?) } else { None };
    let tls = FirstTls::measure(&dir, options.starts)?;
    Ok(Report { functions, orders, tls })
}

async fn forward(binary: &Path, orders: usize) -> Result<Forwarding, String> {
    if !binary.is_file() {
        return Err(binaries::missing(binary));
    }
    Ok(Forwarding::measure(binary, orders).await)
}
