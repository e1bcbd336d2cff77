//! What lies in the folders of clips.

use std::ffi::OsStr;
use std::fmt::Display;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use vigint_core::ids::{ClientId, ClipId};

use super::store::{ClipStore, ENDINGS};
use crate::private_files::UNFINISHED;

/// Something that is none of our files, or cannot be read: it is told and passed over.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OddFile {
    /// Where it is.
    pub path: PathBuf,
    /// What is odd about it.
    pub why: String,
}

impl OddFile {
    pub(crate) fn new(path: &Path, why: impl Display) -> Self {
        Self {
            path: path.to_owned(),
            why: why.to_string(),
        }
    }
}

/// What is in the folder of a client.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Every file that is named as clips are named: of which clip, what follows its id, and where it is.
    pub(super) files: Vec<(ClipId, String, fs::DirEntry)>,
    /// What is named so and is no file, or whose name nobody can read.
    pub(super) odd: Vec<OddFile>,
}

impl ClipStore {
    /// The clients that have a folder.
    ///
    /// # Errors
    /// When the clips' folder cannot be read.
    pub(super) fn clients(&self) -> io::Result<Vec<ClientId>> {
        let mut clients = Vec::new();
        for folder in fs::read_dir(self.directory())? {
            let name = folder?.file_name();
            // Written as we write it: `05` and `+5` are not ours.
            let id = name.to_str().and_then(|name| {
                let id: i64 = name.parse().ok()?;
                (id.to_string() == name).then_some(ClientId(id))
            });
            clients.extend(id);
        }
        clients.sort();
        Ok(clients)
    }

    /// What is in a client's folder; nothing when there is none.
    ///
    /// # Errors
    /// When the folder is there and cannot be read.
    pub(super) fn files_of(&self, client: ClientId) -> io::Result<Listing> {
        let mut listing = Listing::default();
        let folder = self.client_folder(client);
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return match fs::symlink_metadata(&folder) {
                    Ok(_) => Err(io::Error::other(format!(
                        "{} is a link to what is not there: is its disk mounted?",
                        folder.display()
                    ))),
                    Err(_) => Ok(listing),
                };
            }
            entries => entries?,
        };
        for file in entries {
            let file = file?;
            let name = file.file_name();
            if name.to_str().is_none() {
                let odd = OddFile::new(&file.path(), "its name is no UTF-8");
                listing.odd.push(odd);
            }
            let Some((clip, ending)) = clip_and_ending(&name) else {
                continue;
            };
            match file.file_type() {
                Ok(kind) if kind.is_file() => listing.files.push((clip, ending, file)),
                Ok(_) => {
                    let odd =
                        OddFile::new(&file.path(), "it is named as a clip's file, and is none");
                    listing.odd.push(odd);
                }
                // Gone since the folder was read.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => listing.odd.push(OddFile::new(&file.path(), error)),
            }
        }
        Ok(listing)
    }
}

/// Of which clip a file is, and what follows its id.
fn clip_and_ending(name: &OsStr) -> Option<(ClipId, String)> {
    let (clip, ending) = name.to_str()?.split_once('.')?;
    let whole = ending.strip_suffix(UNFINISHED).unwrap_or(ending);
    if !ENDINGS.contains(&whole) {
        return None;
    }
    Some((clip.parse().ok()?, ending.to_owned()))
}
