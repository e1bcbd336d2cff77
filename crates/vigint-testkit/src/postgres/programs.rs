//! Where PostgreSQL's programs are. Debian keeps those of the server out of `PATH`.

use std::path::{Path, PathBuf};

use super::environment;

const DEBIAN: &str = "/usr/lib/postgresql";

/// PostgreSQL's programs.
pub(super) struct Programs {
    /// The folder of `initdb`, `postgres` and `pg_ctl`; `None` when only a client is there.
    pub(super) server_folder: Option<PathBuf>,
    pub(super) psql: PathBuf,
}

impl Programs {
    /// Looks in `PATH`, then where Debian puts them; `None` when something is missing.
    pub(super) fn find(client_is_enough: bool) -> Option<Self> {
        let folders = folders();
        let having = |names: &[&str]| {
            folders
                .iter()
                .find(|folder| names.iter().all(|name| folder.join(name).is_file()))
        };
        let server_folder = having(&["initdb", "postgres", "pg_ctl"]).map(|folder| real(folder));
        if server_folder.is_none() && !client_is_enough {
            return None;
        }
        Some(Self {
            server_folder,
            psql: having(&["psql"])?.join("psql"),
        })
    }
}

/// `initdb` looks for `postgres` beside the real file, not beside a link to it.
fn real(folder: &Path) -> PathBuf {
    folder
        .join("initdb")
        .canonicalize()
        .ok()
        .and_then(|initdb| initdb.parent().map(Path::to_path_buf))
        .unwrap_or_else(|| folder.to_path_buf())
}

fn folders() -> Vec<PathBuf> {
    let path = environment("PATH").unwrap_or_default();
    let mut debian: Vec<(u32, PathBuf)> = std::fs::read_dir(DEBIAN)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    debian.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    std::env::split_paths(&path)
        .chain(debian.into_iter().map(|(_, folder)| folder))
        .collect()
}
