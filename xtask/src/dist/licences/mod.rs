//! `THIRD-PARTY-LICENSES`: what is in a program that others wrote, and under which terms. A crate without a licence, or
//! under one that `deny.toml` does not allow, stops the archive.
//!
//! Of cargo-about, which does the like, no library is to be had, and without a network it leaves out what it cannot
//! look up; the terms and their texts are known to `spdx`, and the rest is reading files.

mod allowed;
mod crates;
mod page;
mod system;
mod texts;

use anyhow::bail;

use self::allowed::Allowed;
use self::page::Part;
pub(super) use self::system::rust_page;
use super::program::Program;
use crate::cargo;

/// The whole file for a program of this platform.
pub(super) fn page(program: Program, target: &str) -> anyhow::Result<String> {
    let allowed = Allowed::read(&cargo::root().join("deny.toml"))?;
    let mut parts = system::parts(program.linkage())?;
    let mut refused = Vec::new();
    for shipped in crates::shipped(program, target)? {
        let terms = match allowed.terms(shipped.licence.as_deref()) {
            Ok(terms) => terms,
            Err(why) => {
                refused.push(format!("{} {}: {why}", shipped.name, shipped.version));
                continue;
            }
        };
        let mut texts = texts::of_crate(&shipped.folder)?;
        if texts.is_empty() {
            texts = texts::of_terms(&terms, &shipped.authors);
        }
        parts.push(Part {
            name: format!("{} {}", shipped.name, shipped.version),
            licence: shipped.licence.unwrap_or_default(),
            home: shipped.home,
            texts,
        });
    }
    if !refused.is_empty() {
        bail!(
            "these may not be shipped with {}:\n    {}\nTake the crate out, or allow its licence in deny.toml",
            program.name(),
            refused.join("\n    ")
        );
    }
    Ok(page::write(program.name(), &parts))
}
