//! The mails that were written as files.

use std::io;

use super::Making;
use super::error::ExportError;
use super::films::Copied;

impl Making<'_> {
    pub(super) fn mails(&mut self) -> Result<(), ExportError> {
        let files = self.export.mails.of_client(self.export.client);
        for mail in files.map_err(ExportError::Mails)? {
            let name = mail.path.file_name().and_then(|name| name.to_str());
            let Some(name) = name.filter(|_| !mail.is_unfinished) else {
                continue;
            };
            let path = format!("mails/{name}");
            match self.copy(&mail.path, &path)? {
                Copied::Whole(_) => self.manifest.mails += 1,
                Copied::Partly(part, error) => {
                    self.manifest.mails += 1;
                    self.cut_short(&part, &error);
                }
                Copied::Not(error) if error.kind() == io::ErrorKind::NotFound => {
                    self.manifest
                        .is_missing(&path, "its time was over while this export was made");
                }
                Copied::Not(error) => {
                    let reason = format!("the mail cannot be read: {error}");
                    self.manifest.is_missing(&path, reason);
                }
            }
        }
        Ok(())
    }
}
