//! Every endpoint of the simulated store, as the dossier describes it.
#![expect(clippy::expect_used, reason = "a test that cannot go on should say where")]

mod support;

use jiff::civil::datetime;
use rust_decimal::Decimal;
use simulator::shop;
use simulator::store::{DateForm, Endpoint, LineSpec, OrderSpec, Store, StoreOptions};
use support::{call, get, post, soon, store, texts};

fn order(day: i8) -> OrderSpec {
    let mug = LineSpec {
        product: 9_300_011,
        name: "Ceramic Mug, 12 oz".to_owned(),
        sku: Some("MUG-12-BLU".to_owned()),
        quantity: 2,
        unit_price: Decimal::new(1450, 2),
        recurring: false,
    };
    OrderSpec::paid(datetime(2026, 10, day, 9, 14, 27, 0), vec![mug])
}

async fn store_with_orders(days: std::ops::RangeInclusive<i8>) -> (Store, Vec<u64>) {
    let store = store().await;
    let ids = days.map(|day| store.add_order(order(day))).collect();
    (store, ids)
}

fn ids(document: &str) -> Vec<u64> {
    texts(document, "Order").iter().map(|id| id.parse().expect("an id")).collect()
}

#[tokio::test]
async fn a_list_is_newest_first_and_its_links_are_not_to_be_trusted() {
    let (store, added) = store_with_orders(1..=3).await;
    let answer = call(&store, "Orders/LIST", "").await;
    assert_eq!(ids(&answer), added.iter().rev().copied().collect::<Vec<_>>());
    assert!(
        answer.starts_with(r#"<?xml version="1.0" encoding="utf-8"?><Response success="true" xmlns:xlink="#)
    );
    assert!(
        answer.contains(&format!(r#"<Order xlink:href="https://localhost/API/900001/Orders/{}">"#, added[0]))
    );
    assert!(!answer.contains("NextRecordSet"));
}

#[tokio::test]
async fn the_next_record_set_holds_exactly_what_was_sent() {
    let (store, added) = store_with_orders(1..=5).await;
    let sent = "<LimitStartDate>10/01/2026</LimitStartDate><LimitEndDate>10/30/2026 23:59:59</LimitEndDate>\
                <SortOrder>ASC</SortOrder>";
    let first = call(&store, "Orders/LIST", &format!("<LimitCount>2</LimitCount>{sent}")).await;
    assert_eq!(ids(&first), added[..2]);
    let next = format!(
        "<NextRecordSet><LimitCount>2</LimitCount><LimitOffset>2</LimitOffset>{sent}</NextRecordSet>"
    );
    assert!(first.contains(&next), "{first}");
    let ask = format!("<LimitCount>2</LimitCount><LimitOffset>4</LimitOffset>{sent}");
    let last = call(&store, "Orders/LIST", &ask).await;
    assert_eq!(ids(&last), added[4..]);
    assert!(!last.contains("NextRecordSet"));
}

#[tokio::test]
async fn a_page_has_at_most_a_hundred_entries() {
    let store = store().await;
    for _ in 0..101 {
        store.add_order(order(5));
    }
    for asked in ["", "<LimitCount>100</LimitCount>", "<LimitCount>500</LimitCount>"] {
        let answer = call(&store, "Orders/LIST", asked).await;
        assert_eq!(ids(&answer).len(), 100, "{asked}");
        assert_eq!(texts(&answer, "LimitOffset"), ["100"], "{asked}");
    }
}

#[tokio::test]
async fn the_date_filter_takes_three_forms_and_a_bare_end_date_is_its_midnight() {
    let (store, added) = store_with_orders(1..=3).await;
    for (filter, expected) in [
        ("<LimitStartDate>10/02/2026 09:14:27</LimitStartDate>", &added[1..]),
        ("<LimitStartDate>2026-10-03T00:00:00</LimitStartDate>", &added[2..]),
        ("<LimitStartDate>2026-10-03 00:00:00.000000</LimitStartDate>", &added[2..]),
        ("<LimitEndDate>10/02/2026</LimitEndDate>", &added[..1]),
        ("<LimitEndDate>10/02/2026 23:59:59</LimitEndDate>", &added[..2]),
    ] {
        let answer = call(&store, "Orders/LIST", &format!("{filter}<SortOrder>ASC</SortOrder>")).await;
        assert_eq!(ids(&answer), expected, "{filter}");
    }
}

#[tokio::test]
async fn an_empty_list_and_an_unknown_item_are_error_2040_with_status_200() {
    let store = store().await;
    let expected = include_str!("../fixtures/error-2040-no-data.xml");
    for path in [
        "Orders/LIST",
        "Orders/1/READ",
        "Orders/no-such-token",
        "Clients/5",
        "Products/5",
        "RecurringOrders/5",
    ] {
        assert_eq!(call(&store, path, "").await, expected, "{path}");
    }
}

#[tokio::test]
async fn a_wrong_key_another_merchant_and_an_unknown_method_are_simulated_errors() {
    let store = store().await;
    let base = format!("{}/API", store.base_url());
    let refused = include_str!("../fixtures/error-bad-key-ASSUMED.xml");
    assert_eq!(get(&format!("{base}/900001/Orders/LIST?key=0")).await, (200, refused.to_owned()));
    assert_eq!(get(&format!("{base}/900001/Orders/LIST")).await, (200, refused.to_owned()));
    assert_eq!(store.counts().refused, 2);
    for (path, code) in [
        ("900002/Orders/LIST", "9902"),
        ("900001/Coupons/LIST", "9904"),
        ("900001/Orders/1/DELETE", "9904"),
        ("900001/Orders/READ", "9904"),
    ] {
        let (status, text) = get(&format!("{base}/{path}?key={}", store.key())).await;
        assert_eq!(status, 200);
        assert!(text.contains(&format!(r#"<Error code="{code}">SIMULATED: "#)), "{path}: {text}");
    }
    let (status, text) = post(&format!("{base}/900001/Orders/LIST"), "<Request><Key>").await;
    assert!(status == 200 && text.contains(r#"code="9903""#), "{text}");
    assert!(call(&store, "Orders/LIST", "<LimitCount>many</LimitCount>").await.contains(r#"code="9905""#));
}

#[tokio::test]
async fn get_and_post_paths_and_keys_in_any_case_answer_the_same() {
    let (store, added) = store_with_orders(1..=1).await;
    let expected = call(&store, &format!("Orders/{}/READ", added[0]), "").await;
    let key = store.key().to_lowercase();
    for (path, name) in [("Orders/{}", "key"), ("ORDERS/{}/read", "KEY"), ("orders/{}/READ", "Key")] {
        let path = path.replace("{}", &added[0].to_string());
        let (_, text) = get(&format!("{}/api/900001/{path}?{name}={key}", store.base_url())).await;
        assert_eq!(text, expected, "{path}");
    }
    assert_eq!(store.counts().order_reads[&added[0]], 4);
}

#[tokio::test]
async fn a_token_reads_the_order_and_is_not_its_number() {
    let (store, added) = store_with_orders(1..=2).await;
    let token = store.token(added[1]).expect("it has one");
    assert!(!token.contains(&added[1].to_string()));
    let answer = call(&store, &format!("Orders/{token}/READ"), "").await;
    assert_eq!(texts(&answer, "Id").first(), Some(&added[1].to_string().as_str()));
    assert_eq!(store.counts().order_reads[&added[1]], 1);
}

#[tokio::test]
async fn the_count_is_the_number_of_orders() {
    let (store, _) = store_with_orders(1..=4).await;
    assert_eq!(call(&store, "Orders/COUNT", "").await, include_str!("../fixtures/orders-count-ASSUMED.xml"));
}

#[tokio::test]
async fn clients_and_products_are_sorted_as_asked() {
    let store = store().await;
    store.stock_shop();
    let ask = "<LimitCount>1</LimitCount><SortColumn>FirstName</SortColumn><SortOrder>ASC</SortOrder>";
    let answer = call(&store, "Clients/LIST", ask).await;
    let alex = shop::clients().into_iter().find(|client| client.first_name == "Alex").expect("in the shop");
    assert_eq!(texts(&answer, "Client"), [alex.id.to_string()]);
    assert_eq!(texts(&answer, "SortColumn"), ["FirstName"]);
    let products = call(&store, "Products/LIST", "").await;
    assert_eq!(texts(&products, "Product").len(), shop::products().len());
}

#[tokio::test]
async fn orders_are_sorted_by_their_total_when_asked() {
    let store = store().await;
    let dear = store.add_order(OrderSpec { lines: [order(1).lines, order(1).lines].concat(), ..order(1) });
    let cheap = store.add_order(order(2));
    let answer = call(&store, "Orders/LIST", "<SortColumn>GrandTotal</SortColumn>").await;
    assert_eq!(ids(&answer), [dear, cheap]);
}

#[tokio::test]
async fn subscriptions_are_listed_by_client_and_without_links() {
    let store = store().await;
    store.stock_shop();
    let all = call(&store, "RecurringOrders/List", "").await;
    assert_eq!(texts(&all, "RecurringOrder").len(), 2);
    assert!(!all.contains("href"));
    let one = call(&store, "RecurringOrders/LIST", "<LimitClient>700200001</LimitClient>").await;
    assert_eq!(texts(&one, "RecurringOrder"), ["500600702"]);
}

#[tokio::test]
async fn the_store_lists_its_methods_and_its_errors() {
    let store = store().await;
    let group = call(&store, "", "").await;
    for method in ["Orders/LIST", "Clients/READ", "RecurringOrders/LIST", "Errors/LIST", "Notifications/TEST"]
    {
        assert!(texts(&group, "Method").contains(&method), "{method}");
    }
    assert_eq!(
        texts(&call(&store, "Orders", "").await, "Method"),
        ["Orders/LIST", "Orders/READ", "Orders/COUNT", "Orders/UPDATE"]
    );
    assert!(call(&store, "Errors/LIST", "").await.contains(r#"code="2040">No data found<"#));
}

#[tokio::test]
async fn the_documentation_is_html_and_opens_with_any_key() {
    let store = store().await;
    let (status, text) = get(&format!("{}/API/900001/Orders/READ?key=0&doc=1", store.base_url())).await;
    assert!(status == 200 && text.starts_with("<!DOCTYPE html>") && text.contains("Orders"), "{text}");
    assert_eq!(store.counts().of(Endpoint::Doc), 1);
}

#[tokio::test]
async fn dates_are_written_in_the_form_that_is_set() {
    for (dates, expected) in [
        (DateForm::Iso, "2026-10-05T09:14:27"),
        (DateForm::IsoOffset, "2026-10-05T09:14:27.1230000-04:00"),
        (DateForm::TwelveHour, "10/5/2026 9:14:27 AM"),
        (DateForm::MonthFirst, "10/05/2026 09:14:27"),
    ] {
        let store = Store::start(StoreOptions { dates, ..StoreOptions::default() }).await.expect("a port");
        let id = store.add_order(order(5));
        let answer = call(&store, &format!("Orders/{id}"), "").await;
        assert_eq!(texts(&answer, "OrderDate"), [expected]);
        assert_eq!(texts(&answer, "OrderedAt"), [expected]);
    }
}

#[tokio::test]
async fn a_change_of_an_order_moves_its_modification_date_and_a_removed_order_is_gone() {
    let (store, added) = store_with_orders(1..=1).await;
    let before = store.modified_at(added[0]).expect("known");
    assert!(store.change_order(added[0], |order| order.comments = "changed <here>".to_owned()));
    assert!(store.modified_at(added[0]).expect("known") > before);
    let answer = call(&store, &format!("Orders/{}", added[0]), "").await;
    assert_eq!(texts(&answer, "Comments"), ["changed &lt;here&gt;"]);
    assert!(store.remove_order(added[0]).is_some());
    assert!(call(&store, &format!("Orders/{}", added[0]), "").await.contains("2040"));
    assert!(!store.set_status(added[0], "Accepted"));
}

#[tokio::test]
async fn the_books_count_orders_by_status_and_by_shipping() {
    let store = store().await;
    let day = shop::day(1);
    let orders = day.len();
    let digital = day.iter().filter(|order| order.ship_to.is_none()).count();
    let declined = day.iter().filter(|order| order.status == "Declined").count();
    for order in day {
        store.add_order(order);
    }
    let books = store.books();
    assert_eq!(
        (books.orders, books.without_shipping, books.with_shipping),
        (orders, digital, orders - digital)
    );
    assert_eq!(books.by_status["Declined"], declined);
    assert_eq!(books.by_status.values().sum::<usize>(), orders);
}

#[tokio::test]
async fn a_waiting_test_is_woken_by_the_call_it_waits_for() {
    let (store, added) = store_with_orders(1..=1).await;
    let path = format!("Orders/{}", added[0]);
    let read = call(&store, &path, "");
    let seen = store.until(|store| store.counts().of(Endpoint::OrderRead) == 1);
    soon(async { tokio::join!(seen, read) }).await;
}
