//! Tries out what a store allows, reading only.

use std::time::Duration;

use async_trait::async_trait;
use domain::Failure;
use domain::ports::{Finding, OrderSource, Probe, ProductSource, Read, SinkMode, TrackingSink, Window};

use super::client::{Client, Parameter};
use super::list;
use super::records;

#[async_trait]
impl Probe for Client {
    async fn check(&self) -> Vec<Finding> {
        let mut findings = vec![self.try_the_door().await];
        if findings.iter().all(|finding| finding.ok == Some(true)) {
            findings.push(self.try_orders().await);
            findings.push(self.try_products().await);
            findings.push(self.try_clients().await);
            findings.push(self.try_commands().await);
            findings.push(self.try_writeback().await);
        }
        findings.extend(self.ahead().map(clock));
        findings
    }
}

impl Client {
    /// A tiny window of the order list: is there a store, and does it take the key?
    async fn try_the_door(&self) -> Finding {
        let to = self.0.clock.now();
        let from = to.checked_sub(Duration::from_secs(60)).ok();
        let answer = OrderSource::list(self, Window { from, to }, 0).await;
        let well =
            |_| format!("{} answers and takes the key", self.0.config.base.as_str().trim_end_matches('/'));
        finding("store", answer.map(well))
    }

    async fn try_orders(&self) -> Finding {
        let tried = match self.first("Orders").await {
            Ok(Some(id)) => match self.read_order(&id.to_string()).await {
                Ok(Read::Order(order)) => Ok(read_well(id, &order.unknown_elements)),
                Ok(Read::Absent) => return unknown("orders", "the order vanished while it was read"),
                Ok(Read::Unreadable { why, .. }) => {
                    Err(Failure::permanent("1ShoppingCart: read order", format!("order {id}: {why}")))
                }
                Err(failure) => Err(failure),
            },
            Ok(None) => return unknown("orders", "the store has no order to try with"),
            Err(failure) => Err(failure),
        };
        finding("orders", tried)
    }

    async fn try_products(&self) -> Finding {
        let tried = match self.first("Products").await {
            Ok(Some(id)) => self.product(id).await.map(|_| format!("product {id} was read")),
            Ok(None) => return unknown("products", "the store has no product to try with"),
            Err(failure) => Err(failure),
        };
        finding("products", tried)
    }

    async fn try_clients(&self) -> Finding {
        const DURING: &str = "1ShoppingCart: read client";
        let tried = match self.first("Clients").await {
            Ok(Some(id)) => {
                let path = format!("/Clients/{id}/READ");
                let read = self.ask(DURING, &path, &[], records::read_contact).await;
                read.map(|_| "a client was read; phone and e-mail can be passed on".to_owned())
            }
            Ok(None) => return unknown("clients", "the store has no client to try with"),
            Err(failure) => Err(failure),
        };
        finding("clients", tried)
    }

    async fn try_commands(&self) -> Finding {
        match self.commands().await {
            Ok(commands) => {
                let names = commands.known().join(", ");
                finding("commands", Ok(format!("the store lists for orders: {names}")))
            }
            Err(failure) => unknown("commands", &failure.to_string()),
        }
    }

    async fn try_writeback(&self) -> Finding {
        let cure = "shipments wait there; export them with: cartdock outbox export";
        match self.mode().await {
            Ok(SinkMode::Api) => {
                let command = &self.0.config.writeback.command;
                finding("write-back", Ok(format!("tracking is posted by {command}; nothing was tried")))
            }
            Ok(SinkMode::Outbox(why)) => {
                unknown("write-back", &format!("tracking goes to the outbox: {why}; {cure}"))
            }
            Ok(SinkMode::Off) => finding("write-back", Ok("tracking is not posted, by setting".to_owned())),
            Err(failure) => finding("write-back", Err(failure)),
        }
    }

    /// The newest entry of a table.
    async fn first(&self, table: &str) -> Result<Option<u64>, Failure> {
        let newest: [Parameter; 2] = [("LimitCount", "1".to_owned()), ("SortOrder", "DESC".to_owned())];
        let read = |body: &[u8]| list::read(table, body);
        let page = self.ask("1ShoppingCart: list", &format!("/{table}/LIST"), &newest, read).await?;
        Ok(page.and_then(|page| page.ids.first().copied()))
    }
}

/// Leases allow for five minutes between any two clocks (see `domain::life::Pace`); half of that is a warning in time.
const SKEW: u64 = 150;

/// Is this machine's clock right, by the store's?
fn clock(ahead: i64) -> Finding {
    let by = ahead.unsigned_abs();
    let way = if ahead < 0 { "behind" } else { "ahead of" };
    let detail = match by {
        0..=2 => "agrees with the store's".to_owned(),
        3..=SKEW => format!("is {by} s {way} the store's"),
        _ => format!("is {by} s {way} the store's; one of them is wrong: set this one by NTP and look again"),
    };
    Finding { what: "clock".to_owned(), ok: Some(by <= SKEW), detail }
}

fn read_well(id: u64, unknown_elements: &[String]) -> String {
    match unknown_elements {
        [] => format!("order {id} was read"),
        unknown => format!("order {id} was read; elements that are new to us: {}", unknown.join(", ")),
    }
}

fn finding(what: &str, outcome: Result<String, Failure>) -> Finding {
    let (ok, detail) = match outcome {
        Ok(detail) => (true, detail),
        Err(failure) => (false, failure.to_string()),
    };
    Finding { what: what.to_owned(), ok: Some(ok), detail }
}

fn unknown(what: &str, detail: &str) -> Finding {
    Finding { what: what.to_owned(), ok: None, detail: detail.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_minutes_off_is_found() {
        for (ahead, ok, part) in [
            (0, true, "agrees"),
            (-60, true, "is 60 s behind the store's"),
            (200, false, "is 200 s ahead of the store's; one of them is wrong"),
            (-200, false, "behind"),
        ] {
            let finding = clock(ahead);
            assert!(finding.ok == Some(ok) && finding.detail.contains(part), "{ahead}: {finding:?}");
        }
    }
}
