//! `cartdock demo`: a shop's day on one machine, and the books close.

mod support;

use support::{cartdock, directory, finish};

#[tokio::test]
async fn the_demo_closes_its_books() {
    let answer = finish(cartdock(&directory("demo"), &["demo"])).await.ended(0);
    for part in [
        "was found at the warehouse as WO-",
        "The books close.",
        "Sent twice: 0. Posted twice: 0.",
        "Every order became what it should have become.",
    ] {
        assert!(answer.out.contains(part), "{part}\n{}", answer.out);
    }
    let line =
        answer.out.lines().filter(|line| line.contains(" sent + ") && line.contains(" cancelled")).count();
    assert_eq!(line, 1, "the line that must sum is told once\n{}", answer.out);
    let wide: Vec<&str> = answer.out.lines().filter(|line| line.chars().count() > 100).collect();
    assert!(wide.is_empty(), "{wide:#?}");
    println!("{}", answer.out);
}
