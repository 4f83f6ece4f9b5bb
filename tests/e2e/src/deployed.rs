//! The stack as an owner deploys it: the template as it is, on an emulator that evaluates the roles' policies, with the real
//! binaries of the functions; the demo's day is played through its queues, schedules and HTTP API.

mod aws;
mod closing;
mod day;
mod grants;
mod shop;
mod stack;
mod trouble;
mod wait;

use std::path::PathBuf;

use adapters::clock::SystemClock;
use domain::ports::Clock;

use aws::Aws;
use day::Day;
use grants::Comparison;
use shop::Shop;
use stack::Stack;
use trouble::Ear;

use crate::chaos::PACE;

/// What is deployed, and where.
#[derive(Debug, Clone)]
pub struct Options {
    /// The emulator, `http://127.0.0.1:PORT`. The environment names it and its credentials for the SDK too.
    pub endpoint: String,
    /// The file to whose end the emulator writes its decisions about permissions.
    pub decisions: PathBuf,
    /// The template.
    pub template: PathBuf,
    /// The folder with `NAME.zip` for each function.
    pub zips: PathBuf,
}

/// Deploys the stack, plays the day and closes the books. Tells what was seen, as it goes.
///
/// # Errors
/// Everything that is wrong at the end.
///
/// # Panics
/// When something does not happen that must, and the day cannot go on.
pub async fn play(options: &Options, mut tell: impl FnMut(&str)) -> Result<(), Vec<String>> {
    let began = SystemClock.now();
    let mut tell = |what: &str| {
        let seconds = SystemClock.now().duration_since(began).as_secs();
        tell(&format!("{seconds:>4}s  {what}"));
    };
    let aws = Aws::at(&options.endpoint);
    let (store, warehouse) = shop::open().await;
    stack::package(&aws, &options.template, &options.zips).await;
    let pace: Vec<String> = PACE.iter().map(|(name, millis)| format!("{name}={millis}")).collect();
    let (pace, hosts) = (pace.join(","), format!("{},{}", store.host(), warehouse.host()));
    let parameters =
        [("Architecture", "x86_64"), ("GradualRollout", "false"), ("LocalHosts", &*hosts), ("Pace", &*pace)];
    for (wrong, sentence) in WRONG {
        let mut all = parameters.to_vec();
        all.retain(|(name, _)| *name != wrong.0);
        let refusal = Stack::create(&aws, &[&all[..], &[wrong]].concat()).await.err().unwrap_or_default();
        assert!(refusal.contains(sentence), "{wrong:?} is refused with a sentence of its own: {refusal}");
        tell(&format!("{}={} is refused: {sentence}", wrong.0, wrong.1));
    }
    let mut stack = Stack::create(&aws, &parameters).await.expect("the stack is deployed");
    tell("the stack is deployed");

    let shop = Shop::join(&stack, store, warehouse).await;
    let ear = Ear::at(&stack).await;
    trouble::missing_secret(&stack, &ear).await;
    tell(
        "a run without its secret fails and names it, in a line that the alarm's metric counts; counted, it rings the alarm",
    );
    shop.open_doors(&stack).await;
    let mut day = Day::beginning(&shop);
    day::morning(&stack, &shop, &day.morning).await;
    tell(&format!(
        "{} orders are polled and forwarded, held, excluded or waiting; one in doubt was found",
        day.morning.len()
    ));
    shop.cure().await;
    shop.notify(None);
    let untold = shop.sell(std::mem::take(&mut day.untold));
    shop.notify(Some(&stack));
    day::afternoon(&stack, &shop, &day).await;
    tell(&format!("{} more come in by notifications through the HTTP API", day.afternoon.len()));
    trouble::dead_letters(&stack).await;
    tell("what nobody can read is a dead letter on each queue, put back it is one again, and is thrown away");
    let order = day.late.pop().expect("an order");
    trouble::missing_permission(&stack, &shop, &options.decisions, order).await;
    tell(
        "with one statement less a function is refused; the order waits in the ledger and is sent once it is back",
    );
    let order = day.late.pop().expect("an order");
    day::expired_body(&stack, &shop, order).await;
    tell("an order whose body expires while the warehouse asks for patience is read again and sent");
    ear.hears_of_dead_letters().await;
    tell("an alarm rings and reaches the topic, with its page");
    day::lost_webhooks(&stack, &shop, &options.decisions).await;
    tell("packages whose webhooks got lost are found");
    day::by_schedule(&stack, &shop, &options.decisions, &untold).await;
    tell("the schedule has fired: its poll found what nobody had told of");

    let before = (shop.books().await.orders, stack.resource("LedgerTable").to_owned());
    stack.update("LogLevel", "debug").await;
    assert_eq!((shop.books().await.orders, stack.resource("LedgerTable").to_owned()), before);
    shop.sell(std::mem::take(&mut day.late));
    day::all_sent(&stack, &shop).await;
    tell(
        "a deploy over it keeps all orders, and the next ones go their way; what was held for a mapping is sent",
    );
    day::shipping(&stack, &shop).await;
    tell("everything has left, and its tracking is posted");

    let (books, mut wrong) = closing::close(&stack, &shop).await;
    tell(&format!("Closing the books: ours beside the simulators' own counts\n\n{books}\n"));
    let compared = Comparison::of(&stack, &options.decisions).await;
    wrong.extend(compared.problems());
    let (granted, (used, by_aws)) = (compared.granted.len(), compared.used_by());
    tell(&format!(
        "{granted} grants of 7 roles: {used} used by the functions, {by_aws} by AWS in their name"
    ));
    for exception in compared.exceptions() {
        tell(&format!("  {exception}"));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// Parameters that are wrong, and the sentence of the template that says so.
const WRONG: [((&str, &str), &str); 4] = [
    (("AlarmEmail", "nobody"), "AlarmEmail must be one e-mail address such as ops@example.com, or empty."),
    (("SubnetIds", "subnet-1a2b"), "SubnetIds and SecurityGroupIds belong together."),
    (("MonthlyBudget", "50"), "A MonthlyBudget that nobody is told of is of no use."),
    (("LocalHosts", ""), "Pace is for tests against local hosts only."),
];
