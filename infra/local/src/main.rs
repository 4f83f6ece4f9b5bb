//! `cartdock`: all of it in one process, and the operator's commands.

mod demo;
mod host;
mod interrupt;


use operations::text::Style;

#[tokio::main]
async fn main() {
    let closed = demo::demo(false, Style::PLAIN, &mut std::io::stdout()).await;
    std::process::exit(match closed { Ok(true) => 0, Ok(false) => 1, Err(e) => { eprintln!("{e}"); 2 } });
}
