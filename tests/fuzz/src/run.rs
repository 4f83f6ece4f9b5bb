//! Tries inputs while it watches: no panic, no overflow of a small stack, little memory, little time.

use std::any::Any;
use std::cell::Cell;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use domain::limits::ROOM_BYTES;
use testkit::numbers::Numbers;

use crate::MEMORY;
use crate::corpus;
use crate::mutate::vary;
use crate::target::{Target, Verdict};

/// The stack that a reader may use: a quarter of what a thread of the product has.
const STACK_BYTES: usize = 512 * 1024;
/// Inputs that were accepted and are varied further, besides the kept ones.
const POOL: usize = 1024;
/// Whoever takes longer for a small input hangs.
const HANGS: Duration = Duration::from_millis(50);

/// What came of one input.
#[derive(Debug)]
pub struct Tried {
    /// What the reader made of it, or the promise that was broken.
    pub verdict: Result<Verdict, String>,
    /// The most memory that it took at one time, in bytes.
    pub bytes: usize,
    /// How long it took.
    pub time: Duration,
}

/// How much is tried.
#[derive(Debug, Clone, Copy)]
pub enum Length {
    /// So many variations.
    Executions(u64),
    /// For so long.
    Time(Duration),
}

/// What came of a campaign.
#[derive(Debug, Default)]
pub struct Report {
    /// Inputs tried, the kept ones among them.
    pub executions: u64,
    /// How many of them were accepted.
    pub accepted: u64,
    /// Broken promises, each with the input's file.
    pub findings: Vec<String>,
    /// The longest time of one input.
    pub slowest: Duration,
    /// The most memory of one input.
    pub most_bytes: usize,
}

/// Tries one input.
pub fn once(target: &Target, input: &[u8]) -> Tried {
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let began = now();
    let verdict = silenced(|| catch_unwind(AssertUnwindSafe(|| (target.read)(input))));
    let time = now().duration_since(began);
    let bytes = MEMORY.peak_usage().saturating_sub(before);
    let verdict = verdict.map_err(|panic| words_of(&*panic)).and_then(|verdict| {
        // What is accepted is kept, in a form that is worked with.
        let times = if verdict == Verdict::Refused { 4 } else { 40 };
        let allowed = times * input.len() + ROOM_BYTES;
        let why = || format!("{bytes} bytes of memory for {} bytes; allowed are {allowed}", input.len());
        if bytes <= allowed { Ok(verdict) } else { Err(why()) }
    });
    Tried { verdict, bytes, time }
}

/// Runs `work` on a thread with a small stack.
pub fn on_small_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(work);
    thread.map_err(|e| e.to_string())?.join().map_err(|panic| words_of(&*panic))
}

/// Tries the kept inputs of a target and then variations of them.
///
/// # Errors
/// When the kept inputs cannot be read, or a finding cannot be written.
pub fn campaign(target: &Target, seed: u64, length: Length) -> std::io::Result<Report> {
    let kept: Vec<Vec<u8>> = corpus::inputs(target)?.into_iter().map(|(_, input)| input).collect();
    let (mut report, mut numbers) = (Report::default(), Numbers::of(seed));
    let words = target.words.concat();
    let last = LastInput::open(target)?;
    for input in &kept {
        last.note(input)?;
        report.add(target, input)?;
    }
    let (began, mut pool) = (now(), kept.clone());
    while !report.is_long_enough(length, began) {
        let pick = |numbers: &mut Numbers| numbers.place(pool.len());
        let (one, other) = (pick(&mut numbers), pick(&mut numbers));
        let empty = Vec::new();
        let (one, other) = (pool.get(one).unwrap_or(&empty), pool.get(other).unwrap_or(&empty));
        let input = vary(one, other, &words, &mut numbers);
        last.note(&input)?;
        if report.add(target, &input)? == Some(Verdict::Accepted) {
            if pool.len() < kept.len() + POOL {
                pool.push(input);
            } else if numbers.below(16) == 0 {
                let place = kept.len() + numbers.place(POOL);
                pool[place] = input;
            }
        }
    }
    Ok(report)
}

impl Report {
    fn is_long_enough(&self, length: Length, began: Instant) -> bool {
        match length {
            Length::Executions(executions) => self.executions >= executions,
            Length::Time(time) => self.executions.is_multiple_of(64) && now().duration_since(began) >= time,
        }
    }

    /// Tries an input; a finding is written to a file.
    fn add(&mut self, target: &Target, input: &[u8]) -> std::io::Result<Option<Verdict>> {
        let mut tried = once(target, input);
        if tried.time > HANGS {
            // Others use this machine too: only what is slow each time is slow.
            tried.time = (0..3).map(|_| once(target, input).time).fold(tried.time, Duration::min);
        }
        self.executions += 1;
        self.slowest = self.slowest.max(tried.time);
        self.most_bytes = self.most_bytes.max(tried.bytes);
        let hangs = tried.time > HANGS;
        let broken = match (&tried.verdict, hangs) {
            (Err(broken), _) => Some(broken.clone()),
            (Ok(_), true) => Some(format!("takes {} ms", tried.time.as_millis())),
            (Ok(_), false) => None,
        };
        if let Some(broken) = broken {
            let file = kept_finding(target, input)?;
            self.findings.push(format!("{}: {broken}\n    {}", target.name, file.display()));
        }
        let verdict = tried.verdict.ok();
        self.accepted += u64::from(verdict == Some(Verdict::Accepted));
        Ok(verdict)
    }
}

/// Where findings and last inputs are put.
fn findings() -> std::io::Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/fuzz");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn kept_finding(target: &Target, input: &[u8]) -> std::io::Result<PathBuf> {
    let hash = input.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let file = findings()?.join(format!("{}-{hash:016x}", target.name));
    std::fs::write(&file, input)?;
    Ok(file)
}

/// The input in hand, in a file: a stack that overflows takes the process along.
struct LastInput(File);

impl LastInput {
    fn open(target: &Target) -> std::io::Result<Self> {
        let path = findings()?.join(format!("{}.last", target.name));
        File::create(path).map(Self)
    }

    /// Its length in a line, then the input; what stands behind it is older.
    fn note(&self, input: &[u8]) -> std::io::Result<()> {
        let head = format!("{:010}\n", input.len());
        self.0.write_all_at(&[head.as_bytes(), input].concat(), 0)
    }
}

thread_local! {
    static SILENT: Cell<bool> = const { Cell::new(false) };
}

/// Catches panics without a line each on standard error.
fn silenced<T>(work: impl FnOnce() -> T) -> T {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !SILENT.get() {
                usual(info);
            }
        }));
    });
    SILENT.set(true);
    let done = work();
    SILENT.set(false);
    done
}

fn words_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    format!("panicked: {}", text.unwrap_or("without words"))
}

#[expect(clippy::disallowed_methods, reason = "what is measured here is the real time")]
fn now() -> Instant {
    Instant::now()
}
