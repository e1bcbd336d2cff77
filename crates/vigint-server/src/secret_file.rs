//! The signing secret that the server makes for itself, once.

use std::fs;
use std::io;
use std::path::Path;

use vigint_core::key::Secret;
use vigint_core::link::MIN_SECRET_LENGTH;
use vigint_core::random::Random;

use crate::private_files;

/// Reads the secret at `path`; makes it when there is none. It is whole on the disk before it is used.
pub(crate) fn read_or_make(path: &Path, random: &dyn Random) -> io::Result<Secret> {
    match fs::read_to_string(path) {
        Ok(text) if text.trim().len() >= MIN_SECRET_LENGTH => Ok(Secret::new(text.trim())),
        Ok(_) => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!(
                "it has fewer than {MIN_SECRET_LENGTH} characters; remove it to have a new one made (links sent before will no longer open)"
            ),
        )),
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(path, random),
        Err(error) => Err(error),
    }
}

fn make(path: &Path, random: &dyn Random) -> io::Result<Secret> {
    if let Some(folder) = path.parent() {
        private_files::make_folder(folder)?;
    }
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    let text = hex::encode(bytes);
    private_files::write_whole(path, format!("{text}\n").as_bytes())?;
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use vigint_core::random::SystemRandom;

    use super::*;

    #[test]
    fn it_is_made_once_and_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data/secret_key");
        let made = read_or_make(&path, &SystemRandom).unwrap();
        assert_eq!(made.reveal().len(), 64);
        assert!(read_or_make(&path, &SystemRandom).unwrap() == made);
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    #[test]
    fn a_file_cut_short_is_refused_and_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret_key");
        fs::write(&path, "abc").unwrap();
        assert!(read_or_make(&path, &SystemRandom).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "abc");
    }
}
