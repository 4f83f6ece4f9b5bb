//! What running it on AWS costs: measured requests times public prices, exactly.

pub mod measured;
pub mod prices;

use rust_decimal::Decimal;
use rust_decimal::RoundingStrategy::MidpointAwayFromZero;
use serde::Serialize;

use crate::text::{Cell, Style, Table, Tone, count};
use measured as m;
use prices as p;

/// Minutes of a month of 730 hours.
const MINUTES: u64 = 43_800;

/// Minutes after which a kept secret is fetched again.
const SECRET_MINUTES: u64 = 5;

/// How much it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// Orders in a month, over all connections.
    pub orders: u64,
    /// Connections that are enabled.
    pub connections: u64,
    /// Minutes between two polls.
    pub interval: u64,
    /// Requests that a store is asked in a second at most (`requests_per_second`).
    pub store_rate: u64,
}

/// What a service costs, in dollars.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The service, and for what.
    pub service: &'static str,
    /// What 1,000 orders cost.
    pub per_thousand: Decimal,
    /// What a month costs whatever the orders.
    pub fixed: Decimal,
    /// Of that, what every account has for nothing, where nothing else in it uses that up.
    pub free: Decimal,
}

/// What a month costs, in dollars.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bill {
    /// For what.
    pub usage: Usage,
    /// The date of the prices.
    pub prices_as_of: &'static str,
    /// Where they are asked.
    pub region: &'static str,
    /// By service.
    pub lines: Vec<Line>,
    /// What 1,000 orders cost.
    pub per_thousand: Decimal,
    /// Of that, what is paid for the time in which functions wait for others to answer, or for their turn at the store.
    pub waiting_per_thousand: Decimal,
    /// What all orders of the month cost.
    pub variable: Decimal,
    /// What the month costs whatever the orders.
    pub fixed: Decimal,
    /// What the month costs.
    pub total: Decimal,
    /// What is left of it in an account whose always-free allowances nothing else uses.
    pub total_with_allowances: Decimal,
    /// What the ledger adds to each further month for every 1,000 orders whose bodies it keeps.
    pub storage_per_thousand: Decimal,
}

impl Usage {
    /// What a month costs.
    #[must_use]
    pub fn bill(self) -> Bill {
        let lines = self.lines();
        let sum = |of: fn(&Line) -> Decimal| lines.iter().map(of).sum::<Decimal>();
        let (per_thousand, fixed) = (sum(|line| line.per_thousand), sum(|line| line.fixed));
        let variable = per_thousand * Decimal::from(self.orders) / Decimal::ONE_THOUSAND;
        let total = variable + fixed;
        Bill {
            usage: self,
            prices_as_of: p::AS_OF,
            region: p::REGION,
            per_thousand,
            waiting_per_thousand: gigabyte_seconds(self.waiting()) * p::GIGABYTE_SECOND,
            variable,
            fixed,
            total,
            total_with_allowances: total - sum(|line| line.free),
            storage_per_thousand: gigabytes(1000 * m::STORED_BYTES) * p::STORED_GB,
            lines,
        }
    }

    fn lines(self) -> Vec<Line> {
        vec![
            self.dynamodb(),
            self.sqs(),
            self.lambda_requests(),
            self.lambda_time(),
            line("HTTP API (webhooks)", of(m::API_REQUESTS, p::API_REQUEST), Decimal::ZERO),
            self.scheduler(),
            self.logs(),
            self.alarms(),
            self.metrics(),
            self.secrets(),
            line("data out", gigabytes(1000 * m::EGRESS_BYTES) * p::EGRESS_GB, Decimal::ZERO),
        ]
    }

    /// Runs of a schedule in a month.
    fn runs() -> u64 {
        m::SCHEDULES * MINUTES
    }

    /// Polls of one side of all connections in a month.
    fn polls(self) -> u64 {
        self.connections * MINUTES / self.interval.max(1)
    }

    fn dynamodb(self) -> Line {
        let of_halves = |halves: u64, price: Decimal| of(halves, price) / Decimal::TWO;
        let read_connections = Self::runs() * m::IDLE_RUN * self.connections.div_ceil(8);
        let polls = self.polls() * (m::IDLE_POLL_ORDERS + m::IDLE_POLL_SHIPMENTS);
        let sweeps = self.connections * MINUTES * m::IDLE_SWEEP;
        let looks = self.connections * MINUTES / m::LOOK_MINUTES * m::IDLE_LOOK;
        let asked = self.connections * MINUTES / m::ASK_MINUTES * m::ASKED;
        line(
            "DynamoDB",
            of_halves(m::WRITE_HALVES, p::WRITE_UNIT)
                + of_halves(m::READ_HALVES + m::LOOKED_AT_HALVES, p::READ_UNIT),
            of_halves(read_connections + polls + sweeps + looks, p::READ_UNIT)
                + of_halves(asked, p::WRITE_UNIT),
        )
    }

    fn sqs(self) -> Line {
        let idle = m::QUEUES * m::IDLE_QUEUE_POLLS;
        let per_thousand = of(m::QUEUE_REQUESTS, p::QUEUE_REQUEST + p::FAIR_REQUEST);
        let free = of(idle.min(p::FREE_QUEUE_REQUESTS), p::QUEUE_REQUEST);
        Line { free, ..line("SQS", per_thousand, of(idle, p::QUEUE_REQUEST)) }
    }

    fn lambda_requests(self) -> Line {
        let free = of(Self::runs().min(p::FREE_INVOCATIONS), p::INVOCATION);
        Line {
            free,
            ..line("Lambda, requests", of(m::INVOCATIONS, p::INVOCATION), of(Self::runs(), p::INVOCATION))
        }
    }

    /// Milliseconds in which functions wait for others, for 1,000 orders: a turn at the store is paid too. Stores of several
    /// connections are waited for together, as far as their orders come in the same minute.
    fn waiting(self) -> u64 {
        let turn = 1000 / self.store_rate.max(1);
        let at_once = m::ANSWER_MS / m::BATCH;
        let [in_a_run, in_a_batch] = self.together();
        (m::READS + m::BUYER_READS) * m::ANSWER_MS.max(turn) / in_a_run
            // Orders of one store that are in a batch share its pace.
            + m::POSTS * at_once.max(turn / in_a_batch)
            + m::SENDS * at_once
    }

    /// How many stores a run, and a batch, wait for together.
    fn together(self) -> [u64; 2] {
        let orders_a_minute = self.orders / MINUTES;
        let connections_a_minute = self.connections / self.interval.max(1);
        [
            orders_a_minute.min(connections_a_minute).clamp(1, m::TOGETHER),
            orders_a_minute.min(self.connections).clamp(1, m::BATCH),
        ]
    }

    fn lambda_time(self) -> Line {
        // Connections whose turn comes in the same minute are polled at the same time.
        let waits = 2 * MINUTES * self.connections.min(self.interval) / self.interval.max(1);
        let idle = gigabyte_seconds(Self::runs() * m::IDLE_MS + waits * m::ANSWER_MS);
        let free = idle.min(Decimal::from(p::FREE_GIGABYTE_SECONDS)) * p::GIGABYTE_SECOND;
        Line {
            free,
            ..line(
                "Lambda, time (arm64)",
                gigabyte_seconds(1000 * m::OWN_MS + self.waiting()) * p::GIGABYTE_SECOND,
                idle * p::GIGABYTE_SECOND,
            )
        }
    }

    fn scheduler(self) -> Line {
        let free = of(Self::runs().min(p::FREE_SCHEDULES), p::SCHEDULE);
        Line { free, ..line("EventBridge Scheduler", Decimal::ZERO, of(Self::runs(), p::SCHEDULE)) }
    }

    fn logs(self) -> Line {
        let idle = gigabytes(Self::runs() * m::IDLE_LOGGED_BYTES);
        let free = idle.min(Decimal::from(p::FREE_LOGGED_GB)) * p::LOGGED_GB;
        let per_thousand = gigabytes(m::LOGGED_BYTES) * p::LOGGED_GB;
        Line { free, ..line("CloudWatch, logs", per_thousand, idle * p::LOGGED_GB) }
    }

    fn alarms(self) -> Line {
        let free = of(m::ALARMS.min(p::FREE_ALARMS), p::ALARM);
        Line { free, ..line("CloudWatch, alarms", Decimal::ZERO, of(m::ALARMS, p::ALARM)) }
    }

    fn metrics(self) -> Line {
        let metrics = m::METRICS + if self.orders > 0 { m::ORDER_METRICS } else { 0 };
        let free = of(metrics.min(p::FREE_METRICS), p::METRIC);
        Line { free, ..line("CloudWatch, metrics", Decimal::ZERO, of(metrics, p::METRIC)) }
    }

    fn secrets(self) -> Line {
        let fetches = self.connections * m::SECRET_READERS * MINUTES / self.interval.max(SECRET_MINUTES);
        let asked = self.connections * MINUTES / m::ASK_MINUTES;
        let kept = of(self.connections * m::SECRETS, p::SECRET);
        line("Secrets Manager", Decimal::ZERO, kept + of(fetches + asked, p::SECRET_CALL))
    }
}

fn line(service: &'static str, per_thousand: Decimal, fixed: Decimal) -> Line {
    Line { service, per_thousand, fixed, free: Decimal::ZERO }
}

fn of(number: u64, price: Decimal) -> Decimal {
    Decimal::from(number) * price
}

/// AWS's gigabytes have 2³⁰ bytes.
fn gigabytes(bytes: u64) -> Decimal {
    Decimal::from(bytes) / Decimal::from(1_u64 << 30)
}

/// What so many milliseconds of a function are.
fn gigabyte_seconds(millis: u64) -> Decimal {
    Decimal::from(millis) * Decimal::from(m::MEMORY_MB) / Decimal::from(1024 * 1000)
}

/// Dollars to so many places.
fn dollars(amount: Decimal, places: u32) -> String {
    format!("${:.*}", places as usize, amount.round_dp_with_strategy(places, MidpointAwayFromZero))
}

impl Bill {
    /// The bill for people.
    #[must_use]
    pub fn text(&self, style: Style) -> String {
        let Usage { orders, connections, interval, store_rate } = self.usage;
        let mut text = style.heading(&format!(
            "A month with {}, {}, polled every {}",
            count(orders, "order", "orders"),
            count(connections, "connection", "connections"),
            count(interval, "minute", "minutes"),
        ));
        let mut table = Table::new(&["", "#1,000 orders", "#a month, fixed"]);
        for line in &self.lines {
            let cell = |amount: Decimal, places| {
                if amount.is_zero() { Cell::toned("-", Tone::Faint) } else { dollars(amount, places).into() }
            };
            table.row([line.service.into(), cell(line.per_thousand, 5), cell(line.fixed, 2)]);
        }
        table.row([
            Cell::toned("in all", Tone::Strong),
            dollars(self.per_thousand, 5).into(),
            dollars(self.fixed, 2).into(),
        ]);
        text.push_str(&table.text(style));
        text.push_str(&format!(
            "\n  {} for the orders and {} for the rest: {} a month.\n",
            dollars(self.variable, 2),
            dollars(self.fixed, 2),
            dollars(self.total, 2)
        ));
        text.push_str(&format!(
            "  {} of it where nothing else uses the account's always-free allowances.\n",
            dollars(self.total_with_allowances, 2)
        ));
        text.push_str(&format!(
            "  Keeping 1,000 orders costs {} a month until their bodies expire.\n",
            dollars(self.storage_per_thousand, 5)
        ));
        text.push_str(&format!(
            "  {} of 1,000 orders is for waiting: the others answer in {} ms, and\n  a store is asked {} a second{}.\n",
            dollars(self.waiting_per_thousand, 5),
            m::ANSWER_MS,
            count(store_rate, "time", "times"),
            match self.usage.together().into_iter().max() {
                None | Some(1) => String::new(),
                Some(stores) => format!("; {stores} stores are waited for together"),
            },
        ));
        text.push_str(&format!(
            "  Prices of {} in {}; functions of {} MB on arm64.\n",
            self.prices_as_of,
            self.region,
            m::MEMORY_MB
        ));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bill(orders: u64, connections: u64, interval: u64) -> Bill {
        Usage { orders, connections, interval, store_rate: 2 }.bill()
    }

    #[test]
    fn the_lines_sum_to_the_total_and_orders_cost_in_proportion() {
        let (one, ten) = (bill(1000, 1, 5), bill(10_000, 1, 5));
        assert_eq!(one.variable, one.per_thousand);
        assert_eq!(ten.variable, one.variable * Decimal::TEN);
        assert_eq!(ten.fixed, one.fixed);
        assert_eq!(one.total, one.lines.iter().map(|line| line.per_thousand + line.fixed).sum());
        assert!(one.lines.iter().all(|line| line.free <= line.fixed), "{one:?}");
    }

    #[test]
    fn a_price_is_what_the_page_says() {
        assert_eq!(of(1_000_000, p::WRITE_UNIT).to_string(), "0.625000000");
        assert_eq!(of(1_000_000, p::QUEUE_REQUEST).normalize().to_string(), "0.4");
        assert_eq!(p::GIGABYTE_SECOND.to_string(), "0.0000133334");
        assert_eq!(p::METRIC.to_string(), "0.3");
    }

    #[test]
    fn polling_more_often_and_more_connections_cost_more() {
        let usual = bill(0, 1, 5);
        assert!(bill(0, 1, 1).fixed > usual.fixed && bill(0, 2, 5).fixed > usual.fixed);
        assert!(usual.variable.is_zero());
    }

    #[test]
    fn a_store_that_may_be_asked_more_often_costs_less() {
        let slow = bill(1000, 1, 5);
        let fast = Usage { store_rate: 10, ..slow.usage }.bill();
        assert!(fast.waiting_per_thousand < slow.waiting_per_thousand);
        assert_eq!(
            slow.per_thousand - slow.waiting_per_thousand,
            fast.per_thousand - fast.waiting_per_thousand
        );
    }

    #[test]
    fn stores_whose_orders_come_together_are_waited_for_together() {
        let waiting =
            |orders, connections, interval| bill(orders, connections, interval).waiting_per_thousand;
        let one = waiting(1_000_000, 1, 1);
        assert_eq!(waiting(10_000, 20, 1), one, "an order in four minutes meets no other");
        assert!(waiting(100_000, 20, 1) < one, "two in a minute do");
        assert!(waiting(1_000_000, 20, 5) > waiting(1_000_000, 20, 1), "four are polled in the same minute");
        let many = waiting(1_000_000, 16, 1);
        assert!(many * Decimal::from(10) < one, "{many} instead of {one}");
        assert_eq!(waiting(1_000_000, 1000, 1), many, "no more than a run waits for");
    }

    /// The goals: $0.0075 for 1,000 orders; $2.50 a month for the rest, with ten alarms and without the secrets, which
    /// belong to a connection. To the cent.
    #[test]
    fn the_goals_hold_at_full_batches_and_for_everything_that_is_a_request() {
        let month = bill(0, 1, 5);
        let requests = month.per_thousand - month.waiting_per_thousand;
        assert!(requests <= Decimal::new(75, 4), "{requests} for the requests of 1,000 orders");
        let full = bill(1_000_000, 20, 1).per_thousand;
        assert!(full <= Decimal::new(75, 4), "{full} for 1,000 orders of many connections at full batches");
        let others = ["CloudWatch, alarms", "CloudWatch, metrics", "Secrets Manager"];
        let metered = month.lines.iter().filter(|line| !others.contains(&line.service));
        let metered: Decimal = metered.map(|line| line.fixed).sum();
        assert!((metered + of(10, p::ALARM)).round_dp(2) <= Decimal::new(250, 2), "{metered} a month");
        assert!(
            month.total_with_allowances.round_dp(2) <= Decimal::new(250, 2),
            "{}",
            month.total_with_allowances
        );
    }

    #[test]
    fn people_read_a_table_that_fits() {
        let text = bill(100_000, 20, 1).text(Style::PLAIN);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert!(text.contains(p::AS_OF) && text.contains("in all"), "{text}");
    }
}
