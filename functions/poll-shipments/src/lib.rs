//! Asks each warehouse what it has shipped: for those that send no webhooks, and for webhooks that got lost.

use std::sync::Arc;

use domain::connection::Connection;
use domain::fulfillment::order_of;
use domain::intake::Intake;
use domain::message::Message;
use domain::ports::{Clock, Connections, Ledger, Outgoing, Partners, Randomness};
use domain::shipment::ShipmentNotice;
use domain::warehouse::{FeedPage, ShipmentFeed};
use domain::{ConnectionId, Failure};
use futures_util::StreamExt;
use jiff::Timestamp;

/// How the story and the logs call this use case.
pub const NAME: &str = "poll-shipments";

/// How many connections are polled at the same time in one run.
const AT_ONCE: usize = 32;

/// The use case with its ports.
#[derive(Clone)]
pub struct PollShipments {
    /// Which connections there are.
    pub connections: Arc<dyn Connections>,
    /// Their warehouses.
    pub partners: Arc<dyn Partners>,
    /// The truth.
    pub ledger: Arc<dyn Ledger>,
    /// The queue of tracking to post.
    pub shipments: Arc<dyn Outgoing>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Names for writes.
    pub dice: Arc<dyn Randomness>,
}

impl PollShipments {
    /// Polls every enabled connection whose turn it is. A failure of one does not touch the others. The numbers are
    /// packages that were read.
    ///
    /// # Errors
    /// When the connections cannot be read.
    pub async fn run(
        &self,
        until: Timestamp,
    ) -> Result<Vec<(ConnectionId, Result<usize, Failure>)>, Failure> {
        let minute = self.clock.now().as_second() / 60;
        let is_turn = |c: &Connection| minute % i64::from(c.schedule.shipments_minutes.max(1)) == 0;
        let due: Vec<Connection> =
            self.connections.all().await?.into_iter().filter(|c| c.runs() && is_turn(c)).collect();
        let polls = due.into_iter().map(|connection| async move {
            let polled = self.poll(&connection, until).await;
            (connection.id, polled)
        });
        Ok(futures_util::stream::iter(polls).buffer_unordered(AT_ONCE).collect().await)
    }

    /// Polls one connection, page by page, while there is time. Says how many packages it read.
    ///
    /// # Errors
    /// Those of the warehouse, the ledger and the queue. The bookmark has not moved past anything that is not in the
    /// ledger.
    pub async fn poll(&self, connection: &Connection, until: Timestamp) -> Result<usize, Failure> {
        let warehouse = self.partners.warehouse(connection).await?;
        let Some(feed) = warehouse.notices.feed() else { return Ok(0) };
        let mut bookmark = self.ledger.bookmark(&connection.id).await?;
        let mut read = 0;
        loop {
            let page = feed.page(bookmark.as_deref()).await?;
            read += page.notices.len();
            self.keep(connection, feed.as_ref(), &page).await?;
            if let Some(next) = page.bookmark.as_ref().filter(|next| bookmark.as_ref() != Some(next)) {
                self.ledger.set_bookmark(&connection.id, next).await?;
            } else {
                return Ok(read);
            }
            bookmark = page.bookmark;
            if !page.more || self.clock.now() >= until {
                return Ok(read);
            }
        }
    }

    /// Writes a page into the ledger, queues what is to be posted, and only then tells the warehouse that we have it.
    async fn keep(
        &self,
        connection: &Connection,
        feed: &dyn ShipmentFeed,
        page: &FeedPage,
    ) -> Result<(), Failure> {
        let intake = Intake {
            ledger: self.ledger.as_ref(),
            clock: self.clock.as_ref(),
            dice: self.dice.as_ref(),
            by: NAME,
        };
        let mut push: Vec<Message> = Vec::new();
        // A feed is that of the warehouse's whole account: what other channels have sold is in it as well.
        let is_ours = |notice: &&ShipmentNotice| order_of(&notice.reference, &connection.id).is_some();
        let ours: Vec<ShipmentNotice> = page.notices.iter().filter(is_ours).cloned().collect();
        for notice in &ours {
            let message = intake.arrive(&connection.id, notice).await?;
            push.extend(message.filter(|message| !push.contains(message)));
        }
        for why in &page.unreadable {
            intake
                .park(&connection.id, why.clone(), format!("a shipment of the feed: {why}"), Vec::new())
                .await?;
        }
        self.shipments.send(&push).await?;
        if ours.is_empty() { Ok(()) } else { feed.acknowledge(&ours).await }
    }
}
