//! Everything that can happen to one order, alone and in pairs, for every class of warehouse.

use simulation::exhaustive::{Script, Sum, explore};
use simulation::net::{Fate, Turn};
use simulation::one_order::{Scene, play};
use simulation::wms::Class;

use crate::stopwatch::Stopwatch;
use crate::{Command, say};

pub(crate) const COMMAND: Command = Command {
    word: "exhaustive",
    help: "  simulation exhaustive [--class K|U|L|D|N] [--workers 1|2] [--singles]
      one order and its tracking: whatever can happen at each of its effects (not done, done but unanswered, done
      late, the process dies before, after, or before it is done late), each alone and all pairs; D is L with a lag
  simulation exhaustive --class K --workers 2 POINT=TURN [POINT=TURN]
      play one of these again and print it; TURN is NotDone, AnswerLost, Late, Done, or one of them after Dies:",
    run,
};

/// How many threads share the work.
const THREADS: usize = 2;

struct Wanted {
    classes: Vec<Class>,
    workers: Vec<u32>,
    singles: bool,
    script: Script,
}

fn run(args: &[&str]) -> Option<i32> {
    let mut wanted =
        Wanted { classes: Class::ALL.to_vec(), workers: vec![1, 2], singles: false, script: Script::new() };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match *arg {
            "--class" => wanted.classes = vec![class(args.next()?)?],
            "--workers" => {
                wanted.workers = vec![args.next()?.parse().ok().filter(|workers| (1..=2).contains(workers))?]
            }
            "--singles" => wanted.singles = true,
            event => wanted.script.push(parse(event)?),
        }
    }
    match (wanted.script.is_empty(), wanted.classes.as_slice(), wanted.workers.as_slice()) {
        (true, ..) => Some(all(&wanted)),
        (false, [class], [workers]) => {
            Some(replay(Scene { class: *class, workers: *workers }, &wanted.script))
        }
        _ => None,
    }
}

fn class(word: &str) -> Option<Class> {
    Class::ALL.into_iter().find(|class| format!("{class:?}") == word)
}

fn all(wanted: &Wanted) -> i32 {
    let mut wrong = false;
    let (watch, mut schedules, mut effects) = (Stopwatch::start(), 0, 0);
    for workers in &wanted.workers {
        for class in &wanted.classes {
            let sum = explore(Scene { class: *class, workers: *workers }, !wanted.singles, THREADS);
            schedules += 1 + sum.singles + sum.pairs;
            effects += sum.effects;
            wrong |= !tell(*class, *workers, &sum);
        }
    }
    let took = watch.took();
    say(&format!("{schedules} schedules, {effects} effects in {took}: {}", took.rate(schedules)));
    i32::from(wrong)
}

/// Says what a scene showed. False: something is wrong.
fn tell(class: Class, workers: u32, sum: &Sum) -> bool {
    say(&format!(
        "class {class:?}, {workers} of each: {} points ({} at most after one event), {} singles, {} pairs, {} points missed, {} wrong",
        sum.points.len(),
        sum.longest,
        sum.singles,
        sum.pairs,
        sum.missed.len(),
        sum.wrongs
    ));
    for script in sum.missed.iter().take(3) {
        say(&format!("  missed: {}", describe(class, workers, script)));
    }
    for (script, lines) in &sum.wrong {
        say(&format!("  {}: {}", describe(class, workers, script), lines.join("; ")));
    }
    sum.missed.is_empty() && sum.wrongs == 0 && !sum.points.is_empty()
}

/// The arguments that play a schedule again.
fn describe(class: Class, workers: u32, script: &Script) -> String {
    let events = script.iter().map(|(point, turn)| {
        let dies = if turn.dies { "Dies:" } else { "" };
        format!(" {point}={dies}{:?}", turn.fate)
    });
    format!("--class {class:?} --workers {workers}{}", events.collect::<String>())
}

fn parse(event: &str) -> Option<(u64, Turn)> {
    let (point, turn) = event.split_once('=')?;
    let (dies, fate) = turn.strip_prefix("Dies:").map_or((false, turn), |fate| (true, fate));
    let fate = Fate::ALL.into_iter().find(|known| format!("{known:?}") == fate)?;
    Some((point.parse().ok()?, Turn { fate, dies }))
}

fn replay(scene: Scene, script: &Script) -> i32 {
    let played = play(scene, script, true);
    for line in played.history.iter().flatten() {
        say(line);
    }
    say(&format!("{} points, ends {:?}", played.points.len(), played.ends));
    for line in &played.wrong {
        say(&format!("WRONG: {line}"));
    }
    i32::from(!played.wrong.is_empty())
}
