//! The bytes of a file as rows of named cells, however a spreadsheet saved them.

use std::collections::BTreeMap;

use super::{Kind, RowError};

/// The largest file that is read, in bytes.
const LARGEST: usize = 16 * 1024 * 1024;

/// A file whose header was understood.
pub(super) struct Sheet {
    pub(super) kind: Kind,
    /// What separates its cells.
    pub(super) separator: u8,
    pub(super) rows: Vec<Row>,
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
}

/// Reads the file.
pub(super) fn read(file: &[u8]) -> Result<Sheet, Vec<RowError>> {
    let text = text(file).map_err(|reason| vec![RowError::of_row(0, reason)])?;
    let (first, body) = announced_separator(text);
    let separator =
        first.or_else(|| b",;\t".iter().copied().find(|separator| knows_header(body, *separator)));
    let separator = separator.unwrap_or(b',');
    let skipped = usize::from(first.is_some());
    let mut lines = split(body, separator, skipped)?.into_iter();
    let Some((number, header)) = lines.next() else {
        return Err(vec![RowError::of_row(0, format!("the file is empty; {}", expected()))]);
    };
    let (kind, columns) = header_of(number, &header)?;
    let (mut rows, mut errors) = (Vec::new(), Vec::new());
    for (number, cells) in lines {
        if let Some(surplus) = cells.iter().skip(columns.len()).find(|cell| !cell.is_empty()) {
            errors.push(RowError::of_row(number, surplus_cell(surplus, columns.len())));
            continue;
        }
        let cells = columns.iter().zip(cells).filter_map(|(column, cell)| Some(((*column)?, cell))).collect();
        rows.push(Row { number, cells });
    }
    if errors.is_empty() { Ok(Sheet { kind, separator, rows }) } else { Err(errors) }
}

fn surplus_cell(cell: &str, columns: usize) -> String {
    format!(
        "has more cells than the header's {columns} columns (\"{}\"); put cells that hold a separator into quotes",
        cell.chars().take(30).collect::<String>()
    )
}

/// The text of the file, or why it is none.
fn text(file: &[u8]) -> Result<&str, String> {
    if file.len() > LARGEST {
        return Err(format!("the file has {} bytes; at most {LARGEST} are read", file.len()));
    }
    if file.starts_with(b"PK\x03\x04") || file.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        return Err(
            "this is a workbook, not CSV; in the spreadsheet choose Save As, \"CSV UTF-8\"".to_owned()
        );
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
    let rows = split(text, separator, 0).unwrap_or_default();
    rows.first().is_some_and(|(number, cells)| header_of(*number, cells).is_ok())
}

/// All rows that are not empty, with their numbers. `skipped` rows come before the text.
fn split(text: &str, separator: u8, skipped: usize) -> Result<Vec<(usize, Vec<String>)>, Vec<RowError>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .from_reader(text.as_bytes());
    let (mut rows, mut counted, mut number) = (Vec::new(), 0, 1 + skipped);
    for record in reader.records() {
        let record = record.map_err(|e| vec![RowError::of_row(number, format!("cannot be read: {e}"))])?;
        // The position is where the reader stood before it skipped empty lines.
        let stood = record.position().map_or(counted, |at| usize::try_from(at.byte()).unwrap_or(counted));
        let rest = text.as_bytes().get(stood..).unwrap_or_default();
        let start = stood + rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        number += lines_in(text.as_bytes().get(counted..start).unwrap_or_default());
        counted = start;
        let cells: Vec<String> = record.iter().map(|cell| cell.trim().to_owned()).collect();
        if cells.iter().any(|cell| !cell.is_empty()) {
            rows.push((number, cells));
        }
    }
    Ok(rows)
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
        let column = kind.columns().iter().copied().find(|column| column == name);
        if column.is_some() && columns.contains(&column) {
            errors.push(RowError::of_row(number, format!("the column {name} is there twice")));
        }
        if column.is_none() && !name.is_empty() {
            let known = kind.columns().join(", ");
            errors.push(RowError::of_row(
                number,
                format!("the column \"{name}\" is not known; {kind} have {known}"),
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
        let cells =
            |row: &Row| (row.number, row.cell("sku").to_owned(), row.cell("warehouse_sku").to_owned());
        sheet.rows.iter().map(cells).collect()
    }

    fn refused(file: &[u8]) -> String {
        read(file).err().unwrap().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
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
