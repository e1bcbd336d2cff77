//! Which database is meant, before it is opened: the server's own, by the server's own settings.

use std::path::PathBuf;

use vigint_config::{LoadFrom, Settings};
use vigint_core::locale::Locale;
use vigint_db::{DatabaseUrl, Db, Operator};

use crate::console;
use crate::failure::Failure;

/// The database that the settings name, and what else they say to commands.
pub(crate) struct Chosen {
    pub(crate) url: DatabaseUrl,
    /// Who is at the shell, for the audit.
    pub(crate) actor: String,
    pub(crate) default_locale: Locale,
    pub(crate) currency: String,
}

impl Chosen {
    /// Reads the settings.
    pub(crate) fn load(from: &LoadFrom) -> Result<Self, Failure> {
        let actor = from.shell_user();
        let settings = Settings::load(from)?.settings;
        Ok(Self {
            url: settings.database.database_url.parse()?,
            actor,
            default_locale: settings.ai.language,
            currency: settings.billing.currency,
        })
    }

    /// Opens it, and says which it is. Only a command that fills one may make one: every other in the wrong folder
    /// would answer about an empty database that it left behind.
    pub(crate) fn open(&self, may_make: bool) -> Result<Db, Failure> {
        if let Some(path) = self.missing_file()
            && !may_make
        {
            return Err(Failure::NoDatabase(path));
        }
        let db = Db::open(&self.url, 1)?;
        let is_set_up = db.is_set_up()?;
        if !is_set_up && !may_make {
            return Err(Failure::EmptyDatabase(self.shown()));
        }
        self.say(if is_set_up {
            ""
        } else {
            " (new, made just now)"
        });
        db.ensure_schema()?;
        Ok(db)
    }

    /// Says which database it is, whichever folder that is read in.
    pub(crate) fn say(&self, remark: &str) {
        console::say(&format!("Database: {}{remark}", self.shown()));
    }

    fn shown(&self) -> String {
        match self.file() {
            Some(path) => format!("sqlite:///{}", path.display()),
            None => self.url.to_string(),
        }
    }

    /// The file that opening the database would make. One that cannot be looked at is not called missing:
    /// opening it says why.
    pub(crate) fn missing_file(&self) -> Option<PathBuf> {
        self.file()
            .filter(|path| matches!(path.try_exists(), Ok(false)))
    }

    /// The file of a SQLite database, from the root.
    fn file(&self) -> Option<PathBuf> {
        let path = self.url.sqlite_path()?;
        Some(std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()))
    }
}

/// Who works on the database.
pub(crate) const fn operator() -> Operator {
    Operator::named("vigint-admin")
}
