//! Everything that can happen to one order, alone and in pairs, for every class of warehouse.

use simulation::exhaustive::{Script, Sum, explore, scenes};
use simulation::net::{Fate, Then, Turn};
use simulation::one_order::{Rhythm, Scene, play};
use simulation::wms::Class;

use crate::stopwatch::Stopwatch;
use crate::{Command, say};

pub(crate) const COMMAND: Command = Command {
    word: "exhaustive",
    help: "  simulation exhaustive [--class K|U|L|D|N] [--workers 1|2|in-step] [--singles]
      one order and its tracking: whatever can happen at each of its effects (not done, done but unanswered, done
      late, the process dies before, after, or before it is done late, pauses while others work, or sleeps until all
      leases are over), each alone and in pairs; D is L with a lag; with two of everything, one ahead or both in step
  simulation exhaustive --class K --workers 2 POINT=TURN [POINT=TURN]
      play one of these again and print it; TURN is NotDone, AnswerLost, Late, Done, or one of them after Dies:,
      Pauses: or Sleeps:",
    run,
};

/// How many threads share the work.
const THREADS: usize = 2;

struct Wanted {
    class: Option<Class>,
    workers: Option<(u32, Rhythm)>,
    singles: bool,
    script: Script,
}

fn run(args: &[&str]) -> Option<i32> {
    let mut wanted = Wanted { class: None, workers: None, singles: false, script: Script::new() };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match *arg {
            "--class" => wanted.class = Some(class(args.next()?)?),
            "--workers" => wanted.workers = Some(workers(args.next()?)?),
            "--singles" => wanted.singles = true,
            event => wanted.script.push(parse(event)?),
        }
    }
    match (wanted.script.is_empty(), wanted.scenes().as_slice()) {
        (true, scenes) => Some(all(scenes, !wanted.singles)),
        (false, [scene]) => Some(replay(*scene, &wanted.script)),
        _ => None,
    }
}

impl Wanted {
    fn scenes(&self) -> Vec<Scene> {
        let mut scenes = scenes();
        scenes.retain(|scene| {
            self.class.is_none_or(|class| class == scene.class)
                && self.workers.is_none_or(|workers| workers == (scene.workers, scene.rhythm))
        });
        scenes
    }
}

fn class(word: &str) -> Option<Class> {
    Class::ALL.into_iter().find(|class| format!("{class:?}") == word)
}

fn workers(word: &str) -> Option<(u32, Rhythm)> {
    match word {
        "1" => Some((1, Rhythm::Ahead)),
        "2" => Some((2, Rhythm::Ahead)),
        "in-step" => Some((2, Rhythm::InStep)),
        _ => None,
    }
}

fn all(scenes: &[Scene], pairs: bool) -> i32 {
    let mut wrong = false;
    let (watch, mut schedules, mut effects) = (Stopwatch::start(), 0, 0);
    for scene in scenes {
        let sum = explore(*scene, pairs, THREADS);
        schedules += 1 + sum.singles + sum.pairs;
        effects += sum.effects;
        wrong |= !tell(*scene, &sum);
    }
    let took = watch.took();
    say(&format!("{schedules} schedules, {effects} effects in {took}: {}", took.rate(schedules)));
    i32::from(wrong)
}

/// Says what a scene showed. False: something is wrong.
fn tell(scene: Scene, sum: &Sum) -> bool {
    let who = match (scene.workers, scene.rhythm) {
        (1, _) => "one of each",
        (_, Rhythm::Ahead) => "two, one ahead",
        (_, Rhythm::InStep) => "two, in step",
    };
    say(&format!(
        "class {:?}, {who}: {} points ({} at most after one event), {} singles, {} pairs, {} points missed, {} wrong",
        scene.class,
        sum.points.len(),
        sum.longest,
        sum.singles,
        sum.pairs,
        sum.missed.len(),
        sum.wrongs
    ));
    for script in sum.missed.iter().take(3) {
        say(&format!("  missed: {}", describe(scene, script)));
    }
    for (script, lines) in &sum.wrong {
        say(&format!("  {}: {}", describe(scene, script), lines.join("; ")));
    }
    sum.missed.is_empty() && sum.wrongs == 0 && !sum.points.is_empty()
}

/// The arguments that play a schedule again.
fn describe(scene: Scene, script: &Script) -> String {
    let events = script.iter().map(|(point, turn)| match turn.then {
        Then::GoesOn => format!(" {point}={:?}", turn.fate),
        then => format!(" {point}={then:?}:{:?}", turn.fate),
    });
    let workers =
        if scene.rhythm == Rhythm::InStep { "in-step".to_owned() } else { scene.workers.to_string() };
    format!("--class {:?} --workers {workers}{}", scene.class, events.collect::<String>())
}

fn parse(event: &str) -> Option<(u64, Turn)> {
    let (point, turn) = event.split_once('=')?;
    let (then, fate) = turn.split_once(':').unwrap_or(("GoesOn", turn));
    let fate = Fate::ALL.into_iter().find(|known| format!("{known:?}") == fate)?;
    let then = Then::ALL.into_iter().find(|known| format!("{known:?}") == then)?;
    Some((point.parse().ok()?, Turn { fate, then }))
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
