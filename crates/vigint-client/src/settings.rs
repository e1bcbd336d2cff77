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
    #[error(
        "the line of {name} in {file} cannot be read: write {name}=value, with quotes round a value that has spaces, # or $"
    )]
    Line {
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
    let unreadable = |cause| SettingsError::Unreadable {
        file: file.to_owned(),
        cause,
    };
    let content = match fs::read(folder.join(file)) {
        Ok(content) => content,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    // Editors on Windows put a byte order mark first, which would become part of the first name.
    let text = content.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&content);
    let text = with_plain_dollars(text);
    let text = text.as_bytes();
    let mut values = HashMap::new();
    let mut has_broken_line = false;
    // Not `dotenvy::from_filename_iter`: that one also looks into every parent folder.
    for line in dotenvy::from_read_iter(text) {
        match line {
            Ok((name, value)) => {
                let known = NAMES.iter().find(|known| **known == name);
                if let (Some(known), Some(value)) = (known, meant(value)) {
                    values.entry(*known).or_insert(value);
                }
            }
            Err(dotenvy::Error::LineParse(..)) => has_broken_line = true,
            Err(dotenvy::Error::Io(error)) => return Err(unreadable(error)),
            Err(_) => {
                return Err(unreadable(io::Error::other(
                    "it is not in the form NAME=value",
                )));
            }
        }
    }
    if has_broken_line && let Some(name) = lost_name(text, &values) {
        let file = file.to_owned();
        return Err(SettingsError::Line { file, name });
    }
    Ok(Some(values))
}

/// The text with each `$` of a value as itself. dotenvy would put a variable's value in its place, or nothing: and
/// passwords have dollars. What stands in single quotes is as it is already.
fn with_plain_dollars(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let mut plain = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let value = line.split_once('=').map_or("", |(_, value)| value);
        if value.trim_start().starts_with('\'') {
            plain.push_str(line);
            continue;
        }
        let mut before = None;
        for c in line.chars() {
            if c == '$' && before != Some('\\') {
                plain.push('\\');
            }
            plain.push(c);
            before = Some(c);
        }
    }
    plain
}

/// Which of our names begins a line and yet has no value: its line is the one that cannot be read.
fn lost_name(text: &[u8], values: &HashMap<&'static str, String>) -> Option<&'static str> {
    let text = String::from_utf8_lossy(text);
    let begins_line = |name: &str| {
        text.lines().any(|line| {
            let line = line.trim_start();
            let line = line.strip_prefix("export ").unwrap_or(line);
            let rest = line.trim_start().strip_prefix(name);
            rest.and_then(|rest| rest.trim_start().strip_prefix('='))
                .is_some_and(|value| !value.trim().is_empty())
        })
    };
    let lost = |name: &&str| !values.contains_key(*name) && begins_line(name);
    NAMES.into_iter().find(lost)
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

    #[test]
    fn a_dollar_in_a_value_is_a_dollar() {
        for written in [
            "http://u:pa$word@c/$HOME",
            "\"http://u:pa$word@c/$HOME\"",
            "'http://u:pa$word@c/$HOME'",
        ] {
            let file = format!("VIGINT_SOURCE={written}\n");
            let settings = resolve(Given::default(), &[], &[(".env", &file)]);
            let source = settings.source.unwrap();
            assert_eq!(source.reveal(), "http://u:pa$word@c/$HOME", "{written}");
        }
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
