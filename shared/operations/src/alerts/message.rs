//! The message: what opened, what closed, and what to do, in lines that a person reads on a phone and copies commands from.

use domain::alert::Alert;
use domain::connection::Connection;
use domain::notes::{Opened, Told};
use jiff::Timestamp;

use super::open::{Matter, Open};
use crate::text::{clean, count, span};

/// How many of what opened, and of what closed, are named.
const NAMED: usize = 10;

/// Letters of a title, and of a line.
const TITLE: usize = 120;
const LINE: usize = 500;

/// What is different from what people know.
pub(super) struct Changes<'a> {
    opened: Vec<&'a Matter>,
    closed: Vec<&'a Opened>,
}

impl<'a> Changes<'a> {
    /// What is open and was not told, and what was told and is not open any more. What was closed because nobody wants to hear
    /// of it is not told.
    pub(super) fn of(open: &'a Open, told: &'a Told) -> Self {
        let is_new = |matter: &&Matter| !told.open.contains_key(&matter.id);
        let is_over = |id: &str| !open.ignored.contains(id) && !open.matters.iter().any(|one| one.id == id);
        Self {
            opened: open.matters.iter().filter(is_new).collect(),
            closed: told.open.iter().filter(|(id, _)| is_over(id)).map(|(_, opened)| opened).collect(),
        }
    }

    pub(super) fn number(&self) -> usize {
        self.opened.len() + self.closed.len()
    }

    /// The message.
    pub(super) fn alert(
        &self,
        connection: &Connection,
        open: usize,
        stack: Option<&str>,
        now: Timestamp,
    ) -> Alert {
        let who = format!("{} ({})", connection.id, clean(&connection.name));
        let title: String = format!("Cartdock {who}: {}", self.headline()).chars().take(TITLE).collect();
        let mut text = format!("{who}: {}\n", self.counts());
        for matter in self.opened.iter().take(NAMED) {
            text.push_str(&opened(matter, stack));
        }
        text.push_str(&more(self.opened.len(), "opened"));
        if !self.closed.is_empty() {
            text.push('\n');
        }
        for opened in self.closed.iter().take(NAMED) {
            let seconds = now.duration_since(opened.since).as_secs().max(0).unsigned_abs();
            text.push_str(&format!("CLOSED: {} (after {})\n", opened.sentence, span(seconds)));
        }
        text.push_str(&more(self.closed.len(), "closed"));
        let all = command(&format!("cartdock status {}", connection.id), stack);
        let left = if open == 0 { "Nothing is open now".to_owned() } else { format!("{open} open now") };
        text.push_str(&format!("\n{left}: {all}\n"));
        Alert { title, text }
    }

    /// The one thing that there is to say, or how many.
    fn headline(&self) -> String {
        match (self.opened.as_slice(), self.closed.as_slice()) {
            ([one], []) => one.sentence.clone(),
            ([], [one]) => format!("closed: {}", one.sentence),
            _ => self.counts(),
        }
    }

    fn counts(&self) -> String {
        let some = [(self.opened.len(), "opened"), (self.closed.len(), "closed")];
        let some = some.into_iter().filter(|(number, _)| *number > 0);
        some.map(|(number, word)| format!("{number} {word}")).collect::<Vec<_>>().join(", ")
    }
}

fn opened(matter: &Matter, stack: Option<&str>) -> String {
    let mut text = format!("\nOPEN: {}\n", matter.sentence);
    for (name, value) in &matter.rows {
        let value: String = clean(&command(value, stack)).chars().take(LINE).collect();
        text.push_str(&format!("  {name:8}  {value}\n"));
    }
    text
}

/// A command as it is typed for this deployment; anything else stays as it is.
fn command(value: &str, stack: Option<&str>) -> String {
    match stack {
        Some(stack) if value.starts_with("cartdock ") => format!("{value} --stack {stack}"),
        _ => value.to_owned(),
    }
}

fn more(number: usize, what: &str) -> String {
    match number.saturating_sub(NAMED) {
        0 => String::new(),
        more => format!("and {} {what}\n", count(more as u64, "more", "more")),
    }
}
