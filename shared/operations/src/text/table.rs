//! Tables that fit the width of the screen: what is too wide is wrapped inside its column, nothing is cut off.

use super::{Style, Tone, clean, wrap};

/// The blanks between two columns.
const GAP: usize = 2;

/// The narrowest a column is made.
const NARROWEST: usize = 6;

/// One cell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// A cell in a tone.
    #[must_use]
    pub fn toned(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: clean(&text.into()), tone }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::toned(text, Tone::Plain)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::toned(text, Tone::Plain)
    }
}

impl From<u64> for Cell {
    fn from(number: u64) -> Self {
        Self::from(number.to_string())
    }
}

/// The title without the mark of a column of numbers.
fn shown(title: &str) -> &str {
    title.strip_prefix('#').unwrap_or(title)
}

/// A table under construction.
#[derive(Debug, Clone, Default)]
pub struct Table {
    titles: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table with these columns. Titles that start with `#` are columns of numbers and stand to the right.
    #[must_use]
    pub fn new(titles: &[&'static str]) -> Self {
        Self { titles: titles.to_vec(), rows: Vec::new() }
    }

    /// Adds a row; missing cells are empty.
    pub fn row<const N: usize>(&mut self, cells: [Cell; N]) {
        self.rows.push(cells.into());
    }

    /// Is there no row yet?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as text, indented by two blanks, each line at most `style.width` characters.
    #[must_use]
    pub fn text(&self, style: Style) -> String {
        let widths = self.widths(style.width);
        let title = |title: &&str| Cell::toned(shown(title), Tone::Faint);
        let titles: Vec<Cell> = self.titles.iter().map(title).collect();
        std::iter::once(&titles).chain(&self.rows).map(|row| self.line(row, &widths, style)).collect()
    }

    fn widths(&self, width: usize) -> Vec<usize> {
        let natural = |column: usize| {
            let cells =
                self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.text.chars().count());
            let title = self.titles.get(column).map_or(0, |title| shown(title).chars().count());
            cells.max().unwrap_or(0).max(title)
        };
        let mut widths: Vec<usize> = (0..self.titles.len()).map(natural).collect();
        let room = width.saturating_sub(GAP * widths.len());
        while widths.iter().sum::<usize>() > room {
            match widths.iter_mut().max() {
                Some(widest) if *widest > NARROWEST => *widest -= 1,
                _ => break,
            }
        }
        widths
    }

    fn line(&self, row: &[Cell], widths: &[usize], style: Style) -> String {
        let empty = Cell::default();
        let cells: Vec<(&Cell, Vec<String>)> = widths
            .iter()
            .enumerate()
            .map(|(column, width)| {
                let cell = row.get(column).unwrap_or(&empty);
                (cell, wrap(&cell.text, *width))
            })
            .collect();
        let height = cells.iter().map(|(_, lines)| lines.len()).max().unwrap_or(0);
        (0..height).map(|line| self.row_line(&cells, line, widths, style)).collect()
    }

    fn row_line(
        &self,
        cells: &[(&Cell, Vec<String>)],
        line: usize,
        widths: &[usize],
        style: Style,
    ) -> String {
        let mut out = String::new();
        let mut owed = 0;
        for (column, ((cell, lines), width)) in cells.iter().zip(widths).enumerate() {
            let text = lines.get(line).map_or("", String::as_str);
            let missing = width.saturating_sub(text.chars().count());
            let to_the_right = self.titles.get(column).is_some_and(|title| title.starts_with('#'));
            let (before, after) = if to_the_right { (missing, 0) } else { (0, missing) };
            if !text.is_empty() {
                out.push_str(&" ".repeat(owed + GAP + before));
                out.push_str(&style.paint(cell.tone, text));
                owed = after;
            } else {
                owed += GAP + width;
            }
        }
        out.push('\n');
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn columns_stand_under_each_other_and_numbers_to_the_right() {
        let mut table = Table::new(&["CAUSE", "#ORDERS", "CURE"]);
        table.row(["unmapped".into(), 3_u64.into(), "map it".into()]);
        table.row(["refused".into(), 12_u64.into()]);
        assert_eq!(
            table.text(Style::PLAIN),
            "  CAUSE     ORDERS  CURE\n  unmapped       3  map it\n  refused       12\n"
        );
    }

    #[test]
    fn what_is_too_wide_is_wrapped_in_its_column() {
        let mut table = Table::new(&["A", "B"]);
        table.row(["x".into(), "one two three four".into()]);
        let text = table.text(Style { colours: false, width: 15 });
        assert_eq!(text, "  A  B\n  x  one two\n     three four\n");
    }

    proptest! {
        #[test]
        fn a_table_keeps_to_its_width(cells in proptest::collection::vec(("\\PC{0,90}", "\\PC{0,90}", 0_u64..), 0..6)) {
            let mut table = Table::new(&["ONE", "TWO", "#THREE"]);
            for (one, two, three) in cells {
                table.row([one.into(), two.into(), three.into()]);
            }
            for line in table.text(Style::PLAIN).lines() {
                prop_assert!(line.chars().count() <= 80, "{line:?}");
            }
        }
    }
}
