//! How large may what comes from outside be? Every limit of every reader, with its reason. What is beyond is refused.
//!
//! A refusal takes at most four times the input's size in memory (plus [`ROOM_BYTES`]) and no longer than looking at the
//! input once. The attack files of `tests/fuzz` hold every limit to that.

/// The memory that reading may take whatever the size of the input is.
pub const ROOM_BYTES: usize = 8 * MIB;

/// What any outside system may answer. A page of 1,000 shipments has about 1 MB.
pub const ANSWER_BYTES: usize = 4 * MIB;

/// A document of the store. A real order has about 5 KB, a page of a list about 10 KB.
pub const STORE_DOCUMENT_BYTES: usize = MIB;

/// Tags, texts, references and comments of a document of the store; an order line has about 60.
pub const STORE_PIECES: u32 = 20_000;

/// The longest text of one element of the store. Its forms take far less.
pub const STORE_TEXT_BYTES: usize = 64 * KIB;

/// All texts of one order together: packed, with its record, it has to fit an item of DynamoDB (400 KB).
pub const ORDER_TEXT_BYTES: usize = 256 * KIB;

/// How deep elements of XML may lie in each other. The store's documents need 5, warehouses' about 8.
pub const XML_DEPTH: usize = 32;

/// Attributes of one element. The store's documents have 2 at most, warehouses' about 20.
pub const XML_ATTRIBUTES: usize = 64;

/// Elements of a warehouse's document: 1,000 shipments of 20 elements each.
pub const XML_ELEMENTS: usize = 20_000;

/// How deep values of JSON may lie in each other. Warehouses' documents need about 6.
pub const JSON_DEPTH: usize = 32;

/// Digits of one number of JSON. A double has 17, and at most 767 that mean anything.
pub const JSON_DIGITS: usize = 1_000;

/// The token in a notification of the store; order numbers have 9 digits.
pub const TOKEN_BYTES: usize = 200;

/// Where a warehouse says that its next page begins: it is kept in the ledger and sent back in an address.
pub const BOOKMARK_BYTES: usize = 2 * KIB;

/// The body of a webhook or a notification. It is answered 413 before anything is made of it.
pub const WEBHOOK_BYTES: usize = 256 * KIB;

/// Numbers that one package had before. A label is replaced once or twice; the oldest are forgotten first.
pub const EARLIER_NUMBERS: usize = 16;

/// Shipments in one webhook: each is written into the ledger before the sender is answered.
pub const WEBHOOK_SHIPMENTS: usize = 500;

/// A message of a queue. Ours have less than 2 KB.
pub const MESSAGE_BYTES: usize = 4 * KIB;

/// A mapping file: 100,000 rows of 80 bytes.
pub const CSV_BYTES: usize = 8 * MIB;

/// Lines of a mapping file, which has a row in most of them.
pub const CSV_LINES: usize = 100_000;

/// One row of a mapping file, and what is empty before it. A quote that is not closed makes all that follows one row.
pub const CSV_ROW_BYTES: usize = 64 * KIB;

/// Columns of a mapping file; the widest table has 6. Spreadsheets save empty ones, too.
pub const CSV_COLUMNS: usize = 64;

/// Parts of one kit.
pub const KIT_PARTS: usize = 100;

/// Shipping rules: each order is compared with one after the other.
pub const SHIPPING_RULES: usize = 1_000;

/// How many mistakes of a file are told at once. Nobody reads more.
pub const MISTAKES: usize = 100;

/// The settings file. One connection has about 2 KB.
pub const SETTINGS_BYTES: usize = 128 * KIB;

/// Signs of the settings file that part one thing from the next: line ends, dots, equals signs, brackets, commas. One
/// connection has about 200. (A reader of TOML takes a hundred bytes of memory for each.)
pub const SETTINGS_SIGNS: usize = 20_000;

/// Settings of one side of a connection; the generic warehouse adapter knows about 90.
pub const SETTINGS_OF_A_SIDE: usize = 500;

/// A record or an order of the ledger, unpacked. Packed, it has to fit an item of DynamoDB (400 KB).
pub const RECORD_BYTES: usize = 4 * MIB;

/// A mapping of the ledger, unpacked: what the largest file makes, several times over.
pub const MAPPING_BYTES: usize = 64 * MIB;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
