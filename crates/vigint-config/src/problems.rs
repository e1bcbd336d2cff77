//! What is wrong with the settings: all of it at once, each with its place and its cure.

use std::fmt;
use std::io;
use std::path::PathBuf;

use vigint_core::secrecy;

use super::masking::fit_to_show;
use super::origins::Effective;

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file that was named, or the one in the working directory, cannot be read.
    #[error("cannot read the configuration {}, {named_by}: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Who named it: a flag, the environment, or nobody.
        named_by: &'static str,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// It was read and is not right.
    #[error("the configuration is not right:\n{0}")]
    Invalid(Problems),
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// `config.ini:12`, `environment PORT`, `flag --port`, or the file in which something is missing.
    pub place: String,
    /// The section and key, when there is one.
    pub name: Option<(String, String)>,
    /// What is wrong and how to cure it. Never a secret.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some((section, key)) => {
                write!(f, "{}: [{section}] {key} {}", self.place, self.message)
            }
            None => write!(f, "{}: {}", self.place, self.message),
        }
    }
}

/// Everything that is wrong, one a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Them, in the order in which they were found.
    #[must_use]
    pub fn all(&self) -> &[Problem] {
        &self.0
    }

    pub(super) fn add(&mut self, place: impl Into<String>, message: impl Into<String>) {
        self.0.push(Problem {
            place: place.into(),
            name: None,
            message: message.into(),
        });
    }

    pub(super) fn add_key(
        &mut self,
        place: impl Into<String>,
        (section, key): (&str, &str),
        message: impl Into<String>,
    ) {
        self.0.push(Problem {
            place: place.into(),
            name: Some((section.to_owned(), key.to_owned())),
            message: message.into(),
        });
    }

    /// A value that is not what it must be.
    pub(super) fn add_value(&mut self, value: &Effective, must: &str) {
        let definition = value.definition;
        // A key may stand where a number should; what must be instead may repeat it, too.
        let fit = |text: &str| secrecy::without(text, value.text.split([',', ' ', '\t']));
        let shown = fit(&fit_to_show(definition, &value.text));
        let must = fit(must);
        let hint = if value.text.contains(" ;") || value.text.contains(" #") {
            " (a comment must stand on its own line)"
        } else {
            ""
        };
        self.add_key(
            &value.origin,
            (definition.section, definition.key),
            format!("= {shown}: {must}{hint}"),
        );
    }

    pub(super) fn is_about(&self, section: &str, key: &str) -> bool {
        self.0
            .iter()
            .filter_map(|problem| problem.name.as_ref())
            .any(|(s, k)| s == section && k == key)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.0.iter().enumerate() {
            let line_break = if at == 0 { "" } else { "\n" };
            write!(f, "{line_break}  {problem}")?;
        }
        Ok(())
    }
}
