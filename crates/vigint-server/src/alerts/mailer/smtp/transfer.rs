//! One mail over a connection that is ready for it.

use lettre::address::Envelope;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::{Response, Severity};
use lettre::{Address, Message};

use super::error::{Cause, Step};
use super::{SmtpLimits, within};

/// From the sender to the final dot, each step within its limit. The server's words of acceptance.
pub(super) async fn transfer(
    connection: &mut AsyncSmtpConnection,
    mail: &Message,
    limits: &SmtpLimits,
    step: &mut Step,
) -> Result<String, Cause> {
    let envelope = mail.envelope();
    let bytes = mail.formatted();
    *step = Step::Sender;
    let parameters = parameters(connection, envelope, &bytes)?;
    let sender = Mail::new(envelope.from().cloned(), parameters);
    let answer = within(limits.command, connection.command(sender)).await?;
    expect(Severity::PositiveCompletion, answer)?;
    *step = Step::Recipient;
    for recipient in envelope.to() {
        let recipient = Rcpt::new(recipient.clone(), Vec::new());
        let answer = within(limits.command, connection.command(recipient)).await?;
        expect(Severity::PositiveCompletion, answer)?;
    }
    *step = Step::Data;
    let answer = within(limits.command, connection.command(Data)).await?;
    expect(Severity::PositiveIntermediate, answer)?;
    *step = Step::Message;
    let taken = within(limits.message, connection.message(&bytes)).await?;
    let taken = expect(Severity::PositiveCompletion, taken)?;
    let words: Vec<_> = taken.message().collect();
    Ok(format!("{} {}", taken.code(), words.join(" ")))
}

/// What must be said beside the sender about addresses and bytes beyond ASCII (RFC 6531, RFC 6152).
fn parameters(
    connection: &AsyncSmtpConnection,
    envelope: &Envelope,
    mail: &[u8],
) -> Result<Vec<MailParameter>, Cause> {
    let has = |extension| connection.server_info().supports_feature(extension);
    let is_beyond = |address: &Address| !AsRef::<str>::as_ref(address).is_ascii();
    let sender_is = envelope.from().is_some_and(is_beyond);
    let mut parameters = Vec::new();
    if sender_is || envelope.to().iter().any(is_beyond) {
        if has(Extension::SmtpUtfEight) {
            parameters.push(MailParameter::SmtpUtfEight);
        } else if sender_is {
            return Err(Cause::OnlyAsciiSender);
        } else {
            return Err(Cause::OnlyAscii);
        }
    }
    if !mail.is_ascii() && has(Extension::EightBitMime) {
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    Ok(parameters)
}

/// A reply that is good, and yet not to what was said: this is no conversation.
fn expect(severity: Severity, reply: Response) -> Result<Response, Cause> {
    if reply.code().severity == severity {
        Ok(reply)
    } else {
        let words: Vec<_> = reply.message().collect();
        let (code, words) = (reply.code(), words.join(" "));
        Err(Cause::Broken(format!(
            "an answer out of place: {code} {words}"
        )))
    }
}
