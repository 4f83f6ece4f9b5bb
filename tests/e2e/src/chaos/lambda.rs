//! The six functions as real processes with everything that surrounds them on AWS: tables, queues, schedules, an HTTP API.
//! Processes are killed and frozen with an event in hand, and once both tables are deleted and made anew.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use adapters::clock::SystemClock;
use adapters::dynamodb::{Client, DynamoLedger, DynamoNotes};
use domain::connection::{Connection, History};
use domain::ports::Clock;
use jiff::Timestamp;
use operations::status::status;
use serde_json::Value;
use simulator::sqs::Sqs;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::plan::{OVERLAP_MINUTES, PACE, POLL, SWEEP};
use super::pool::{Counts, Function, Pool};
use super::process::{freeze, kill, pause};
use super::queues::Poller;
use super::report::Functions;
use super::schedule::Schedule;
use super::shop::Shop;
use super::world::{Host, Trouble, World};
use crate::cloud::{self, QUEUES};
use crate::connection::mapping;
use crate::database::Database;
use crate::gateway::Gateway;

/// What one invocation may take. A process that stands still in the middle may so wake after the end of its lease.
const DEADLINE: Duration = Duration::from_secs(10);
/// How long a received message is invisible.
const VISIBILITY: Duration = Duration::from_secs(12);
/// How long the tables are gone.
const GONE: Duration = Duration::from_secs(3);

const FORWARD: &str = "forward-orders";
const POLL_ORDERS: &str = "poll-orders";
const POLL_SHIPMENTS: &str = "poll-shipments";
const NOTICES: &str = "receive-notices";
const LOOK: &str = "sweep";
const TRACK: &str = "write-tracking";

/// The functions, by the names of their binaries.
pub const FUNCTIONS: [&str; 6] = [FORWARD, POLL_ORDERS, POLL_SHIPMENTS, NOTICES, LOOK, TRACK];
/// How many processes each may have.
const PLACES: [usize; 6] = [3, 3, 2, 3, 2, 3];
/// The queues and their functions, in the order of [`QUEUES`], with the pollers of each.
const CONSUMERS: [(&str, usize); 3] = [(FORWARD, 3), (TRACK, 3), (POLL_ORDERS, 2)];

/// The functions of a run.
pub(super) struct Lambda {
    binaries: PathBuf,
    listener: Option<TcpListener>,
    database: Database,
    sqs: Arc<Sqs>,
    pools: Vec<Arc<Pool>>,
    counts: Arc<Counts>,
    /// Schedules, pollers, and what thaws frozen processes.
    tasks: JoinSet<()>,
    gateway: Option<Gateway>,
}

impl Lambda {
    /// Everything around the functions; they need the shops to start. Gives the address of the HTTP API, too.
    pub(super) async fn new(binaries: PathBuf) -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
        let listen = listener.local_addr().expect("an address").to_string();
        let lambda = Self {
            binaries,
            listener: Some(listener),
            database: Database::start().await,
            sqs: Arc::new(Sqs::start().await.expect("a queue service")),
            pools: Vec::new(),
            counts: Arc::default(),
            tasks: JoinSet::new(),
            gateway: None,
        };
        (lambda, listen)
    }

    fn pool(&self, name: &str) -> &Arc<Pool> {
        self.pools.iter().find(|pool| pool.name() == name).expect("a function")
    }

    fn make_pools(&mut self, world: &World) {
        let mut variables = cloud::variables(&self.database, &self.sqs, &world.hosts(), world.secrets());
        let pace: Vec<String> = PACE.iter().map(|(name, millis)| format!("{name}={millis}")).collect();
        variables.push(("PACE".to_owned(), pace.join(",")));
        for queue in QUEUES {
            self.sqs.set_visibility(&queue.to_lowercase(), VISIBILITY);
        }
        for (name, places) in FUNCTIONS.into_iter().zip(PLACES) {
            let function = Function { name, deadline: DEADLINE, places };
            let (dir, counts) = (world.options.dir.clone(), Arc::clone(&self.counts));
            let pool = Pool::new(function, self.binaries.clone(), variables.clone(), dir, counts);
            self.pools.push(Arc::new(pool));
        }
    }

    fn connect_pools(&mut self, world: &mut World) {
        for (queue, (name, pollers)) in ["orders", "shipments", "hints"].into_iter().zip(CONSUMERS) {
            for _ in 0..pollers {
                let poller = Poller {
                    sqs: Arc::clone(&self.sqs),
                    queue,
                    function: Arc::clone(self.pool(name)),
                    counts: Arc::clone(&self.counts),
                    dice: world.dice.another(),
                };
                self.tasks.spawn(poller.run());
            }
        }
        for (name, every) in [(POLL_ORDERS, POLL), (POLL_SHIPMENTS, POLL), (LOOK, SWEEP)] {
            let schedule = Schedule {
                every,
                function: Arc::clone(self.pool(name)),
                counts: Arc::clone(&self.counts),
                dice: world.dice.another(),
            };
            self.tasks.spawn(schedule.run());
        }
        let notices = Arc::clone(self.pool(NOTICES));
        self.gateway = self.listener.take().map(|listener| {
            Gateway::on(listener, move |event| {
                let notices = Arc::clone(&notices);
                // A sender that hangs up does not end what it has begun.
                let answer = tokio::spawn(async move { notices.invoke(event).await.ok() });
                async move { answer.await.ok().flatten() }
            })
        });
    }

    /// Puts the connections into the tables, as the owner does who deploys it.
    async fn enter(&self, world: &World, history: History) {
        for shop in &world.shops {
            self.database.enter(&connection(shop, world, history), &mapping()).await;
        }
    }

    /// One of the processes that have an event in hand; waits until there is one.
    async fn victim(&self, world: &mut World, of: &[&str]) -> u32 {
        loop {
            let pools = self.pools.iter().filter(|pool| of.is_empty() || of.contains(&pool.name()));
            let busy: Vec<u32> = pools.flat_map(|pool| pool.busy()).collect();
            if let Some(pid) = busy.get(world.dice.below(busy.len() as u64) as usize) {
                return *pid;
            }
            world.go_on().await;
        }
    }

    /// Deletes both tables under the running functions, and makes new ones, as the owner does: the connections say that
    /// their ledger is being rebuilt. The process that reads the store is killed twice meanwhile.
    async fn lose_ledger(&mut self, world: &mut World) {
        let lost_at = SystemClock.now();
        self.database.delete().await;
        world.tell_of_old_orders();
        world.go_on_for(GONE).await;
        self.database.create().await;
        self.enter(world, History::Rebuilding { lost_at: Some(lost_at) }).await;
        world.tell_of_old_orders();
        for _ in 0..2 {
            let time = Duration::from_millis(300 + world.dice.below(2500));
            world.go_on_for(time).await;
            kill(self.victim(world, &[POLL_ORDERS]).await).await;
        }
    }

    fn functions(&self) -> Functions {
        let number = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        let dead = QUEUES.iter().map(|queue| self.sqs.peek(&format!("{}-dead", queue.to_lowercase())).len());
        Functions {
            invocations: number(&self.counts.invocations),
            failed: number(&self.counts.failed),
            starts: number(&self.counts.starts),
            messages: self.sqs.sent().len() as u64,
            doubles: number(&self.counts.doubles),
            dead_letters: dead.sum(),
            odd_schedules: number(&self.counts.odd_schedules),
        }
    }

    /// Everything that was ever on a queue, as a file that is searched with the others.
    fn keep_messages(&self, world: &World) {
        let sent = self.sqs.sent();
        let lines = sent.iter().map(|sent| format!("{} {} {}\n", sent.queue, sent.body, sent.attributes));
        let path = world.options.dir.join("queues.log");
        std::fs::write(path, lines.collect::<String>()).expect("a log");
    }
}

/// A shop's connection as it is in the tables.
fn connection(shop: &Shop, world: &World, history: History) -> Connection {
    let mut connection = shop.connection(world.start, history);
    connection.schedule.overlap_minutes = OVERLAP_MINUTES;
    connection
}

impl Host for Lambda {
    async fn start(&mut self, world: &mut World) {
        self.make_pools(world);
        self.enter(world, History::Known { since: Timestamp::UNIX_EPOCH }).await;
        self.connect_pools(world);
    }

    async fn trouble(&mut self, trouble: Trouble, world: &mut World) {
        match trouble {
            Trouble::Kill => {
                world.report.kills += 1;
                kill(self.victim(world, &[]).await).await;
            }
            Trouble::Freeze(time) => {
                world.report.freezes += 1;
                let pid = self.victim(world, &[]).await;
                self.tasks.spawn(freeze(pid, time));
            }
            Trouble::LoseLedger => {
                world.report.losses += 1;
                self.lose_ledger(world).await;
            }
        }
    }

    fn has_ended(&mut self) -> Option<String> {
        None
    }

    async fn status(&mut self, world: &World) -> Vec<Value> {
        let Database { client, names, .. } = &self.database;
        let ledger = DynamoLedger::new(client.clone(), &names.ledger, None);
        let notes = DynamoNotes::new(client.clone(), &names.ledger);
        let (mut all, now) = (Vec::new(), SystemClock.now());
        for shop in &world.shops {
            let connection = connection(shop, world, History::Known { since: Timestamp::UNIX_EPOCH });
            let books = status(&ledger, &notes, &connection, now).await.expect("the ledger answers");
            all.push(serde_json::to_value(books).expect("JSON"));
        }
        all
    }

    async fn tables(&self, _: &World) -> Option<Client> {
        Some(self.database.client.clone())
    }

    async fn stop(mut self, world: &mut World) {
        drop(self.gateway.take());
        self.counts.is_over.store(true, Ordering::Relaxed);
        while self.tasks.join_next().await.is_some() {}
        while self.pools.iter().any(|pool| !pool.busy().is_empty()) {
            pause(Duration::from_millis(20)).await;
        }
        self.pools.iter().for_each(|pool| pool.stop());
        self.keep_messages(world);
        world.report.functions = self.functions();
        world.usage.add(&self.counts.usage());
    }
}
