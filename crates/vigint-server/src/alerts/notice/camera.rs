//! What a mail says about cameras that fell silent, or came back: to the client, in its language and time zone.
//!
//! Here: how it is put together; `words` has the sentences.

mod words;

use vigint_core::clock::UtcTime;
use vigint_core::locale::Locale;
use vigint_core::text::{clean_line, sentence};
use vigint_db::clients::ClientRow;

use self::words::{Words, words};
use super::{Meanings, Texts};
use crate::alerts::compose::{keep_safe, subject_part};
use crate::alerts::mailer::MailError;
use crate::alerts::message::{Composed, Fact, Frame, MailHead, Step, day_and_second, in_words};

/// How many cameras are named in a subject: telephones show no more…
const MOST_IN_SUBJECT: usize = 2;
/// …and how many in a mail.
const MOST_NAMED: usize = 20;

/// What a mail is made from.
pub(in crate::alerts) struct CameraMail<'a> {
    pub(in crate::alerts) head: MailHead<'a>,
    pub(in crate::alerts) client: &'a ClientRow,
    pub(in crate::alerts) news: &'a CameraNews,
}

/// What became of cameras, at least one. Each is called by its name, or by its id if it has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::alerts) enum CameraNews {
    /// Nothing has come from any of them; from the first, since then.
    Silent {
        cameras: Vec<String>,
        since: UtcTime,
    },
    /// They were silent, the first of them since then, and all send again.
    Back {
        cameras: Vec<String>,
        silent_since: UtcTime,
        back_at: UtcTime,
    },
}

impl CameraNews {
    fn cameras(&self) -> &[String] {
        match self {
            Self::Silent { cameras, .. } | Self::Back { cameras, .. } => cameras,
        }
    }
}

impl CameraMail<'_> {
    /// The mail, ready to be handed over.
    ///
    /// # Errors
    /// When the recipient is no mail address.
    pub(in crate::alerts) fn compose(&self) -> Result<Composed, MailError> {
        let words = words(self.client.locale, self.news.cameras().len());
        let texts = match self.news {
            CameraNews::Silent { since, .. } => self.silent(words, *since),
            CameraNews::Back {
                silent_since,
                back_at,
                ..
            } => self.back(words, *silent_since, *back_at),
        };
        texts.compose(&self.head, &self.subject(words))
    }

    fn subject(&self, words: &Words) -> String {
        let names = self.news.cameras().iter().map(|name| subject_part(name));
        let cameras = listed(names.collect(), MOST_IN_SUBJECT, self.client.locale);
        match self.news {
            CameraNews::Silent { .. } => {
                format!("{}{}", words.alert, (words.are_silent)(&cameras))
            }
            CameraNews::Back { .. } => sentence(&(words.are_back)(&cameras)),
        }
    }

    fn named(&self) -> String {
        let names = self.news.cameras().iter().map(|name| clean_line(name));
        listed(names.collect(), MOST_NAMED, self.client.locale)
    }

    fn silent(&self, words: &'static Words, since: UtcTime) -> Texts {
        let cameras = self.named();
        let [_, emergency] = keep_safe(self.client.locale);
        let steps = words.steps_when_silent.into_iter().chain([emergency]);
        Texts {
            frame: self.frame(words, words.alert_kicker, &(words.are_silent)(&cameras)),
            happened: words.happened_when_silent.to_owned(),
            facts: vec![
                Fact::new(words.camera, cameras),
                Fact::new(words.place, clean_line(&self.client.name)),
                Fact::new(words.last_picture, self.time(since)),
            ],
            meanings: Some(Meanings {
                intro: words.can_mean,
                each: words.meanings.to_vec(),
            }),
            to_do: words.to_check,
            steps: steps.map(Step::new).collect(),
        }
    }

    fn back(&self, words: &'static Words, from: UtcTime, to: UtcTime) -> Texts {
        let cameras = self.named();
        let gap = in_words(to.since(from), self.client.locale);
        Texts {
            frame: self.frame(words, words.kicker, &(words.are_back)(&cameras)),
            happened: (words.happened_when_back)(&gap),
            facts: vec![
                Fact::new(words.camera, cameras),
                Fact::new(words.place, clean_line(&self.client.name)),
                Fact::new(words.silent_since, self.time(from)),
                Fact::new(words.back_since, self.time(to)),
            ],
            meanings: None,
            to_do: words.to_do,
            steps: words.steps_when_back.into_iter().map(Step::new).collect(),
        }
    }

    fn frame(&self, words: &Words, kicker: &str, heading: &str) -> Frame {
        let footer = vec![words.automatic.to_owned()];
        Frame::new(self.client.locale, kicker, sentence(heading), footer)
    }

    fn time(&self, at: UtcTime) -> String {
        day_and_second(at, self.client.locale, &self.client.time_zone)
    }
}

/// Names as a sentence lists them: at most so many, and how many there are besides.
fn listed(mut names: Vec<String>, most: usize, locale: Locale) -> String {
    let (and, more) = match locale {
        Locale::French => ("et", "de plus"),
        Locale::English => ("and", "more"),
    };
    let left_out = names.len().saturating_sub(most);
    names.truncate(most);
    let last = if left_out > 0 {
        Some(format!("{left_out}\u{A0}{more}"))
    } else {
        names.pop()
    };
    let last = last.unwrap_or_default();
    if names.is_empty() {
        last
    } else {
        format!("{} {and} {last}", names.join(", "))
    }
}
