//! Reading the query of a URL, a parameter at a time, so that an error can name it.

use std::borrow::Cow;

use actix_web::HttpRequest;
use vigint_core::clock::{UtcTime, WHAT_A_TIME_IS};
use vigint_core::span::{self, NoTime};

use super::error::{ApiError, Code, invalid};

/// The query of a request. Parameters that nobody asks for are ignored.
#[derive(Clone, Copy)]
pub(super) struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    /// The query of `request`.
    pub(super) fn of(request: &'a HttpRequest) -> Self {
        Self(request.query_string())
    }

    /// What is written as a query is, elsewhere than in a URL.
    pub(super) fn written(text: &'a str) -> Self {
        Self(text)
    }

    /// A parameter as it was written. Standing twice, it could mean one thing to us and another to somebody else.
    pub(super) fn text(self, name: &str) -> Result<Option<Cow<'a, str>>, ApiError> {
        let mut values = url::form_urlencoded::parse(self.0.as_bytes())
            .filter(|(found, _)| found == name)
            .map(|(_, value)| value);
        let value = values.next();
        if values.next().is_some() {
            let message = format!("{name} stands more than once");
            return Err(ApiError::saying(Code::Malformed, message));
        }
        Ok(value)
    }

    /// A whole number. Nothing behind the `=` is no number, as in a form that was not filled in.
    pub(super) fn whole_number(self, name: &str) -> Result<Option<i64>, ApiError> {
        self.filled_in(name)?
            .map(|text| {
                text.parse()
                    .map_err(|_| invalid(name, &"write a whole number"))
            })
            .transpose()
    }

    /// How many rows a page is to have, 1 to `most`.
    pub(super) fn limit(self, most: i64, usual: i64) -> Result<i64, ApiError> {
        match self.whole_number("limit")? {
            None => Ok(usual),
            Some(limit) if (1..=most).contains(&limit) => Ok(limit),
            Some(_) => Err(invalid("limit", &format!("write 1 to {most}"))),
        }
    }

    /// The span between `from` and `to`.
    pub(super) fn span(self) -> Result<(Option<UtcTime>, Option<UtcTime>), ApiError> {
        let (from, to) = (self.from("from")?, self.to("to")?);
        match (from, to) {
            (Some(begin), Some(end)) if begin >= end => Err(invalid("to", &"must be after `from`")),
            span => Ok(span),
        }
    }

    /// A time (RFC 3339).
    pub(super) fn time(self, name: &str) -> Result<Option<UtcTime>, ApiError> {
        self.filled_in(name)?
            .map(|text| {
                time(&text).ok_or_else(|| invalid(name, &format!("write {WHAT_A_TIME_IS}")))
            })
            .transpose()
    }

    /// The first moment of a span: a time, or the midnight (UTC) with which a date begins.
    fn from(self, name: &str) -> Result<Option<UtcTime>, ApiError> {
        self.moment(name, span::begin)
    }

    /// The first moment after a span: a time, or the midnight (UTC) with which a date ends.
    fn to(self, name: &str) -> Result<Option<UtcTime>, ApiError> {
        self.moment(name, span::end)
    }

    fn moment(
        self,
        name: &str,
        read: fn(&str) -> Result<UtcTime, NoTime>,
    ) -> Result<Option<UtcTime>, ApiError> {
        self.filled_in(name)?
            .map(|text| {
                let read = |text: &str| read(text).map_err(|error| invalid(name, &error));
                time(&text).map_or_else(|| read(&text), Ok)
            })
            .transpose()
    }

    fn filled_in(self, name: &str) -> Result<Option<Cow<'a, str>>, ApiError> {
        Ok(self.text(name)?.filter(|text| !text.is_empty()))
    }
}

/// A time; the '+' of an offset that was not escaped arrives as a space, and is put back.
fn time(text: &str) -> Option<UtcTime> {
    let with_plus = || {
        let (before, after) = text.rsplit_once(' ')?;
        format!("{before}+{after}").parse().ok()
    };
    text.parse().ok().or_else(with_plus)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> UtcTime {
        text.parse().unwrap()
    }

    fn message<T>(result: Result<T, ApiError>) -> String {
        result
            .err()
            .map_or_else(String::new, |error| error.to_string())
    }

    #[test]
    fn a_plus_that_was_not_escaped_is_put_back() {
        let expected = Some(at("2026-11-24T20:57:44Z"));
        for written in [
            "2026-11-24T21:57:44+01:00",
            "2026-11-24T21:57:44%2B01:00",
            "2026-11-24+21:57:44%2B01:00",
            "2026-11-24+21:57:44+01:00",
        ] {
            let query = format!("captured_at={written}");
            assert_eq!(
                Query(&query).time("captured_at").unwrap(),
                expected,
                "{written}"
            );
        }
    }

    #[test]
    fn a_date_means_all_of_its_day() {
        let query = Query("from=2026-11-24&to=2026-11-24");
        assert_eq!(
            query.from("from").unwrap(),
            Some(at("2026-11-24T00:00:00Z"))
        );
        assert_eq!(query.to("to").unwrap(), Some(at("2026-11-25T00:00:00Z")));
        let exact = Query("to=2026-11-24T10:00:00Z");
        assert_eq!(exact.to("to").unwrap(), Some(at("2026-11-24T10:00:00Z")));
    }

    #[test]
    fn what_was_not_filled_in_is_not_there() {
        let query = Query("frame_count=&captured_at=");
        assert_eq!(query.whole_number("frame_count").unwrap(), None);
        assert_eq!(query.time("captured_at").unwrap(), None);
    }

    #[test]
    fn an_error_names_its_parameter() {
        let query = Query("limit=abc&from=yesterday&to=x&at=2026-11-24&twice=1&twice=1");
        for (name, said) in [
            ("limit", message(query.whole_number("limit"))),
            ("from", message(query.from("from"))),
            ("to", message(query.to("to"))),
            ("at", message(query.time("at"))),
            ("twice", message(query.text("twice"))),
        ] {
            assert!(said.starts_with(name), "{name}: {said}");
        }
    }
}
