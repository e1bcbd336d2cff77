//! Removing files that nobody needs.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;

use vigint_core::clock::UtcTime;
use vigint_core::ids::ClientId;
use vigint_core::incident::ClipState;

use super::listing::OddFile;
use super::store::{ClipStore, StorageKey};
use crate::private_files::{UNFINISHED, is_older, remove_if_there};

/// What the database needs of the folder.
#[derive(Clone, Debug)]
pub struct Needed {
    /// The storage keys of clips that have files, and how far each clip is.
    pub clips: HashMap<String, ClipState>,
    /// The clients that are there: what is of one that never was is not ours to remove.
    pub clients: HashSet<ClientId>,
    /// The clients that were erased.
    pub erased: HashSet<ClientId>,
    /// A film or still of which the database knows nothing goes when it is older than this: it may be younger than the
    /// database, which was then restored from a backup, and must not be lost because of that.
    pub unknown_before: UtcTime,
}

impl Needed {
    /// Before when a file must have been written to go; none when it stays. `before` is for what nobody can miss.
    fn goes_before(&self, key: StorageKey, ending: &str, before: UtcTime) -> Option<UtcTime> {
        let is_whole = !ending.ends_with(UNFINISHED);
        match self.clips.get(&key.to_string()) {
            _ if !is_whole => Some(before),
            // Its film is made of them.
            Some(ClipState::Ready) => (ending == "frames").then_some(before),
            Some(_) => None,
            None if ending == "frames" || !self.clients.contains(&key.client()) => Some(before),
            None => Some(before.min(self.unknown_before)),
        }
    }

    fn knows(&self, client: ClientId) -> bool {
        self.clients.contains(&client) || self.erased.contains(&client)
    }
}

/// What a sweep did, and what it left alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// How many files were removed.
    pub files: usize,
    /// What is none of our files, or could not be read or removed; and folders of clients that never were.
    pub odd: Vec<OddFile>,
}

impl ClipStore {
    /// Removes files older than `before` that are unfinished or that the database does not need, films of which it knows
    /// nothing later ([`Needed::unknown_before`]), and folders in which nothing is left. What is not named as clips are named stays, and so does the folder of a client that the database
    /// never had.
    ///
    /// # Errors
    /// When the folder cannot be read, or is not the database's.
    pub fn remove_stray_files(&self, needed: &Needed, before: UtcTime) -> io::Result<Swept> {
        self.check_mark()?;
        let mut swept = Swept::default();
        for client in self.clients()? {
            let folder = self.client_folder(client);
            if !needed.knows(client) {
                // A young one may be of a client that was made just now.
                if is_older(&folder, before).unwrap_or(true) {
                    let why =
                        "the database never had this client: if nobody else's, remove it by hand";
                    swept.odd.push(OddFile::new(&folder, why));
                }
                continue;
            }
            if let Err(error) = self.sweep_client(client, needed, before, &mut swept) {
                swept.odd.push(OddFile::new(&folder, error));
            }
            // Refused while anything is in it; who is about to put something into it makes it anew.
            let _ = fs::remove_dir(folder);
        }
        Ok(swept)
    }

    fn sweep_client(
        &self,
        client: ClientId,
        needed: &Needed,
        before: UtcTime,
        swept: &mut Swept,
    ) -> io::Result<()> {
        let listing = self.files_of(client)?;
        swept.odd.extend(listing.odd);
        for (clip, ending, file) in listing.files {
            let key = StorageKey::new(client, clip);
            let Some(before) = needed.goes_before(key, &ending, before) else {
                continue;
            };
            let path = file.path();
            let removed = match is_older(&path, before) {
                Ok(true) => remove_if_there(&path).map(|()| swept.files += 1),
                young => young.map(drop),
            };
            if let Err(error) = removed {
                swept.odd.push(OddFile::new(&path, error));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
