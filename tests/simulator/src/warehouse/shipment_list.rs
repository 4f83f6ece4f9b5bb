//! The parcels of the warehouse in the order of leaving, found by id, by order and by reference without a look at the
//! others; and the feed's order, in which a parcel that is taken back comes once more.

use std::collections::BTreeMap;

use super::state::Shipment;

/// All parcels. What they are found by never changes, but for their place in the feed.
#[derive(Debug, Default)]
pub(super) struct ShipmentList {
    all: Vec<Shipment>,
    by_id: BTreeMap<String, usize>,
    by_order: BTreeMap<String, Vec<usize>>,
    by_reference: BTreeMap<String, Vec<usize>>,
    feed: BTreeMap<u64, usize>,
    sequence: u64,
    voided: usize,
}

impl ShipmentList {
    /// Takes a parcel as the newest of the feed; gives its position.
    pub(super) fn push(&mut self, mut shipment: Shipment) -> usize {
        let position = self.all.len();
        self.sequence += 1;
        shipment.sequence = self.sequence;
        self.feed.insert(self.sequence, position);
        self.by_id.insert(shipment.id.clone(), position);
        self.by_order.entry(shipment.order_id.clone()).or_default().push(position);
        self.by_reference.entry(shipment.reference.clone()).or_default().push(position);
        self.all.push(shipment);
        position
    }

    /// Takes a parcel back, which makes it the newest of the feed; gives its position, none when there is no such parcel
    /// or it is back already.
    pub(super) fn void(&mut self, id: &str) -> Option<usize> {
        let position = *self.by_id.get(id)?;
        let shipment = self.all.get_mut(position).filter(|shipment| !shipment.voided)?;
        self.sequence += 1;
        self.voided += 1;
        self.feed.remove(&shipment.sequence);
        self.feed.insert(self.sequence, position);
        (shipment.voided, shipment.complete, shipment.sequence) = (true, false, self.sequence);
        Some(position)
    }

    /// A parcel completes its order, or does not.
    pub(super) fn set_complete(&mut self, position: usize, complete: bool) {
        if let Some(shipment) = self.all.get_mut(position) {
            shipment.complete = complete;
        }
    }

    /// All of them, in the order of leaving.
    pub(super) fn all(&self) -> &[Shipment] {
        &self.all
    }

    pub(super) fn get(&self, position: usize) -> Option<&Shipment> {
        self.all.get(position)
    }

    /// The parcel with this id.
    pub(super) fn with_id(&self, id: &str) -> Option<&Shipment> {
        self.by_id.get(id).and_then(|position| self.all.get(*position))
    }

    /// The parcels of an order that were not taken back.
    pub(super) fn gone(&self, order_id: &str) -> impl Iterator<Item = &Shipment> {
        self.at(self.by_order.get(order_id)).filter(|shipment| !shipment.voided)
    }

    /// What changed after this place of the feed, oldest first.
    pub(super) fn after(&self, sequence: u64) -> impl Iterator<Item = &Shipment> {
        let newer = self.feed.range(sequence.saturating_add(1)..);
        newer.filter_map(|(_, position)| self.all.get(*position))
    }

    /// The parcels with this reference, in the order of leaving.
    pub(super) fn with_reference(&self, reference: &str) -> impl Iterator<Item = &Shipment> {
        self.at(self.by_reference.get(reference))
    }

    /// How many left and were not taken back.
    pub(super) fn live(&self) -> usize {
        self.all.len() - self.voided
    }

    fn at(&self, positions: Option<&Vec<usize>>) -> impl Iterator<Item = &Shipment> {
        let positions = positions.map(Vec::as_slice).unwrap_or_default();
        positions.iter().filter_map(|position| self.all.get(*position))
    }
}
