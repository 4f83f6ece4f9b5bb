//! What has happened before a test begins: an order is in the ledger, the warehouse has it, a parcel has left.

use adapters::clock::{SystemClock, SystemRandomness};
use domain::fulfillment::{FulfillmentRequest, reference};
use domain::intake::Intake;
use domain::life::{Pace, Step, later};
use domain::mapping::Mapped;
use domain::message::Message;
use domain::money::Money;
use domain::order::Order;
use domain::ports::{Clock, Ledger, Partners, Read, Saved};
use domain::record::Record;
use domain::shipment::ShipmentNotice;
use domain::warehouse::Creation;
use domain::{OrderId, Reference};
use jiff::Timestamp;
use simulator::warehouse::{Parcels, Shipment};

use crate::cloud::Cloud;

impl Cloud {
    /// The order is in the ledger and somebody looks at it tomorrow; gives the message that a poll would have queued.
    pub async fn import(&self, order: u64) -> Message {
        self.import_until(order, self.much_later()).await
    }

    /// The order is in the ledger, and the message that should have been queued is lost: it is overdue.
    pub async fn import_and_lose(&self, order: u64) {
        self.import_until(order, SystemClock.now()).await;
    }

    /// So many orders of three lines each are in the ledger; gives their messages. They are copies of one that is in the
    /// store, which does not let itself be asked for thousands in a moment.
    pub async fn import_many(&self, count: usize) -> Vec<Message> {
        let (connection, later) = (&self.connection, self.much_later());
        let store = self.partners.store(connection).await.expect("the store's adapter");
        let first = self.sell_lines(3);
        let read = store.orders.read(&first.to_string()).await.expect("the store answers");
        let Read::Order(order) = read else { panic!("not an order: {read:?}") };
        let (mut messages, dice) = (Vec::new(), SystemRandomness::default());
        for number in 0..u64::try_from(count).expect("not that many") {
            let id = OrderId(first * 1_000_000 + number);
            let copy = Read::Order(Box::new(Order { id, ..(*order).clone() }));
            let push = self.intake(&dice).take_in(connection, id, &copy, later).await;
            messages.push(push.expect("the ledger takes the order").expect("it is ready to be sent"));
        }
        messages
    }

    async fn import_until(&self, order: u64, expected: Timestamp) -> Message {
        let (connection, id) = (&self.connection, OrderId(order));
        let store = self.partners.store(connection).await.expect("the store's adapter");
        let read = store.orders.read(&order.to_string()).await.expect("the store answers");
        self.ledger.expect(&connection.id, expected, &[id]).await.expect("the ledger takes a date");
        let dice = SystemRandomness::default();
        let push = self.intake(&dice).take_in(connection, id, &read, expected).await;
        push.expect("the ledger takes the order").expect("it is ready to be sent")
    }

    /// The warehouse has the order, and the ledger knows.
    pub async fn forwarded(&self, order: u64) {
        self.import(order).await;
        let (record, request) = self.request(order).await;
        let warehouse = self.partners.warehouse(&self.connection).await.expect("the warehouse's adapter");
        let created = warehouse.orders.create(&request).await;
        let Creation::Accepted(id) = created else { panic!("not accepted: {created:?}") };
        let until = later(SystemClock.now(), Pace::default().lease);
        let claim =
            Step::Claim { until, units: request.units(), mapping: self.mapping.version, digest: None };
        let record = self.advance(record, claim).await;
        self.advance(record, Step::Accept { id, how: "" }).await;
    }

    /// The warehouse has shipped the order in one parcel, and the ledger does not know.
    pub async fn shipped(&self, order: u64) -> Shipment {
        self.forwarded(order).await;
        self.ship(order)
    }

    /// Everything of an order leaves the warehouse in one parcel.
    ///
    /// # Panics
    /// When the warehouse does not have it.
    pub fn ship(&self, order: u64) -> Shipment {
        let name = self.reference(order).to_string();
        self.warehouse.ship(&name, &Parcels::One).pop().expect("something to ship")
    }

    /// The warehouse has shipped the order and the ledger knows; gives the parcel, and the message that queues its post.
    pub async fn heard(&self, order: u64) -> (Shipment, Message) {
        let shipment = self.shipped(order).await;
        let warehouse = self.partners.warehouse(&self.connection).await.expect("the warehouse's adapter");
        let feed = warehouse.notices.feed().expect("the warehouse can be polled");
        let notices = feed.page(None).await.expect("the warehouse answers").notices;
        let is_it = |notice: &&ShipmentNotice| notice.package.as_str() == shipment.id;
        let notice = notices.iter().find(is_it).expect("the parcel is in the feed");
        let dice = SystemRandomness::default();
        let push = self.intake(&dice).arrive(&self.connection.id, notice).await;
        (shipment, push.expect("the ledger takes the parcel").expect("there is something to post"))
    }

    /// Our reference of an order.
    #[must_use]
    pub fn reference(&self, order: u64) -> Reference {
        reference(&self.key(order), 0, usize::MAX).expect("a reference")
    }

    fn intake<'a>(&'a self, dice: &'a SystemRandomness) -> Intake<'a> {
        Intake { ledger: &self.ledger, clock: &SystemClock, dice, by: "test" }
    }

    async fn request(&self, order: u64) -> (Record, FulfillmentRequest) {
        let open = self.ledger.open(&self.key(order), true).await.expect("the ledger answers");
        let Some((record, Some(body))) = open else { panic!("order {order} is not in the ledger") };
        let mapped = self.mapping.resolve(&body, &self.connection.policies);
        let Ok(Mapped::Ship { lines, service }) = mapped else { panic!("nothing to ship: {mapped:?}") };
        let request = FulfillmentRequest {
            reference: self.reference(order),
            order_number: order.to_string(),
            ordered_at: SystemClock.now(),
            ship_to: body.ship_to.expect("an address"),
            lines,
            service,
            comments: body.comments,
            total: Money { amount: body.total, currency: body.currency },
        };
        (record, request)
    }

    async fn advance(&self, record: Record, step: Step) -> Record {
        let dice = SystemRandomness::default();
        let next = record.step(step, self.intake(&dice).stamp()).expect("an allowed step");
        let saved = self.ledger.save(&record, &next).await.expect("the ledger takes the step");
        assert_eq!(saved, Saved::Done);
        next
    }
}
