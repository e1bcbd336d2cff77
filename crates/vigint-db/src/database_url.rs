//! Where the database is: the URL, refused when misspelt, shown without its password.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use url::Url;

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// One file, one server.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        })
    }
}

/// A database URL: `sqlite:///relative.db`, `sqlite:////absolute.db` or `postgresql://user:password@host/name`.
/// Display and Debug show `***` for the password.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(Target);

#[derive(Clone, PartialEq, Eq)]
enum Target {
    Sqlite(PathBuf),
    Postgres(Url),
}

/// A text that is no database URL. Never repeats the text: it may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the database URL {reason}; write sqlite:///relative/path.db, sqlite:////absolute/path.db \
     or postgresql://user:password@host/database"
)]
pub struct InvalidUrl {
    reason: Cow<'static, str>,
}

/// The query parameters of a PostgreSQL URL that are secrets.
const SECRET_PARAMETERS: [&str; 2] = ["password", "sslpassword"];

/// Seconds that libpq tries to connect, unless the URL says otherwise.
const CONNECT_TIMEOUT_SECONDS: &str = "5";

impl FromStr for DatabaseUrl {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        let text = text.trim();
        if let Some(path) = text.strip_prefix("sqlite://") {
            sqlite_path(path).map(|path| Self(Target::Sqlite(path)))
        } else if text.starts_with("postgresql://") || text.starts_with("postgres://") {
            postgres_url(text).map(|url| Self(Target::Postgres(url)))
        } else {
            Err(refuse("begins with neither sqlite:// nor postgresql://"))
        }
    }
}

fn refuse(reason: impl Into<Cow<'static, str>>) -> InvalidUrl {
    InvalidUrl {
        reason: reason.into(),
    }
}

fn sqlite_path(after_scheme: &str) -> Result<PathBuf, InvalidUrl> {
    let Some(path) = after_scheme.strip_prefix('/') else {
        return Err(refuse(
            "needs three slashes behind 'sqlite:', four before an absolute path",
        ));
    };
    if path.is_empty() || path.ends_with('/') {
        return Err(refuse("names no file"));
    }
    if path.contains(":memory:") {
        return Err(refuse(
            "names a database in memory, which would not outlive the program",
        ));
    }
    // SQLite itself would read these two as something other than a path.
    if path.contains(['?', '#', '\0']) || path.starts_with("file:") {
        return Err(refuse("may hold nothing but a path behind 'sqlite:///'"));
    }
    Ok(PathBuf::from(path))
}

fn postgres_url(text: &str) -> Result<Url, InvalidUrl> {
    let mut url = Url::parse(text).map_err(|error| {
        refuse(format!(
            "cannot be read ({error}; in a user name or password write %40 for @, %3A for :, %2F for /)"
        ))
    })?;
    if url.fragment().is_some() {
        return Err(refuse("has a '#' in it: in a password write %23"));
    }
    if url.path().trim_start_matches('/').is_empty() && !has_parameter(&url, "dbname") {
        return Err(refuse("names no database"));
    }
    if !has_parameter(&url, "connect_timeout") {
        url.query_pairs_mut()
            .append_pair("connect_timeout", CONNECT_TIMEOUT_SECONDS);
    }
    Ok(url)
}

fn has_parameter(url: &Url, name: &str) -> bool {
    url.query_pairs().any(|(found, _)| found == name)
}

impl DatabaseUrl {
    /// Which database it names.
    #[must_use]
    pub const fn backend(&self) -> Backend {
        match self.0 {
            Target::Sqlite(_) => Backend::Sqlite,
            Target::Postgres(_) => Backend::Postgres,
        }
    }

    /// The file, on SQLite.
    #[must_use]
    pub fn sqlite_path(&self) -> Option<&Path> {
        match &self.0 {
            Target::Sqlite(path) => Some(path),
            Target::Postgres(_) => None,
        }
    }

    /// What libpq is given, password included.
    pub(crate) fn postgres(&self) -> Option<&str> {
        match &self.0 {
            Target::Sqlite(_) => None,
            Target::Postgres(url) => Some(url.as_str()),
        }
    }

    /// `text` with every secret of this URL replaced by `***`: for what a driver says.
    pub(crate) fn mask(&self, text: &str) -> String {
        let Target::Postgres(url) = &self.0 else {
            return text.to_owned();
        };
        secrets(url)
            .iter()
            .fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }
}

/// The secrets of a URL, as written and as meant.
fn secrets(url: &Url) -> Vec<String> {
    let mut secrets = Vec::new();
    if let Some(password) = url.password() {
        secrets.push(password.to_owned());
        secrets.push(
            percent_decode_str(password)
                .decode_utf8_lossy()
                .into_owned(),
        );
    }
    for (name, value) in url.query_pairs() {
        if SECRET_PARAMETERS.contains(&name.as_ref()) {
            secrets.push(value.into_owned());
        }
    }
    secrets.retain(|secret| !secret.is_empty());
    secrets
}

/// The URL as it may be shown: without its parameters, `***` for the password.
fn shown(url: &Url) -> String {
    let mut shown = url.clone();
    shown.set_query(None);
    if shown.password().is_some() && shown.set_password(Some("***")).is_err() {
        return format!("{}://***", shown.scheme());
    }
    shown.into()
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Target::Sqlite(path) => write!(f, "sqlite:///{}", path.display()),
            Target::Postgres(url) => f.write_str(&shown(url)),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_slashes_are_relative_and_four_absolute() {
        for (text, path) in [
            ("sqlite:///vigint-data/vigint.db", "vigint-data/vigint.db"),
            ("sqlite:////var/lib/vigint.db", "/var/lib/vigint.db"),
            ("sqlite:///a b/é.db", "a b/é.db"),
        ] {
            let url: DatabaseUrl = text.parse().unwrap();
            assert_eq!(url.sqlite_path(), Some(Path::new(path)));
            assert_eq!(url.backend(), Backend::Sqlite);
            assert_eq!(url.to_string(), text);
        }
    }

    #[test]
    fn misspelt_urls_are_refused_with_the_known_forms() {
        for text in [
            "",
            "vigint.db",
            "./vigint.db",
            "/var/lib/vigint.db",
            "sqlite:vigint.db",
            "sqlite:/vigint.db",
            "sqlite://vigint.db",
            "sqlite://:memory:",
            "sqlite:///:memory:",
            "sqlite:///",
            "sqlite:///folder/",
            "sqlite:///x.db?mode=ro",
            "sqlite:///file:x.db",
            "sqllite:///vigint.db",
            "SQLITE3:///vigint.db",
            "postgres:vigint",
            "postgresql:/host/db",
            "postgress://host/db",
            "postgresql+psycopg2://host/db",
            "postgresql://host",
            "postgresql://host/",
            "postgresql://u:pa/ss@host/db",
            "postgresql://u:pa#ss@host/db",
            "mysql://host/db",
        ] {
            let error = text.parse::<DatabaseUrl>().unwrap_err().to_string();
            assert!(
                error.contains("sqlite:///relative/path.db"),
                "{text}: {error}"
            );
            assert!(
                error.contains("postgresql://user:password@host"),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn a_password_is_neither_shown_nor_left_in_a_drivers_words() {
        for (text, canaries) in [
            ("postgresql://u:c4nary@host:5433/db", ["c4nary", "c4nary"]),
            ("postgres://u:c4n%40ry@host/db", ["c4n%40ry", "c4n@ry"]),
            ("postgres://u:c4n+ry@host/db", ["c4n+ry", "c4n+ry"]),
            ("postgres://u@host/db?password=c4nary", ["c4nary", "c4nary"]),
            (
                "postgres:///db?user=u&password=c4nary",
                ["c4nary", "c4nary"],
            ),
        ] {
            let url: DatabaseUrl = text.parse().unwrap();
            for canary in canaries {
                let said = format!(
                    "{url} {url:?} {}",
                    url.mask(&format!("no entry for {canary}!"))
                );
                assert!(!said.contains(canary), "{said}");
                assert!(said.contains("db"), "{said}");
            }
        }
        // The password as libpq would see it: it never cuts it at another '@' than we do.
        let url: DatabaseUrl = "postgres://u:c4n@ry@host/db".parse().unwrap();
        assert!(url.postgres().unwrap().contains("u:c4n%40ry@host"));
        for refused in ["postgres://u:c4n/ry@host/db", "postgres://u:c4n#ry@host/db"] {
            let error = refused.parse::<DatabaseUrl>().unwrap_err();
            assert!(!format!("{error} {error:?}").contains("c4n"), "{error}");
        }
    }

    #[test]
    fn libpq_gives_up_after_five_seconds_unless_told_otherwise() {
        let url: DatabaseUrl = "postgresql://host/db".parse().unwrap();
        assert_eq!(
            url.postgres(),
            Some("postgresql://host/db?connect_timeout=5")
        );
        let url: DatabaseUrl = "postgresql://host/db?connect_timeout=60".parse().unwrap();
        assert_eq!(
            url.postgres(),
            Some("postgresql://host/db?connect_timeout=60")
        );
    }
}
