//! Why a mail server did not take a mail, what that means for it and for others (RFC 5321 §4.2, RFC 4954 §6), and what
//! helps.

use std::fmt;
use std::time::Duration;

use lettre::transport::smtp::Error as LettreError;
use vigint_core::text::plain_line;

use super::super::error::Fate;
use super::refusal::{Certainty, Refusal, read};
use super::trust::Distrust;

/// An operator must mend something, who may be at it.
const SHORT_PAUSE: Duration = Duration::from_secs(60);
/// A quota of a day heals by itself, within hours.
const QUOTA_PAUSE: Duration = Duration::from_secs(3600);
/// The most of a server's words that is read; a reply of many lines may say only in its last what it is about.
const MOST_READ: usize = 4000;

/// How far a session had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Connect,
    StartTls,
    Login,
    Sender,
    Recipient,
    Data,
    /// The mail and its final dot are on their way.
    Message,
}

impl Step {
    /// What the server was asked to take.
    const fn asked_for(self) -> &'static str {
        match self {
            Self::Connect => "the connection",
            Self::StartTls => "to set up TLS",
            Self::Login => "the login",
            Self::Sender => "the sender",
            Self::Recipient => "the recipient",
            Self::Data | Self::Message => "the mail",
        }
    }

    /// What was being done.
    const fn doing(self) -> &'static str {
        match self {
            Self::Connect => "connecting",
            Self::StartTls => "setting up TLS",
            Self::Login => "logging in",
            Self::Sender => "naming the sender",
            Self::Recipient => "naming the recipient",
            Self::Data => "announcing the mail",
            Self::Message => "waiting for the mail to be taken",
        }
    }
}

/// What went wrong in a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The server answered, and not as hoped.
    Refused { code: u16, words: String },
    /// The connection broke, TLS could not be set up, or the answer was none.
    Broken(String),
    /// The server's certificate is not believed.
    Distrusted { why: Distrust, words: String },
    /// No answer within this time.
    TimedOut(Duration),
    /// TLS is demanded, and the server has none to offer.
    NoStartTls,
    /// The server offers no way to log in that we know.
    NoLogin,
    /// The recipient's address has letters beyond ASCII, and the server does not take such.
    OnlyAscii,
    /// The same of the sender's.
    OnlyAsciiSender,
}

impl From<LettreError> for Cause {
    fn from(error: LettreError) -> Self {
        let source = std::error::Error::source(&error);
        match error.status() {
            Some(code) => Self::Refused {
                code: code.into(),
                words: source.map(ToString::to_string).unwrap_or_default(),
            },
            None => {
                let whole = error.to_string();
                // What it says of itself ("Connection error: ") is in our own words already.
                let words = source.map_or(whole, ToString::to_string);
                match Distrust::of(&error) {
                    Some(why) => Self::Distrusted { why, words },
                    None => Self::Broken(words),
                }
            }
        }
    }
}

impl Cause {
    /// Whether the connection is as good as before: the server said no and waits for the next command.
    pub(super) const fn leaves_connection_whole(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if *code != CLOSING)
    }
}

/// "Service not available, closing transmission channel": may come at any time.
const CLOSING: u16 = 421;

/// Why a mail server did not take a mail. Holds its words, cleaned and cut, and no password.
#[derive(Clone, Debug)]
pub struct SmtpError {
    /// Host and port.
    server: String,
    step: Step,
    cause: Cause,
    /// Whom a refusal is about: read from its words before they were cut.
    about: Option<(Refusal, Certainty)>,
}

impl SmtpError {
    /// `hide` takes out of the server's words what it must not have said.
    pub(super) fn new(
        server: String,
        step: Step,
        mut cause: Cause,
        hide: impl FnOnce(&str) -> String,
    ) -> Self {
        let mut about = None;
        match &mut cause {
            Cause::Refused { code, words } => {
                let whole: String = hide(words).chars().take(MOST_READ).collect();
                about = Some(read(step, *code, &whole));
                *words = plain_line(&whole);
            }
            Cause::Distrusted { words, .. } | Cause::Broken(words) => {
                *words = plain_line(&hide(words));
            }
            Cause::TimedOut(_)
            | Cause::NoStartTls
            | Cause::NoLogin
            | Cause::OnlyAscii
            | Cause::OnlyAsciiSender => {}
        }
        Self {
            server,
            step,
            cause,
            about,
        }
    }

    /// Whether the mail may have been taken: the answer to its final dot is missing, or none that is known.
    pub(in crate::alerts::mailer) fn may_be_out(&self) -> bool {
        self.step == Step::Message && matches!(self.cause, Cause::Broken(_) | Cause::TimedOut(_))
    }

    /// What it means for the mail and for the way out.
    pub(in crate::alerts::mailer) fn fate(&self) -> Fate {
        if let Some((refusal, certainty)) = self.about {
            let pause = match refusal {
                Refusal::Later => return Fate::TryAgain,
                Refusal::Mail => return Fate::GiveUp,
                Refusal::Login | Refusal::Sender | Refusal::Server => SHORT_PAUSE,
                Refusal::Quota => QUOTA_PAUSE,
            };
            return match certainty {
                Certainty::Sure => Fate::ChannelStopped { pause },
                Certainty::Doubtful => Fate::ChannelSeemsStopped { pause },
            };
        }
        match &self.cause {
            Cause::NoStartTls
            | Cause::NoLogin
            | Cause::Distrusted { .. }
            | Cause::OnlyAsciiSender => Fate::ChannelStopped { pause: SHORT_PAUSE },
            Cause::OnlyAscii => Fate::GiveUp,
            Cause::Refused { .. } | Cause::Broken(_) | Cause::TimedOut(_) => Fate::TryAgain,
        }
    }

    /// What helps against it, if anything the operator can do.
    fn cure(&self) -> &'static str {
        if let Some((refusal, _)) = self.about {
            return self.cure_of(refusal);
        }
        match &self.cause {
            Cause::NoStartTls => {
                "nothing was sent to it. Ask for TLS from the first byte ([Email] security = tls, usually on port 465), \
                 or for a server that has STARTTLS"
            }
            Cause::NoLogin => "log in elsewhere, or leave [Email] username and password out",
            Cause::OnlyAscii => "use an address without accents",
            Cause::OnlyAsciiSender => "write [Email] from_email without accents",
            Cause::TimedOut(_) if self.step == Step::Connect => {
                "check [Email] smtp_server and smtp_port, and that a firewall lets it through; security = starttls \
                 belongs to port 587, tls to port 465"
            }
            Cause::Distrusted { why, .. } => why.cure(),
            Cause::Broken(_) if matches!(self.step, Step::Connect | Step::StartTls) => {
                "check [Email] smtp_server, smtp_port and security"
            }
            Cause::Refused { .. } | Cause::Broken(_) | Cause::TimedOut(_) => {
                "this may pass by itself"
            }
        }
    }

    fn cure_of(&self, refusal: Refusal) -> &'static str {
        match refusal {
            Refusal::Later => "this may pass by itself",
            Refusal::Login => {
                "check [Email] username and password (Gmail and others want an app password), and that security is not \
                 none"
            }
            Refusal::Sender => "check that [Email] from_email may be used by this account",
            Refusal::Server => "ask whoever runs the mail server why it refuses this machine",
            Refusal::Quota => "mails go on when the provider allows it again",
            Refusal::Mail if self.step == Step::Recipient => "check the recipient's address",
            Refusal::Mail => "this mail is not tried again",
        }
    }
}

impl fmt::Display for SmtpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (server, step) = (&self.server, self.step);
        match &self.cause {
            Cause::Refused { code, words } if *code < 500 => {
                write!(
                    f,
                    "{server} does not take {} now: {code} {words}",
                    step.asked_for()
                )
            }
            Cause::Refused { code, words } => {
                write!(f, "{server} refused {}: {code} {words}", step.asked_for())
            }
            Cause::Broken(words) | Cause::Distrusted { words, .. } => {
                write!(f, "{server}, {}: {words}", step.doing())
            }
            Cause::TimedOut(limit) => {
                write!(f, "{server}, {}: no answer within {limit:?}", step.doing())
            }
            Cause::NoStartTls => write!(f, "{server} offers no STARTTLS"),
            Cause::NoLogin => write!(f, "{server} offers no login by name and password"),
            Cause::OnlyAscii => write!(f, "{server} takes no address beyond ASCII (SMTPUTF8)"),
            Cause::OnlyAsciiSender => {
                write!(f, "{server} takes no sender beyond ASCII (SMTPUTF8)")
            }
        }?;
        write!(f, "; {}", self.cure())
    }
}

impl std::error::Error for SmtpError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(step: Step, reply: &str) -> SmtpError {
        let (code, words) = reply.split_once(' ').unwrap();
        let cause = Cause::Refused {
            code: code.parse().unwrap(),
            words: words.to_owned(),
        };
        SmtpError::new("m:587".to_owned(), step, cause, ToOwned::to_owned)
    }

    #[test]
    fn each_reply_has_its_fate() {
        let [stopped, quota] =
            [SHORT_PAUSE, QUOTA_PAUSE].map(|pause| Fate::ChannelStopped { pause });
        let [seems, of_quota] =
            [SHORT_PAUSE, QUOTA_PAUSE].map(|pause| Fate::ChannelSeemsStopped { pause });
        for (step, reply, fate) in [
            (Step::Connect, "554 5.7.1 your address is listed", stopped),
            (Step::Login, "535 5.7.8 wrong", stopped),
            (Step::Sender, "553 not your address", stopped),
            (
                Step::Sender,
                "550 5.4.5 daily sending quota exceeded",
                quota,
            ),
            (Step::Sender, "552 5.3.4 too large", Fate::GiveUp),
            (
                Step::Recipient,
                "554 5.7.1 <a@b.example>: Relay access denied",
                seems,
            ),
            (Step::Recipient, "450 4.2.1 greylisted", Fate::TryAgain),
            (Step::Recipient, "550 5.1.1 no such user", Fate::GiveUp),
            (Step::Recipient, "530 5.7.1 not authenticated", stopped),
            (Step::Message, "550 5.7.60 not this sender", seems),
            (
                Step::Message,
                "554 5.2.0 SubmissionQuotaExceededException",
                of_quota,
            ),
            (Step::Message, "550 5.4.5 daily quota exceeded", quota),
            (Step::Message, "550 5.7.1 looks like spam", Fate::GiveUp),
        ] {
            let error = refused(step, reply);
            assert_eq!(error.fate(), fate, "{error}");
            assert!(error.to_string().contains(reply), "{error}");
        }
    }

    #[test]
    fn what_only_the_last_of_many_words_tell_is_read_and_not_shown() {
        // The three lines of cPanel's Exim, as one.
        let reply = "550 Verification failed for <alerts@shop.example> The mail server could not deliver mail to \
                     alerts@shop.example. The account or domain may not exist, they may be blacklisted, or missing the \
                     proper dns entries. Sender verify failed";
        let error = refused(Step::Recipient, reply);
        let pause = SHORT_PAUSE;
        assert_eq!(error.fate(), Fate::ChannelSeemsStopped { pause }, "{error}");
        let said = error.to_string();
        assert!(said.contains("…; check that [Email] from_email"), "{said}");
        assert!(!said.contains("Sender verify failed"), "{said}");
        // Not without end.
        let endless = format!("550 {}Sender verify failed", "no ".repeat(MOST_READ));
        assert_eq!(refused(Step::Recipient, &endless).fate(), Fate::GiveUp);
    }

    #[test]
    fn words_of_the_server_are_one_harmless_line_cut() {
        let long = format!(
            "550 5.1.1 no\u{1b}[2J\r\nsuch\u{202E}user {}",
            "x".repeat(500)
        );
        let said = refused(Step::Recipient, &long).to_string();
        assert!(
            said.starts_with("m:587 refused the recipient: 550 5.1.1 no[2J suchuser xx"),
            "{said}"
        );
        assert!(said.contains("…; check the recipient's address"), "{said}");
        assert!(said.chars().count() < 300, "{said}");
    }

    #[test]
    fn what_the_server_must_not_have_said_is_hidden_before_it_is_cut() {
        let words = format!("{}geheim", " ".repeat(300));
        let cause = Cause::Refused { code: 535, words };
        let error = SmtpError::new("m:587".to_owned(), Step::Login, cause, |words| {
            words.replace("geheim", "***")
        });
        assert!(error.to_string().contains("535 ***;"), "{error}");
        assert!(!format!("{error:?}").contains("geheim"));
    }
}
