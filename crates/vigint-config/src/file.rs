//! config.ini: which file it is, and what it gives. Only known names, each once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use vigint_core::secrecy;

use super::SECTIONS;
use super::definition::{Definition, Section};
use super::ini::{self, Line};
use super::layers::Given;
use super::load::LoadFrom;
use super::problems::{ConfigError, Problems};

/// A config.ini that was read.
pub(super) struct ConfigFile {
    pub(super) path: PathBuf,
    pub(super) given: Vec<Given>,
}

/// The file that the flag names, else the environment, else `config.ini` in the working directory if it is there.
pub(super) fn read(
    from: &LoadFrom,
    problems: &mut Problems,
) -> Result<Option<ConfigFile>, ConfigError> {
    let by_environment = from.variable("VIGINT_CONFIG_PATH").map(PathBuf::from);
    let (path, named_by) = match (&from.config_path, by_environment) {
        (Some(path), _) => (from.working_dir.join(path), "named by --config"),
        (None, Some(path)) => (from.working_dir.join(path), "named by VIGINT_CONFIG_PATH"),
        (None, None) => (
            from.working_dir.join("config.ini"),
            "found where the server was started",
        ),
    };
    let is_named = from.config_path.is_some() || from.variable("VIGINT_CONFIG_PATH").is_some();
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            let given = Reading::of(from, &path, problems).read(&text);
            Ok(Some(ConfigFile { path, given }))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !is_named => Ok(None),
        Err(cause) => Err(ConfigError::Unreadable {
            path,
            named_by,
            cause,
        }),
    }
}

/// Where in the file one is.
enum Place {
    BeforeAnySection,
    In(&'static Section),
    /// Its name was reported; its keys are not.
    InUnknownSection,
}

struct Reading<'a> {
    from: &'a LoadFrom,
    path: &'a Path,
    problems: &'a mut Problems,
    /// The line on which each key was given.
    seen: BTreeMap<(&'static str, &'static str), usize>,
}

impl<'a> Reading<'a> {
    fn of(from: &'a LoadFrom, path: &'a Path, problems: &'a mut Problems) -> Self {
        Self {
            from,
            path,
            problems,
            seen: BTreeMap::new(),
        }
    }

    fn read(mut self, text: &str) -> Vec<Given> {
        let mut place = Place::BeforeAnySection;
        let mut given = Vec::new();
        for (number, line) in ini::lines(text) {
            let at = format!("{}:{number}", self.path.display());
            match (line, &place) {
                (Line::Malformed(must), _) => self.problems.add(at, must),
                (Line::Section(name), _) => place = self.enter(&at, name),
                (Line::Key(..), Place::InUnknownSection) => {}
                (Line::Key(key, _), Place::BeforeAnySection) => self.problems.add(
                    at,
                    format!(
                        "'{}' stands before any section: write [Section] above it",
                        fit(key)
                    ),
                ),
                (Line::Key(key, text), Place::In(section)) => {
                    if let Some(definition) = self.known(&at, number, section, key) {
                        given.extend(self.given(at, definition, text));
                    }
                }
            }
        }
        given
    }

    fn enter(&mut self, at: &str, name: &str) -> Place {
        let known = SECTIONS
            .into_iter()
            .find(|section| section.name.eq_ignore_ascii_case(name));
        if let Some(section) = known {
            return Place::In(section);
        }
        let nearest = nearest(name, SECTIONS.iter().map(|section| section.name));
        self.problems.add(
            at,
            format!(
                "[{}] is no section; the nearest known name is [{nearest}]",
                fit(name)
            ),
        );
        Place::InUnknownSection
    }

    /// The definition of `key`, when there is one and it is given for the first time.
    fn known(
        &mut self,
        at: &str,
        number: usize,
        section: &'static Section,
        key: &str,
    ) -> Option<&'static Definition> {
        let named = |section: &Section| {
            (section.keys.iter()).find(|definition| definition.key.eq_ignore_ascii_case(key))
        };
        let Some(definition) = (section.keys.iter()).find(|d| d.key.eq_ignore_ascii_case(key))
        else {
            let near = nearest(key, section.keys.iter().map(|definition| definition.key));
            let elsewhere = SECTIONS
                .into_iter()
                .find(|section| named(section).is_some())
                .map_or(String::new(), |s| {
                    format!("; [{}] has a key of that name", s.name)
                });
            self.problems.add_key(
                at,
                (section.name, &fit(key)),
                format!("is no key of this section; the nearest known name is '{near}'{elsewhere}"),
            );
            return None;
        };
        if let Some(first) = self
            .seen
            .insert((definition.section, definition.key), number)
        {
            self.problems.add_key(
                at,
                (definition.section, definition.key),
                format!("is given twice, first on line {first}: keep one"),
            );
            return None;
        }
        Some(definition)
    }

    /// What a line gives. An empty value is the same as none.
    fn given(&mut self, at: String, definition: &'static Definition, text: &str) -> Option<Given> {
        let variable = text
            .strip_prefix("${")
            .and_then(|text| text.strip_suffix('}'));
        let Some(variable) = variable else {
            return (!text.is_empty()).then(|| Given::new(definition, text, at));
        };
        if let Some(value) = self.from.variable(variable) {
            return Some(Given::new(
                definition,
                value,
                format!("{at} ${{{variable}}}"),
            ));
        }
        self.problems.add_key(
            at,
            (definition.section, definition.key),
            format!(
                "asks for the environment variable {}, which is not set or empty",
                fit(variable)
            ),
        );
        None
    }
}

/// A name that somebody wrote, as it may be shown. A value on a line of its own reads like a name.
fn fit(name: &str) -> String {
    secrecy::without(name, [name])
}

/// The known name that is fewest slips away.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> &'a str {
    let name = name.to_ascii_lowercase();
    known
        .min_by_key(|known| strsim::damerau_levenshtein(&known.to_ascii_lowercase(), &name))
        .unwrap_or_default()
}
