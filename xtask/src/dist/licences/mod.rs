//! `THIRD-PARTY-LICENSES`: what is in a program that others wrote, and under which terms. A crate without a licence, or
//! under one that `deny.toml` does not allow, stops the archive.
//!
//! A crate's own files go with it; where they are not the whole of its terms, the SPDX list's words do as well.
//!
//! Of cargo-about, which does the like, no library is to be had, and without a network it leaves out what it cannot
//! look up; the terms and their texts are known to `spdx`, and the rest is reading files.

mod allowed;
mod crates;
mod notices;
mod own;
mod page;
mod system;
mod texts;

use anyhow::bail;

use self::allowed::Allowed;
use self::crates::Shipped;
use self::page::Part;
use super::program::Program;
use crate::cargo;

/// What is given away with a program of this platform: names of files, and what is in them.
pub(super) fn files(
    program: Program,
    target: &str,
) -> anyhow::Result<Vec<(&'static str, Vec<u8>)>> {
    Ok(vec![
        ("THIRD-PARTY-LICENSES", page(program, target)?.into_bytes()),
        ("RUST-LICENSES.html", system::rust_page()?),
    ])
}

fn page(program: Program, target: &str) -> anyhow::Result<String> {
    let allowed = Allowed::read(&cargo::root().join("deny.toml"))?;
    let mut parts = system::parts(program.linkage())?;
    let mut refused = Vec::new();
    let crates = crates::shipped(program, target)?;
    let notices = notices::of(crates.iter().map(|shipped| shipped.name.as_str()));
    for shipped in crates {
        let texts = match texts_of(&shipped, &allowed)? {
            Ok(texts) => texts,
            Err(why) => {
                refused.push(format!("{} {}: {why}", shipped.name, shipped.version));
                continue;
            }
        };
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
    Ok(page::write(program.name(), &notices, &parts))
}

/// All that has to be shipped with a crate, or why it may not be.
fn texts_of(shipped: &Shipped, allowed: &Allowed) -> anyhow::Result<Result<Vec<String>, String>> {
    let licence = shipped.licence.as_deref();
    let mut terms = match allowed.terms(licence) {
        Ok(terms) => terms,
        Err(why) => return Ok(Err(why)),
    };
    let mut texts = match own::text(&shipped.name) {
        Some(text) => vec![text.to_owned()],
        None => texts::of_crate(&shipped.folder)?,
    };
    Ok(allowed
        .is_met(licence, |term| texts::hold(&texts, term))
        .map(|is_met| {
            if !is_met {
                terms.retain(|term| !texts::hold(&texts, term));
                texts.extend(texts::of_terms(&terms, &shipped.authors));
            }
            texts
        }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crate_with(licence: &str, files: &[(&str, &str)]) -> (tempfile::TempDir, Shipped) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let shipped = Shipped {
            name: "a".to_owned(),
            version: "1.0.0".to_owned(),
            licence: Some(licence.to_owned()),
            authors: vec!["A. Author".to_owned()],
            home: "https://example.com".to_owned(),
            folder: folder.path().to_owned(),
        };
        (folder, shipped)
    }

    fn allowed() -> Allowed {
        Allowed::read(&cargo::root().join("deny.toml")).unwrap()
    }

    #[test]
    fn a_crate_whose_files_only_point_to_its_licence_is_given_the_text() {
        let notice =
            "Copyright 2020 A. Author. Under the MIT or Apache-2.0 licence, at your choice.";
        let (_folder, shipped) = crate_with("MIT OR Apache-2.0", &[("COPYRIGHT", notice)]);
        let texts = texts_of(&shipped, &allowed()).unwrap().unwrap();
        assert_eq!(texts[0], notice);
        assert!(
            texts[1].contains("TERMS AND CONDITIONS FOR USE"),
            "{texts:?}"
        );
    }

    #[test]
    fn of_two_licences_together_the_one_without_a_file_is_added() {
        let mit = spdx::license_id("MIT").unwrap().text();
        let (_folder, shipped) = crate_with("MIT AND ISC", &[("LICENSE", mit)]);
        let texts = texts_of(&shipped, &allowed()).unwrap().unwrap();
        assert_eq!(texts.len(), 2, "{texts:?}");
        assert!(
            texts[1].contains("Permission to use, copy, modify"),
            "{texts:?}"
        );
        let (_folder, shipped) = crate_with("MIT OR ISC", &[("LICENSE", mit)]);
        let texts = texts_of(&shipped, &allowed()).unwrap().unwrap();
        assert_eq!(texts.len(), 1, "{texts:?}");
    }

    /// `page` fails when a crate's licence is not on deny.toml's list, which has none that would open what is ours.
    #[test]
    fn all_that_is_in_each_program_may_be_shipped_and_the_notices_it_demands_are_given() {
        let jpeg = "this software is based in part on the work of the Independent JPEG Group";
        let films = "openh264, built from its source. The patent fees";
        for &program in Program::ALL {
            let page = page(program, &cargo::host().unwrap()).unwrap();
            let (head, texts) = page.split_once(page::LINE).unwrap();
            // It makes the clips and their stills.
            let is_server = program == Program::Server;
            assert_eq!(head.contains(jpeg), is_server, "{head}");
            assert_eq!(head.contains(films), is_server, "{head}");
            // Wherever such a crate comes to be.
            assert_eq!(head.contains("AND IJG)"), is_server, "{head}");
            assert!(texts.contains("serde"), "{}", program.name());
        }
    }
}
