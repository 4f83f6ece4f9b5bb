//! How a run went: figures, and everything that is wrong.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// How a run went.
#[derive(Debug, Default)]
pub struct Report {
    /// Decides the run.
    pub seed: u64,
    /// Everything that is not as it must be; empty is good.
    pub wrong: Vec<String>,
    /// Orders placed.
    pub orders: usize,
    /// Orders at the warehouses.
    pub sent: usize,
    /// Packages that left.
    pub parcels: usize,
    /// Tracking numbers that the stores show.
    pub posted: usize,
    /// Orders held for a person, by cause.
    pub held: BTreeMap<String, u64>,
    /// Processes killed.
    pub kills: usize,
    /// Processes frozen.
    pub freezes: usize,
    /// Ledgers deleted.
    pub losses: usize,
    /// Orders that the rebuild found at the warehouse, and held as doubtful.
    pub rebuilt: (u64, u64),
    /// Faults of the outside world by kind.
    pub faults: BTreeMap<String, u64>,
    /// Webhooks and notifications delivered, repetitions included.
    pub deliveries: usize,
    /// Attempts to send, over all orders.
    pub attempts: u64,
    /// Bytes that were searched for marks.
    pub searched: u64,
    /// Bodies of orders in the ledger, the one place where marks belong; in each the search saw one.
    pub bodies: u64,
    /// What only the functions do.
    pub functions: Functions,
    /// How long it took.
    pub took: Duration,
    /// CPU that the processes used, in milliseconds.
    pub cpu_ms: u64,
    /// Their highest peak of memory, in KiB.
    pub peak_kib: u64,
    /// CPU that this process used, with the outside world in it (and the database, where that is not Cartdock's own).
    pub world_cpu_ms: u64,
    /// Where settings, data and logs are.
    pub dir: String,
}

/// What happened to functions and queues; all zero for one process.
#[derive(Debug, Default, Clone)]
pub struct Functions {
    /// Invocations.
    pub invocations: u64,
    /// Invocations that ended in an error, a time-out or a dead process.
    pub failed: u64,
    /// Processes started.
    pub starts: u64,
    /// Messages that went through the queues.
    pub messages: u64,
    /// Messages that were delivered to two functions at the same time.
    pub doubles: u64,
    /// Dead letters.
    pub dead_letters: usize,
    /// Schedules that fired twice or not at all.
    pub odd_schedules: u64,
}

impl fmt::Display for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} invocations, {} failed, {} processes; {} messages, {} delivered twice, {} dead letters; {} schedules \
             fired twice or not at all",
            self.invocations,
            self.failed,
            self.starts,
            self.messages,
            self.doubles,
            self.dead_letters,
            self.odd_schedules
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.took.as_secs().max(1);
        let list = |counts: &BTreeMap<String, u64>| {
            counts.iter().map(|(word, n)| format!("{word} {n}")).collect::<Vec<_>>().join(", ")
        };
        writeln!(f, "seed        {}   logs in {}", self.seed, self.dir)?;
        writeln!(
            f,
            "orders      {} placed, {} at the warehouses, held: {}",
            self.orders,
            self.sent,
            list(&self.held)
        )?;
        writeln!(f, "packages    {} left, {} shown by the stores", self.parcels, self.posted)?;
        writeln!(
            f,
            "trouble     {} kills, {} freezes, {} ledgers lost",
            self.kills, self.freezes, self.losses
        )?;
        let (found, doubtful) = self.rebuilt;
        writeln!(f, "rebuild     {found} orders found at the warehouses, {doubtful} held as doubtful")?;
        writeln!(f, "faults      {}", list(&self.faults))?;
        writeln!(f, "deliveries  {} webhooks and notifications, repetitions included", self.deliveries)?;
        writeln!(f, "attempts    {} to send", self.attempts)?;
        if self.functions.invocations > 0 {
            writeln!(f, "functions   {}", self.functions)?;
        }
        let searched = self.searched / 1024;
        writeln!(
            f,
            "marks       none may be found in {searched} KiB; one is seen in each of {} bodies",
            self.bodies
        )?;
        let rate = self.orders as u64 * 10 / seconds;
        writeln!(f, "speed       {} s, {}.{} orders/s", self.took.as_secs(), rate / 10, rate % 10)?;
        let (cpu, world, peak) = (self.cpu_ms / 1000, self.world_cpu_ms / 1000, self.peak_kib / 1024);
        writeln!(f, "resources   {cpu} s of CPU, peak {peak} MiB; {world} s of CPU for the world around it")?;
        for wrong in &self.wrong {
            writeln!(f, "WRONG       {wrong}")?;
        }
        f.write_str(if self.wrong.is_empty() {
            "Everything is as it must be.\n"
        } else {
            "NOT as it must be.\n"
        })
    }
}
