//! Tries the targets for as long as wanted, or the attack files with their times.
//!
//! ```text
//! cargo run --profile simulation -p fuzz -- --seconds 60                     every target for a minute
//! cargo run --profile simulation -p fuzz -- --target order_xml --executions 1000000 --seed 7
//! cargo run --profile simulation -p fuzz -- --target order_xml --replay FILE
//! cargo run --profile simulation -p fuzz -- --attacks                        each refused within 10 ms?
//! ```

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use fuzz::run::{Length, Report, campaign, on_small_stack, once};
use fuzz::target::Target;
use fuzz::{attacks, targets};

/// What is wanted.
struct Wanted {
    targets: Vec<Target>,
    length: Length,
    seed: u64,
    attacks: bool,
    replay: Option<String>,
}

fn main() -> ExitCode {
    let outcome = wanted(std::env::args().skip(1)).and_then(|wanted| match &wanted.replay {
        _ if wanted.attacks => attack(),
        Some(file) => replay(&wanted.targets, file),
        None => try_all(&wanted),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            say(&why);
            ExitCode::FAILURE
        }
    }
}

fn wanted(mut words: impl Iterator<Item = String>) -> Result<Wanted, String> {
    let mut wanted = Wanted {
        targets: targets::ALL.to_vec(),
        length: Length::Executions(100_000),
        seed: 1,
        attacks: false,
        replay: None,
    };
    while let Some(word) = words.next() {
        if word == "--attacks" {
            wanted.attacks = true;
            continue;
        }
        let value = words.next().ok_or_else(|| format!("{word} wants a value"))?;
        let number = || value.parse::<u64>().map_err(|_| format!("{word} wants a number"));
        match word.as_str() {
            "--target" => wanted.targets.retain(|target| target.name == value),
            "--executions" => wanted.length = Length::Executions(number()?),
            "--seconds" => wanted.length = Length::Time(Duration::from_secs(number()?)),
            "--seed" => wanted.seed = number()?,
            "--replay" => wanted.replay = Some(value),
            _ => return Err(format!("{word} is not known")),
        }
    }
    if wanted.targets.is_empty() {
        let names: Vec<&str> = targets::ALL.iter().map(|target| target.name).collect();
        return Err(format!("there is no such target; known are {}", names.join(", ")));
    }
    Ok(wanted)
}

fn try_all(wanted: &Wanted) -> Result<(), String> {
    let mut findings = Vec::new();
    say("target               executions  accepted   slowest  memory");
    for target in wanted.targets.clone() {
        let (seed, length) = (wanted.seed, wanted.length);
        let report = on_small_stack(move || campaign(&target, seed, length))?.map_err(|e| e.to_string())?;
        say(&line(&target, &report));
        findings.extend(report.findings);
    }
    if findings.is_empty() { Ok(()) } else { Err(findings.join("\n")) }
}

fn line(target: &Target, report: &Report) -> String {
    format!(
        "{:20} {:>10} {:>9} {:>6} us {:>4} KiB  {} findings",
        target.name,
        report.executions,
        report.accepted,
        report.slowest.as_micros(),
        report.most_bytes / 1024,
        report.findings.len()
    )
}

fn replay(targets: &[Target], file: &str) -> Result<(), String> {
    let mut input = std::fs::read(file).map_err(|e| format!("{file}: {e}"))?;
    if file.ends_with(".last")
        && let Some((head, rest)) = input.split_at_checked(11)
    {
        let length = String::from_utf8_lossy(head).trim().parse().unwrap_or(rest.len());
        input = rest.get(..length).unwrap_or(rest).to_vec();
    }
    for target in targets {
        let verdict = (target.read)(&input);
        let tried = once(target, &input);
        say(&format!("{}: {verdict:?}, {} bytes, {} us", target.name, tried.bytes, tried.time.as_micros()));
    }
    Ok(())
}

/// How often an attack's time is taken.
const TRIES: usize = 5;

/// Every attack: refused, within 10 ms (the best time counts, as others use the machine too), in little memory.
fn attack() -> Result<(), String> {
    let mut wrong = Vec::new();
    say("attack                                                     bytes   refused in    memory");
    for attack in attacks::all() {
        let (name, size, quick) = (attack.name(), attack.input.len(), attack.must_be_quick());
        let tries = on_small_stack(move || (0..TRIES).map(|_| attack.run()).collect::<Vec<_>>())?;
        let best = tries.iter().map(|tried| tried.time).min().unwrap_or_default();
        let bytes = tries.iter().map(|tried| tried.bytes).max().unwrap_or_default();
        say(&format!("{name:52} {size:>10} {:>9} us {:>9}", best.as_micros(), bytes));
        wrong.extend(
            tries.into_iter().filter_map(|tried| tried.verdict.err()).take(1).map(|e| format!("{name}: {e}")),
        );
        if quick && best > Duration::from_millis(10) {
            wrong.push(format!("{name}: took {} ms", best.as_millis()));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

fn say(text: &str) {
    let _nobody_reads_it = writeln!(std::io::stdout(), "{text}");
}
