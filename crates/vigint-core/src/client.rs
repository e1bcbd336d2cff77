//! What a client must bring and what may be changed of it: checked alike by the command line and the admin API.

use std::str::FromStr as _;

use crate::locale::Locale;
use crate::money::MicroEuros;
use crate::text::MAX_LINE_CHARS;
use crate::wire::{CreateClientRequest, UpdateClientRequest};

/// The longest address that mail can be delivered to (RFC 5321, 4.5.3.1.3).
const MAX_EMAIL_LENGTH: usize = 254;
/// Where nobody said otherwise: honest everywhere, and shown with its name.
const DEFAULT_TIME_ZONE: &str = "UTC";

/// A client's details, fit to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientDetails {
    /// What people call it.
    pub name: String,
    /// Where its mails go.
    pub email: String,
    /// Its language.
    pub locale: Locale,
    /// Its IANA time zone.
    pub time_zone: String,
}

/// A detail that cannot be kept. The text names the field and the cure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDetails {
    /// The name.
    #[error("name: write 1 to {MAX_LINE_CHARS} characters on one line")]
    Name,
    /// The address.
    #[error("email: '{0}' is not a mail address such as security@acme.com")]
    Email(String),
    /// The language.
    #[error("locale: {0}")]
    Locale(#[from] crate::names::UnknownName),
    /// The time zone.
    #[error("time_zone: '{0}' is no IANA time zone such as Europe/Paris")]
    TimeZone(String),
    /// A change that changes nothing that can be changed.
    #[error("say what is to change: name, email, locale, time_zone or monthly_budget")]
    NoChange,
}

impl ClientDetails {
    /// Checks what was asked for; `default_locale` where no language was given.
    ///
    /// # Errors
    /// The first field that cannot be kept.
    pub fn check(
        asked: &CreateClientRequest,
        default_locale: Locale,
    ) -> Result<Self, InvalidDetails> {
        let zone = asked.time_zone.as_deref().unwrap_or(DEFAULT_TIME_ZONE);
        Ok(Self {
            name: name(&asked.name)?,
            email: email(&asked.email)?,
            locale: match asked.locale.as_deref() {
                Some(text) => text.parse()?,
                None => default_locale,
            },
            time_zone: time_zone(zone)?,
        })
    }
}

/// What is to change of a client, fit to be kept; what is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientChanges {
    /// What people call it.
    pub name: Option<String>,
    /// Where its mails go.
    pub email: Option<String>,
    /// Its language.
    pub locale: Option<Locale>,
    /// Its IANA time zone.
    pub time_zone: Option<String>,
    /// What its AI may cost a calendar month (UTC): a new cap, or `Some(None)` for none.
    pub monthly_budget: Option<Option<MicroEuros>>,
}

impl ClientChanges {
    /// Checks what was asked for. A budget of 0 means no cap.
    ///
    /// # Errors
    /// The first field that cannot be kept, or that there is none.
    pub fn check(asked: &UpdateClientRequest) -> Result<Self, InvalidDetails> {
        let changes = Self {
            name: asked.name.as_deref().map(name).transpose()?,
            email: asked.email.as_deref().map(email).transpose()?,
            locale: asked.locale.as_deref().map(str::parse).transpose()?,
            time_zone: asked.time_zone.as_deref().map(time_zone).transpose()?,
            monthly_budget: asked
                .monthly_budget
                .map(|most| Some(most).filter(|most| *most != MicroEuros::ZERO)),
        };
        if changes == Self::default() {
            return Err(InvalidDetails::NoChange);
        }
        Ok(changes)
    }

    /// The names of the fields that are to change, as the admin API calls them.
    #[must_use]
    pub fn fields(&self) -> Vec<&'static str> {
        [
            ("name", self.name.is_some()),
            ("email", self.email.is_some()),
            ("locale", self.locale.is_some()),
            ("time_zone", self.time_zone.is_some()),
            ("monthly_budget", self.monthly_budget.is_some()),
        ]
        .into_iter()
        .filter_map(|(field, changes)| changes.then_some(field))
        .collect()
    }
}

fn name(text: &str) -> Result<String, InvalidDetails> {
    let text = text.trim();
    let fits = (1..=MAX_LINE_CHARS).contains(&text.chars().count());
    if fits && crate::text::clean_line(text) == text {
        Ok(text.to_owned())
    } else {
        Err(InvalidDetails::Name)
    }
}

fn email(text: &str) -> Result<String, InvalidDetails> {
    let text = text.trim();
    // The very crate that the mail library checks recipients with: what is taken here can be mailed.
    let is_address = email_address::EmailAddress::from_str(text)
        .is_ok_and(|address| address.as_str() == text && !text.contains(['<', '"', ' ']));
    if is_address && text.len() <= MAX_EMAIL_LENGTH {
        Ok(text.to_owned())
    } else {
        Err(InvalidDetails::Email(text.chars().take(60).collect()))
    }
}

fn time_zone(text: &str) -> Result<String, InvalidDetails> {
    match jiff::tz::TimeZone::get(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(InvalidDetails::TimeZone(text.chars().take(60).collect())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: &str, email: &str) -> CreateClientRequest {
        CreateClientRequest {
            name: name.to_owned(),
            email: email.to_owned(),
            locale: None,
            time_zone: None,
        }
    }

    #[test]
    fn good_details_are_kept_as_given() {
        let details =
            ClientDetails::check(&asked(" Acme Corp ", "security@acme.com"), Locale::French);
        let details = details.unwrap();
        assert_eq!(details.name, "Acme Corp");
        assert_eq!(details.email, "security@acme.com");
        assert_eq!(details.locale, Locale::French);
        assert_eq!(details.time_zone, "UTC");
    }

    #[test]
    fn a_change_names_its_fields_and_leaves_the_others() {
        let asked = UpdateClientRequest {
            email: Some("new@acme.com".to_owned()),
            monthly_budget: Some(MicroEuros::ZERO),
            ..UpdateClientRequest::default()
        };
        let changes = ClientChanges::check(&asked).unwrap();
        assert_eq!(changes.fields(), ["email", "monthly_budget"]);
        assert_eq!(changes.monthly_budget, Some(None), "0 takes the cap away");
        assert_eq!(changes.name, None);
        assert_eq!(
            ClientChanges::check(&UpdateClientRequest::default()),
            Err(InvalidDetails::NoChange)
        );
    }

    #[test]
    fn each_bad_detail_is_named() {
        for email in [
            "",
            "acme",
            "@acme.com",
            "a b@acme.com",
            "A <a@acme.com>",
            "a@acme.com\nBcc: x",
        ] {
            let refused = ClientDetails::check(&asked("Acme", email), Locale::French);
            assert!(
                matches!(refused, Err(InvalidDetails::Email(_))),
                "{email:?}"
            );
        }
        for name in ["", "  ", "two\nlines", &"x".repeat(201)] {
            let refused = ClientDetails::check(&asked(name, "a@acme.com"), Locale::French);
            assert_eq!(refused, Err(InvalidDetails::Name), "{name:?}");
        }
        let mut request = asked("Acme", "a@acme.com");
        request.time_zone = Some("Europe/Pariss".to_owned());
        assert_eq!(
            ClientDetails::check(&request, Locale::French),
            Err(InvalidDetails::TimeZone("Europe/Pariss".to_owned()))
        );
        request.time_zone = Some("Europe/Paris".to_owned());
        request.locale = Some("de".to_owned());
        assert_eq!(
            ClientDetails::check(&request, Locale::French)
                .unwrap_err()
                .to_string(),
            "locale: 'de' is not one of: fr, en"
        );
    }
}
