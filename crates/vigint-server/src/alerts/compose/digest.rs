//! The mail about incidents that were held back, because there were more in an hour than mails may be sent.

use askama::Template;
use vigint_core::clock::UtcTime;
use vigint_core::ids::IncidentId;
use vigint_core::locale::Locale;
use vigint_core::text::{clean_line, sentence};
use vigint_core::verdict::{Confirmation, RiskLevel};
use vigint_db::clients::ClientRow;

use super::clip::is_a_web_address;
use super::words::{self, Words, words};
use super::{Risk, minute};
use crate::alerts::mailer::MailError;
use crate::alerts::message::{Bodies, Composed, Fact, Frame, MailHead, Step, local_time, render};

/// How many incidents are listed.
const MAX_LISTED: usize = 50;

/// What a mail is made from.
pub(in crate::alerts) struct DigestMail<'a> {
    pub(in crate::alerts) head: MailHead<'a>,
    pub(in crate::alerts) client: &'a ClientRow,
    pub(in crate::alerts) digest: &'a Digest,
}

/// What was held back.
#[derive(Clone, Debug)]
pub(in crate::alerts) struct Digest {
    /// From when to when.
    pub(in crate::alerts) since: UtcTime,
    pub(in crate::alerts) until: UtcTime,
    /// The incidents, in the order in which they are listed.
    pub(in crate::alerts) held: Vec<HeldLine>,
    /// How many there are besides.
    pub(in crate::alerts) more: u64,
    /// How many mails about incidents the client may get an hour.
    pub(in crate::alerts) max_per_hour: u32,
}

/// One incident that was held back.
#[derive(Clone, Debug)]
pub(in crate::alerts) struct HeldLine {
    pub(in crate::alerts) at: UtcTime,
    /// Its name, or its id if it has none.
    pub(in crate::alerts) camera: String,
    pub(in crate::alerts) incident_type: String,
    pub(in crate::alerts) risk_level: RiskLevel,
    pub(in crate::alerts) confirmation: Confirmation,
    pub(in crate::alerts) occurrences: i64,
    pub(in crate::alerts) incident_id: IncidentId,
    /// Ours, `http` or `https`.
    pub(in crate::alerts) clip_url: Option<String>,
}

#[derive(Template)]
#[template(path = "digest.html")]
struct HtmlBody<'a> {
    frame: &'a Frame,
    facts: &'a [Fact],
    steps: &'a [Step],
    words: &'a Words,
    page: &'a Page<'a>,
}

#[derive(Template)]
#[template(path = "digest.txt")]
struct TextBody<'a> {
    frame: &'a Frame,
    facts: &'a [Fact],
    steps: &'a [Step],
    words: &'a Words,
    page: &'a Page<'a>,
}

/// What only this mail has.
struct Page<'a> {
    happened: String,
    /// Who judged them, unless all came as alarms.
    judged: Option<&'static str>,
    lines: Vec<Line<'a>>,
    /// How many are not listed.
    more: Option<String>,
    private_links: Option<&'static str>,
}

/// One incident as it is listed.
struct Line<'a> {
    kind: String,
    risk: Risk,
    /// Where, when, how often, whether it is confirmed.
    about: String,
    id: String,
    url: Option<&'a str>,
}

impl DigestMail<'_> {
    /// The mail, ready to be handed over.
    ///
    /// # Errors
    /// When the recipient is no mail address.
    pub(in crate::alerts) fn compose(&self) -> Result<Composed, MailError> {
        let words = words(self.client.locale);
        let (frame, facts, page) = (self.frame(words), self.facts(words), self.page(words));
        let steps = self.steps();
        let text = render(&TextBody {
            frame: &frame,
            facts: &facts,
            steps: &steps,
            words,
            page: &page,
        })?;
        let html = render(&HtmlBody {
            frame: &frame,
            facts: &facts,
            steps: &steps,
            words,
            page: &page,
        })?;
        let bodies = Bodies {
            text,
            html,
            still: None,
        };
        self.head.compose(&self.subject(words), bodies)
    }

    fn subject(&self, words: &Words) -> String {
        let (alert, colon, heading) = (words.alert, words.colon, self.heading());
        let gravest = self.digest.held.iter().map(|line| line.risk_level).max();
        let Some(gravest) = gravest else {
            return format!("{alert}{colon} {heading}");
        };
        let risk = words::risk(self.client.locale, gravest).words;
        match (self.client.locale, self.count()) {
            (_, 1) => format!("{alert}{colon} {heading}, {risk}"),
            (Locale::French, _) => {
                format!("{alert}{colon} {heading}, dont un au moins de {risk}")
            }
            (Locale::English, _) => {
                format!("{alert}{colon} {heading}, at least one of {risk}")
            }
        }
    }

    fn count(&self) -> u64 {
        let held = u64::try_from(self.digest.held.len()).unwrap_or(u64::MAX);
        held.saturating_add(self.digest.more)
    }

    fn is_french(&self) -> bool {
        self.client.locale == Locale::French
    }

    fn heading(&self) -> String {
        match (self.client.locale, self.count()) {
            (Locale::French, 1) => "1 incident de plus".to_owned(),
            (Locale::French, count) => format!("{count} incidents dans un seul message"),
            (Locale::English, 1) => "1 more incident".to_owned(),
            (Locale::English, count) => format!("{count} incidents in one message"),
        }
    }

    fn frame(&self, words: &Words) -> Frame {
        let footer = vec![words.automatic.to_owned()];
        Frame::new(self.client.locale, words.kicker, self.heading(), footer)
    }

    fn facts(&self, words: &Words) -> Vec<Fact> {
        let mut facts = vec![Fact::new(words.place, clean_line(&self.client.name))];
        let (by_risk, by_camera) = if self.is_french() {
            ("Par gravité", "Par caméra")
        } else {
            ("By risk", "By camera")
        };
        facts.push(Fact::new(by_risk, self.counted_by_risk()));
        facts.push(Fact::new(by_camera, self.counted_by_camera()));
        facts
    }

    fn counted_by_risk(&self) -> String {
        let counts = RiskLevel::ALL.iter().rev().filter_map(|level| {
            let is_it = |line: &&HeldLine| line.risk_level == *level;
            let count = self.digest.held.iter().filter(is_it).count();
            let words = words::risk(self.client.locale, *level).words;
            (count > 0).then(|| format!("{count}\u{A0}×\u{A0}{words}"))
        });
        self.with_the_rest(counts.collect())
    }

    /// In the order in which they come first.
    fn counted_by_camera(&self) -> String {
        let mut counts: Vec<(String, usize)> = Vec::new();
        for line in &self.digest.held {
            let camera = clean_line(&line.camera);
            match counts.iter_mut().find(|(name, _)| *name == camera) {
                Some((_, count)) => *count += 1,
                None => counts.push((camera, 1)),
            }
        }
        let counts = counts
            .iter()
            .map(|(camera, count)| format!("{count}\u{A0}×\u{A0}{camera}"));
        self.with_the_rest(counts.collect())
    }

    /// Nothing is known of those beyond the list but their number.
    fn with_the_rest(&self, mut counts: Vec<String>) -> String {
        match self.digest.more {
            0 => {}
            more if self.is_french() => counts.push(format!("{more}\u{A0}×\u{A0}non listé")),
            more => counts.push(format!("{more}\u{A0}×\u{A0}not listed")),
        }
        counts.join(", ")
    }

    fn page(&self, words: &'static Words) -> Page<'_> {
        let digest = self.digest;
        let is_judged = |line: &HeldLine| line.confirmation != Confirmation::NotNeeded;
        let lines: Vec<_> = digest.held.iter().take(MAX_LISTED).collect();
        let left_out = self.count() - u64::try_from(lines.len()).unwrap_or(0);
        let lines: Vec<_> = lines.iter().map(|line| self.line(words, line)).collect();
        let has_links = lines.iter().any(|line| line.url.is_some());
        Page {
            happened: self.happened(),
            judged: digest.held.iter().any(is_judged).then_some(words.judged),
            lines,
            more: (left_out > 0).then(|| {
                if self.is_french() {
                    format!("… et {left_out} de plus.")
                } else {
                    format!("… and {left_out} more.")
                }
            }),
            private_links: has_links.then_some(if self.is_french() {
                "Les liens sont privés et expirent\u{A0}: ne les transmettez qu'à des personnes de confiance."
            } else {
                "The links are private and expire: share them only with people you trust."
            }),
        }
    }

    fn happened(&self) -> String {
        let digest = self.digest;
        let (count, most) = (self.count(), digest.max_per_hour);
        let messages = words::messages(most);
        let since = minute(digest.since, self.client);
        let until = minute(digest.until, self.client);
        match (self.client.locale, count) {
            (Locale::French, 1) => format!(
                "Vigint envoie au plus {messages} d'incident par heure. Celui-ci annonce un incident de plus, signalé le \
                 {since}."
            ),
            (Locale::French, _) => format!(
                "Vigint envoie au plus {messages} d'incident par heure. Celui-ci résume {count} incidents de plus, \
                 signalés du {since} au {until}."
            ),
            (Locale::English, 1) => format!(
                "Vigint sends at most {messages} about incidents an hour. This one tells of one more, reported on {since}."
            ),
            (Locale::English, _) => format!(
                "Vigint sends at most {messages} about incidents an hour. This one sums up {count} more, reported from \
                 {since} to {until}."
            ),
        }
    }

    fn line<'a>(&self, words: &Words, line: &'a HeldLine) -> Line<'a> {
        let locale = self.client.locale;
        let kind = clean_line(&line.incident_type);
        let kind = if kind.is_empty() {
            words.incident
        } else {
            &kind
        };
        let mut about = vec![
            clean_line(&line.camera),
            local_time(line.at, locale, &self.client.time_zone),
            words::confirmation_in_a_word(locale, line.confirmation, line.occurrences).to_owned(),
        ];
        if line.occurrences > 1 {
            let times = words::times(locale, line.occurrences);
            about.push(format!("{} {times}", words.how_often.to_lowercase()));
        }
        let mut risk = words::risk(locale, line.risk_level);
        risk.words = sentence(&risk.words);
        Line {
            kind: sentence(kind),
            risk,
            about: about.join(", "),
            id: line.incident_id.to_string(),
            url: line.clip_url.as_deref().filter(|url| is_a_web_address(url)),
        }
    }

    fn steps(&self) -> Vec<Step> {
        let (first, last) = if self.is_french() {
            (
                "Regardez d'abord les incidents les plus graves.",
                "Si une caméra donne l'alarme sans cesse, voyez ce qu'elle montre\u{A0}: elle est peut-être déplacée, ou \
                 quelque chose bouge toujours devant elle.",
            )
        } else {
            (
                "Look at the most serious incidents first.",
                "If one camera raises alarms all the time, see what it shows: it may have been moved, or something \
                 always moves in front of it.",
            )
        };
        let steps = [first]
            .into_iter()
            .chain(words::keep_safe(self.client.locale));
        steps.chain([last]).map(Step::new).collect()
    }
}
