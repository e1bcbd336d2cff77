//! Key, server and source as the customer gave them: flag, environment, `.env.<profile>`, `.env`, default.
//!
//! The one place of this crate that reads the environment. `.env` files are read in the working directory
//! only, for these names only, and never put into the process's environment. It judges no key.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use vigint_core::key::Secret;

/// Where the server is when nobody says otherwise.
pub const DEFAULT_SERVER_URL: &str = "http://localhost:5002";

const KEY: &str = "VIGINT_API_KEY";
const SERVER_URL: &str = "VIGINT_SERVER_URL";
const SOURCE: &str = "VIGINT_SOURCE";
const CA_FILE: &str = "VIGINT_CA_FILE";
const PROFILE: &str = "VIGINT_ENV";
/// What is read from `.env` files, and nothing else.
const NAMES: [&str; 4] = [KEY, SERVER_URL, SOURCE, CA_FILE];

/// What was given on the command line or in code; it goes before everything else.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// `--api-url`.
    pub api_url: Option<String>,
    /// `--api-key`.
    pub api_key: Option<Secret>,
    /// `--profile`: also read `.env.<profile>`.
    pub profile: Option<String>,
    /// `--ca-file`: certificates of authorities that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
}

/// What counts in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The server's address.
    pub server_url: String,
    /// The key's text, not yet checked.
    pub api_key: Option<Secret>,
    /// A source given by `VIGINT_SOURCE`; may hold a camera's password.
    pub source: Option<Secret>,
    /// A PEM file with certificates of authorities that are trusted besides the system's; not yet read.
    pub ca_file: Option<PathBuf>,
    /// The profile whose file is not there, if one was asked for.
    pub missing_profile: Option<String>,
}

/// Settings that cannot be read. Never holds a line of the file: it might be the key.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A file is there and cannot be read.
    #[error("{file} cannot be read: {cause}")]
    Unreadable {
        /// Its name.
        file: String,
        /// Why.
        cause: io::Error,
    },
    /// A line that was meant for us and is no `NAME=value`.
    #[error("the line of {name} in {file} cannot be read: {cure}")]
    Line {
        /// The file's name.
        file: String,
        /// Which of our names it sets.
        name: &'static str,
        /// What to do.
        cure: &'static str,
    },
    /// A name that a file gives two values. Neither is taken: after a change of keys the wrong one might be.
    #[error("{name} stands twice in {file}: take out the line that no longer counts")]
    Twice {
        /// The file's name.
        file: String,
        /// Which of our names it sets.
        name: &'static str,
    },
    /// A profile that is no plain word.
    #[error(
        "a profile is a name of letters, digits, '.', '_' and '-': it is read from .env.<profile> in the working directory"
    )]
    Profile,
}

impl Settings {
    /// The settings of this process: its environment and its working directory.
    ///
    /// # Errors
    /// When a `.env` file is there but cannot be read.
    pub fn of_process(given: Given) -> Result<Self, SettingsError> {
        #[allow(
            clippy::disallowed_methods,
            reason = "this is the one place that reads the environment"
        )]
        let environment = |name: &str| std::env::var(name).ok();
        Self::resolve(given, environment, Path::new(""))
    }

    /// The settings by rank, from the given environment and folder.
    ///
    /// # Errors
    /// When a `.env` file is there but cannot be read.
    pub fn resolve(
        given: Given,
        environment: impl Fn(&str) -> Option<String>,
        folder: &Path,
    ) -> Result<Self, SettingsError> {
        let environment = |name: &str| environment(name).and_then(meant);
        let profile = given
            .profile
            .and_then(meant)
            .or_else(|| environment(PROFILE));
        let (of_profile, missing_profile) = match profile {
            Some(profile) => {
                check_profile(&profile)?;
                match read_env_file(folder, &format!(".env.{profile}"))? {
                    Some(values) => (values, None),
                    None => (HashMap::new(), Some(profile)),
                }
            }
            None => (HashMap::new(), None),
        };
        let plain = read_env_file(folder, ".env")?.unwrap_or_default();
        let by_rank = |flag: Option<String>, name: &str| {
            flag.and_then(meant)
                .or_else(|| environment(name))
                .or_else(|| of_profile.get(name).cloned())
                .or_else(|| plain.get(name).cloned())
        };
        let flag_key = given.api_key.map(|key| key.reveal().to_owned());
        Ok(Self {
            server_url: by_rank(given.api_url, SERVER_URL)
                .unwrap_or_else(|| DEFAULT_SERVER_URL.to_owned()),
            api_key: by_rank(flag_key, KEY).map(Secret::new),
            source: by_rank(None, SOURCE).map(Secret::new),
            ca_file: given
                .ca_file
                .filter(|path| !path.as_os_str().is_empty())
                .or_else(|| by_rank(None, CA_FILE).map(PathBuf::from)),
            missing_profile,
        })
    }
}

/// What systemd says of the journal's socket that it gave this process as its standard error: `device:inode`.
#[must_use]
pub fn journal_stream() -> Option<String> {
    #[allow(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the environment"
    )]
    std::env::var("JOURNAL_STREAM").ok()
}

/// A value that was left empty was not meant.
fn meant(value: String) -> Option<String> {
    let trimmed = value.trim();
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}

fn check_profile(profile: &str) -> Result<(), SettingsError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if profile.chars().all(plain) {
        Ok(())
    } else {
        Err(SettingsError::Profile)
    }
}

/// Our names in one file; `None` when there is no such file. Lines of other programs are passed over.
fn read_env_file(
    folder: &Path,
    file: &str,
) -> Result<Option<HashMap<&'static str, String>>, SettingsError> {
    let content = match fs::read(folder.join(file)) {
        Ok(content) => content,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => {
            let file = file.to_owned();
            return Err(SettingsError::Unreadable { file, cause });
        }
    };
    // Editors on Windows put a byte order mark first, which would become part of the first name.
    let text = content.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&content);
    // Or write two bytes for each letter: no name would be found, and nobody told.
    if text.contains(&0) {
        return Err(SettingsError::Unreadable {
            file: file.to_owned(),
            cause: io::Error::new(
                io::ErrorKind::InvalidData,
                "it is no plain text; save it as UTF-8",
            ),
        });
    }
    let mut values = HashMap::new();
    for line in String::from_utf8_lossy(text).lines() {
        let Some((name, rest)) = of_us(line) else {
            continue;
        };
        let value = assigned(rest).map_err(|cure| SettingsError::Line {
            file: file.to_owned(),
            name,
            cure,
        })?;
        let Some(value) = meant(value.to_owned()) else {
            continue;
        };
        if values.insert(name, value).is_some() {
            let file = file.to_owned();
            return Err(SettingsError::Twice { file, name });
        }
    }
    Ok(Some(values))
}

/// The one of our names that the line begins with, and what stands behind it.
fn of_us(line: &str) -> Option<(&'static str, &str)> {
    let line = line.trim_start();
    let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    NAMES.into_iter().find_map(|name| {
        let rest = line.strip_prefix(name)?;
        // `VIGINT_API_KEY_OLD` is another's.
        (!rest.starts_with(is_of_name)).then_some((name, rest))
    })
}

/// The value in what stands behind a name, as it was written: a password may hold `$`, `\`, `#` and quotes, so nothing
/// in it has another meaning, as it would have for a shell. Only quotes round all of it are taken off, and a
/// comment. Else what to do.
fn assigned(rest: &str) -> Result<&str, &'static str> {
    if rest.contains(char::REPLACEMENT_CHARACTER) {
        return Err("save the file as UTF-8");
    }
    let rest = rest.trim();
    if rest.is_empty() {
        return Ok(rest);
    }
    let Some(written) = rest.strip_prefix('=') else {
        return Err("write an = between name and value");
    };
    let value = written.trim_start();
    if let Some(quote) = value.chars().next().filter(|c| matches!(c, '\'' | '"')) {
        return in_quotes(value, quote).ok_or(
            "its value begins with a quote: end it with the same one, or put the other kind round all of it",
        );
    }
    // A comment behind `=` and a blank is one, too.
    let value = match comments(written).next() {
        Some((value, _)) => value.trim(),
        None => value,
    };
    if value.contains(char::is_whitespace) {
        return Err("put quotes round a value with blanks in it");
    }
    Ok(value)
}

/// What stands between the first quote and the one that ends the value: behind it is nothing, or a comment.
fn in_quotes(value: &str, quote: char) -> Option<&str> {
    let inside = value.strip_prefix(quote)?;
    let mut parts = inside.match_indices(quote).filter_map(|(at, _)| {
        let (value, rest) = inside.split_at_checked(at)?;
        let rest = rest.strip_prefix(quote)?;
        let mut before_comments = comments(rest).map(|(before, _)| before);
        let is_end =
            rest.trim().is_empty() || before_comments.any(|before| before.trim().is_empty());
        is_end.then_some(value)
    });
    parts.next()
}

/// Where a comment may begin: at each `#` behind a blank.
fn comments(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.match_indices('#')
        .filter_map(|(at, _)| text.split_at_checked(at))
        .filter(|(before, _)| before.ends_with(char::is_whitespace))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            fs::write(folder.path().join(name), content).unwrap();
        }
        folder
    }

    fn resolve(given: Given, env: &[(&str, &str)], files: &[(&str, &str)]) -> Settings {
        let of_name = |name: &str| {
            let found = env.iter().find(|(n, _)| *n == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Settings::resolve(given, of_name, folder(files).path()).unwrap()
    }

    fn key(settings: &Settings) -> &str {
        settings.api_key.as_ref().map_or("none", Secret::reveal)
    }

    #[test]
    fn key_address_and_authority_come_from_flag_then_environment_then_profile_then_env_file_then_default()
     {
        let flag = Given {
            api_url: Some("http://flag".into()),
            api_key: Some(Secret::new("flag")),
            profile: Some("prod".into()),
            ca_file: Some("flag.pem".into()),
        };
        let profile = || Given {
            profile: Some("prod".into()),
            ..Given::default()
        };
        let env = [
            (KEY, "environment"),
            (SERVER_URL, "http://environment"),
            (CA_FILE, "environment.pem"),
        ];
        let files = [
            (
                ".env.prod",
                "VIGINT_API_KEY=profile\nVIGINT_SERVER_URL=http://profile\nVIGINT_CA_FILE=profile.pem",
            ),
            (
                ".env",
                "VIGINT_API_KEY=plain\nVIGINT_SERVER_URL=http://plain\nVIGINT_CA_FILE=plain.pem",
            ),
        ];
        let check = |settings: Settings, from: &str| {
            assert_eq!(key(&settings), from);
            assert_eq!(settings.server_url, format!("http://{from}"));
            let ca_file = settings.ca_file.unwrap();
            assert_eq!(ca_file, Path::new(&format!("{from}.pem")));
        };
        check(resolve(flag, &env, &files), "flag");
        check(resolve(profile(), &env, &files), "environment");
        check(resolve(profile(), &[], &files), "profile");
        check(
            resolve(Given::default(), &[(PROFILE, "prod")], &files),
            "profile",
        );
        check(resolve(Given::default(), &[], &files), "plain");
        let bare = resolve(Given::default(), &[], &[]);
        assert_eq!(
            (key(&bare), bare.server_url.as_str()),
            ("none", DEFAULT_SERVER_URL)
        );
        assert_eq!(bare.ca_file, None);
    }

    fn source_of(line: &str) -> Option<String> {
        let settings = resolve(Given::default(), &[], &[(".env", line)]);
        settings.source.map(|source| source.reveal().to_owned())
    }

    #[test]
    fn a_value_is_what_was_written() {
        for value in [
            "http://u:pa$word@c/$HOME",
            r"rtsp://u:hunter\night@c/1",
            r"rtsp://u:secret\ss@c/1",
            r"rtsp://u:geheim\$s\\@c/1",
            "rtsp://u:hunter'b'c@c/1",
            "rtsp://u:hunter\"b\"c'@c/1",
            "rtsp://u:hunter#b=c@c/1#top",
            "till='rtsp://u:hunter$w@c/1'",
        ] {
            for line in [
                format!("VIGINT_SOURCE={value}"),
                format!("VIGINT_SOURCE={value} # the till's"),
                format!("  export VIGINT_SOURCE = {value}\t#\r"),
                format!("VIGINT_SOURCE='{value}'"),
                format!("VIGINT_SOURCE=\"{value}\"  # 'the \"till\"'"),
            ] {
                let read = source_of(&format!("A=b\n{line}\nC='d\n"));
                assert_eq!(read.as_deref(), Some(value), "{line}");
            }
        }
        let spaced = source_of("VIGINT_SOURCE='two words # one'");
        assert_eq!(spaced.as_deref(), Some("two words # one"));
        for nothing in ["", "=", "=  # none yet", "=''", "_OLD=a", ".old=a"] {
            assert_eq!(source_of(&format!("VIGINT_SOURCE{nothing}")), None);
        }
    }

    fn refusal(line: &[u8]) -> String {
        let folder = folder(&[]);
        fs::write(folder.path().join(".env"), line).unwrap();
        let error = Settings::resolve(Given::default(), |_| None, folder.path()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
        error.to_string()
    }

    #[test]
    fn a_line_that_could_be_meant_in_two_ways_is_refused_with_its_cure() {
        for (rest, cure) in [
            (&b"=two words of canary"[..], "quotes round a value"),
            (b"='canary", "end it with the same one"),
            (b"=\"canary\"canary", "end it with the same one"),
            (b": canary", "write an ="),
            (b" canary", "write an ="),
            (b"=canary\xE9", "UTF-8"),
        ] {
            let said = refusal(&[b"VIGINT_API_KEY", rest].concat());
            let begins = "the line of VIGINT_API_KEY in .env cannot be read: ";
            assert!(said.starts_with(begins) && said.contains(cure), "{said}");
        }
        let wide: Vec<u8> = "VIGINT_API_KEY=canary"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        for mark in [&b""[..], b"\xFF\xFE"] {
            let said = refusal(&[mark, &wide].concat());
            assert_eq!(
                said,
                ".env cannot be read: it is no plain text; save it as UTF-8"
            );
        }
        let twice = refusal(b"VIGINT_API_KEY=canary-1\nVIGINT_API_KEY=\nVIGINT_API_KEY=canary-2");
        assert!(
            twice.starts_with("VIGINT_API_KEY stands twice in .env"),
            "{twice}"
        );
    }

    #[test]
    fn each_name_falls_through_on_its_own_and_empty_values_were_not_meant() {
        let given = Given {
            api_key: Some(Secret::new("")),
            profile: Some("prod".into()),
            ..Given::default()
        };
        let files = [
            (".env.prod", "VIGINT_SERVER_URL=http://profile"),
            (
                ".env",
                "VIGINT_API_KEY=plain\nVIGINT_SOURCE='till=rtsp://cam/1'",
            ),
        ];
        let settings = resolve(given, &[(KEY, "  ")], &files);
        assert_eq!(
            (key(&settings), settings.server_url.as_str()),
            ("plain", "http://profile")
        );
        assert_eq!(settings.source.unwrap().reveal(), "till=rtsp://cam/1");
    }

    #[test]
    fn a_profile_whose_file_is_missing_is_told_and_no_path_is_a_profile() {
        let given = |profile: &str| Given {
            profile: Some(profile.into()),
            ..Given::default()
        };
        let settings = resolve(given("prod"), &[], &[(".env", "VIGINT_API_KEY=plain")]);
        assert_eq!(
            (key(&settings), settings.missing_profile.as_deref()),
            ("plain", Some("prod"))
        );
        let climbing = Settings::resolve(given("../x"), |_| None, Path::new("."));
        assert!(matches!(climbing, Err(SettingsError::Profile)));
    }

    #[test]
    fn env_files_are_read_in_the_given_folder_only() {
        let outer = folder(&[(".env", "VIGINT_API_KEY=outer")]);
        let inner = outer.path().join("inner");
        fs::create_dir(&inner).unwrap();
        let settings = Settings::resolve(Given::default(), |_| None, &inner).unwrap();
        assert_eq!(settings.api_key, None);
    }

    #[test]
    fn windows_files_and_lines_of_others_are_read_and_our_own_broken_line_is_named_without_its_text()
     {
        let windows =
            "\u{FEFF}VIGINT_API_KEY=\"plain\"\r\nnot a line at all\r\nVIGINT_SOURCE=a.mp4\r\n";
        let settings = resolve(Given::default(), &[], &[(".env", windows)]);
        assert_eq!(key(&settings), "plain");
        assert_eq!(settings.source.unwrap().reveal(), "a.mp4");

        let folder = folder(&[(".env", "export VIGINT_API_KEY=two words of canary")]);
        let error = Settings::resolve(Given::default(), |_| None, folder.path()).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("the line of VIGINT_API_KEY in .env"),
            "{error}"
        );
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
}
