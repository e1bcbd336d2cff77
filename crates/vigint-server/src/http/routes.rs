//! The whole URL table on one screen.

use std::sync::LazyLock;

use actix_web::dev::{ResourceDef, Service as _, Url};
use actix_web::http::{Method, Uri};
use actix_web::middleware::from_fn;
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, web};
use vigint_core::frame::MAX_BATCH_BYTES;

use super::admin_auth::require_admin_key;
use super::auth::{note_key_in_url, require_client_key};
use super::error::{ApiError, Code, method_not_allowed};
use super::handlers::{
    account, admin, alarms, analyses, frames, health, incidents, metrics, usage, video,
};
use super::middleware::{end_when_shown_out, limit_requests, reserve_body};
use super::request_limits::Scarce;
use super::services::{HttpLimits, Services};

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// Who shows a client's key.
    Client,
    /// Who shows the operator's key. Without one configured there is no such path.
    Admin,
}

/// The most bytes a body may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    /// A few fields.
    Small,
    /// One frame, in base64.
    Frame,
    /// Many.
    Batch,
}

/// One row of the table.
struct Row {
    method: &'static str,
    path: &'static str,
    access: Access,
    body: Body,
    handler: fn() -> actix_web::Route,
}

use Access::{Admin, Client, Public};
use Body::{Batch, Frame, Small};

/// The counters, also on a listener of their own.
const METRICS: &str = "/metrics";

#[rustfmt::skip]
const TABLE: &[Row] = &[
    // Paths are tried from the top: what every camera calls many times a second stands first.
    Row { method: "POST",   path: "/api/video/buffer",          access: Client, body: Frame, handler: || web::post().to(frames::push_frame) },
    Row { method: "POST",   path: "/api/video/buffer/batch",    access: Client, body: Batch, handler: || web::post().to(frames::push_batch) },

    Row { method: "GET",    path: "/api/health",                access: Public, body: Small, handler: || web::get().to(health::show_health) },
    Row { method: "HEAD",   path: "/api/health",                access: Public, body: Small, handler: || web::head().to(health::show_health) },
    Row { method: "GET",    path: "/api/health/live",           access: Public, body: Small, handler: || web::get().to(health::show_liveness) },
    Row { method: "HEAD",   path: "/api/health/live",           access: Public, body: Small, handler: || web::head().to(health::show_liveness) },
    Row { method: "GET",    path: "/video/{clip_id}",           access: Public, body: Small, handler: || web::get().to(video::show_video) },
    Row { method: "HEAD",   path: "/video/{clip_id}",           access: Public, body: Small, handler: || web::head().to(video::show_video) },

    Row { method: "GET",    path: "/api/whoami",                access: Client, body: Small, handler: || web::get().to(account::show_caller) },
    Row { method: "POST",   path: "/api/video/analyze",         access: Client, body: Small, handler: || web::post().to(analyses::create_analysis) },
    Row { method: "POST",   path: "/api/video/alert",           access: Client, body: Small, handler: || web::post().to(alarms::raise_alarm) },
    Row { method: "GET",    path: "/api/incidents",             access: Client, body: Small, handler: || web::get().to(incidents::list_incidents) },
    Row { method: "GET",    path: "/api/incidents/{id}",        access: Client, body: Small, handler: || web::get().to(incidents::show_incident) },
    Row { method: "PATCH",  path: "/api/incidents/{id}",        access: Client, body: Small, handler: || web::patch().to(incidents::triage_incident) },
    Row { method: "GET",    path: "/api/incidents/{id}/clip",   access: Client, body: Small, handler: || web::get().to(incidents::show_clip) },
    Row { method: "HEAD",   path: "/api/incidents/{id}/clip",   access: Client, body: Small, handler: || web::head().to(incidents::show_clip) },
    Row { method: "GET",    path: "/api/usage",                 access: Client, body: Small, handler: || web::get().to(usage::show_usage) },

    Row { method: "GET",    path: "/api/clients/{client_id}",           access: Client, body: Small, handler: || web::get().to(account::show_client) },
    Row { method: "GET",    path: "/api/clients/{client_id}/keys",      access: Client, body: Small, handler: || web::get().to(account::list_keys) },
    Row { method: "GET",    path: "/api/clients/{client_id}/usage",     access: Client, body: Small, handler: || web::get().to(usage::show_client_usage) },
    Row { method: "GET",    path: "/api/clients/{client_id}/sources",   access: Client, body: Small, handler: || web::get().to(account::list_sources) },
    Row { method: "GET",    path: "/api/clients/{client_id}/incidents", access: Client, body: Small, handler: || web::get().to(incidents::list_client_incidents) },
    Row { method: "DELETE", path: "/api/clients/{client_id}/sources/{source_id}", access: Client, body: Small, handler: || web::delete().to(account::clear_source) },

    Row { method: "GET",    path: "/admin/clients",             access: Admin,  body: Small, handler: || web::get().to(admin::clients::list_clients) },
    Row { method: "POST",   path: "/admin/clients",             access: Admin,  body: Small, handler: || web::post().to(admin::clients::create_client) },
    Row { method: "GET",    path: "/admin/clients/{client_id}", access: Admin,  body: Small, handler: || web::get().to(admin::clients::show_client) },
    Row { method: "PATCH",  path: "/admin/clients/{client_id}", access: Admin,  body: Small, handler: || web::patch().to(admin::clients::update_client) },
    Row { method: "DELETE", path: "/admin/clients/{client_id}", access: Admin,  body: Small, handler: || web::delete().to(admin::clients::delete_client) },
    Row { method: "POST",   path: "/admin/clients/{client_id}/suspend",    access: Admin, body: Small, handler: || web::post().to(admin::clients::suspend_client) },
    Row { method: "POST",   path: "/admin/clients/{client_id}/resume",     access: Admin, body: Small, handler: || web::post().to(admin::clients::resume_client) },
    Row { method: "POST",   path: "/admin/clients/{client_id}/revoke",     access: Admin, body: Small, handler: || web::post().to(admin::keys::revoke_client) },
    Row { method: "POST",   path: "/admin/clients/{client_id}/reactivate", access: Admin, body: Small, handler: || web::post().to(admin::keys::reactivate_client) },
    Row { method: "POST",   path: "/admin/clients/{client_id}/keys",       access: Admin, body: Small, handler: || web::post().to(admin::keys::add_key) },
    Row { method: "POST",   path: "/admin/clients/{client_id}/rotate",     access: Admin, body: Small, handler: || web::post().to(admin::keys::rotate_key) },
    Row { method: "POST",   path: "/admin/keys/{key_id}/revoke",           access: Admin, body: Small, handler: || web::post().to(admin::keys::revoke_key) },
    Row { method: "GET",    path: "/admin/usage",               access: Admin,  body: Small, handler: || web::get().to(admin::usage::show_usage) },
    Row { method: "GET",    path: "/admin/audit",               access: Admin,  body: Small, handler: || web::get().to(admin::audit::list_audit) },
    Row { method: "GET",    path: "/admin/alerts",              access: Admin,  body: Small, handler: || web::get().to(admin::alerts::list_alerts) },
    Row { method: "POST",   path: "/admin/alerts/{alert_id}/retry", access: Admin, body: Small, handler: || web::post().to(admin::alerts::retry_alert) },
    Row { method: "GET",    path: METRICS,                      access: Admin,  body: Small, handler: || web::get().to(metrics::show_metrics) },
];

/// What of a row a request carries with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Endpoint {
    /// The pattern, never a path with ids in it.
    pub(super) path: &'static str,
    /// Whether it is called many times a second by every camera.
    pub(super) is_ingest: bool,
    /// What it takes beside a request.
    pub(super) scarce: Option<Scarce>,
    body: Body,
}

impl Endpoint {
    fn of(row: &Row) -> Self {
        Self {
            path: row.path,
            is_ingest: matches!(row.body, Frame | Batch),
            scarce: match row.path {
                "/api/video/analyze" => Some(Scarce::Analysis),
                "/api/video/alert" => Some(Scarce::Alert),
                _ => None,
            },
            body: row.body,
        }
    }

    /// The most bytes a body may have here.
    pub(super) fn max_body_bytes(&self, limits: &HttpLimits) -> usize {
        match self.body {
            Small => 64 * 1024,
            // Base64 makes four characters of three bytes; 64 KiB are room for the other fields.
            Frame => limits.frame.max_bytes / 3 * 4 + 64 * 1024,
            Batch => MAX_BATCH_BYTES,
        }
    }
}

/// A row as tests and documents see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteInfo {
    /// `GET`, `POST`, ….
    pub method: &'static str,
    /// The pattern.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
}

/// The table that the server is built from.
pub fn routes() -> impl Iterator<Item = RouteInfo> {
    TABLE.iter().map(|row| RouteInfo {
        method: row.method,
        path: row.path,
        access: row.access,
    })
}

/// A path of the table with what its rows share, for code that must know it before actix has found the route.
pub(super) struct Resource {
    pattern: ResourceDef,
    /// Who may call it.
    pub(super) access: Access,
    /// What its requests carry with them.
    pub(super) endpoint: Endpoint,
    /// The methods it takes, as `Allow` lists them.
    pub(super) allowed: String,
}

/// Made once: a pattern is a regular expression, and compiling them all for each request would be work that
/// anybody could ask for.
static RESOURCES: LazyLock<Vec<Resource>> = LazyLock::new(|| {
    let first_of_its_path = |(index, row): &(usize, &Row)| {
        TABLE.iter().position(|other| other.path == row.path) == Some(*index)
    };
    TABLE
        .iter()
        .enumerate()
        .filter(first_of_its_path)
        .map(|(_, row)| Resource {
            pattern: ResourceDef::new(row.path),
            access: row.access,
            endpoint: Endpoint::of(row),
            allowed: allowed_methods(row.path),
        })
        .collect()
});

impl Resource {
    /// The resource that a request will be led to, if the admin routes are there or not. The path is
    /// read as actix reads it: `%76ideo` is `video`.
    pub(super) fn find(uri: &Uri, admin: AdminRoutes) -> Option<&'static Self> {
        let url = Url::new(uri.clone());
        RESOURCES
            .iter()
            .filter(|resource| admin.has(resource.access))
            .find(|resource| resource.pattern.is_match(url.path()))
    }

    /// Whether it has a row for this method.
    pub(super) fn takes(&self, method: &Method) -> bool {
        self.allowed.split(", ").any(|name| name == method.as_str())
    }
}

fn allowed_methods(path: &str) -> String {
    let rows = TABLE.iter().filter(|row| row.path == path);
    let methods: Vec<&str> = rows.map(|row| row.method).collect();
    methods.join(", ")
}

/// Whether the admin routes are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AdminRoutes {
    /// For whoever shows the operator's key.
    Open,
    /// Nobody could show a key: there are no such paths.
    Absent,
}

impl AdminRoutes {
    /// As these services have them.
    pub(super) const fn of(services: &Services) -> Self {
        if services.admin_key.is_some() {
            Self::Open
        } else {
            Self::Absent
        }
    }

    fn has(self, access: Access) -> bool {
        access != Admin || self == Self::Open
    }
}

/// Registers every row. Rows of one path share its access: the first one's counts, and a test holds them to it.
pub(super) fn configure(app: &mut web::ServiceConfig, admin: AdminRoutes) {
    let mut registered: Vec<&str> = Vec::new();
    for row in TABLE.iter().filter(|row| admin.has(row.access)) {
        if !registered.contains(&row.path) {
            registered.push(row.path);
            register(app, row);
        }
    }
    app.default_service(web::to(no_such_path));
}

async fn no_such_path(
    request: HttpRequest,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    note_key_in_url(request.head(), &services);
    Err(ApiError::new(Code::NotFound))
}

/// Where `/metrics` is open to all: that path alone.
pub(super) fn configure_open_metrics(app: &mut web::ServiceConfig) {
    for row in TABLE.iter().filter(|row| row.path == METRICS) {
        let endpoint = Endpoint::of(row);
        let resource = web::resource(row.path)
            .default_service(web::to(|| {
                std::future::ready(method_not_allowed(&allowed_methods(METRICS)))
            }))
            .route(web::get().to(metrics::show_open_metrics));
        app.service(resource.wrap_fn(move |request, next| {
            request.extensions_mut().insert(endpoint);
            next.call(request)
        }));
    }
    app.default_service(web::to(no_such_path));
}

fn register(app: &mut web::ServiceConfig, first: &'static Row) {
    let allowed = allowed_methods(first.path);
    let mut resource = web::resource(first.path).default_service(web::to(move || {
        std::future::ready(method_not_allowed(&allowed))
    }));
    for row in TABLE.iter().filter(|row| row.path == first.path) {
        resource = resource.route((row.handler)());
    }
    let endpoint = Endpoint::of(first);
    let mark = move |request: actix_web::dev::ServiceRequest| {
        request.extensions_mut().insert(endpoint);
        request
    };
    match first.access {
        Public => app.service(resource.wrap_fn(move |request, next| {
            if let Some(services) = request.app_data::<web::Data<Services>>() {
                note_key_in_url(request.head(), services);
            }
            next.call(mark(request))
        })),
        Client => app.service(
            resource
                .wrap(from_fn(reserve_body))
                .wrap(from_fn(limit_requests))
                .wrap(from_fn(end_when_shown_out))
                .wrap(from_fn(require_client_key))
                .wrap_fn(move |request, next| next.call(mark(request))),
        ),
        Admin => app.service(
            resource
                .wrap(from_fn(reserve_body))
                .wrap(from_fn(require_admin_key))
                .wrap_fn(move |request, next| next.call(mark(request))),
        ),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_one_path_share_access_and_body() {
        for row in TABLE {
            for other in TABLE.iter().filter(|other| other.path == row.path) {
                assert_eq!(
                    (row.access, row.body),
                    (other.access, other.body),
                    "{}",
                    row.path
                );
            }
        }
    }

    #[test]
    fn no_row_stands_twice() {
        let mut rows: Vec<_> = TABLE.iter().map(|row| (row.method, row.path)).collect();
        let count = rows.len();
        rows.sort_unstable();
        rows.dedup();
        assert_eq!(rows.len(), count);
    }

    #[test]
    fn what_is_scarce_is_asked_for_by_post_on_a_route_of_its_own() {
        for scarce in [Scarce::Analysis, Scarce::Alert] {
            let takes = |row: &&Row| Endpoint::of(row).scarce == Some(scarce);
            let methods: Vec<_> = TABLE.iter().filter(takes).map(|row| row.method).collect();
            assert_eq!(methods, ["POST"], "{scarce:?}");
        }
    }

    #[test]
    fn what_the_operator_alone_may_do_is_behind_the_admin_key_and_nothing_else() {
        for row in TABLE {
            let is_meant = row.path.starts_with("/admin/") || row.path == "/metrics";
            assert_eq!(row.access == Admin, is_meant, "{}", row.path);
        }
    }

    #[test]
    fn only_health_and_video_are_public() {
        for row in TABLE.iter().filter(|row| row.access == Public) {
            let is_meant = row.path.starts_with("/api/health") || row.path == "/video/{clip_id}";
            assert!(is_meant, "{}", row.path);
        }
    }
}
