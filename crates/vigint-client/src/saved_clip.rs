//! Saving the film of an incident to a file: into a `.part` beside it first, with a name of its own, so that a file of
//! the name that was asked for is always a whole film, and nobody else's file is touched.
//!
//! Films are for the eyes of whoever runs this program: nobody else may read the file.

use std::fs;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{CWD, RenameFlags, link, renameat_with};
use rustix::io::Errno;
use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _};
use tokio::task::spawn_blocking;
use tokio::time::Instant;
use vigint_core::ids::IncidentId;
use vigint_core::random::Random;

use crate::backoff::{Backoff, wait};
use crate::uplink::{ApiError, ComingFilm, Film, Uplink};

/// How often a film whose connection broke is gone on with.
const RESUMPTIONS: u32 = 5;
/// Between two of them.
const RESUME_DELAY: Duration = Duration::from_secs(1);
/// No film of seconds is larger; whatever sends more than this is not Vigint.
const MAX_FILM_BYTES: u64 = 4 * 1024 * 1024 * 1024;
/// Whoever waits for ever waits for a year.
const LONGEST_PATIENCE: Duration = Duration::from_secs(365 * 24 * 3600);

/// How a film is saved.
#[derive(Clone, Debug)]
pub struct SaveOptions {
    /// Whether a file of this name may be written over.
    pub overwrite: bool,
    /// How long a film that is still being made is waited for, from the answer that it is; zero: not at all. What the
    /// server takes to answer does not count, and has limits of its own.
    pub patience: Duration,
}

impl Default for SaveOptions {
    /// Nothing is written over, and two minutes.
    fn default() -> Self {
        Self {
            overwrite: false,
            patience: Duration::from_secs(120),
        }
    }
}

/// Why there is no film in the file. What was there before is untouched, and no `.part` is left.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// The server has no film to give.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// It was not there in time.
    #[error("the film is still being made{}: try again later", words_of_wait(*.0))]
    StillBeingMade(Duration),
    /// Whatever is there stays.
    #[error("{} is there already: name another file, or write over it with --force", .0.display())]
    Exists(PathBuf),
    /// A device, a folder, a link: no file of ours takes its place.
    #[error("{} is no ordinary file: name another one", .0.display())]
    NotAFile(PathBuf),
    /// The disk is full, the folder is not there or not ours.
    #[error("{} cannot be written: {cause}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// More or less came than was announced, again and again.
    #[error("the film came incomplete: {got} of {announced} bytes; try again")]
    Incomplete {
        /// Bytes that came.
        got: u64,
        /// Bytes that the server announced.
        announced: u64,
    },
    /// No film is that large.
    #[error("what the server sends is larger than any film: is it really Vigint?")]
    TooLarge,
}

/// Saves the film of an incident at `path`; gives its bytes. `random` makes the name of what is not whole yet.
pub(crate) async fn save(
    uplink: &Uplink,
    random: &dyn Random,
    id: IncidentId,
    path: &Path,
    options: &SaveOptions,
    on_wait: &(dyn Fn() + Send + Sync),
) -> Result<u64, SaveError> {
    // Said before anything is loaded; whether it still holds is looked at again in the end.
    match tokio::fs::symlink_metadata(path).await {
        Ok(there) if !there.is_file() => return Err(SaveError::NotAFile(path.to_owned())),
        Ok(_) if !options.overwrite => return Err(SaveError::Exists(path.to_owned())),
        _ => {}
    }
    let film = once_it_is_made(uplink, id, options.patience, on_wait).await?;
    let mut part = Part::create(path, random).await?;
    let bytes = part.fill(uplink, id, film).await?;
    part.keep(path, options.overwrite).await?;
    Ok(bytes)
}

/// Asks until it comes, and a last time when patience is over. What may pass is waited out only while it is being
/// made: until then whoever asks had better hear of it at once.
async fn once_it_is_made(
    uplink: &Uplink,
    id: IncidentId,
    patience: Duration,
    on_wait: &(dyn Fn() + Send + Sync),
) -> Result<ComingFilm, SaveError> {
    let patience = patience.min(LONGEST_PATIENCE);
    let mut over_at = None;
    let mut backoff = Backoff::of_server();
    loop {
        let (pause, why) = match (uplink.film(id, 0, None).await, over_at) {
            (Ok(Film::Coming(film)), _) => return Ok(film),
            (Ok(Film::BeingMade(pause)), _) => {
                backoff.reset();
                (pause, SaveError::StillBeingMade(patience))
            }
            (Err(error), Some(_)) if error.may_pass() => {
                let asked = error.retry_after().unwrap_or_default();
                (backoff.next().max(asked), error.into())
            }
            (Err(error), _) => return Err(error.into()),
        };
        let is_first = over_at.is_none();
        let end = *over_at.get_or_insert_with(|| Instant::now() + patience);
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(why);
        }
        if is_first {
            on_wait();
        }
        wait(pause.min(left)).await;
    }
}

fn words_of_wait(patience: Duration) -> String {
    match patience.as_secs() {
        0 => String::new(),
        seconds => format!(" after {seconds} seconds"),
    }
}

/// The file that is being filled; gone when it is dropped before it was kept.
struct Part {
    path: PathBuf,
    file: File,
    is_kept: bool,
}

impl Part {
    /// Beside `target`, under a name that nobody has: another save of the same film may run, and a file that is
    /// called so may be somebody's own.
    async fn create(target: &Path, random: &dyn Random) -> Result<Self, SaveError> {
        let mut letters = [0; 8];
        random.fill(&mut letters);
        let mut name = target.as_os_str().to_owned();
        name.push(format!(".{:016x}.part", u64::from_be_bytes(letters)));
        let path = PathBuf::from(name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        match options.open(&path).await {
            Ok(file) => Ok(Self {
                path,
                file,
                is_kept: false,
            }),
            Err(cause) => Err(SaveError::File {
                path: target.to_owned(),
                cause,
            }),
        }
    }

    /// Writes all of the film, going on where a connection broke.
    async fn fill(
        &mut self,
        uplink: &Uplink,
        id: IncidentId,
        mut film: ComingFilm,
    ) -> Result<u64, SaveError> {
        let mut got = 0;
        let mut resumptions = 0;
        loop {
            if film.from == 0 && got > 0 {
                // Another film stands there by now, or the server gives no parts: from the start again.
                self.begin_again().await?;
                got = 0;
            }
            let error = match self.take(&mut film, &mut got).await {
                Ok(()) if film.length.is_none_or(|length| length == got) => return Ok(got),
                Ok(()) => SaveError::Incomplete {
                    got,
                    announced: film.length.unwrap_or(got),
                },
                Err(SaveError::Api(error)) if error.may_pass() => error.into(),
                Err(error) => return Err(error),
            };
            let next = self.go_on(uplink, id, got, film.tag.as_deref(), &mut resumptions);
            film = next.await.ok_or(error)?;
        }
    }

    /// The rest of the film, if it can be had.
    async fn go_on(
        &self,
        uplink: &Uplink,
        id: IncidentId,
        got: u64,
        tag: Option<&str>,
        resumptions: &mut u32,
    ) -> Option<ComingFilm> {
        while *resumptions < RESUMPTIONS {
            *resumptions += 1;
            if *resumptions > 1 {
                wait(RESUME_DELAY).await;
            }
            match uplink.film(id, got, tag).await {
                Ok(Film::Coming(film)) => return Some(film),
                Ok(Film::BeingMade(_)) => {}
                Err(error) if error.may_pass() => {}
                Err(_) => return None,
            }
        }
        None
    }

    async fn take(&mut self, film: &mut ComingFilm, got: &mut u64) -> Result<(), SaveError> {
        while let Some(piece) = film.next().await? {
            let all = got.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
            if all > MAX_FILM_BYTES {
                return Err(SaveError::TooLarge);
            }
            let written = self.file.write_all(&piece).await;
            written.map_err(|cause| self.failed(cause))?;
            *got = all;
        }
        Ok(())
    }

    async fn begin_again(&mut self) -> Result<(), SaveError> {
        let emptied = async {
            self.file.flush().await?;
            self.file.set_len(0).await?;
            self.file.rewind().await
        };
        let emptied = emptied.await;
        emptied.map_err(|cause| self.failed(cause)).map(drop)
    }

    /// Gives it the name that was asked for.
    async fn keep(mut self, target: &Path, overwrite: bool) -> Result<(), SaveError> {
        let written = async {
            self.file.flush().await?;
            self.file.sync_all().await
        };
        let written = written.await;
        written.map_err(|cause| self.failed(cause))?;
        let (from, to) = (self.path.clone(), target.to_owned());
        let named = if overwrite {
            tokio::fs::rename(from, to).await
        } else {
            let named = spawn_blocking(move || rename_over_nothing(&from, &to)).await;
            named.unwrap_or_else(|panic| Err(io::Error::other(panic)))
        };
        match named {
            Ok(()) => {
                self.is_kept = true;
                Ok(())
            }
            Err(cause) if !overwrite && cause.kind() == io::ErrorKind::AlreadyExists => {
                Err(SaveError::Exists(target.to_owned()))
            }
            Err(cause) => {
                let path = target.to_owned();
                Err(SaveError::File { path, cause })
            }
        }
    }

    fn failed(&self, cause: io::Error) -> SaveError {
        SaveError::File {
            path: self.path.clone(),
            cause,
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.is_kept {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Gives `from` the name `to` in one step, unless that is taken.
fn rename_over_nothing(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Not known to the kernel, or to what the folder lies on (NFS, some of FUSE).
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => link_over_nothing(from, to),
        renamed => Ok(renamed?),
    }
}

/// The same in two steps. A link never takes a name that is taken, either.
fn link_over_nothing(from: &Path, to: &Path) -> io::Result<()> {
    match link(from, to) {
        // No links there, as on a stick (exFAT through FUSE).
        Err(Errno::PERM | Errno::NOSYS | Errno::OPNOTSUPP) => reserve_and_rename(from, to),
        Err(error) => Err(error.into()),
        Ok(()) => {
            // It is saved. That the other name stays is nothing to fail for.
            let _ = fs::remove_file(from);
            Ok(())
        }
    }
}

/// Takes the name with an empty file first, which stays when the program is killed at this moment.
fn reserve_and_rename(from: &Path, to: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600).open(to)?;
    fs::rename(from, to).inspect_err(|_| {
        let _ = fs::remove_file(to);
    })
}

#[cfg(test)]
mod tests {
    use vigint_core::random::SystemRandom;

    use super::*;

    #[test]
    fn no_way_of_giving_a_film_its_name_takes_one_that_is_taken() {
        for way in [rename_over_nothing, link_over_nothing, reserve_and_rename] {
            let folder = tempfile::tempdir().unwrap();
            let [part, film] = ["film.part", "film.mp4"].map(|name| folder.path().join(name));
            fs::write(&part, "whole").unwrap();
            fs::write(&film, "mine").unwrap();
            let refused = way(&part, &film).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(fs::read(&film).unwrap(), b"mine");
            assert_eq!(fs::read(&part).unwrap(), b"whole");
            fs::remove_file(&film).unwrap();
            way(&part, &film).unwrap();
            assert_eq!(fs::read(&film).unwrap(), b"whole");
            assert!(!part.exists());
        }
    }

    #[tokio::test]
    async fn two_saves_under_one_name_do_not_touch_each_others_part_nor_a_file_of_the_user() {
        let folder = tempfile::tempdir().unwrap();
        let film = folder.path().join("film.mp4");
        fs::write(folder.path().join("film.mp4.part"), "mine").unwrap();
        let mut first = Part::create(&film, &SystemRandom).await.unwrap();
        let mut second = Part::create(&film, &SystemRandom).await.unwrap();
        first.file.write_all(b"the first").await.unwrap();
        second.file.write_all(b"half of the sec").await.unwrap();
        first.keep(&film, false).await.unwrap();
        assert_eq!(fs::read(&film).unwrap(), b"the first");
        let refused = second.keep(&film, false).await.unwrap_err();
        assert!(matches!(refused, SaveError::Exists(_)), "{refused}");
        assert_eq!(fs::read(&film).unwrap(), b"the first");
        assert_eq!(
            fs::read(folder.path().join("film.mp4.part")).unwrap(),
            b"mine"
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
