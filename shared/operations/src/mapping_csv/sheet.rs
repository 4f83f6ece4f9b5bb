//! The bytes of a file as rows of named cells, however a spreadsheet saved them. Row by row, so that a wrong file costs little.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::rc::Rc;

use domain::limits::{CSV_BYTES, CSV_COLUMNS, CSV_LINES, CSV_ROW_BYTES};

use super::{ALSO_READ, Kind, RowError, shown};

/// A file whose header was understood.
pub(super) struct Sheet<'f> {
    pub(super) kind: Kind,
    /// What separates its cells.
    pub(super) separator: u8,
    columns: Vec<Option<&'static str>>,
    rows: Rows<'f>,
}

/// One row that is not empty.
pub(super) struct Row {
    /// As a spreadsheet counts; the header is row 1.
    pub(super) number: usize,
    cells: BTreeMap<&'static str, String>,
}

impl Row {
    /// The cell's text without outer blanks; empty where the column is missing.
    pub(super) fn cell(&self, column: &str) -> &str {
        self.cells.get(column).map_or("", String::as_str)
    }

    /// Does its column `apply` say that it is a proposal which nobody has agreed to?
    pub(super) fn is_left(&self) -> Result<bool, RowError> {
        match self.cell("apply").to_lowercase().as_str() {
            "" | "yes" => Ok(false),
            "no" => Ok(true),
            other => {
                let why = format!("{} is not known; write yes to have the row applied, or no", shown(other));
                Err(RowError::new(self.number, "apply", why))
            }
        }
    }
}

/// Reads the file as far as its header.
pub(super) fn read(file: &[u8]) -> Result<Sheet<'_>, Vec<RowError>> {
    let text = text(file).map_err(|reason| vec![RowError::of_row(0, reason)])?;
    let (first, body) = announced_separator(text);
    let separator =
        first.or_else(|| b",;\t".iter().copied().find(|separator| knows_header(body, *separator)));
    let separator = separator.unwrap_or(b',');
    let mut rows = Rows::of(body, separator, usize::from(first.is_some()));
    let (number, header) = match rows.next() {
        Some(header) => header.map_err(|error| vec![error])?,
        None => return Err(vec![RowError::of_row(0, format!("the file is empty; {}", expected()))]),
    };
    let (kind, columns) = header_of(number, &header)?;
    Ok(Sheet { kind, separator, columns, rows })
}

/// The first cell of every row that has one, of a file with or without a header.
pub(crate) fn first_column(file: &[u8]) -> Result<Vec<String>, RowError> {
    let text = text(file).map_err(|reason| RowError::of_row(0, reason))?;
    let (announced, body) = announced_separator(text);
    let line = body.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let found = b";\t".iter().copied().find(|separator| line.contains(char::from(*separator)));
    let mut cells = Vec::new();
    for row in Rows::of(body, announced.or(found).unwrap_or(b','), 0) {
        let (_, row) = row?;
        let is_header =
            cells.is_empty() && HEADERS.contains(&plain(row.first().map_or("", String::as_str)).as_str());
        if !is_header {
            cells.extend(row.into_iter().next().filter(|cell| !cell.is_empty()));
        }
    }
    Ok(cells)
}

/// What a column of codes is called.
const HEADERS: [&str; 7] = ["sku", "skus", "warehouse_sku", "code", "item", "service", "services"];

impl Iterator for Sheet<'_> {
    type Item = Result<Row, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (number, cells) = match self.rows.next()? {
            Ok(row) => row,
            Err(error) => return Some(Err(error)),
        };
        let columns = &self.columns;
        if let Some(surplus) = cells.iter().skip(columns.len()).find(|cell| !cell.is_empty()) {
            return Some(Err(RowError::of_row(number, surplus_cell(surplus, columns.len()))));
        }
        let cells = columns.iter().zip(cells).filter_map(|(column, cell)| Some(((*column)?, cell))).collect();
        Some(Ok(Row { number, cells }))
    }
}

fn surplus_cell(cell: &str, columns: usize) -> String {
    format!(
        "has more cells than the header's {columns} columns ({}); put cells that hold a separator into quotes",
        shown(cell)
    )
}

/// The text of the file, or why it is none.
fn text(file: &[u8]) -> Result<&str, String> {
    if file.len() > CSV_BYTES {
        return Err(format!("the file has {} bytes; at most {CSV_BYTES} are read", file.len()));
    }
    if file.starts_with(b"PK\x03\x04") || file.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        return Err(
            "this is a workbook, not CSV; in the spreadsheet choose Save As, \"CSV UTF-8\"".to_owned()
        );
    }
    let lines = file.iter().filter(|byte| **byte == b'\n').count();
    if lines > CSV_LINES {
        return Err(format!("the file has {lines} lines; at most {CSV_LINES} are read"));
    }
    let bytes = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    std::str::from_utf8(bytes).map_err(|e| {
        let row = 1 + bytes[..e.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
        format!(
            "the file is not UTF-8 text (first seen in line {row}); save it as \"CSV UTF-8\" in Excel, or with \
             character set \"Unicode (UTF-8)\" in LibreOffice"
        )
    })
}

/// Excel's own first line, `sep=;`.
fn announced_separator(text: &str) -> (Option<u8>, &str) {
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    match line.trim_end().strip_prefix("sep=").map(str::as_bytes) {
        Some([separator @ (b',' | b';' | b'\t')]) => (Some(*separator), rest),
        _ => (None, text),
    }
}

fn knows_header(text: &str, separator: u8) -> bool {
    let header = Rows::of(text, separator, 0).next();
    header.is_some_and(|header| header.is_ok_and(|(number, cells)| header_of(number, &cells).is_ok()))
}

/// The rows of a text that are not empty, with their numbers.
struct Rows<'f> {
    text: &'f str,
    records: csv::StringRecordsIntoIter<Bounded<'f>>,
    left: Rc<Cell<usize>>,
    /// How many bytes have been looked at for line ends, and how many there were.
    counted: usize,
    number: usize,
    is_over: bool,
}

impl<'f> Rows<'f> {
    /// `skipped` rows come before the text.
    fn of(text: &'f str, separator: u8, skipped: usize) -> Self {
        let left = Rc::new(Cell::new(CSV_ROW_BYTES));
        let source = Bounded { rest: text.as_bytes(), left: left.clone() };
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(separator)
            .from_reader(source);
        let records = reader.into_records();
        Self { text, records, left, counted: 0, number: 1 + skipped, is_over: false }
    }

    /// Moves on to the row that begins at or after `stood`, where the reader was before it skipped empty lines.
    fn move_to(&mut self, stood: usize) {
        let bytes = self.text.as_bytes();
        let rest = bytes.get(stood..).unwrap_or_default();
        let start = stood + rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        self.number += lines_in(bytes.get(self.counted..start).unwrap_or_default());
        self.counted = start;
    }

    fn unreadable(&mut self) -> RowError {
        self.is_over = true;
        let why = if self.left.get() == 0 {
            format!("this row or a later one has more than {CSV_ROW_BYTES} bytes; is a quote not closed?")
        } else {
            "cannot be read".to_owned()
        };
        RowError::of_row(self.number, why)
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<(usize, Vec<String>), RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.is_over {
            let Ok(record) = self.records.next()? else { return Some(Err(self.unreadable())) };
            self.left.set(CSV_ROW_BYTES);
            let stood = record.position().and_then(|at| usize::try_from(at.byte()).ok());
            self.move_to(stood.unwrap_or(self.counted));
            let cells: Vec<String> = record.iter().map(|cell| cell.trim().to_owned()).collect();
            if cells.iter().any(|cell| !cell.is_empty()) {
                return Some(Ok((self.number, cells)));
            }
        }
        None
    }
}

/// A text that gives only so many bytes for one row.
struct Bounded<'f> {
    rest: &'f [u8],
    left: Rc<Cell<usize>>,
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(self.rest.len()).min(self.left.get());
        if most == 0 && !self.rest.is_empty() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let (now, rest) = self.rest.split_at(most);
        buffer[..most].copy_from_slice(now);
        self.rest = rest;
        self.left.set(self.left.get() - most);
        Ok(most)
    }
}

fn lines_in(bytes: &[u8]) -> usize {
    let next = bytes.iter().skip(1).chain(std::iter::once(&0));
    bytes
        .iter()
        .zip(next)
        .filter(|(byte, next)| **byte == b'\n' || (**byte == b'\r' && **next != b'\n'))
        .count()
}

/// Which table the header announces, and the column that each cell belongs to (none for an empty one at the end).
fn header_of(number: usize, header: &[String]) -> Result<(Kind, Vec<Option<&'static str>>), Vec<RowError>> {
    if header.len() > CSV_COLUMNS {
        let why = format!("has {} columns; at most {CSV_COLUMNS} are read", header.len());
        return Err(vec![RowError::of_row(number, why)]);
    }
    let names: Vec<String> = header.iter().map(|name| plain(name)).collect();
    let has = |column: &str| names.iter().any(|name| name == column);
    let kind = [Kind::Listings, Kind::Rules]
        .into_iter()
        .find(|kind| kind.needed().iter().all(|column| has(column)))
        .ok_or_else(|| {
            vec![RowError::of_row(number, format!("is no header that is known; {}", expected()))]
        })?;
    let mut errors = Vec::new();
    let mut columns: Vec<Option<&'static str>> = Vec::new();
    for name in &names {
        let column = kind.columns().iter().chain(ALSO_READ).copied().find(|column| column == name);
        if column.is_some() && columns.contains(&column) {
            errors.push(RowError::of_row(number, format!("the column {name} is there twice")));
        }
        if column.is_none() && !name.is_empty() {
            let known = [kind.columns(), ALSO_READ].concat().join(", ");
            errors.push(RowError::of_row(
                number,
                format!("the column {} is not known; {kind} have {known}", shown(name)),
            ));
        }
        columns.push(column);
    }
    if errors.is_empty() { Ok((kind, columns)) } else { Err(errors) }
}

/// A column's name as it is compared: `Warehouse SKU` is `warehouse_sku`.
fn plain(name: &str) -> String {
    name.trim().to_lowercase().replace([' ', '-'], "_")
}

fn expected() -> String {
    let line = |kind: Kind| format!("{} for {kind}", kind.columns().join(","));
    format!("the first row must be {}, or {}", line(Kind::Listings), line(Kind::Rules))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(file: &[u8]) -> Vec<(usize, String, String)> {
        let sheet = read(file).unwrap_or_else(|e| panic!("{e:?}"));
        let rows: Vec<Row> = sheet.map(|row| row.unwrap_or_else(|e| panic!("{e}"))).collect();
        let cells =
            |row: &Row| (row.number, row.cell("sku").to_owned(), row.cell("warehouse_sku").to_owned());
        rows.iter().map(cells).collect()
    }

    fn refused(file: &[u8]) -> String {
        super::super::parse(file).unwrap_err().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_file_is_read_however_a_spreadsheet_saved_it() {
        let expected = [(2, "A".to_owned(), "WA".to_owned()), (4, "B \"x\"".to_owned(), "W;B".to_owned())];
        for file in [
            "sku,warehouse_sku\nA,WA\n\nB \"x\",W;B\n",
            "\u{feff}SKU,Warehouse SKU,Quantity\r\nA , WA,\r\n\r\n\"B \"\"x\"\"\",W;B\r\n\r\n,,\r\n",
            "warehouse-sku;sku;\r\nWA;A;\r\n;;\r\n\"W;B\";\"B \"\"x\"\"\";\r\n;;\r\n",
            "sku\twarehouse_sku\rA\tWA\r\r\"B \"\"x\"\"\"\tW;B\r",
        ] {
            assert_eq!(rows(file.as_bytes()), expected, "{file:?}");
        }
    }

    #[test]
    fn excels_own_first_line_is_understood() {
        assert_eq!(rows(b"sep=;\r\nsku;warehouse_sku\r\nA;WA\r\n"), [(3, "A".into(), "WA".into())]);
    }

    #[test]
    fn what_is_no_csv_is_refused_with_the_cure() {
        for (file, word) in [
            (&b""[..], "empty"),
            (b"sku,warehouse_sku\nM\xfcnze,W\n", "line 2"),
            (b"\xff\xfes\0k\0u\0", "CSV UTF-8"),
            (b"PK\x03\x04 and so on", "workbook"),
            (b"name,price\n", "sku,warehouse_sku,quantity"),
            (b"sku,warehouse_sku,colour\nA,B,red\n", "\"colour\" is not known"),
            (b"sku,warehouse_sku,sku\nA,B,C\n", "twice"),
            (b"sku,warehouse_sku\nA,B,C\n", "row 2: has more cells"),
        ] {
            let text = refused(file);
            assert!(text.contains(word), "{word} in {text}");
        }
    }
}
