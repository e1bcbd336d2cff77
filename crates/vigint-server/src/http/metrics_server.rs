//! `/metrics` on a listener of its own, open to whoever reaches it: a thread beside those that serve customers,
//! so that one can look when they are busy. There is nothing else on it.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use tokio_util::sync::CancellationToken;

use super::middleware::{end_unread_bodies, observe};
use super::routes::configure_open_metrics;
use super::services::Services;

/// Enough for those who watch; no more, so that it takes no descriptors from customers.
const MOST_CONNECTIONS: usize = 32;
/// A head that takes longer than this to arrive is refused.
const HEAD_PATIENCE: Duration = Duration::from_secs(5);
/// Whoever watches asks again within this.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// Answers until `stop`.
///
/// # Errors
/// When the listener cannot be used.
pub async fn serve_metrics(
    listener: TcpListener,
    services: Arc<Services>,
    stop: CancellationToken,
) -> io::Result<()> {
    let app = move || {
        App::new()
            .app_data(web::Data::from(Arc::clone(&services)))
            .configure(configure_open_metrics)
            .wrap(from_fn(end_unread_bodies))
            .wrap(from_fn(observe))
    };
    let server = HttpServer::new(app)
        .workers(1)
        .max_connections(MOST_CONNECTIONS)
        .client_request_timeout(HEAD_PATIENCE)
        .keep_alive(KEEP_ALIVE)
        .disable_signals()
        .listen(listener)?
        .run();
    let handle = server.handle();
    let stopping = async {
        stop.cancelled().await;
        handle.stop(false).await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        ended = server => ended,
        () = stopping => Ok(()),
    }
}
