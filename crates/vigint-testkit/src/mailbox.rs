//! Mails as the server leaves them in its outbox: one `.eml` file each.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use mail_parser::MessageParser;

use crate::programs::wait_for;

/// A mail, taken apart and decoded.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The file it lies in.
    pub path: PathBuf,
    /// Whom it goes to.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// Its text for programs that show no HTML.
    pub text: String,
    /// Its HTML, empty when it has none.
    pub html: String,
}

impl Mail {
    /// Reads one `.eml` file.
    ///
    /// # Errors
    /// When it cannot be read, or is no mail.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let bytes =
            std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let message = MessageParser::default()
            .parse(&bytes)
            .with_context(|| format!("{} is no mail", path.display()))?;
        let to = message
            .to()
            .and_then(|to| to.first())
            .and_then(|to| to.address());
        Ok(Self {
            path: path.to_owned(),
            to: to.unwrap_or_default().to_owned(),
            subject: message.subject().unwrap_or_default().to_owned(),
            text: message.body_text(0).unwrap_or_default().into_owned(),
            html: message.body_html(0).unwrap_or_default().into_owned(),
        })
    }

    /// The clip's private link in the text.
    #[must_use]
    pub fn clip_link(&self) -> Option<&str> {
        self.text
            .split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"'))
            .find(|word| word.starts_with("http") && word.contains("/video/"))
    }
}

/// Waits until a server that runs in this folder has written a mail. Returns the first by name.
///
/// # Errors
/// When there is none after `limit`, or it cannot be read.
pub fn first_mail(server_folder: &Path, limit: Duration) -> anyhow::Result<Mail> {
    let outbox = server_folder.join("vigint-data/outbox");
    let path = wait_for(limit, || mails(&outbox).into_iter().next())
        .with_context(|| format!("no mail in {} after {limit:?}", outbox.display()))?;
    Mail::read(&path)
}

/// The mails in a folder, by name. None when there is no such folder.
#[must_use]
pub fn mails(outbox: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(outbox).into_iter().flatten().flatten();
    let mut mails: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "eml"))
        .collect();
    mails.sort();
    mails
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coded_mail_is_decoded_and_its_link_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1.eml");
        let mail = "To: <a@b.example>\r\nSubject: =?utf-8?B?TW91dmVtZW50IGTDqXRlY3TDqQ==?=\r\n\
            MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=X\r\n\r\n\
            --X\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
            La vid=C3=A9o :\r\nhttp://localhost:1/video/abc?expires=3D17&token=3D0123456789=\r\nabcdef\r\n\
            --X\r\nContent-Type: text/html\r\n\r\n<p>Bonjour</p>\r\n--X--\r\n";
        std::fs::write(&path, mail).unwrap();
        std::fs::write(folder.path().join("0.tmp"), "being written").unwrap();
        let mail = Mail::read(&mails(folder.path())[0]).unwrap();
        assert_eq!(mail.to, "a@b.example");
        assert_eq!(mail.subject, "Mouvement détecté");
        assert!(mail.text.starts_with("La vidéo"));
        assert_eq!(
            mail.clip_link(),
            Some("http://localhost:1/video/abc?expires=17&token=0123456789abcdef")
        );
        assert!(mail.html.contains("Bonjour"));
    }
}
