//! Which licences may be shipped: the list in `deny.toml`, so that there is one.

use std::path::Path;

use anyhow::{Context as _, ensure};
use spdx::{Expression, LicenseReq, Licensee, ParseMode};

/// The licences that are allowed.
pub(super) struct Allowed(Vec<Licensee>);

impl Allowed {
    /// Reads `[licenses] allow`.
    pub(super) fn read(deny: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(deny)
            .with_context(|| format!("cannot read {}", deny.display()))?;
        Self::parse(&text).with_context(|| format!("cannot use {}", deny.display()))
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let table: toml::Table = text.parse()?;
        let list = table
            .get("licenses")
            .and_then(|licenses| licenses.get("allow")?.as_array())
            .context("it has no list [licenses] allow")?;
        let mut allowed = Vec::new();
        for name in list {
            let name = name.as_str().context("[licenses] allow is of texts")?;
            let licensee = Licensee::parse(name)
                .with_context(|| format!("[licenses] allow: {name} is no SPDX licence"))?;
            allowed.push(licensee);
        }
        ensure!(!allowed.is_empty(), "[licenses] allow is empty");
        Ok(Self(allowed))
    }

    /// Under which of the allowed licences a crate may be taken that offers these, or why under none.
    pub(super) fn terms(&self, licence: Option<&str>) -> Result<Vec<LicenseReq>, String> {
        let (licence, expression) = parsed(licence)?;
        expression
            .minimized_requirements(&self.0)
            .map_err(|_| format!("'{licence}' is not allowed"))
    }

    /// Whether a crate that offers these may be taken under those of the allowed licences whose texts are at hand.
    pub(super) fn is_met(
        &self,
        licence: Option<&str>,
        has_text: impl Fn(&LicenseReq) -> bool,
    ) -> Result<bool, String> {
        let (_, expression) = parsed(licence)?;
        let is_allowed = |term: &LicenseReq| self.0.iter().any(|allowed| allowed.satisfies(term));
        Ok(expression.evaluate(|term| is_allowed(term) && has_text(term)))
    }
}

fn parsed(licence: Option<&str>) -> Result<(&str, Expression), String> {
    let licence = licence.ok_or("its Cargo.toml names no licence")?;
    // Older crates write `MIT/Apache-2.0`.
    let expression = Expression::parse_mode(licence, ParseMode::LAX)
        .map_err(|_| format!("'{licence}' is no SPDX expression"))?;
    Ok((licence, expression))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DENY: &str = r#"
        [licenses]
        allow = ["MIT", "Apache-2.0 WITH LLVM-exception", "ISC"]
    "#;

    fn terms(licence: Option<&str>) -> Result<Vec<String>, String> {
        let terms = Allowed::parse(DENY).unwrap().terms(licence)?;
        Ok(terms.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn one_allowed_licence_of_several_is_enough_and_of_two_together_both_are_needed() {
        let mit = Ok(vec!["MIT".to_owned()]);
        assert_eq!(terms(Some("MIT OR GPL-3.0-only")), mit);
        assert_eq!(terms(Some("MIT/Apache-2.0")), mit);
        assert_eq!(terms(Some("MIT AND ISC")).unwrap().len(), 2);
        let llvm = "Apache-2.0 WITH LLVM-exception";
        assert_eq!(terms(Some(llvm)), Ok(vec![llvm.to_owned()]));
    }

    #[test]
    fn what_is_not_allowed_or_not_said_is_refused_in_words() {
        for (licence, why) in [
            (Some("GPL-3.0-only"), "not allowed"),
            (Some("MIT AND GPL-3.0-only"), "not allowed"),
            (Some("Apache-2.0"), "not allowed"),
            (Some("see the file"), "no SPDX expression"),
            (None, "names no licence"),
        ] {
            let said = terms(licence).unwrap_err();
            assert!(said.contains(why), "{licence:?}: {said}");
        }
    }

    #[test]
    fn a_crate_is_met_by_the_texts_of_all_that_it_takes_and_allowed_ones_only() {
        let met = |licence, there: &[&str]| {
            let has_text = |term: &LicenseReq| there.contains(&&*term.to_string());
            Allowed::parse(DENY)
                .unwrap()
                .is_met(Some(licence), has_text)
                .unwrap()
        };
        assert!(met("MIT OR ISC", &["ISC"]));
        assert!(!met("MIT AND ISC", &["ISC"]));
        assert!(!met("MIT OR GPL-3.0-only", &["GPL-3.0-only"]));
    }

    #[test]
    fn our_own_list_can_be_read_and_obliges_nobody_to_open_what_is_ours() {
        let allowed = Allowed::read(&crate::cargo::root().join("deny.toml")).unwrap();
        for licensee in allowed.0 {
            let term = licensee.into_req();
            let id = term.license.id().unwrap();
            assert!(!id.is_copyleft(), "deny.toml allows {term}");
        }
    }
}
