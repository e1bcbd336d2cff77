//! The listening server: connections, time limits, a graceful stop.

use std::future::ready;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_http::{HttpService, Protocol};
use actix_service::{IntoServiceFactory as _, ServiceFactoryExt as _, fn_service, map_config};
use actix_tls::accept::TlsError;
use actix_tls::accept::rustls_0_23::{Acceptor, TlsStream};
use actix_web::dev::AppConfig;
use actix_web::middleware::from_fn;
use actix_web::{App, web};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::expect::RefuseEarlyFactory;
use super::middleware::{end_unread_bodies, observe};
use super::routes::{AdminRoutes, configure};
use super::services::Services;
use super::stream::EndingStream;
use super::stuck_readers;
use crate::descriptors;

/// How the server listens.
pub struct ServeOptions {
    /// Threads that answer requests.
    pub workers: usize,
    /// How long requests that run may go on after a stop.
    pub shutdown_patience: Duration,
    /// TLS, when this server ends it itself.
    pub tls: Option<Arc<rustls::ServerConfig>>,
}

/// A head that takes longer than this to arrive is refused.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);
/// A connection on which nothing happens is closed after this.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// A connection on which the other end takes nothing of what is sent is closed after this.
const READER_PATIENCE: Duration = Duration::from_secs(60);
/// What is spoken inside of TLS (RFC 7301).
const HTTP_1_1: &[u8] = b"http/1.1";
/// A connection that is being closed gets this long to end.
const DISCONNECT_PATIENCE: Duration = Duration::from_secs(2);

/// Answers requests until `stop`, then lets those that run finish.
///
/// # Errors
/// When the listener cannot be used.
pub async fn serve(
    listener: TcpListener,
    services: Arc<Services>,
    options: ServeOptions,
    stop: CancellationToken,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    stuck_readers::end_after(&listener, READER_PATIENCE);
    let workers = options.workers.max(1);
    let limit = descriptors::raise_limit();
    let connections = descriptors::connections_of_worker(limit, workers);
    tracing::info!(
        limit,
        workers,
        connections,
        "open files allowed, connections taken by each worker"
    );
    let builder = actix_server::Server::build()
        .workers(workers)
        .max_concurrent_connections(connections)
        .shutdown_timeout(options.shutdown_patience.as_secs())
        .disable_signals();
    let told = stop.clone();
    // The two arms differ in the type of their stream only.
    macro_rules! http_service {
        ($accept:ident) => {{
            let (services, told) = (Arc::clone(&services), told.clone());
            move || {
                let told = told.clone();
                let app = app(Arc::clone(&services))
                    .into_factory()
                    .map_err(|error: actix_web::Error| error.error_response());
                let service = HttpService::build()
                    .keep_alive(KEEP_ALIVE)
                    .client_request_timeout(HEAD_PATIENCE)
                    .client_disconnect_timeout(DISCONNECT_PATIENCE)
                    .graceful_shutdown_signal(move || {
                        let told = told.clone();
                        async move { told.cancelled().await }
                    })
                    .on_connect_ext(|stream: &EndingStream<_>, data| {
                        data.insert(Arc::clone(stream.connection()));
                    })
                    .expect(RefuseEarlyFactory {
                        services: Arc::clone(&services),
                    })
                    .finish(map_config(app, |()| AppConfig::default()));
                $accept(service)
            }
        }};
    }
    let server = match options.tls {
        None => {
            let presence = services.presence.clone();
            let accept = move |service: HttpService<EndingStream<TcpStream>, _, _, _, _>| {
                let presence = presence.clone();
                fn_service(move |tcp: TcpStream| {
                    let peer = tcp.peer_addr().ok();
                    let stream = EndingStream::new(tcp, presence.connect());
                    ready(Ok((stream, Protocol::Http1, peer)))
                })
                .and_then(service)
            };
            builder
                .listen("http", listener, http_service!(accept))?
                .run()
        }
        Some(tls) => {
            let mut tls = rustls::ServerConfig::clone(&tls);
            tls.alpn_protocols = vec![HTTP_1_1.to_vec()];
            let presence = services.presence.clone();
            let accept =
                move |service: HttpService<EndingStream<TlsStream<TcpStream>>, _, _, _, _>| {
                    let presence = presence.clone();
                    Acceptor::new(tls.clone())
                        .map_init_err(|_| ())
                        .map_err(TlsError::into_service_error)
                        .and_then(fn_service(move |tls: TlsStream<TcpStream>| {
                            let peer = tls.get_ref().0.peer_addr().ok();
                            let stream = EndingStream::new(tls, presence.connect());
                            ready(Ok((stream, Protocol::Http1, peer)))
                        }))
                        .and_then(service.map_err(TlsError::Service))
                };
            builder
                .listen("https", listener, http_service!(accept))?
                .run()
        }
    };
    let handle = server.handle();
    let stopping = async {
        stop.cancelled().await;
        handle.stop(true).await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        ended = server => ended,
        () = stopping => Ok(()),
    }
}

/// The application one worker runs.
fn app(
    services: Arc<Services>,
) -> App<
    impl actix_service::ServiceFactory<
        actix_web::dev::ServiceRequest,
        Config = (),
        Response = actix_web::dev::ServiceResponse<impl actix_web::body::MessageBody>,
        Error = actix_web::Error,
        InitError = (),
    >,
> {
    let admin = AdminRoutes::of(&services);
    App::new()
        .app_data(web::Data::from(services))
        .configure(|app| configure(app, admin))
        .wrap(from_fn(end_unread_bodies))
        .wrap(from_fn(observe))
}
