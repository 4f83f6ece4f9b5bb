//! What becomes of an effect: it happens, fails, loses its answer, or never answers. A world decides.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::Failure;

use super::inside;

/// What becomes of one effect.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fate {
    /// It happens, and the answer comes back.
    #[default]
    Happens,
    /// It certainly does not happen; they may have asked to stay away for so long.
    Fails(Option<Duration>),
    /// The request is lost on its way: it does not happen, and nobody can know.
    LosesRequest,
    /// It happens, and the answer is lost.
    LosesAnswer,
    /// It does not happen, and no answer ever comes. Whoever is dropped while waiting has died before the effect.
    Hangs,
    /// It happens, and no answer ever comes. Whoever is dropped while waiting has died after the effect.
    HappensAndHangs,
    /// It happens so much later, and no answer ever comes. Where nothing can be late it hangs.
    Late(Duration),
}

/// Decides the fate of every effect, and every choice that a promise leaves open.
#[async_trait]
pub trait World: Send + Sync {
    /// The fate of the effect `what`, `"ledger.save"` for instance. May itself take its time.
    async fn effect(&self, what: &'static str) -> Fate {
        let _: &str = what;
        Fate::Happens
    }

    /// One of `among` possibilities, counted from 0, the kindest first: how stale a read is, which message comes next.
    fn choose(&self, what: &'static str, among: usize) -> usize {
        let _: (&str, usize) = (what, among);
        0
    }
}

/// A world in which everything works.
#[derive(Debug, Default)]
pub struct Kindly;

impl World for Kindly {}

/// An effect that did not answer as it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// It certainly did not happen.
    Before(Option<Duration>),
    /// It may or may not have happened.
    Unknown,
}

impl Lost {
    /// The failure that a caller sees.
    #[must_use]
    pub fn failure(self, what: &'static str) -> Failure {
        match self {
            Self::Before(wait) => Failure::retryable(what, "it is not there at the moment").after(wait),
            Self::Unknown => Failure::retryable(what, "no answer came"),
        }
    }
}

/// What every effect of a model passes through.
#[derive(Clone)]
pub struct Gate(pub(crate) Arc<dyn World>);

impl Gate {
    /// Lets `act` happen or not, as the world decides.
    ///
    /// # Errors
    /// As the world decides.
    pub async fn pass<T>(&self, what: &'static str, act: impl FnOnce() -> T) -> Result<T, Lost> {
        let fate = self.0.effect(what).await;
        meet(fate, act).await
    }
    /// The same for effects whose loss is told as a failure.
    ///
    /// # Errors
    /// Retryable, as the world decides.
    pub async fn through<T>(&self, what: &'static str, act: impl FnOnce() -> T) -> Result<T, Failure> {
        self.pass(what, act).await.map_err(|lost| lost.failure(what))
    }

    pub(crate) fn choose(&self, what: &'static str, among: usize) -> usize {
        if among < 2 { 0 } else { self.0.choose(what, among).min(among - 1) }
    }
}

/// Lets `act` meet its fate.
pub(crate) async fn meet<T>(fate: Fate, act: impl FnOnce() -> T) -> Result<T, Lost> {
    match fate {
        Fate::Happens => Ok(act()),
        Fate::Fails(wait) => Err(Lost::Before(wait)),
        Fate::LosesRequest => Err(Lost::Unknown),
        Fate::LosesAnswer => {
            act();
            Err(Lost::Unknown)
        }
        Fate::HappensAndHangs => {
            act();
            std::future::pending().await
        }
        Fate::Hangs | Fate::Late(_) => std::future::pending().await,
    }
}

/// A world by script: everything works but what the test has planned.
#[derive(Default)]
pub struct Script(Mutex<Plan>);

/// Something that happens in the meantime.
type Event = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Plan {
    next: BTreeMap<&'static str, VecDeque<Fate>>,
    always: BTreeMap<&'static str, Fate>,
    nth: Option<(usize, Fate)>,
    counts: BTreeMap<&'static str, usize>,
    total: usize,
    yields: bool,
    unkind: BTreeMap<&'static str, usize>,
    events: BTreeMap<&'static str, VecDeque<Event>>,
}

impl Script {
    /// Plans the fates of the next effects called `what`.
    pub fn next(&self, what: &'static str, fates: impl IntoIterator<Item = Fate>) {
        inside(&self.0).next.entry(what).or_default().extend(fates);
    }

    /// Plans the fate of all effects called `what` from now on.
    pub fn always(&self, what: &'static str, fate: Fate) {
        inside(&self.0).always.insert(what, fate);
    }

    /// Forgets all plans: everything works again.
    pub fn heal(&self) {
        let mut plan = inside(&self.0);
        (plan.next, plan.always, plan.nth) = (BTreeMap::new(), BTreeMap::new(), None);
    }

    /// Plans the fate of the `n`-th effect from now on, counted from 0, whatever it is.
    pub fn nth(&self, n: usize, fate: Fate) {
        inside(&self.0).nth = Some((n, fate));
    }

    /// Makes every effect give way to others once before it happens, so that two futures that are joined are
    /// interleaved.
    pub fn interleaves(&self) {
        inside(&self.0).yields = true;
    }

    /// Lets something happen while the next effect called `what` is on its way.
    pub fn meanwhile(&self, what: &'static str, event: impl FnOnce() + Send + 'static) {
        inside(&self.0).events.entry(what).or_default().push_back(Box::new(event));
    }

    /// Makes every choice called `what` the given one.
    pub fn chooses(&self, what: &'static str, which: usize) {
        inside(&self.0).unkind.insert(what, which);
    }

    /// How many effects called `what` there have been.
    #[must_use]
    pub fn count(&self, what: &str) -> usize {
        inside(&self.0).counts.get(what).copied().unwrap_or(0)
    }

    /// How many effects there have been whose name begins with one of these.
    #[must_use]
    pub fn count_all(&self, beginnings: &[&str]) -> usize {
        let plan = inside(&self.0);
        let counted = plan.counts.iter().filter(|(what, _)| beginnings.iter().any(|b| what.starts_with(b)));
        counted.map(|(_, count)| count).sum()
    }

    /// How many effects there have been in all.
    #[must_use]
    pub fn total(&self) -> usize {
        inside(&self.0).total
    }

    fn decide(&self, what: &'static str) -> Fate {
        let mut plan = inside(&self.0);
        *plan.counts.entry(what).or_default() += 1;
        plan.total += 1;
        match plan.nth.take() {
            Some((0, fate)) => return fate,
            Some((n, fate)) => plan.nth = Some((n - 1, fate)),
            None => {}
        }
        let planned = plan.next.get_mut(what).and_then(VecDeque::pop_front);
        planned.or_else(|| plan.always.get(what).copied()).unwrap_or_default()
    }
}

#[async_trait]
impl World for Script {
    async fn effect(&self, what: &'static str) -> Fate {
        let yields = inside(&self.0).yields;
        if yields {
            give_way().await;
        }
        let event = inside(&self.0).events.get_mut(what).and_then(VecDeque::pop_front);
        if let Some(event) = event {
            event();
        }
        self.decide(what)
    }

    fn choose(&self, what: &'static str, _among: usize) -> usize {
        inside(&self.0).unkind.get(what).copied().unwrap_or(0)
    }
}

/// Lets others go first, once.
async fn give_way() {
    let mut gave = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut gave, true) {
            return std::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}
