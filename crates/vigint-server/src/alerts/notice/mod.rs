//! What a mail says about the use of a key, to its client or to the operator, or about a silent camera. All may be
//! laymen: what happened, what it can mean, and what to do, with the commands.
//!
//! Here: who reads it and how it is put together; `english` and `french` have the sentences about keys, `camera` those
//! about cameras.

mod camera;
mod english;
mod french;
#[cfg(test)]
mod tests;

use askama::Template;
use vigint_core::clock::UtcTime;
use vigint_core::ids::{ClientId, KeyId};
use vigint_core::locale::Locale;
use vigint_core::money::MicroEuros;
use vigint_core::text::clean_line;
use vigint_db::clients::ClientRow;

pub(super) use self::camera::{CameraMail, CameraNews};
use super::mailer::MailError;
use super::message::{Bodies, Composed, Fact, Frame, MailHead, Step, local_time, render};
use crate::notices::{Notice, NoticedKey, SeenKey};

/// What a mail is made from.
pub(super) struct NoticeMail<'a> {
    pub(super) head: MailHead<'a>,
    pub(super) notice: &'a Notice,
    /// Whom it concerns, if it concerns a client.
    pub(super) client: Option<&'a ClientRow>,
    pub(super) reader: Reader,
}

/// Who reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    /// The client, in its own language and time zone.
    Client,
    /// The operator, in this language; times are UTC.
    Operator(Locale),
}

#[derive(Template)]
#[template(path = "notice.html")]
struct HtmlBody<'a> {
    frame: &'a Frame,
    facts: &'a [Fact],
    steps: &'a [Step],
    texts: &'a Texts,
}

#[derive(Template)]
#[template(path = "notice.txt")]
struct TextBody<'a> {
    frame: &'a Frame,
    facts: &'a [Fact],
    steps: &'a [Step],
    texts: &'a Texts,
}

/// The sentences of one mail.
struct Texts {
    frame: Frame,
    happened: String,
    facts: Vec<Fact>,
    /// What it can mean; empty when there is no question.
    meanings: Option<Meanings>,
    to_do: &'static str,
    steps: Vec<Step>,
}

struct Meanings {
    intro: &'static str,
    each: Vec<&'static str>,
}

impl Texts {
    fn compose(&self, head: &MailHead<'_>, subject: &str) -> Result<Composed, MailError> {
        let (frame, facts, steps) = (&self.frame, &self.facts, &self.steps);
        let text = render(&TextBody {
            frame,
            facts,
            steps,
            texts: self,
        })?;
        let html = render(&HtmlBody {
            frame,
            facts,
            steps,
            texts: self,
        })?;
        let bodies = Bodies {
            text,
            html,
            still: None,
        };
        head.compose(subject, bodies)
    }
}

impl NoticeMail<'_> {
    /// The mail, ready to be handed over.
    pub(super) fn compose(&self) -> Result<Composed, MailError> {
        let texts = self.texts();
        let subject = format!("[Vigint] {}", texts.frame.heading);
        texts.compose(&self.head, &subject)
    }

    fn texts(&self) -> Texts {
        let told = Told {
            notice: self.notice,
            reader: self.reader,
            client: self.client.map(|client| (client.id, client.name.as_str())),
            time_zone: match (self.reader, self.client) {
                (Reader::Client, Some(client)) => &client.time_zone,
                _ => "UTC",
            },
        };
        match self.locale() {
            Locale::French => french::texts(&told),
            Locale::English => english::texts(&told),
        }
    }

    fn locale(&self) -> Locale {
        match (self.reader, self.client) {
            (Reader::Operator(locale), _) => locale,
            (Reader::Client, client) => client.map_or(Locale::French, |client| client.locale),
        }
    }
}

/// What the sentences are about.
struct Told<'a> {
    notice: &'a Notice,
    reader: Reader,
    client: Option<(ClientId, &'a str)>,
    time_zone: &'a str,
}

impl Told<'_> {
    fn is_for_operator(&self) -> bool {
        self.reader != Reader::Client
    }

    fn client_name(&self) -> String {
        self.client
            .map(|(_, name)| clean_line(name))
            .unwrap_or_default()
    }

    fn time(&self, at: UtcTime, locale: Locale) -> String {
        local_time(at, locale, self.time_zone)
    }

    /// When a key came: once, or how often, from when to when.
    fn seen(&self, seen: &SeenKey, locale: Locale) -> String {
        let last = self.time(seen.at, locale);
        if seen.times <= 1 {
            return last;
        }
        let since = self.time(seen.since, locale);
        let times = seen.times;
        match locale {
            Locale::French => format!("{times}\u{A0}fois, du {since} au {last}"),
            Locale::English => format!("{times} times, from {since} to {last}"),
        }
    }
}

/// How a key is called: by its first letters, as in every list.
fn short_name(key: &NoticedKey) -> String {
    let prefix = clean_line(&key.prefix);
    if prefix.is_empty() {
        key.id.to_string()
    } else {
        format!("{prefix}…")
    }
}

fn revoke(key: KeyId) -> String {
    format!("vigint-admin revoke --key-id {key}")
}

fn rotate(client: Option<(ClientId, &str)>, key: KeyId) -> String {
    let client = client.map_or_else(String::new, |(id, _)| format!(" --client-id {id}"));
    format!("vigint-admin rotate{client} --key-id {key}")
}

fn raise_budget(client: Option<(ClientId, &str)>) -> String {
    let client = client.map_or_else(String::new, |(id, _)| format!(" --client-id {id}"));
    format!("vigint-admin budget{client} --monthly AMOUNT")
}

fn list(client: Option<(ClientId, &str)>) -> String {
    let client = client.map_or_else(String::new, |(id, _)| format!(" --client-id {id}"));
    format!("vigint-admin list{client}")
}

/// An amount of money as a bill shows it, to the cent.
fn money(amount: MicroEuros, currency: &str, locale: Locale) -> String {
    let cents = amount.0.max(0).saturating_add(5_000) / 10_000;
    let point = match locale {
        Locale::French => ',',
        Locale::English => '.',
    };
    format!("{}{point}{:02}\u{A0}{currency}", cents / 100, cents % 100)
}

/// How many whole millions of bytes these are.
const fn megabytes(bytes: u64) -> u64 {
    bytes / 1_000_000
}
