//! The mail about one incident.

use askama::Template;
use vigint_core::text::{clean_line, clean_text, sentence};
use vigint_core::verdict::{Confirmation, RiskLevel};
use vigint_db::clients::ClientRow;
use vigint_db::incidents::IncidentRow;

use super::clip::{ClipNews, ClipWords};
use super::words::{self, Words, words};
use super::{Risk, second, subject_part};
use crate::alerts::mailer::MailError;
use crate::alerts::message::{
    Bodies, Composed, Fact, Frame, MailHead, Step, fitting_still, render, time_of_day,
};

/// What a mail is made from.
pub(in crate::alerts) struct IncidentMail<'a> {
    pub(in crate::alerts) head: MailHead<'a>,
    pub(in crate::alerts) client: &'a ClientRow,
    pub(in crate::alerts) incident: &'a IncidentRow,
    pub(in crate::alerts) news: IncidentNews,
    pub(in crate::alerts) clip: ClipNews,
    /// A picture of it, as a JPEG of at most [`MAX_STILL_BYTES`](crate::alerts::message::MAX_STILL_BYTES).
    pub(in crate::alerts) still: Option<Vec<u8>>,
}

/// Why there is a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::alerts) enum IncidentNews {
    /// The incident is new.
    First,
    /// It was told of before, and its risk has risen to high since.
    RiskRaised,
}

#[derive(Template)]
#[template(path = "incident.html")]
struct HtmlBody<'a> {
    frame: &'a Frame,
    facts: &'a [Fact],
    steps: &'a [Step],
    words: &'a Words,
    page: &'a Page<'a>,
    /// How the still picture is called, and what stands in its place where pictures are not shown.
    still: Option<(String, String)>,
}

#[derive(Template)]
#[template(path = "incident.txt")]
struct TextBody<'a> {
    frame: &'a Frame,
    facts: &'a [Fact],
    steps: &'a [Step],
    words: &'a Words,
    page: &'a Page<'a>,
}

/// What only a mail about an incident has.
struct Page<'a> {
    risk: Risk,
    /// What is new about it, if it was told of before.
    news: Option<&'static str>,
    confirmation: Option<&'static str>,
    /// Who judged it, if we did.
    judged: Option<&'static str>,
    /// Which of several sightings the video shows, or the picture where there is no video.
    shown: Option<String>,
    /// Whether the reader should rather doubt.
    is_in_doubt: bool,
    /// None when a look's words begin with it: nothing is said twice.
    summary: Option<String>,
    looks: Vec<Look>,
    clip: ClipWords<'a>,
}

/// Who says what.
struct Look {
    name: &'static str,
    text: String,
}

impl IncidentMail<'_> {
    /// The mail, ready to be handed over.
    ///
    /// # Errors
    /// When the recipient is no mail address.
    pub(in crate::alerts) fn compose(&self) -> Result<Composed, MailError> {
        let words = words(self.client.locale);
        let still = fitting_still(self.still.as_ref());
        let (frame, facts) = (self.frame(words), self.facts(words));
        let page = self.page(words, still.is_some());
        let steps = self.steps(page.clip.url.is_some());
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
            still: still
                .is_some()
                .then(|| (self.head.still_id(), self.alt_text(words))),
        })?;
        let bodies = Bodies { text, html, still };
        self.head.compose(&self.subject(words), bodies)
    }

    fn subject(&self, words: &Words) -> String {
        let (alert, colon) = (self.kind_of_alert(words).0, words.colon);
        let camera = subject_part(&self.camera());
        if self.incident.is_manual {
            return format!("{alert}{colon} {}, {camera}", words.by_hand);
        }
        let kind = subject_part(&self.kind(words));
        let risk = words::risk(self.client.locale, self.incident.risk_level).words;
        format!("{alert}{colon} {kind}, {risk}, {camera}")
    }

    /// Its first words in the subject, and above the heading.
    fn kind_of_alert(&self, words: &Words) -> (&'static str, &'static str) {
        if self.is_in_doubt() {
            (words.unconfirmed_alert, words.unconfirmed_kicker)
        } else {
            (words.alert, words.kicker)
        }
    }

    fn is_in_doubt(&self) -> bool {
        use Confirmation::{Unavailable, Vetoed};
        matches!(self.incident.confirmation, Unavailable | Vetoed)
    }

    fn frame(&self, words: &Words) -> Frame {
        let heading = if self.incident.is_manual {
            words.by_hand_heading.to_owned()
        } else {
            self.kind(words)
        };
        let footer = vec![
            words.automatic.to_owned(),
            format!("{}{} {}", words.id, words.colon, self.incident.id),
        ];
        let kicker = self.kind_of_alert(words).1;
        Frame::new(self.client.locale, kicker, sentence(&heading), footer)
    }

    fn kind(&self, words: &Words) -> String {
        let kind = clean_line(&self.incident.incident_type);
        if kind.is_empty() {
            words.incident.to_owned()
        } else {
            kind
        }
    }

    fn camera(&self) -> String {
        let name = self.incident.source_name.as_deref().map(clean_line);
        name.filter(|name| !name.is_empty())
            .unwrap_or_else(|| self.incident.source_id.to_string())
    }

    fn facts(&self, words: &Words) -> Vec<Fact> {
        let incident = self.incident;
        let time = |at| second(at, self.client);
        let mut facts = vec![
            Fact::new(words.camera, self.camera()),
            Fact::new(words.place, clean_line(&self.client.name)),
        ];
        if incident.occurrences > 1 {
            let times = words::times(self.client.locale, incident.occurrences);
            facts.push(Fact::new(words.first_seen, time(incident.first_seen_at)));
            facts.push(Fact::new(words.last_seen, time(incident.last_seen_at)));
            facts.push(Fact::new(words.how_often, times));
        } else {
            facts.push(Fact::new(words.time, time(incident.first_seen_at)));
        }
        // The heading says what kind we say it is; here stands what kind somebody else says it is.
        let reported = clean_line(&incident.incident_type);
        if incident.is_manual && !reported.is_empty() {
            facts.push(Fact::new(words.reported_as, reported));
        }
        facts
    }

    fn page(&self, words: &'static Words, has_still: bool) -> Page<'_> {
        let (incident, locale) = (self.incident, self.client.locale);
        let looks = self.looks(words);
        let summary = clean_text(&incident.description);
        let is_said =
            summary.is_empty() || looks.iter().any(|look| look.text.starts_with(&summary));
        let mut risk = words::risk(locale, incident.risk_level);
        risk.words = sentence(&risk.words);
        let clip = self.clip.words(self.client);
        let has_video = clip.url.is_some();
        let is_one_of_several = incident.occurrences > 1 && (has_video || has_still);
        Page {
            risk,
            news: self.told_before(words),
            confirmation: words::confirmation(locale, incident),
            judged: (!incident.is_manual).then_some(words.judged),
            shown: is_one_of_several.then(|| {
                let time = time_of_day(incident.first_seen_at, &self.client.time_zone);
                words::first_sighting(locale, has_video, &time)
            }),
            is_in_doubt: self.is_in_doubt(),
            // What somebody else wrote is one text; its description was cut out of it.
            summary: (!is_said && !incident.is_manual).then_some(summary),
            looks,
            clip,
        }
    }

    fn told_before(&self, words: &Words) -> Option<&'static str> {
        match (self.news, self.incident.risk_level) {
            (IncidentNews::First, _) => None,
            (IncidentNews::RiskRaised, RiskLevel::High) => Some(words.risk_raised),
            // It was looked at again while the mail waited.
            (IncidentNews::RiskRaised, _) => Some(words.told_before),
        }
    }

    fn looks(&self, words: &'static Words) -> Vec<Look> {
        let first = clean_text(&self.incident.analysis);
        let second = clean_text(
            self.incident
                .detailed_analysis
                .as_deref()
                .unwrap_or_default(),
        );
        let named = |name, text| Look { name, text };
        let looks = if self.incident.is_manual {
            vec![
                named(words.reported_words, first),
                named(words.second_look, second),
            ]
        } else if first == second {
            vec![named(words.both_looks, first)]
        } else {
            vec![
                named(words.first_look, first),
                named(words.second_look, second),
            ]
        };
        let is_said = |look: &Look| !look.text.is_empty();
        looks.into_iter().filter(is_said).collect()
    }

    fn steps(&self, has_video: bool) -> Vec<Step> {
        let locale = self.client.locale;
        let look_first = words::look_first(locale, has_video);
        let steps = [look_first]
            .into_iter()
            .chain(words::keep_safe(locale))
            .chain([words::false_alarm(locale)]);
        steps.map(Step::new).collect()
    }

    fn alt_text(&self, words: &Words) -> String {
        format!("{} {}", words.still, self.camera())
    }
}
