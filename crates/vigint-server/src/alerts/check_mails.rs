//! Whether the mails that were written as files are somebody's: for `storage check`.

use serde::Serialize;
use vigint_core::clock::UtcTime;
use vigint_db::{AnyConnection, Db, DbError, Operator};

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
        let mut looked = LookedAtMails::default();
        // Before the clients: a mail is written after its client is made.
        let files = self.files.list()?;
        let there = self.read(|conn| vigint_db::clients::ids(conn, self.operator))?;
        let erased = self.read(|conn| vigint_db::erasures::clients(conn, self.operator))?;
        for file in files {
            looked.mails += 1;
            let (kind, why, is_ours) = match file.client {
                _ if file.is_unfinished => (FindingKind::Unfinished, "it was never finished", true),
                Some(client) if !there.contains(&client) => {
                    let was = erased.contains(&client);
                    let why = if was {
                        "its client was erased"
                    } else {
                        "the database never had its client: if it is nobody else's, remove it by hand"
                    };
                    (FindingKind::OrphanMail, why, was)
                }
                _ => continue,
            };
            match is_older(&file.path, self.now - YOUNG) {
                Ok(false) => {}
                Ok(true) => {
                    let finding = Finding::new(kind, &file.path, file.client).with(why);
                    tell(finding.removed(self.repair && is_ours, &file.path));
                }
                Err(error) => tell(Finding::odd(&file.path, file.client, error)),
            }
        }
        Ok(looked)
    }

    fn read<T>(
        &self,
        query: impl FnOnce(&mut AnyConnection) -> Result<T, DbError>,
    ) -> Result<T, DbError> {
        self.db.read(query)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use vigint_core::locale::Locale;
    use vigint_db::Tenant;
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
        let create = |email: &str| {
            let new = NewClient {
                email: email.to_owned(),
                ..new.clone()
            };
            db.write(|conn| vigint_db::clients::create(conn, &TEST, &new, UtcTime::UNIX_EPOCH))
                .unwrap()
        };
        let acme = create("acme@shop.example");
        let erased = create("erased@shop.example");
        let tenant = Tenant::by_operator(&TEST, erased.id);
        db.write(|conn| vigint_db::clients::delete(conn, &TEST, &tenant, UtcTime::UNIX_EPOCH))
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
        let strange = put("c99", "eml");
        let gone = [
            put(&format!("c{}", erased.id), "eml"),
            put("server", "eml.unfinished"),
        ];
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
        assert_eq!(check(written + Duration::from_secs(599), true), (5, vec![]));
        let later = written + Duration::from_secs(700);
        assert_eq!(check(later, false).1.len(), 3);
        let (_, found) = check(later, true);
        let done = found.iter().filter(|found| found.done == Some("removed"));
        assert_eq!(done.count(), 2, "{found:?}");
        assert!(gone.iter().all(|path| !path.exists()));
        assert!(kept.iter().all(|path| path.exists()));
        assert!(strange.exists(), "it may be another database's");
        assert_eq!(check(later, false).0, 3);
    }
}
