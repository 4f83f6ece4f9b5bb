//! What a plan says, against the models of the testkit.

use domain::mapping::{Target, WarehouseSku};
use domain::payment::PaymentStatus;
use domain::ports::Ledger as _;
use testkit::build;
use testkit::model::{Class, Scene};

use super::*;
use crate::recent::{Recent, Silent, Span};
use crate::text::Style;

fn scene(orders: impl IntoIterator<Item = Order>) -> Scene {
    let scene = Scene::new(Class::K);
    orders.into_iter().for_each(|order| scene.store.place(order));
    scene
}

fn changed(id: u64, change: impl FnOnce(&mut Order)) -> Order {
    let mut order = build::order(id);
    change(&mut order);
    order
}

async fn planned(scene: &Scene, text: &str, with: &str) -> Result<Plan, NotPlanned> {
    let connections = [scene.connection.clone()];
    let with: Vec<_> =
        (!with.is_empty()).then(|| ("new.csv".to_owned(), with.as_bytes().to_vec())).into_iter().collect();
    let planner = Planner {
        connections: &connections,
        partners: scene.partners.as_ref(),
        ledger: scene.ledger.as_ref(),
        mappings: scene.mappings.as_ref(),
        with: &with,
        shows_personal_data: false,
        now: build::noon(),
    };
    planner.plan(text, None).await
}

async fn fate_of(order: Order, policies: impl FnOnce(&mut Policies)) -> (Fate, String) {
    let mut scene = scene([order.clone()]);
    scene.reconnect(|connection| policies(&mut connection.policies));
    let plan = planned(&scene, &order.id.to_string(), "").await.unwrap();
    let text = plan.text(Style::PLAIN);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let rows = plan.cures.iter().filter_map(|cure| cure.row.as_deref());
    let rules: Vec<&str> = plan.decisions.iter().map(|decision| decision.rule.as_str()).chain(rows).collect();
    (plan.outcome.clone(), rules.join("\n"))
}

#[tokio::test]
async fn an_order_that_the_ledger_does_not_have_is_planned_and_nothing_is_written() {
    let scene = scene([build::order(7)]);
    let plan = planned(&scene, " 7 ", "").await.unwrap();
    assert_eq!((plan.outcome.word, plan.past, plan.masked), ("sent", false, true));
    assert!(plan.outcome.what.ends_with("by USPS-PM"), "{plan:?}");
    assert!(scene.ledger.load(&scene.key(7), true).await.unwrap().is_none());
    assert!(scene.warehouse.orders().is_empty());
    assert!(matches!(planned(&scene, "8", "").await, Err(NotPlanned::Absent(_))));
    assert!(matches!(planned(&scene, "seven", "").await, Err(NotPlanned::NotAnOrder(_))));
    assert!(matches!(planned(&scene, "other/7", "").await, Err(NotPlanned::NoConnection(_))));
}

#[tokio::test]
async fn each_policy_that_decides_is_named() {
    for (order, policies, word, rule) in [
        (
            changed(7, |order| order.payment = PaymentStatus::Pending),
            Policies::default(),
            "waiting",
            "ship_statuses = [\"accepted\"]",
        ),
        (
            changed(7, |order| order.comments = "gift".into()),
            Policies { comment: domain::policy::Comment::Hold, ..Policies::default() },
            "held",
            "comment = \"hold\"",
        ),
        (
            build::order(7),
            Policies { start: Some(build::noon()), ..Policies::default() },
            "excluded",
            "start = ",
        ),
        (changed(7, |order| order.ship_to = None), Policies::default(), "excluded", "no address"),
        (
            changed(7, |order| order.lines[0].sku = Some(build::sku("LAMP"))),
            Policies::default(),
            "held",
            "LAMP,<warehouse SKU>,1",
        ),
        (changed(7, |order| order.lines[0].sku = None), Policies::default(), "held", "no_sku = \"hold\""),
    ] {
        let (fate, text) = fate_of(order, |there| *there = policies).await;
        assert_eq!(fate.word, word, "{text}");
        assert!(text.contains(rule), "{rule} in\n{text}");
    }
}

#[tokio::test]
async fn what_the_warehouse_has_is_not_decided_anew_and_a_persons_word_counts() {
    let scene = scene([build::order(7), build::order(8)]);
    let key = scene.key(7);
    let mut sent = build::ready(&key, 1);
    sent.stage = Stage::Accepted;
    scene.ledger.insert(&sent, None, build::noon()).await.unwrap();
    let hold = Admission::Hold(domain::record::Cause::ByPerson("ada".into()), build::noon());
    scene.ledger.insert(&build::record(&scene.key(8), &hold, 2), None, build::noon()).await.unwrap();
    let plan = planned(&scene, "main/7", "").await.unwrap();
    assert_eq!((plan.outcome.word, plan.past), ("accepted", true));
    assert!(plan.text(Style::PLAIN).contains("main/7  is accepted"), "{plan:?}");
    let plan = planned(&scene, "8", "").await.unwrap();
    assert_eq!(plan.outcome.word, "held");
    assert!(plan.decisions.iter().any(|decision| decision.about == "a person"), "{plan:?}");
    assert_eq!(plan.cures[0].command.as_deref(), Some("cartdock release main/ORDER"));
}

#[tokio::test]
async fn a_file_can_be_tried_on_an_order() {
    let scene = scene([changed(7, |order| order.lines[0].sku = Some(build::sku("LAMP")))]);
    assert_eq!(planned(&scene, "7", "").await.unwrap().outcome.word, "held");
    let plan = planned(&scene, "7", "sku,warehouse_sku\nLAMP,W-LAMP\n").await.unwrap();
    assert!(plan.outcome.what.contains("2 x W-LAMP"), "{plan:?}");
    assert_eq!(plan.mapping, 2, "the version that it would become");
    let wrong = planned(&scene, "7", "sku,warehouse_sku\nLAMP,\n").await.unwrap_err().to_string();
    assert!(wrong.starts_with("new.csv:\nrow 2, warehouse_sku"), "{wrong}");
}

#[tokio::test]
async fn a_rehearsal_takes_past_orders_as_new_and_lists_only_what_would_change() {
    let orders = [
        build::order(7),
        changed(8, |order| order.lines[0].sku = Some(build::sku("LAMP"))),
        changed(9, |order| order.payment = PaymentStatus::Refunded),
    ];
    let mut scene = scene(orders);
    scene.reconnect(|connection| connection.policies.start = Some(build::noon()));
    let store = scene.store.port();
    let recent = Recent {
        connection: &scene.connection,
        store: store.orders.as_ref(),
        ledger: scene.ledger.as_ref(),
        now: build::noon(),
        progress: &Silent,
    };
    let limits = scene.partners.warehouse(&scene.connection).await.unwrap().limits;
    let mapping = Mapping::clone(&*scene.mappings.current(&scene.connection.id).await.unwrap());
    let told = rehearse(&recent, Span::Days(365), &mapping, &limits).await.unwrap();
    let words: Vec<_> = told.orders.iter().map(|order| order.outcome.word).collect();
    assert_eq!(words, ["sent", "held", "excluded"], "{told:?}");
    assert!(told.needs_attention());
    let mut other = mapping.clone();
    let part = domain::mapping::Component { sku: WarehouseSku::parse("W-LAMP").unwrap(), quantity: 1 };
    other.listings.insert(build::sku("LAMP"), Target::Ship(vec![part]));
    let diff = changes(&recent, Span::Orders(10), [&mapping, &other], &limits).await.unwrap();
    let changed: Vec<_> = diff.changed.iter().map(|c| (c.order.as_str(), c.now.word, c.then.word)).collect();
    assert_eq!((changed.as_slice(), diff.compared), ([("8", "held", "sent")].as_slice(), 3));
    let text = diff.text(Style::PLAIN);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let last = changes(&recent, Span::Orders(1), [&mapping, &other], &limits).await.unwrap();
    assert_eq!((last.compared, last.changed.len()), (1, 0), "only the last one was looked at");
}
