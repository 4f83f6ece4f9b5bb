//! The figures as a table for people and as JSON for programs.

use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::orders::Forwarding;
use super::starts::Starts;
use super::tls::FirstTls;

/// Everything that was measured. The first function is the one that does nothing.
#[derive(Debug)]
pub struct Report {
    pub(super) functions: Vec<(String, Starts)>,
    pub(super) orders: Option<Forwarding>,
    pub(super) tls: FirstTls,
}

/// Smallest, middle and largest of what was seen.
struct Spread {
    least: u64,
    median: u64,
    most: u64,
}

impl Spread {
    fn new(values: impl IntoIterator<Item = u64>) -> Self {
        let mut sorted: Vec<u64> = values.into_iter().collect();
        sorted.sort_unstable();
        let at = |index: usize| sorted.get(index).copied().unwrap_or(0);
        Self { least: at(0), median: at(sorted.len() / 2), most: at(sorted.len().saturating_sub(1)) }
    }

    /// In microseconds.
    fn of(times: &[Duration]) -> Self {
        Self::new(times.iter().map(|time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX)))
    }

    fn json(&self) -> Value {
        json!({"min": self.least, "median": self.median, "max": self.most})
    }
}

/// A number of thousandths with two decimals: microseconds as milliseconds, kilobytes as megabytes.
fn thousandth(number: u64) -> String {
    let hundredths = (number + 5) / 10;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

fn range(spread: &Spread) -> String {
    format!("{}–{}", thousandth(spread.least), thousandth(spread.most))
}

fn megabytes(kib: &[u64]) -> String {
    thousandth(Spread::new(kib.iter().copied()).median * 1024 / 1000)
}

impl Report {
    /// The same figures: microseconds, KiB, bytes, and ratios in thousandths.
    #[must_use]
    pub fn json(&self) -> Value {
        let functions = self.functions.iter().map(|(name, starts)| {
            let figures = json!({
                "init_us": Spread::of(&starts.init).json(),
                "init_to_floor_thousandths": self.ratio(starts),
                "first_event_us": Spread::of(&starts.first).json(),
                "init_peak_kib": Spread::new(starts.init_kib.iter().copied()).json(),
                "first_event_peak_kib": Spread::new(starts.first_kib.iter().copied()).json(),
                "binary_bytes": starts.bytes,
            });
            (name.clone(), figures)
        });
        let orders = self.orders.as_ref().map(Forwarding::json);
        json!({
            "functions": functions.collect::<Map<_, _>>(),
            "forward_orders": orders,
            "first_tls_us": {
                "set_up": Spread::of(&self.tls.set_up).json(),
                "first_handshake": Spread::of(&self.tls.first).json(),
                "next_handshake": Spread::of(&self.tls.next).json(),
            },
        })
    }

    /// The median start beside that of the floor, in thousandths.
    fn ratio(&self, starts: &Starts) -> u64 {
        let floor = self.functions.first().map_or(0, |(_, floor)| Spread::of(&floor.init).median);
        (Spread::of(&starts.init).median * 1000).checked_div(floor).unwrap_or(0)
    }

    fn function(&self, f: &mut fmt::Formatter<'_>, name: &str, starts: &Starts) -> fmt::Result {
        let (init, first) = (Spread::of(&starts.init), Spread::of(&starts.first));
        writeln!(
            f,
            "{name:<16} {:>7} {:>13} {:>8} {:>9} {:>15} {:>9} {:>9} {:>8}",
            thousandth(init.median),
            range(&init),
            thousandth(self.ratio(starts)),
            thousandth(first.median),
            range(&first),
            megabytes(&starts.init_kib),
            megabytes(&starts.first_kib),
            thousandth(starts.bytes / 1000),
        )
    }
}

impl Forwarding {
    fn json(&self) -> Value {
        json!({
            "orders": self.orders,
            "cpu_us_per_order": Spread::of(&self.cpu).json(),
            "peak_kib": self.peak_kib,
            "threads": self.threads,
            "system_calls": self.calls.as_ref().ok(),
            "system_calls_not_counted_because": self.calls.as_ref().err(),
            "write_units": self.used.write_halves / 2,
            "read_units": self.used.read_halves / 2,
        })
    }

    /// So many of something for each order, with two decimals.
    fn each(&self, number: u64) -> String {
        thousandth((number * 1000).checked_div(self.orders as u64).unwrap_or(0))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times = self.functions.first().map_or(0, |(_, floor)| floor.init.len());
        writeln!(f, "{times} starts of each function, in turn; median and range\n")?;
        writeln!(
            f,
            "                 start to first /next, ms    first event, ms          peak memory, MB    binary"
        )?;
        writeln!(
            f,
            "                  median         range  x floor    median           range     start     event       MB"
        )?;
        for (name, starts) in &self.functions {
            self.function(f, name, starts)?;
        }
        let set_up = Spread::of(&self.tls.set_up);
        let (first, next) = (Spread::of(&self.tls.first), Spread::of(&self.tls.next));
        writeln!(
            f,
            "\nfirst use of TLS: set-up {} ms ({}), first handshake {} ms, the next {} ms",
            thousandth(set_up.median),
            range(&set_up),
            thousandth(first.median),
            thousandth(next.median)
        )?;
        self.orders.as_ref().map_or(Ok(()), |orders| write!(f, "\n{orders}"))
    }
}

impl fmt::Display for Forwarding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cpu = Spread::of(&self.cpu);
        writeln!(f, "forward-orders, {} orders of three lines in batches of ten:", self.orders)?;
        writeln!(f, "  CPU for an order       {} ms ({})", thousandth(cpu.median), range(&cpu))?;
        writeln!(
            f,
            "  peak memory            {} MB, {} thread(s)",
            thousandth(self.peak_kib * 1024 / 1000),
            self.threads
        )?;
        let (writes, reads) = (self.used.write_halves, self.used.read_halves);
        writeln!(
            f,
            "  DynamoDB, an order     {} write units, {} read units",
            thousandth((writes * 500).checked_div(self.orders as u64).unwrap_or(0)),
            thousandth((reads * 500).checked_div(self.orders as u64).unwrap_or(0))
        )?;
        match &self.calls {
            Err(why) => writeln!(f, "  calls of the system    not counted: {why}"),
            Ok(calls) => {
                let mut most: Vec<(&String, &u64)> = calls.iter().collect();
                most.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
                let named: Vec<String> = most
                    .iter()
                    .take(8)
                    .map(|(name, count)| format!("{name} {}", self.each(**count)))
                    .collect();
                let connects = calls.get("connect").copied().unwrap_or(0);
                writeln!(
                    f,
                    "  connections            {connects} opened, {} for 1,000 orders",
                    self.each(connects * 1000)
                )?;
                writeln!(
                    f,
                    "  calls of the system    {} for an order: {}",
                    self.each(calls.values().sum()),
                    named.join(", ")
                )
            }
        }
    }
}
