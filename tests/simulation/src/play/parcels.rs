//! What leaves the warehouse in a history, and the webhooks that tell of it.

use domain::fulfillment::order_of;
use domain::record::Record;
use testkit::model::Books;

use super::Play;
use super::processes::deadline;
use crate::coverage::Fault;
use crate::desk::Told;
use crate::history::Work;
use crate::scene::{Event, MINUTE};
use crate::wms::LONGEST_PACKING;

impl Play {
    /// The parcels of what is packed leave.
    pub(super) fn ship(&mut self) {
        let now = self.now();
        for site in 0..self.world.sites.len() {
            // In peace it hurries; what waits for goods waits all the same.
            let by = if self.hostile { now } else { now + LONGEST_PACKING };
            let packed = self.world.sites[site].wms.truth().packed(by);
            packed.into_iter().for_each(|place| self.ship_order(site, place));
        }
    }

    pub(super) fn ship_order(&mut self, site: usize, place: usize) {
        self.happened += 1;
        let parcels = 1 + (place as u32) % 2;
        for parcel in 0..parcels {
            let wms = &self.world.sites[site].wms;
            let Some(notice) = wms.ship(place, parcel, parcels) else { continue };
            let told = wms.truth().shipped.len() - 1;
            if !self.is_accepted(site, &notice.reference) {
                self.watch.fault(Fault::ShipsEarly);
            }
            self.world.net.note(|| format!("package {} of {} leaves", notice.package, notice.reference));
            self.tell(site, told);
            if self.watch.threatens(Fault::VoidedParcel) {
                let at = self.now() + self.dice.below(20 * MINUTE);
                self.agenda.at(at, Event::Relabel(site, notice.package));
            }
        }
    }

    pub(super) fn is_accepted(&self, site: usize, reference: &domain::Reference) -> bool {
        let id = &self.world.sites[site].connection.id;
        let Some(order) = order_of(reference, id) else { return false };
        let accepted = |record: &Record| record.warehouse_order.is_some();
        self.world.model.with(id, |books| books.records.get(&order).is_some_and(accepted))
    }

    /// Is the order of a parcel done with in our books?
    fn is_done(&self, site: usize, place: usize) -> bool {
        let there = &self.world.sites[site];
        let id = &there.connection.id;
        let truth = there.wms.truth();
        let order = truth.shipped.get(place).and_then(|notice| order_of(&notice.reference, id));
        let done = |books: &mut Books| {
            order.and_then(|order| books.records.get(&order)).is_some_and(Record::is_finished)
        };
        self.world.model.with(id, done)
    }

    /// Webhooks tell of a notice: late, repeated, out of order, or not at all.
    pub(super) fn tell(&mut self, site: usize, place: usize) {
        let told = if self.scene.hints_only { Told::Changed(place) } else { Told::Package(place) };
        let body = told.body();
        // What is not in a feed either, and comes when the order is done with, nobody can know of.
        let is_all = !self.scene.feeds && self.is_done(site, place);
        if !is_all && self.watch.strikes(Fault::WebhookLost) {
            return;
        }
        let fifty = self.watch.strikes(Fault::FiftyNotices);
        let times = if fifty { 50 } else { 1 + self.dice.below(2) };
        let within = if self.dice.per_mille(500) { 500 } else { 10 * MINUTE };
        for _ in 0..times {
            let at = self.now() + self.dice.below(within);
            self.send_webhook(at, site, body.clone());
        }
        if self.watch.strikes(Fault::OldNotice) {
            let at = self.now() + self.dice.between(2 * 60 * MINUTE, 30 * 60 * MINUTE);
            self.send_webhook(at, site, body);
        }
    }

    pub(super) fn send_webhook(&mut self, at: u64, site: usize, body: Vec<u8>) {
        let id = self.next_webhook;
        self.next_webhook += 1;
        self.agenda.at(at, Event::Webhook(site, id, body, 0));
    }

    pub(super) fn webhook(&mut self, site: usize, id: u64, body: Vec<u8>, tries: u32) {
        let place =
            std::str::from_utf8(&body).ok().and_then(|text| text.strip_prefix("package ")?.parse().ok());
        let reference = place.and_then(|place: usize| {
            self.world.sites[site].wms.truth().shipped.get(place).map(|notice| notice.reference.clone())
        });
        if reference.is_some_and(|reference| !self.is_accepted(site, &reference)) {
            self.watch.fault(Fault::NoticeEarly);
        }
        let later = self.now() + deadline() + MINUTE;
        self.agenda.at(later, Event::Answered(site, id, body.clone(), tries + 1));
        self.start(Work::Webhook { site, id, body });
    }
}
