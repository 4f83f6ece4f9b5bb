//! The shop's buyers: made-up people at made-up addresses, in several countries and alphabets.

use crate::store::{ClientSpec, ShipTo};

/// First name, last name, line 1, line 2, city, zip, state, country.
type Row = [&'static str; 8];

const BUYERS: [Row; 12] = [
    ["Avery", "Example", "100 Sample Street", "Unit 4", "Springfield", "62701", "Illinois", "United States"],
    ["Jordan", "Muster", "12 Rue de l’Exemple", "", "Montréal", "H2X 1Y4", "Quebec", "Canada"],
    ["Siân", "O'Neill-Ward", "5 Sample Mews", "Flat 2", "London", "SW1A 1AA", "", "United Kingdom"],
    ["Jörg", "Müßig", "Beispielstraße 7", "", "Köln", "50667", "Nordrhein-Westfalen", "Germany"],
    ["花子", "山田", "例町1-2-3", "サンプルビル 4F", "千代田区", "100-0001", "Tokyo", "Japan"],
    ["Robin", "Sample", "9 Test Avenue", "", "Portland", "97201", "Oregon", "United States"],
    [
        "María José",
        "Ejemplo",
        "48 Placeholder Blvd",
        "Apt \"B\"",
        "Miami",
        "33101",
        "Florida",
        "United States",
    ],
    ["Sam", "Testwell", "77 Demo Road & Lane", "", "Austin", "73301", "Texas", "United States"],
    ["Noor", "Placeholder", "3 Fixture Court", "", "Boise", "83701", "Idaho", "United States"],
    ["Kim", "Specimen", "250 Mockingbird Way", "Suite 10", "Denver", "80202", "Colorado", "United States"],
    ["Alex", "Dummy", "1 Nowhere Place", "", "Honolulu", "96801", "Hawaii", "United States"],
    ["Chris", "Model", "64 Pattern Street", "", "Burlington", "05401", "Vermont", "United States"],
];

const FIRST: u64 = 700_200_001;

/// How many buyers there are.
pub(super) const COUNT: u64 = BUYERS.len() as u64;

/// The number of a buyer, counted from 0 and around.
pub(super) fn client(index: u64) -> u64 {
    FIRST + index % COUNT
}

/// The buyers' records. Some lack a phone or an e-mail address, as real ones do.
#[must_use]
pub fn clients() -> Vec<ClientSpec> {
    BUYERS.iter().zip(0..).map(|(row, index)| record(row, index)).collect()
}

fn record(row: &Row, index: u64) -> ClientSpec {
    let [first_name, last_name, line1, line2, city, zip, state, country] = row.map(str::to_owned);
    let digits = 100 + index;
    ClientSpec {
        id: client(index),
        email: (index != 8).then(|| format!("buyer{index}@example.com")),
        first_name,
        last_name,
        line1,
        line2,
        city,
        zip,
        state,
        country,
        phone: (index % 4 != 3).then(|| format!("555-0{digits}")),
        work_phone: (index == 3).then(|| format!("555-0{digits}")),
    }
}

/// The address that a buyer has things sent to.
pub(super) fn address(index: u64) -> ShipTo {
    let row = BUYERS.iter().cycle().nth((index % COUNT) as usize).unwrap_or(&BUYERS[0]);
    let [first, last, line1, line2, city, zip, state, country] = row.map(str::to_owned);
    let residential = index % 3 != 1;
    ShipTo { name: format!("{first} {last}"), line1, line2, city, zip, state, country, residential }
}
