//! What tenants do: for every customer route, requests drawn from the dice and what must come of them.
//!
//! The table is held against the server's own: a customer route that is missing here fails the test.

mod account;
mod frames;
mod incidents;
mod videos;

use vigint_core::clock::UtcTime;
use vigint_server::http::{Access, RouteInfo, routes};

pub(super) use self::incidents::film;
use super::connection::{Answer, Request};
use super::dice::Dice;
use super::model::{Model, same};
use super::oracle::{Number, Wrong, mark};
use super::tenants::Tenant;

/// Everything a request is drawn from.
pub(super) struct Scene<'a> {
    pub(super) dice: &'a mut Dice,
    pub(super) me: &'a Tenant,
    pub(super) model: &'a Model,
    /// Whose things are reached for when one reaches for another's.
    pub(super) other: &'a Tenant,
    pub(super) others: &'a Model,
    /// No two operations of a run have the same.
    pub(super) operation: usize,
    pub(super) start: UtcTime,
}

type Check = Box<dyn FnOnce(&Answer, &mut Model) -> Result<(), Wrong>>;

/// A request and what must come of it.
pub(super) struct Prepared {
    pub(super) request: Request,
    /// Whose words may stand in the answer: without a good key or link, nobody's.
    pub(super) asker: Option<Number>,
    /// Which of the tenant's keys it is counted on.
    pub(super) key: Option<usize>,
    pub(super) check: Check,
}

/// A route and how often it is called: so many times in so many of all weights together.
pub(super) struct Known {
    pub(super) route: (&'static str, &'static str),
    pub(super) weight: usize,
    pub(super) draw: fn(&mut Scene<'_>) -> Prepared,
}

const fn known(
    method: &'static str,
    path: &'static str,
    weight: usize,
    draw: fn(&mut Scene<'_>) -> Prepared,
) -> Known {
    Known {
        route: (method, path),
        weight,
        draw,
    }
}

#[rustfmt::skip]
const KNOWN: &[Known] = &[
    known("POST",   "/api/video/buffer",                 24, frames::push),
    known("POST",   "/api/video/buffer/batch",            8, frames::push_batch),
    known("POST",   "/api/video/analyze",                 9, frames::analyze),
    known("POST",   "/api/video/alert",                   5, incidents::raise_alarm),
    known("GET",    "/api/incidents",                     6, incidents::list),
    known("GET",    "/api/incidents/{id}",                6, incidents::show),
    known("PATCH",  "/api/incidents/{id}",                5, incidents::triage),
    known("GET",    "/api/incidents/{id}/clip",           4, |scene| incidents::clip(scene, "GET")),
    known("HEAD",   "/api/incidents/{id}/clip",           2, |scene| incidents::clip(scene, "HEAD")),
    known("GET",    "/video/{clip_id}",                   5, |scene| videos::show(scene, "GET")),
    known("HEAD",   "/video/{clip_id}",                   2, |scene| videos::show(scene, "HEAD")),
    known("GET",    "/api/whoami",                        4, account::whoami),
    known("GET",    "/api/usage",                         2, account::usage),
    known("GET",    "/api/clients/{client_id}",           3, account::client),
    known("GET",    "/api/clients/{client_id}/keys",      3, account::keys),
    known("GET",    "/api/clients/{client_id}/usage",     1, account::client_usage),
    known("GET",    "/api/clients/{client_id}/sources",   4, account::sources),
    known("GET",    "/api/clients/{client_id}/incidents", 3, incidents::list_of_client),
    known("DELETE", "/api/clients/{client_id}/sources/{source_id}", 2, account::clear_source),
    known("GET",    "/api/health",                        1, |scene| videos::health(scene, "GET", "/api/health")),
    known("HEAD",   "/api/health",                        1, |scene| videos::health(scene, "HEAD", "/api/health")),
    known("GET",    "/api/health/live",                   1, |scene| videos::health(scene, "GET", "/api/health/live")),
    known("HEAD",   "/api/health/live",                   1, |scene| videos::health(scene, "HEAD", "/api/health/live")),
];

/// The customer routes of the server itself, each with what is known of it.
pub(super) fn all() -> Vec<&'static Known> {
    of_table(routes()).unwrap_or_else(|unknown| panic!("{unknown}"))
}

fn of_table(table: impl Iterator<Item = RouteInfo>) -> Result<Vec<&'static Known>, String> {
    table
        // What is an operator's alone is not reached with a customer's key: `access.rs` sees to that.
        .filter(|route| matches!(route.access, Access::Client | Access::Public))
        .map(|route| {
            let (method, path) = (route.method, route.path);
            let found = KNOWN.iter().find(|known| known.route == (method, path));
            found.ok_or(format!(
                "no tenant of the isolation test calls {method} {path}: give it a row in KNOWN"
            ))
        })
        .collect()
}

/// One of these routes, by their weights.
pub(super) fn draw_route(dice: &mut Dice, among: &[&'static Known]) -> &'static Known {
    let mut at = dice.below(among.iter().map(|known| known.weight).sum());
    let chosen = among.iter().find(|known| {
        let is_it = at < known.weight;
        at = at.wrapping_sub(known.weight);
        is_it
    });
    chosen.unwrap()
}

pub(super) const DENIED: &str = r#"{"error":"Access denied"}"#;
pub(super) const NOT_FOUND: &str = r#"{"error":"Not found","code":"not_found"}"#;
const NO_KEY: &str = r#"{"error":"API key required"}"#;
const BAD_KEY: &str = r#"{"error":"Invalid API key"}"#;

impl Scene<'_> {
    pub(super) fn word(&mut self) -> String {
        mark(self.me.number, self.dice.next())
    }

    /// One of one's cameras.
    pub(super) fn source(&mut self) -> String {
        self.dice.pick(&self.me.sources).clone()
    }

    /// One of the other's cameras whose id nobody else has.
    pub(super) fn others_source(&mut self) -> String {
        self.dice.pick(&self.other.sources[2..]).clone()
    }

    /// With one of one's keys.
    pub(super) fn signed(&mut self, method: &'static str, path: String, check: Check) -> Prepared {
        let key = self.dice.below(2);
        let text = self.me.keys[key].text.clone();
        let has_another_beside = text.starts_with("vgt_") && self.dice.once_in(10);
        let request = Request {
            method,
            path,
            key: Some(text),
            key_beside: has_another_beside.then(|| self.other.keys[1].text.clone()),
            ..Request::default()
        };
        Prepared {
            request,
            asker: Some(self.me.number),
            key: Some(key),
            check,
        }
    }

    pub(super) fn public(
        &self,
        method: &'static str,
        path: String,
        asker: Option<Number>,
        check: Check,
    ) -> Prepared {
        let request = Request {
            method,
            path,
            ..Request::default()
        };
        Prepared {
            request,
            asker,
            key: None,
            check,
        }
    }

    /// The path of a client: now and then another's, which is refused.
    pub(super) fn of_client(&mut self, path: &str) -> Result<String, Box<Prepared>> {
        if self.dice.once_in(4) {
            let path = path.replace("{client_id}", &self.other.id.to_string());
            return Err(Box::new(self.signed("GET", path, refused(403, DENIED))));
        }
        Ok(path.replace("{client_id}", &self.me.id.to_string()))
    }
}

impl Prepared {
    pub(super) fn with_json(mut self, body: &serde_json::Value) -> Self {
        self.request.content_type = "application/json";
        self.request.body = body.to_string().into_bytes();
        self
    }

    /// The same request by somebody without a key, or with one that is no longer a key when it gets there.
    pub(super) fn without_a_good_key(mut self, dice: &mut Dice, other: &Tenant) -> Self {
        let (key, wanted) = if dice.once_in(2) {
            (None, NO_KEY)
        } else {
            let mut mistyped = other.keys[0].text.clone();
            mistyped.replace_range(
                20..21,
                if mistyped[20..].starts_with('A') {
                    "B"
                } else {
                    "A"
                },
            );
            (Some(mistyped), BAD_KEY)
        };
        self.request.key = key;
        self.request.key_beside = None;
        self.asker = None;
        self.key = None;
        self.check = refused(401, wanted);
        self
    }
}

/// Exactly this status and body.
pub(super) fn refused(status: u16, body: &'static str) -> Check {
    Box::new(move |answer, _| {
        answered(answer, status)?;
        Ok(same("the body", &answer.text().as_str(), &body)?)
    })
}

/// Exactly this status; of an answer to `HEAD` there is no more to see.
pub(super) fn status_alone(status: u16) -> Check {
    Box::new(move |answer, _| answered(answer, status))
}

pub(super) fn answered(answer: &Answer, status: u16) -> Result<(), Wrong> {
    if answer.status == status {
        return Ok(());
    }
    Err(format!("{} instead of {status}: {}", answer.status, answer.text()).into())
}

#[test]
fn the_walk_knows_every_customer_route_and_says_which_it_does_not() {
    let known = all();
    assert!(known.len() > 15, "the table is the real one");
    assert_eq!(
        known.len(),
        KNOWN.len(),
        "nothing is known that is not there"
    );
    let new = RouteInfo {
        method: "GET",
        path: "/api/new",
        access: Access::Client,
    };
    let unknown = of_table(routes().chain([new])).err().unwrap();
    assert!(unknown.contains("GET /api/new"), "{unknown}");
}
