//! Loading: the process's arguments, environment and files in; settings or everything that is wrong out.

use std::collections::BTreeMap;
use std::path::PathBuf;

use vigint_core::key::Secret;

use super::Settings;
use super::file::{self, ConfigFile};
use super::layers;
use super::memory;
use super::origins::{Origins, Reader};
use super::problems::{ConfigError, Problems};
use super::rules;
use super::shell_user;

/// What flags say; they win over everything else.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--host`
    pub host: Option<String>,
    /// `--port`
    pub port: Option<u16>,
}

/// Everything that settings are made from.
#[derive(Clone)]
pub struct LoadFrom {
    /// `--config`
    pub config_path: Option<PathBuf>,
    /// The other flags.
    pub flags: Overrides,
    /// The environment's variables.
    pub environment: BTreeMap<String, String>,
    /// Where `config.ini` is looked for, and what a relative `config_path` is from.
    pub working_dir: PathBuf,
    /// The memory this process may use, in bytes.
    pub usable_memory: u64,
}

impl LoadFrom {
    /// As this process was started. The one place where the environment is read.
    #[must_use]
    pub fn process(config_path: Option<PathBuf>, flags: Overrides) -> Self {
        let lossy = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        let environment = std::env::vars_os();
        Self {
            config_path,
            flags,
            environment: environment
                .map(|(name, value)| (lossy(name), lossy(value)))
                .collect(),
            // Relative paths stay relative: they are from the working directory anyway.
            working_dir: PathBuf::new(),
            usable_memory: memory::usable(),
        }
    }

    /// Who is at the shell, as an audit names them: the user that `sudo` was called by, else the user.
    #[must_use]
    pub fn shell_user(&self) -> String {
        format!("shell:{}", shell_user::name(self.variable("SUDO_USER")))
    }

    /// The admin key by which a server is reached from elsewhere: `VIGINT_ADMIN_KEY`.
    #[must_use]
    pub fn admin_key(&self) -> Option<Secret> {
        self.variable("VIGINT_ADMIN_KEY")
            .map(|key| Secret::new(key.trim()))
    }

    /// A variable of the environment; an empty one is the same as none.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        let value = self.environment.get(name).map(String::as_str);
        value.filter(|value| !value.trim().is_empty())
    }
}

/// Settings, and where each came from.
#[derive(Debug)]
pub struct Loaded {
    /// Read and checked.
    pub settings: Settings,
    /// For `check-config`.
    pub origins: Origins,
}

pub(super) fn load(from: &LoadFrom) -> Result<Loaded, ConfigError> {
    let mut problems = Problems::default();
    let (file, given) = match file::read(from, &mut problems)? {
        Some(ConfigFile { path, given }) => (path.display().to_string(), given),
        None => ("no config.ini, built-in defaults".to_owned(), Vec::new()),
    };
    let values = layers::merge(from, given, &mut problems).unwrap_or_else(|error| {
        problems.add(&file, error.to_string());
        Vec::new()
    });
    let origins = Origins { file, values };
    let settings = Settings::read(&mut Reader {
        origins: &origins,
        problems: &mut problems,
    });
    if let Some(settings) = &settings {
        rules::check(settings, &origins, &mut problems);
    }
    match settings {
        Some(settings) if problems.all().is_empty() => Ok(Loaded { settings, origins }),
        _ => Err(ConfigError::Invalid(problems)),
    }
}
