//! One mail over a connection that is ready for it.

use lettre::Message;
use lettre::address::Envelope;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::{Response, Severity};

use super::error::{Cause, Step};

/// From the sender to the final dot. The server's words of acceptance.
pub(super) async fn transfer(
    connection: &mut AsyncSmtpConnection,
    mail: &Message,
    step: &mut Step,
) -> Result<String, Cause> {
    let envelope = mail.envelope();
    let bytes = mail.formatted();
    *step = Step::Sender;
    let parameters = parameters(connection, envelope, &bytes)?;
    let sender = Mail::new(envelope.from().cloned(), parameters);
    expect(
        Severity::PositiveCompletion,
        connection.command(sender).await?,
    )?;
    *step = Step::Recipient;
    for recipient in envelope.to() {
        let recipient = Rcpt::new(recipient.clone(), Vec::new());
        expect(
            Severity::PositiveCompletion,
            connection.command(recipient).await?,
        )?;
    }
    *step = Step::Data;
    expect(
        Severity::PositiveIntermediate,
        connection.command(Data).await?,
    )?;
    *step = Step::Message;
    let taken = connection.message(&bytes).await?;
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
    let mut addresses = envelope.from().into_iter().chain(envelope.to());
    let mut parameters = Vec::new();
    if addresses.any(|address| !AsRef::<str>::as_ref(address).is_ascii()) {
        if !has(Extension::SmtpUtfEight) {
            return Err(Cause::OnlyAscii);
        }
        parameters.push(MailParameter::SmtpUtfEight);
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
