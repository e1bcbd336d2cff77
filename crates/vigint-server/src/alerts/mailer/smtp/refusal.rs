//! Whom a reply of 5xx is about: us, who may be known to the server or not, or this one mail.
//!
//! When it is said does not tell. Postfix says at RCPT what it has against the client, its HELO and its sender
//! (`smtpd_delay_reject`), Exchange after the final dot that it does not let us be this sender. The enhanced code may tell
//! (RFC 3463, RFC 7372, and Microsoft's own), else only the words do.

use super::error::Step;

/// Whom a reply of 4xx or 5xx is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Nobody: another time.
    Later,
    /// Our login.
    Login,
    /// Whom mails come from.
    Sender,
    /// All that we may send today.
    Quota,
    /// Us, whatever we may want.
    Server,
    /// This mail or its recipient.
    Mail,
}

/// How well it is known whom a reply is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Certainty {
    Sure,
    /// Mails to others may go out all the same.
    Doubtful,
}

/// Whom this reply is about, and whether that is beyond doubt: the words after the recipient was named may be about
/// that recipient in a way nobody has thought of.
pub(super) fn read(step: Step, code: u16, words: &str) -> (Refusal, Certainty) {
    if code < 500 {
        return (Refusal::Later, Certainty::Sure);
    }
    let status = enhanced_status(code, words);
    if matches!(code, 530 | 534 | 535 | 538)
        || matches!(status, Some((7, 8 | 9 | 11 | 30 | 57 | 139)))
    {
        return (Refusal::Login, Certainty::Sure);
    }
    if status == Some((4, 5)) {
        return (Refusal::Quota, Certainty::Sure);
    }
    let said = Said::new(words);
    if is_about_recipient(step, status) {
        return (Refusal::Mail, Certainty::Sure);
    }
    match step {
        // No mail was spoken of yet.
        Step::Connect | Step::StartTls => (Refusal::Server, Certainty::Sure),
        Step::Login => (Refusal::Login, Certainty::Sure),
        Step::Sender if is_too_big(status, &said) => (Refusal::Mail, Certainty::Sure),
        Step::Sender => {
            let quota = said.names_a_quota().then_some(Refusal::Quota);
            let about = quota.or_else(|| about_us(status, &said));
            (about.unwrap_or(Refusal::Sender), Certainty::Sure)
        }
        Step::Data | Step::Message if is_too_big(status, &said) => (Refusal::Mail, Certainty::Sure),
        Step::Recipient | Step::Data | Step::Message => doubtful(about_us(status, &said)),
    }
}

/// Whether the enhanced code says that it is the recipient's address, mailbox or list of whom it blocks: then its words
/// are not looked at, for they may name anything ("User unknown in relay recipient table").
const fn is_about_recipient(step: Step, status: Option<(u16, u16)>) -> bool {
    match (step, status) {
        // Microsoft's SendAsDenied.
        (_, Some((2, 252))) => false,
        (Step::Recipient | Step::Data | Step::Message, Some((1, 1..=6 | 10) | (7, 513))) => true,
        (Step::Recipient, Some((2, _))) => true,
        // Microsoft has 5.2.0 for what it has against us, too.
        (Step::Data | Step::Message, Some((2, 1..))) => true,
        _ => false,
    }
}

fn doubtful(about_us: Option<Refusal>) -> (Refusal, Certainty) {
    match about_us {
        Some(refusal) => (refusal, Certainty::Doubtful),
        None => (Refusal::Mail, Certainty::Sure),
    }
}

/// What of us it is about, as far as the enhanced code or the words say that it is about us.
fn about_us(status: Option<(u16, u16)>, said: &Said) -> Option<Refusal> {
    match status {
        // Also what the sender's domain says of who may send for it (SPF, DKIM, DMARC).
        Some((1, 7 | 8) | (2, 252) | (7, 20..=24 | 26 | 60 | 501..=503 | 509 | 515 | 750)) => {
            return Some(Refusal::Sender);
        }
        // Microsoft's limit of recipients, Gmail's rate.
        Some((1, 90) | (7, 28)) => return Some(Refusal::Quota),
        Some((7, 25 | 54 | 64 | 606..=649 | 700..=749)) => return Some(Refusal::Server),
        _ => {}
    }
    let is_said = |phrases: &[&str]| phrases.iter().any(|phrase| said.has(phrase));
    if is_said(OF_LOGIN) {
        Some(Refusal::Login)
    } else if is_said(OF_SENDING) || said.has_within("submissionquota") {
        Some(Refusal::Quota)
    } else if is_said(OF_SENDER) || said.has_within("sendasdenied") {
        Some(Refusal::Sender)
    } else if is_said(OF_SERVER) {
        Some(Refusal::Server)
    } else {
        None
    }
}

const OF_LOGIN: &[&str] = &[
    "authentication required",
    "not authenticated",
    "smtp authentication",
    "auth command",
    "auth first",
];
const OF_SENDER: &[&str] = &[
    "sender address rejected",
    "sender rejected",
    "sender verify failed",
    "sender verify fail",
    "not owned by user",
    "send as this sender",
    // Amazon SES, SendGrid.
    "email address is not verified",
    "identities failed the check",
    "verified sender identity",
];
/// Of what we send. A quota, a limit or a rate without more may be of the recipient's mailbox, or of its filter.
const OF_SENDING: &[&str] = &[
    "sending limit",
    "sending limits",
    "sending quota",
    "sending rate",
];
const OF_SERVER: &[&str] = &[
    "relay",
    "relaying",
    "helo",
    "ehlo",
    "client host",
    "blocked using",
    "sending ip",
    "ip you're using",
];

/// Too big is the mail, whoever sends it.
fn is_too_big(status: Option<(u16, u16)>, said: &Said) -> bool {
    matches!(status, Some((3, 4) | (2, 3))) || said.has("size")
}

/// The words of a reply, to look for phrases in. No addresses, for they may be anything.
struct Said(String);

impl Said {
    fn new(words: &str) -> Self {
        let mut said = String::from(" ");
        // What follows was said by yet another server, to the one that we speak with, and not about us.
        let own = words.split(" said: ").next().unwrap_or_default();
        for word in own.split_whitespace().filter(|word| !word.contains('@')) {
            said.push_str(
                &word
                    .trim_matches(|c: char| !c.is_alphanumeric())
                    .to_lowercase(),
            );
            said.push(' ');
        }
        Self(said)
    }

    /// Whether these whole words are among them.
    fn has(&self, phrase: &str) -> bool {
        self.0.contains(&format!(" {phrase} "))
    }

    fn has_within(&self, part: &str) -> bool {
        self.0.contains(part)
    }

    /// Whether they name one of how much may be sent, or taken.
    fn names_a_quota(&self) -> bool {
        let is_named = ["quota", "limit", "limits", "rate"].map(|word| self.has(word));
        is_named.contains(&true)
    }
}

/// The subject and the detail of an enhanced status code (`5.7.8` gives 7 and 8) at the beginning of the words.
fn enhanced_status(code: u16, words: &str) -> Option<(u16, u16)> {
    let mut parts = words.split_whitespace().next()?.split('.');
    let mut number = || parts.next()?.parse::<u16>().ok();
    let (class, subject, detail) = (number()?, number()?, number()?);
    (class == code / 100 && parts.next().is_none()).then_some((subject, detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_enhanced_code_stands_first_and_agrees_with_the_reply() {
        assert_eq!(enhanced_status(535, "5.7.8 wrong"), Some((7, 8)));
        for words in [
            "",
            "wrong 5.7.8",
            "4.7.8 wrong",
            "5.7 wrong",
            "5.7.8.1 x",
            "5.a.8",
        ] {
            assert_eq!(enhanced_status(535, words), None, "{words}");
        }
    }

    fn check(step: Step, expected: Refusal, replies: &[&str]) {
        for reply in replies {
            let (code, words) = reply.split_once(' ').unwrap();
            let (found, _) = read(step, code.parse().unwrap(), words);
            assert_eq!(found, expected, "{step:?}: {reply}");
        }
    }

    #[test]
    fn before_the_sender_every_refusal_is_ours() {
        check(
            Step::Connect,
            Refusal::Server,
            &[
                "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
                "554 mail.example.com ESMTP not accepting messages",
                "550 Access denied - Invalid HELO name (See RFC2821 4.1.1.1)",
            ],
        );
        check(Step::Connect, Refusal::Later, &["421 4.3.2 busy"]);
        check(Step::StartTls, Refusal::Server, &["502 5.5.1 not known"]);
        check(
            Step::StartTls,
            Refusal::Later,
            &["454 4.7.0 TLS is not there now"],
        );
        check(
            Step::Login,
            Refusal::Later,
            &["454 4.7.0 Temporary authentication failure"],
        );
        check(
            Step::Login,
            Refusal::Login,
            &[
                "535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6",
                "535 5.7.3 Authentication unsuccessful [PR3P192CA0003.EURP192.PROD.OUTLOOK.COM]",
                "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.",
                "535 5.7.8 Username and Password not accepted. For more information, go to …",
                "534 5.7.9 Application-specific password required.",
                "550 5.7.30 Basic authentication is not supported for Client Submission.",
                "535 5.7.1 Authentication failed",
                "535 Incorrect authentication data",
                "538 5.7.11 encrypt first",
                "504 5.5.4 Unrecognized authentication type",
            ],
        );
    }

    #[test]
    fn at_mail_from_every_refusal_but_of_the_size_is_ours() {
        check(
            Step::Sender,
            Refusal::Sender,
            &[
                "553 5.7.1 <a@b.example>: Sender address rejected: not owned by user c@b.example",
                "550 5.7.1 Invalid sender",
                "550 5.1.8 <a@b.example>: Sender address rejected: Domain not found",
                "550 5.1.7 Invalid address",
                "501 5.1.7 Bad sender address syntax",
                "550 Sender verify failed",
                "550 5.1.0 <a@b.example> sender rejected",
                "554 5.7.1 no",
                "503 5.5.1 nested MAIL command",
                "555 5.5.4 Unsupported option: BODY=8BITMIME",
            ],
        );
        check(
            Step::Sender,
            Refusal::Login,
            &[
                "530 5.7.0 Authentication Required. For more information, go to …",
                "530 5.7.57 Client not authenticated to send mail.",
                "550 5.7.57 SMTP; Client was not authenticated to send anonymous mail during MAIL FROM",
                "550 authentication required",
                "503 5.5.4 Error: send AUTH command first.",
            ],
        );
        check(
            Step::Sender,
            Refusal::Quota,
            &[
                "550 5.4.5 Daily user sending limit exceeded.",
                "550 5.7.1 Sending quota of this account is used up",
                "554 5.7.1 Sender rate exceeded",
            ],
        );
        check(
            Step::Sender,
            Refusal::Server,
            &[
                "504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname",
                "550 5.7.1 Invalid credentials for relay [192.0.2.1].",
            ],
        );
        check(
            Step::Sender,
            Refusal::Mail,
            &[
                "552 5.3.4 Message size exceeds fixed limit",
                "552 Message size exceeds maximum permitted",
            ],
        );
        check(Step::Sender, Refusal::Later, &["451 4.3.0 later"]);
    }

    #[test]
    fn at_rcpt_what_is_about_us_is_told_from_what_is_about_the_recipient() {
        check(
            Step::Recipient,
            Refusal::Server,
            &[
                // Postfix, which waits with all its restrictions until here.
                "554 5.7.1 <owner@shop.example>: Relay access denied",
                "504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname",
                "550 5.7.1 <box>: Helo command rejected: Host not found",
                "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
                "554 5.7.1 <unknown[192.0.2.1]>: Client host rejected: Access denied",
                // Exchange.
                "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain",
                "550 5.7.64 TenantAttribution; Relay Access Denied [DB5EUR01FT003.eop-EUR01.prod.protection.outlook.com]",
                "550 5.7.606 Access denied, banned sending IP [192.0.2.1].",
                "550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP.",
                // Gmail.
                "550 5.7.1 Invalid credentials for relay [192.0.2.1]. The IP address …",
                "550 5.7.0 Mail relay denied [192.0.2.1].",
                // Exim, sendmail.
                "550 relay not permitted",
                "550 5.7.1 <owner@shop.example>... Relaying denied",
                "550 Access denied - Invalid HELO name (See RFC2821 4.1.1.1)",
            ],
        );
        check(
            Step::Recipient,
            Refusal::Sender,
            &[
                // OVH has Postfix's words.
                "553 5.7.1 <a@b.example>: Sender address rejected: not owned by user c@b.example",
                "550 5.7.1 <a@b.example>: Sender address rejected: Access denied",
                "504 5.5.2 <alerts@box>: Sender address rejected: need fully-qualified address",
                "550 5.1.8 <a@b.example>: Sender address rejected: Domain not found",
                "550 5.7.23 <owner@shop.example>: Recipient address rejected: Message rejected due to: SPF fail",
                "550 Sender verify failed",
                // Exchange.
                "550 5.7.501 Access denied, spam abuse detected. Contact technical support",
                "550 5.7.502 Access denied, banned sender.",
                "550 5.7.503 Access denied, banned sender",
            ],
        );
        check(
            Step::Recipient,
            Refusal::Login,
            &[
                "530 5.7.1 Client was not authenticated",
                "550 authentication required",
                "550 Please turn on SMTP Authentication in your mail client.",
            ],
        );
        check(
            Step::Recipient,
            Refusal::Quota,
            &[
                "550 5.4.5 quota",
                "550 User a has exceeded its 24-hour sending limit. Messages to 500 recipients out of 500 allowed",
            ],
        );
        check(
            Step::Recipient,
            Refusal::Mail,
            &[
                "550 5.1.1 <owner@shop.example>: Recipient address rejected: User unknown in local recipient table",
                "554 5.7.1 <owner@shop.example>: Recipient address rejected: Access denied",
                "504 5.5.2 <owner@shop>: Recipient address rejected: need fully-qualified address",
                "550 5.1.1 <owner@relay.example>: Recipient address rejected: undeliverable address: host \
                 mx.relay.example[192.0.2.2] said: 554 5.7.1 Relay access denied (in reply to RCPT TO command)",
                "550 5.4.1 Recipient address rejected: Access denied.",
                "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
                "550 5.1.1 <owner@shop.example>: Recipient address rejected: User unknown in relay recipient table",
                "550 5.1.6 the mailbox has moved to another relay",
                "550 5.2.0 relay of the mailbox",
                "550 5.7.513 Service unavailable, Client host [192.0.2.1] blocked by recipient using customer block list",
                "552 Mailbox quota exceeded",
                "550 The recipient is over the limit of its mailbox",
                "550 5.1.1 The email account that you tried to reach does not exist.",
                "552 5.2.2 The recipient's inbox is out of storage space.",
                "552 5.2.2 mailbox over quota",
                "550 5.2.1 The user you are trying to contact is receiving email at a rate that prevents more",
                "553 5.1.2 We weren't able to find the recipient domain.",
                "501 5.1.3 Bad recipient address syntax",
                "550 Unrouteable address",
                "550 no such user",
            ],
        );
        check(
            Step::Recipient,
            Refusal::Later,
            &[
                "450 4.2.0 Greylisted",
                "452 4.5.3 Too many recipients",
                "454 4.7.1 Relay access denied",
            ],
        );
    }

    #[test]
    fn after_the_dot_what_is_about_us_is_told_from_what_is_about_the_mail() {
        check(
            Step::Message,
            Refusal::Sender,
            &[
                "554 5.2.252 SendAsDenied; a@b.example not allowed to send as c@b.example; STOREDRV.Submission",
                "554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied; Failed",
                "550 5.7.60 SMTP; Client does not have permissions to send as this sender [x.prod.outlook.com]",
                "550 5.7.509 Access denied, sending domain b.example does not pass DMARC verification",
                "550 5.7.26 Your email has been blocked because the sender is unauthenticated.",
                "550 5.1.8 Access denied, bad outbound sender.",
                "554 Message rejected: Email address is not verified. The following identities failed the check in \
                 region EU-WEST-1: a@b.example",
                "550 The from address does not match a verified Sender Identity. Mail cannot be sent until this error \
                 is resolved.",
            ],
        );
        check(
            Step::Message,
            Refusal::Quota,
            &[
                "550 5.4.5 Daily user sending limit exceeded.",
                "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; Failed to process",
                "550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients",
                "550 5.7.28 There is an unusual rate of unsolicited mail originating from your IP address.",
                "554 Sending quota of this account is used up",
            ],
        );
        check(
            Step::Message,
            Refusal::Server,
            &[
                "550 5.7.1 [192.0.2.1] The IP you're using to send mail is not authorized to send directly",
            ],
        );
        check(
            Step::Message,
            Refusal::Mail,
            &[
                "550 5.7.1 Our system has detected that this message is likely unsolicited mail.",
                "554 5.7.1 Message rejected because of spam; corporate moderation generated this",
                "552 5.3.4 Error: message file too big",
                "552 5.2.3 Your message exceeded Google's message size limits.",
                "552 Message size exceeds maximum permitted",
                "552 5.2.2 quota of the mailbox is exceeded",
                "552 Mailbox quota exceeded",
                "554 5.7.1 spam score exceeds limit",
                "554 5.7.1 rejected at this rate of unwanted mail",
                "550 5.1.1 no such user behind this relay",
                "550 5.7.513 Client host [192.0.2.1] blocked by recipient using customer block list",
                "552 5.7.0 This message was blocked because its content presents a potential security issue.",
                "554 5.6.0 Corrupt message content",
            ],
        );
        check(
            Step::Message,
            Refusal::Later,
            &["452 4.3.1 Insufficient system storage"],
        );
        check(
            Step::Data,
            Refusal::Mail,
            &["554 5.5.1 Error: no valid recipients"],
        );
    }

    #[test]
    fn what_is_read_out_of_words_after_the_recipient_was_named_is_not_beyond_doubt() {
        for (step, reply, expected) in [
            (
                Step::Recipient,
                "554 5.7.1 <a@b.example>: Relay access denied",
                Certainty::Doubtful,
            ),
            (
                Step::Message,
                "550 5.7.60 not this sender",
                Certainty::Doubtful,
            ),
            (
                Step::Message,
                "554 5.2.0 SubmissionQuotaExceeded",
                Certainty::Doubtful,
            ),
            (
                Step::Recipient,
                "530 5.7.1 not authenticated",
                Certainty::Sure,
            ),
            (
                Step::Message,
                "550 5.4.5 Daily user sending limit exceeded.",
                Certainty::Sure,
            ),
            (Step::Sender, "550 5.7.1 no", Certainty::Sure),
        ] {
            let (code, words) = reply.split_once(' ').unwrap();
            assert_eq!(
                read(step, code.parse().unwrap(), words).1,
                expected,
                "{reply}"
            );
        }
    }
}
