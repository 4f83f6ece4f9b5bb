//! Contact data of buyers that were read a moment ago, so that one buyer's orders cost one READ.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::records::Contact;

/// How many buyers are remembered.
const MOST: usize = 256;
/// For how long: a correction in the store arrives after this time at the latest.
const FRESH_FOR: Duration = Duration::from_secs(600);

/// The buyers that were read lately, by their number.
#[derive(Default)]
pub(super) struct Contacts(Mutex<HashMap<u64, (Timestamp, Contact)>>);

impl Contacts {
    /// What is known of a buyer.
    pub(super) fn get(&self, client: u64, now: Timestamp) -> Option<Contact> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&client).filter(|(since, _)| is_fresh(*since, now)).map(|(_, contact)| contact.clone())
    }

    /// Remembers a buyer, in place of the one who was read longest ago where there is no room.
    pub(super) fn put(&self, client: u64, contact: Contact, now: Timestamp) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.retain(|_, (since, _)| is_fresh(*since, now));
        }
        if known.len() >= MOST
            && let Some(oldest) = known.iter().min_by_key(|(_, (since, _))| *since).map(|(id, _)| *id)
        {
            known.remove(&oldest);
        }
        known.insert(client, (now, contact));
    }
}

fn is_fresh(since: Timestamp, now: Timestamp) -> bool {
    now.duration_since(since).unsigned_abs() < FRESH_FOR
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_buyer_is_forgotten_after_ten_minutes() {
        let contacts = Contacts::default();
        contacts.put(7, Contact::default(), at(0));
        assert!(contacts.get(7, at(599)).is_some());
        assert!(contacts.get(7, at(600)).is_none());
        assert!(contacts.get(8, at(0)).is_none());
    }

    #[test]
    fn there_is_room_for_so_many_only() {
        let contacts = Contacts::default();
        for client in 0..300 {
            contacts.put(client, Contact::default(), at(client.try_into().unwrap()));
        }
        assert_eq!(contacts.0.lock().unwrap().len(), MOST);
        assert!(contacts.get(43, at(299)).is_none());
        assert!(contacts.get(44, at(299)).is_some());
    }
}
