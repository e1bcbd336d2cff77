//! The layers of values and their order, by the `config` crate: default < config.ini < environment < flag.

use std::fmt;

use ::config::{Config, ConfigError, Map, Source, Value};

use super::SECTIONS;
use super::defaults::default_text;
use super::definition::Definition;
use super::load::LoadFrom;
use super::origins::Effective;
use super::problems::Problems;

/// Where a value is from that nobody gave.
pub(super) const BUILT_IN: &str = "default";

/// What one layer says of one key.
#[derive(Clone)]
pub(super) struct Given {
    definition: &'static Definition,
    text: String,
    origin: String,
}

impl Given {
    pub(super) fn new(
        definition: &'static Definition,
        text: impl Into<String>,
        origin: impl Into<String>,
    ) -> Self {
        Self {
            definition,
            text: text.into(),
            origin: origin.into(),
        }
    }
}

/// One layer as the `config` crate takes it.
#[derive(Clone)]
struct Layer(Vec<Given>);

impl fmt::Debug for Layer {
    /// Without the values: there are secrets among them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Layer of {} values", self.0.len())
    }
}

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        let value = |given: &Given| Value::new(Some(&given.origin), given.text.as_str());
        let entry = |given: &Given| (given.definition.path(), value(given));
        Ok(self.0.iter().map(entry).collect())
    }
}

/// The value of every key, with where it is from.
pub(super) fn merge(
    from: &LoadFrom,
    file: Vec<Given>,
    problems: &mut Problems,
) -> Result<Vec<Effective>, ConfigError> {
    let given = Config::builder()
        .add_source(Layer(file))
        .add_source(Layer(environment(from, problems)))
        .add_source(Layer(flags(from)))
        .build()?;
    // Some defaults depend on what was given, such as public_url on the port.
    let defaults: Vec<Given> = definitions()
        .map(|definition| {
            let text = default_text(definition, from, &|path| given.get_string(path).ok());
            Given::new(definition, text, BUILT_IN)
        })
        .collect();
    let merged = Config::builder()
        .add_source(Layer(defaults.clone()))
        .add_source(given)
        .build()?;
    defaults
        .into_iter()
        .map(|default| effective(&merged, default))
        .collect()
}

fn definitions() -> impl Iterator<Item = &'static Definition> {
    SECTIONS.into_iter().flat_map(|section| section.keys)
}

fn effective(merged: &Config, default: Given) -> Result<Effective, ConfigError> {
    let definition = default.definition;
    let section = merged.get_table(&definition.section.to_ascii_lowercase())?;
    let value = section
        .get(definition.key)
        .cloned()
        .ok_or_else(|| ConfigError::NotFound(definition.path()))?;
    Ok(Effective {
        definition,
        origin: value.origin().unwrap_or(BUILT_IN).to_owned(),
        text: value.into_string()?,
        default: default.text,
    })
}

/// What the environment gives. An empty variable is the same as none.
fn environment(from: &LoadFrom, problems: &mut Problems) -> Vec<Given> {
    let mut given = Vec::new();
    for definition in definitions() {
        let Some(name) = definition.environment else {
            continue;
        };
        let Some(text) = from.variable(name) else {
            continue;
        };
        let origin = format!("environment {name}");
        if text.contains(char::REPLACEMENT_CHARACTER) {
            let key = (definition.section, definition.key);
            problems.add_key(origin, key, "must be UTF-8");
        } else {
            given.push(Given::new(definition, text.trim(), origin));
        }
    }
    given
}

fn flags(from: &LoadFrom) -> Vec<Given> {
    let port = from.flags.port.map(|port| port.to_string());
    let flags = [("host", from.flags.host.clone()), ("port", port)];
    flags
        .into_iter()
        .filter_map(|(key, text)| {
            let definition = definitions().find(|d| d.section == "API" && d.key == key)?;
            Some(Given::new(definition, text?, format!("flag --{key}")))
        })
        .collect()
}
