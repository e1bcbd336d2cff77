//! Removing all that a client left in the folder of clips.

use std::fs;
use std::io;
use std::path::Path;

use vigint_core::ids::ClientId;

use super::store::ClipStore;
use crate::private_files::sync_folder;

/// Files that were removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// How many.
    pub files: u64,
    /// How long they were together.
    pub bytes: u64,
}

impl Removed {
    /// Counts one more.
    pub(crate) const fn add(&mut self, bytes: u64) {
        self.files = self.files.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// Removes what it can, counts that, and remembers the first failure.
#[derive(Default)]
struct Removal {
    removed: Removed,
    failure: Option<io::Error>,
}

impl ClipStore {
    /// Removes all clips of a client, with its folder and whatever else is in it. One file that cannot be removed keeps no
    /// other. What went, and whether that was all.
    ///
    /// Where the folder is a link, only files named as clips are named are removed behind it: we wrote those. The link
    /// goes when nothing else is left there.
    pub fn remove_client(&self, client: ClientId) -> (Removed, io::Result<()>) {
        let folder = self.client_folder(client);
        let mut removal = Removal::default();
        let ended = self.check_mark().and_then(|()| {
            let found = match fs::symlink_metadata(&folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                found => found?,
            };
            if found.is_symlink() {
                self.remove_behind_link(client, &folder, &mut removal)?;
            } else {
                removal.remove(&folder);
            }
            sync_folder(self.directory())
        });
        (removal.removed, removal.failure.map_or(ended, Err))
    }

    fn remove_behind_link(
        &self,
        client: ClientId,
        link: &Path,
        removal: &mut Removal,
    ) -> io::Result<()> {
        for (_, _, file) in self.files_of(client)?.files {
            removal.remove(&file.path());
        }
        if fs::read_dir(link)?.next().is_some() {
            return Err(io::Error::other(format!(
                "{} is a link, and not all that is behind it was written by this server: remove that by hand, and then \
                 the link",
                link.display()
            )));
        }
        fs::remove_file(link)
    }
}

impl Removal {
    /// Removes a file, a link, or a folder with all that is in it.
    fn remove(&mut self, path: &Path) {
        if let Err(error) = self.try_to_remove(path)
            && error.kind() != io::ErrorKind::NotFound
        {
            let error = io::Error::new(error.kind(), format!("{}: {error}", path.display()));
            self.failure.get_or_insert(error);
        }
    }

    fn try_to_remove(&mut self, path: &Path) -> io::Result<()> {
        let found = fs::symlink_metadata(path)?;
        if !found.is_dir() {
            fs::remove_file(path)?;
            self.removed.add(found.len());
            return Ok(());
        }
        for file in fs::read_dir(path)? {
            self.remove(&file?.path());
        }
        match fs::remove_dir(path) {
            // What is in it has its own failure, which was the first.
            Err(error)
                if error.kind() == io::ErrorKind::DirectoryNotEmpty && self.failure.is_some() =>
            {
                Ok(())
            }
            removed => removed,
        }
    }
}

#[cfg(test)]
mod tests;
