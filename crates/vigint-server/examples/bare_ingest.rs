//! What `cargo xtask bench ingest` measures the server against: an actix handler that reads a frame and
//! decodes it, and does nothing else.

#![allow(
    clippy::print_stdout,
    reason = "it says where it listens, as the server does"
)]

use std::borrow::Cow;

use actix_web::web::{self, Bytes};
use actix_web::{App, HttpResponse, HttpServer};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Parser;
use serde::Deserialize;

/// The server's own bound.
const MOST_BYTES: usize = 8 * 1024 * 1024;

#[derive(Parser)]
struct Cli {
    #[arg(long)]
    host: String,
    #[arg(long)]
    port: u16,
    #[arg(long)]
    workers: usize,
}

#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(borrow)]
    frame_data: Cow<'a, str>,
}

async fn take_json(body: Bytes) -> HttpResponse {
    let Ok(frame) = serde_json::from_slice::<Frame<'_>>(&body) else {
        return HttpResponse::BadRequest().finish();
    };
    match STANDARD.decode(frame.frame_data.as_bytes()) {
        Ok(jpeg) => answer(jpeg.len()),
        Err(_) => HttpResponse::BadRequest().finish(),
    }
}

async fn take_raw(body: Bytes) -> HttpResponse {
    answer(body.len())
}

fn answer(bytes: usize) -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({ "bytes": bytes }))
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let cli = Cli::parse();
    let server = HttpServer::new(|| {
        App::new()
            .app_data(web::PayloadConfig::new(MOST_BYTES))
            .route("/json", web::post().to(take_json))
            .route("/raw", web::post().to(take_raw))
    })
    .workers(cli.workers)
    .bind((cli.host, cli.port))?;
    for address in server.addrs() {
        println!("listening on http://{address}");
    }
    server.run().await
}
