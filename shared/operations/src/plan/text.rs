//! A plan for people, with the request laid out.

use super::{Fate, Plan};
use crate::draft::{self, hanging};
use crate::text::{Style, Table, Tone, wrap};

impl Fate {
    /// The tone of what becomes of it.
    pub(super) fn tone(&self) -> Tone {
        match self.word {
            "sent" => Tone::Good,
            "held" => Tone::Bad,
            "waiting" | "excluded" => Tone::Warn,
            _ => Tone::Strong,
        }
    }

    /// What would become of it, or became of it, in two or three words.
    fn phrase(&self, past: bool) -> String {
        match self.word {
            stage if past => format!("is {stage}"),
            "sent" | "held" | "excluded" => format!("would be {}", self.word),
            "waiting" => "would wait".to_owned(),
            stage => format!("is {stage}"),
        }
    }
}

impl Plan {
    /// The order's whole way, for people.
    #[must_use]
    pub fn text(&self, style: Style) -> String {
        let phrase = style.paint(self.outcome.tone(), &self.outcome.phrase(self.past));
        let mut out = format!("{}  {phrase}\n", style.paint(Tone::Strong, &self.order));
        for line in wrap(&self.outcome.what, style.width.saturating_sub(2)) {
            out.push_str(&format!("  {line}\n"));
        }
        for cure in &self.cures {
            let parts = [Some(&cure.what), cure.row.as_ref(), cure.command.as_ref()];
            for (part, indent) in parts.into_iter().flatten().zip(["  cure: ", "    row: ", "    "]) {
                out.push_str(&hanging(part, indent, style));
            }
        }
        out.push('\n');
        out.push_str(&style.heading("Decisions"));
        let mut table = Table::new(&["ABOUT", "DECIDED", "BY"]);
        for decision in &self.decisions {
            table.row([
                decision.about.as_str().into(),
                decision.decided.as_str().into(),
                decision.rule.as_str().into(),
            ]);
        }
        out.push_str(&table.text(style));
        out.push_str(&self.request_text(style));
        out.push_str("\nNothing was sent and nothing was written.\n");
        out
    }

    fn request_text(&self, style: Style) -> String {
        let Some(request) = &self.request else { return String::new() };
        let masked = if self.masked { ", the buyer masked (--show-personal-data)" } else { "" };
        let title = format!("Request to {}, mapping version {}{masked}", self.warehouse, self.mapping);
        let mut out = format!("\n{}", style.heading(&title));
        out.push_str(&draft::text(request, style));
        out
    }
}
