//! The floor: an axum server that does nothing but answer a static document.

use std::net::Ipv4Addr;
use std::process::ExitCode;

use axum::Router;
use axum::body::Bytes;
use axum::http::header;
use axum::routing::get;

/// Answers `/` with so many bytes of JSON until it is killed; says its port on stdout.
pub fn serve(length: usize) -> ExitCode {
    let body = Bytes::from(format!("{{\"padding\":\"{}\"}}", "x".repeat(length.saturating_sub(14))));
    let answer = move || async move { ([(header::CONTENT_TYPE, "application/json")], body) };
    // The same kind of runtime as the server's.
    let Ok(runtime) = tokio::runtime::Builder::new_multi_thread().enable_all().build() else { return ExitCode::FAILURE };
    let served: std::io::Result<()> = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        println!("{}", listener.local_addr()?.port());
        axum::serve(listener, Router::new().route("/", get(answer))).await
    });
    if served.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
