//! Whether the mails that were written as files are somebody's: for `storage check`.

use std::collections::HashMap;

use serde::Serialize;
use vigint_core::clock::UtcTime;
use vigint_core::ids::ClientId;
use vigint_db::{Db, DbError, Operator};

use super::mail_files::MailFiles;
use crate::clips::{CheckError, Finding, FindingKind, YOUNG};
use crate::private_files::is_older;

/// What was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LookedAtMails {
    /// Files of mails.
    pub mails: usize,
}

/// A check of an outbox against the database.
pub struct MailCheck<'a> {
    /// The rows.
    pub db: &'a Db,
    /// The files.
    pub files: &'a MailFiles,
    /// Who asks.
    pub operator: &'a Operator,
    /// The time.
    pub now: UtcTime,
    /// Whether to remove what is nobody's.
    pub repair: bool,
}

impl MailCheck<'_> {
    /// Looks at every mail, and tells what is wrong. Blocks.
    ///
    /// # Errors
    /// [`CheckError`]; what was found by then was told.
    pub fn run(&self, tell: &mut dyn FnMut(Finding)) -> Result<LookedAtMails, CheckError> {
        let mut known = HashMap::new();
        let mut looked = LookedAtMails::default();
        for file in self.files.list()? {
            looked.mails += 1;
            let (kind, why) = if file.is_unfinished {
                (FindingKind::Unfinished, "it was never finished")
            } else if let Some(client) = file.client
                && !self.exists(client, &mut known)?
            {
                (FindingKind::OrphanMail, "its client does not exist")
            } else {
                continue;
            };
            if is_older(&file.path, self.now - YOUNG)? {
                let finding = Finding::new(kind, &file.path, file.client).with(why);
                tell(finding.removed(self.repair, &file.path));
            }
        }
        Ok(looked)
    }

    fn exists(
        &self,
        client: ClientId,
        known: &mut HashMap<ClientId, bool>,
    ) -> Result<bool, DbError> {
        if let Some(exists) = known.get(&client) {
            return Ok(*exists);
        }
        let found = self
            .db
            .read(|conn| vigint_db::clients::find(conn, self.operator, client))?;
        known.insert(client, found.is_some());
        Ok(found.is_some())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use vigint_core::locale::Locale;
    use vigint_db::clients::NewClient;

    use super::*;

    static TEST: Operator = Operator::named("test");

    #[test]
    fn mails_of_nobody_are_found_and_removed_once_they_are_old() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:///{}/vigint.db", folder.path().display());
        let db = Db::open(&url.parse().unwrap(), 1).unwrap();
        db.migrate().unwrap();
        let new = NewClient {
            name: "Acme".to_owned(),
            email: "acme@shop.example".to_owned(),
            locale: Locale::French,
            time_zone: "Europe/Paris".to_owned(),
        };
        let acme = db
            .write(|conn| vigint_db::clients::create(conn, &TEST, &new, UtcTime::UNIX_EPOCH))
            .unwrap();
        let outbox = folder.path().join("outbox");
        std::fs::create_dir(&outbox).unwrap();
        let put = |whose: &str, ending: &str| {
            let alert = "00000000-0000-0000-0000-000000000001";
            let path = outbox.join(format!("20261122T154003Z-{whose}-{alert}.{ending}"));
            std::fs::write(&path, "mail").unwrap();
            path
        };
        let kept = [put(&format!("c{}", acme.id), "eml"), put("server", "eml")];
        let gone = [put("c99", "eml"), put("server", "eml.unfinished")];
        let written = std::fs::metadata(&gone[0]).unwrap().modified().unwrap();
        let written = written.duration_since(std::time::UNIX_EPOCH).unwrap();
        let written = UtcTime::UNIX_EPOCH + written;
        let files = MailFiles::new(&outbox);
        let check = |now, repair| {
            let mut found = Vec::new();
            let check = MailCheck {
                db: &db,
                files: &files,
                operator: &TEST,
                now,
                repair,
            };
            let looked = check.run(&mut |finding| found.push(finding)).unwrap();
            (looked.mails, found)
        };
        assert_eq!(check(written + Duration::from_secs(599), true), (4, vec![]));
        let later = written + Duration::from_secs(700);
        assert_eq!(check(later, false).1.len(), 2);
        let (_, found) = check(later, true);
        assert!(found.iter().all(|found| found.done == Some("removed")));
        assert!(gone.iter().all(|path| !path.exists()));
        assert!(kept.iter().all(|path| path.exists()));
        assert_eq!(check(later, false), (2, vec![]));
    }
}
