//! The operator's routes, a file a resource.

pub(in crate::http) mod alerts;
pub(in crate::http) mod audit;
pub(in crate::http) mod clients;
pub(in crate::http) mod keys;
pub(in crate::http) mod usage;

use std::fmt::Display;
use std::str::FromStr;

use crate::http::error::{ApiError, Code, invalid};
use crate::http::query::Query;

/// A number or id in a path: one spelling, or there is no such thing.
fn id<T: FromStr + Display>(named: &str) -> Result<T, ApiError> {
    let id: Option<T> = named.parse().ok();
    id.filter(|id| id.to_string() == named)
        .ok_or_else(|| ApiError::saying(Code::NotFound, format!("There is no {}", shown(named))))
}

/// What was named, fit to be said back: it may be anything.
fn shown(named: &str) -> String {
    let is_plain = !named.is_empty()
        && named.len() <= 40
        && named
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if is_plain {
        format!("'{named}'")
    } else {
        "such thing".to_owned()
    }
}

/// A number or word of ours in a query.
fn parameter<T: FromStr>(query: Query<'_>, name: &str, what: &str) -> Result<Option<T>, ApiError> {
    query
        .text(name)?
        .filter(|text| !text.is_empty())
        .map(|text| text.parse().map_err(|_| invalid(name, &what)))
        .transpose()
}

const CLIENT_NUMBER: &str = "write a client's number";
const KEY_NUMBER: &str = "write a key's number";
