//! What every queue must do: both ends of it.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::OrderId;
use domain::message::Message;
use domain::ports::{Clock, DeadLetter, Delivery, Incoming, Outgoing};
use futures_util::future::BoxFuture;

use crate::build::key;

/// A queue that is empty at first, and what the contract must know of it.
pub struct Queue<'a> {
    /// Its near end.
    pub outgoing: &'a dyn Outgoing,
    /// Its far end.
    pub incoming: &'a dyn Incoming,
    /// The time that the queue lives by.
    pub clock: &'a dyn Clock,
    /// How long a delivered message stays invisible.
    pub visibility: Duration,
    /// After how many deliveries a message becomes a dead letter by itself.
    pub max_receive: u32,
    /// Takes all dead letters off, oldest first.
    pub dead_letters: &'a (dyn Fn() -> BoxFuture<'a, Vec<DeadLetter>> + Sync),
}

/// Runs the whole contract.
///
/// # Panics
/// When a promise is not kept.
pub async fn queue(queue: &Queue<'_>) {
    what_was_sent_is_received_once_while_it_is_invisible(queue).await;
    what_is_not_deleted_comes_again_and_is_counted(queue).await;
    a_delay_takes_the_place_of_the_visibility_time_out(queue).await;
    more_than_ten_are_sent_and_received_in_tens(queue).await;
    a_dead_letter_keeps_kind_and_reason(queue).await;
    what_nobody_deletes_becomes_a_dead_letter(queue).await;
}

impl Queue<'_> {
    #[expect(clippy::expect_used, reason = "a contract fails by panicking")]
    async fn send(&self, orders: std::ops::Range<u64>) {
        let messages: Vec<Message> = orders.map(|id| Message::forward(&key("queue", id))).collect();
        self.outgoing.send(&messages).await.expect("send");
    }

    #[expect(clippy::expect_used, reason = "a contract fails by panicking")]
    async fn receive(&self) -> Vec<Delivery> {
        self.incoming.receive(10, Duration::ZERO).await.expect("receive")
    }

    /// Receives until there is something: a queue of many machines may answer empty once. Bounded.
    async fn receive_something(&self) -> Vec<Delivery> {
        for _ in 0..10 {
            let got = self.receive().await;
            if !got.is_empty() {
                return got;
            }
        }
        Vec::new()
    }

    #[expect(clippy::expect_used, reason = "a contract fails by panicking")]
    async fn delete(&self, delivery: &Delivery) {
        self.incoming.delete(delivery).await.expect("delete");
    }

    async fn visibility_passes(&self) {
        self.clock.sleep(self.visibility + Duration::from_millis(200)).await;
    }
}

fn order_of(delivery: &Delivery) -> Option<OrderId> {
    match Message::decode(&delivery.body) {
        Ok(Message::Forward { order, .. }) => Some(order),
        _ => None,
    }
}

async fn what_was_sent_is_received_once_while_it_is_invisible(queue: &Queue<'_>) {
    assert_eq!(queue.receive().await, [], "an empty queue gives nothing");
    queue.send(1..2).await;
    let got = queue.receive_something().await;
    assert_eq!(got.iter().filter_map(order_of).collect::<Vec<_>>(), [OrderId(1)]);
    assert_eq!(got[0].count, 1);
    assert_eq!(queue.receive().await, [], "invisible while somebody has it");
    queue.delete(&got[0]).await;
    queue.delete(&got[0]).await;
    queue.visibility_passes().await;
    assert_eq!(queue.receive().await, [], "deleted for good");
}

async fn what_is_not_deleted_comes_again_and_is_counted(queue: &Queue<'_>) {
    queue.send(2..3).await;
    let first = queue.receive_something().await;
    queue.visibility_passes().await;
    let second = queue.receive_something().await;
    assert_eq!(second.iter().filter_map(order_of).collect::<Vec<_>>(), [OrderId(2)]);
    assert_eq!((first[0].count, second[0].count), (1, 2));
    assert_eq!(first[0].id, second[0].id, "the same message");
    queue.delete(&second[0]).await;
}

#[expect(clippy::expect_used, reason = "a contract fails by panicking")]
async fn a_delay_takes_the_place_of_the_visibility_time_out(queue: &Queue<'_>) {
    queue.send(3..4).await;
    let got = queue.receive_something().await;
    queue.incoming.delay(&got[0], Duration::ZERO).await.expect("delay");
    let again = queue.receive_something().await;
    assert_eq!(again.iter().filter_map(order_of).collect::<Vec<_>>(), [OrderId(3)], "at once");

    queue.incoming.delay(&again[0], queue.visibility * 3).await.expect("delay");
    queue.visibility_passes().await;
    assert_eq!(queue.receive().await, [], "not before the delay is over");
    queue.clock.sleep(queue.visibility * 2).await;
    let last = queue.receive_something().await;
    assert_eq!(last.iter().filter_map(order_of).collect::<Vec<_>>(), [OrderId(3)]);
    queue.delete(&last[0]).await;
}

#[expect(clippy::expect_used, reason = "a contract fails by panicking")]
async fn more_than_ten_are_sent_and_received_in_tens(queue: &Queue<'_>) {
    queue.outgoing.send(&[]).await.expect("nothing to send is no failure");
    queue.send(100..123).await;
    let mut seen = BTreeSet::new();
    for _ in 0..40 {
        let got = queue.receive().await;
        assert!(got.len() <= 10, "at most ten at once");
        for delivery in &got {
            seen.extend(order_of(delivery));
            queue.delete(delivery).await;
        }
        if seen.len() == 23 {
            break;
        }
    }
    assert_eq!(seen, (100..123).map(OrderId).collect());
    let three = queue.incoming.receive(3, Duration::ZERO).await.expect("receive");
    assert_eq!(three, []);
}

#[expect(clippy::expect_used, reason = "a contract fails by panicking")]
async fn a_dead_letter_keeps_kind_and_reason(queue: &Queue<'_>) {
    let letter = DeadLetter {
        body: r#"{"v":9,"do":"dance","name":"Zoë & <Co>"}"#.to_owned(),
        kind: "poison".to_owned(),
        reason: "version 9 is unknown here; this build reads 1 – \"sorry\"".to_owned(),
    };
    queue.incoming.dead_letter(&letter).await.expect("dead letter");
    assert_eq!((queue.dead_letters)().await, [letter]);
}

async fn what_nobody_deletes_becomes_a_dead_letter(queue: &Queue<'_>) {
    queue.send(7..8).await;
    for count in 1..=queue.max_receive {
        let got = queue.receive_something().await;
        assert_eq!(got.first().map(|delivery| delivery.count), Some(count));
        queue.visibility_passes().await;
    }
    assert_eq!(queue.receive().await, [], "delivered often enough");
    let letters = (queue.dead_letters)().await;
    let bodies: Vec<&str> = letters.iter().map(|letter| letter.body.as_str()).collect();
    assert_eq!(bodies, [Message::forward(&key("queue", 7)).encode()]);
}
