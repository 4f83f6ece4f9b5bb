//! A deploy in the middle: processes of the old version and of the new one, side by side, with the same queues and the
//! same ledger. The new version writes messages of a newer format, and more into its records.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::record::Record;
use domain::{Failure, OrderKey};

use crate::coverage::{Fault, Sometimes};
use crate::watch::Watch;

/// The version of the code that a process runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Build {
    /// The one in the repository.
    #[default]
    Old,
    /// The next one. It reads both formats.
    New,
}

const OLD_FORMAT: &str = "{\"v\":1,";
const NEW_FORMAT: &str = "{\"v\":2,";

/// Is this a message that only the next version understands?
pub(crate) fn is_newer(body: &str) -> bool {
    body.starts_with(NEW_FORMAT)
}

impl Build {
    /// A message as this version writes it.
    pub(crate) fn written(self, body: String) -> String {
        match self {
            Self::Old => body,
            Self::New => body.replacen(OLD_FORMAT, NEW_FORMAT, 1),
        }
    }

    /// A message as this version understands it: the new one reads both formats.
    pub(crate) fn understood(self, body: &str, watch: &Watch) -> String {
        let newer = is_newer(body);
        match self {
            Self::Old if newer => watch.fault(Fault::NewerMessage),
            Self::New if !newer => watch.fault(Fault::OlderMessage),
            _ => {}
        }
        if self == Self::New { body.replacen(NEW_FORMAT, OLD_FORMAT, 1) } else { body.to_owned() }
    }
}

#[derive(Default)]
struct Written {
    by_new: BTreeSet<OrderKey>,
    unreadable: BTreeSet<OrderKey>,
    /// Records that the old version has met and could not read.
    met: BTreeSet<OrderKey>,
}

/// The records of a history with a deploy, by who wrote them.
#[derive(Clone)]
pub(crate) struct Formats {
    written: Arc<Mutex<Written>>,
    watch: Watch,
    /// May the new version write what the old one cannot read? Only where there is no way back to the old one.
    breaks: bool,
}

impl Formats {
    pub(crate) fn new(watch: Watch, breaks: bool) -> Self {
        Self { written: Arc::default(), watch, breaks }
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A process of this version has written this record.
    pub(crate) fn wrote(&self, build: Build, key: &OrderKey) {
        let mut written = self.written();
        if build == Build::Old {
            written.by_new.remove(key);
            return;
        }
        written.by_new.insert(key.clone());
        if self.breaks && self.watch.threatens(Fault::UnreadableRecord) {
            written.unreadable.insert(key.clone());
        }
        if written.met.remove(key) {
            self.watch.sometimes(Sometimes::DeployHealed);
        }
    }

    /// The record as a process of this version reads it.
    pub(crate) fn read(&self, build: Build, record: Record) -> Result<Record, Failure> {
        let by_new = {
            let mut written = self.written();
            if build == Build::Old && written.unreadable.contains(&record.key) {
                self.watch.fault(Fault::UnreadableRecord);
                written.met.insert(record.key.clone());
                return Err(Failure::poison("ledger: read", "its record is not understood"));
            }
            written.by_new.contains(&record.key)
        };
        match (build, by_new) {
            (Build::Old, true) => {
                self.watch.fault(Fault::NewerRecord);
                through_text(&record, |fields| {
                    fields.insert("something_new".to_owned(), true.into());
                })
            }
            (Build::New, false) => {
                self.watch.fault(Fault::OlderRecord);
                through_text(&record, |_| {})
            }
            _ => Ok(record),
        }
    }
}

type Fields = serde_json::Map<String, serde_json::Value>;

/// Writes a record as text, changes its fields, and reads it again, as the real ledger does.
fn through_text(record: &Record, change: impl FnOnce(&mut Fields)) -> Result<Record, Failure> {
    let wrong = |e: serde_json::Error| Failure::poison("ledger: read", e.to_string());
    let mut value = serde_json::to_value(record).map_err(wrong)?;
    if let Some(fields) = value.as_object_mut() {
        change(fields);
    }
    serde_json::from_value(value).map_err(wrong)
}
