//! Every effective value with where it came from: what `check-config` prints.

use std::fmt;

use super::definition::Definition;
use super::layers::BUILT_IN;
use super::masking::fit_to_show;
use super::problems::Problems;

/// The value of one key that counts.
pub(super) struct Effective {
    pub(super) definition: &'static Definition,
    pub(super) text: String,
    /// `default`, `config.ini:12`, `environment PORT` or `flag --port`.
    pub(super) origin: String,
    /// What it were if nobody had said anything.
    pub(super) default: String,
}

/// Where every value came from. Its `Display` is the text of `check-config`; secrets show as `(set)`.
pub struct Origins {
    /// The file that was read, or that there was none.
    pub(super) file: String,
    pub(super) values: Vec<Effective>,
}

impl Origins {
    /// Where the value of `[section] key` came from, such as `default` or `environment PORT`.
    #[must_use]
    pub fn of(&self, section: &str, key: &str) -> Option<&str> {
        self.find(section, key).map(|value| value.origin.as_str())
    }

    /// Whether somebody gave `[section] key`.
    #[must_use]
    pub fn is_given(&self, section: &str, key: &str) -> bool {
        self.of(section, key)
            .is_some_and(|origin| origin != BUILT_IN)
    }

    /// Whether somebody gave `[section] key` another value than it has anyway.
    #[must_use]
    pub fn is_changed(&self, section: &str, key: &str) -> bool {
        self.is_given(section, key)
            && (self.find(section, key)).is_some_and(|value| value.text != value.default)
    }

    /// The file that was read, or that there was none.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    fn find(&self, section: &str, key: &str) -> Option<&Effective> {
        (self.values.iter()).find(|v| v.definition.section == section && v.definition.key == key)
    }
}

impl fmt::Debug for Origins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origins of {} values", self.values.len())
    }
}

impl fmt::Display for Origins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Configuration: {}", self.file)?;
        let mut section = "";
        for value in &self.values {
            let definition = value.definition;
            if definition.section != section {
                section = definition.section;
                write!(f, "\n\n[{section}]")?;
            }
            let shown = fit_to_show(definition, &value.text);
            write!(f, "\n{} = {shown}  ({})", definition.key, value.origin)?;
        }
        Ok(())
    }
}

/// Reads values and notes the problems.
pub(super) struct Reader<'a> {
    pub(super) origins: &'a Origins,
    pub(super) problems: &'a mut Problems,
}

impl Reader<'_> {
    /// The value of a key. One with a problem counts as its default, so that what hangs on it is checked too.
    pub(super) fn read<T>(
        &mut self,
        section: &str,
        key: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let value = self.origins.find(section, key)?;
        match parse(&value.text) {
            Ok(read) => Some(read),
            Err(must) => {
                self.problems.add_value(value, &must);
                parse(&value.default).ok()
            }
        }
    }
}
