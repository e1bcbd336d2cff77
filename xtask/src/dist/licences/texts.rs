//! The words of licences: a crate's own files, and where they do not say it those of the SPDX list.

use std::collections::HashSet;
use std::path::Path;

use anyhow::Context as _;
use ignore::WalkBuilder;
use spdx::{AdditionItem, LicenseItem, LicenseReq};

/// How the names of such files begin, in small letters.
const BEGINNINGS: &[&str] = &[
    "license",
    "licence",
    "copying",
    "copyright",
    "notice",
    "unlicense",
];
/// Endings of files that are none, whatever their beginning.
const NO_TEXT: &[&str] = &[
    "c", "cc", "h", "html", "in", "json", "pl", "py", "rs", "sh", "toml", "xml", "yaml", "yml",
];
/// What is in there is not compiled into anything that is shipped.
const NOT_SHIPPED: &[&str] = &[
    ".git", "benches", "doc", "docs", "examples", "fuzz", "test", "tests",
];
/// Of what a crate has taken from another one: `ring/src/polyfill/once_cell/LICENSE-MIT`.
const DEPTH: usize = 4;
/// A longer file is no licence.
const MAX_BYTES: u64 = 1 << 20;
/// A text is a licence's when it has so much of what the SPDX list has, as sequences of [`TOGETHER`] words: crates
/// fill in names, and leave out titles, appendices and paragraphs. Of all that we ship, the texts have 0.5 and more,
/// and what only points to one has less than 0.1.
const ENOUGH: f64 = 0.4;
const TOGETHER: usize = 4;

/// What a crate says itself, in the order of its files. Empty when it brings no text.
pub(super) fn of_crate(folder: &Path) -> anyhow::Result<Vec<String>> {
    let walk = WalkBuilder::new(folder)
        .standard_filters(false)
        .max_depth(Some(DEPTH))
        .sort_by_file_path(Path::cmp)
        .filter_entry(|entry| {
            let name = entry.file_name().to_string_lossy();
            entry.depth() == 0 || !NOT_SHIPPED.contains(&&*name)
        })
        .build();
    let mut texts = Vec::new();
    for entry in walk {
        let entry = entry.with_context(|| format!("cannot look into {}", folder.display()))?;
        let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
        if is_file && is_licence(entry.path()) && entry.metadata()?.len() <= MAX_BYTES {
            let bytes = std::fs::read(entry.path())
                .with_context(|| format!("cannot read {}", entry.path().display()))?;
            texts.push(String::from_utf8_lossy(&bytes).trim().to_owned());
        }
    }
    texts.retain(|text| !text.is_empty());
    Ok(texts)
}

fn is_licence(path: &Path) -> bool {
    let name = |part: Option<&std::ffi::OsStr>| {
        part.map(|part| part.to_string_lossy().to_lowercase())
            .unwrap_or_default()
    };
    let in_a_folder_of_licences = name(path.parent().and_then(Path::file_name)) == "licenses";
    let begins = BEGINNINGS
        .iter()
        .any(|beginning| name(path.file_name()).starts_with(beginning));
    (begins || in_a_folder_of_licences) && !NO_TEXT.contains(&name(path.extension()).as_str())
}

/// Whether one of these texts is this licence. A file that only says where the licence is to be found is none.
pub(super) fn hold(texts: &[String], term: &LicenseReq) -> bool {
    let mut wanted = Vec::new();
    match &term.license {
        LicenseItem::Spdx { id, .. } => wanted.push(id.text()),
        LicenseItem::Other(_) => return false,
    }
    match &term.addition {
        Some(AdditionItem::Spdx(exception)) => wanted.push(exception.text()),
        Some(AdditionItem::Other(_)) => return false,
        None => {}
    }
    let is_there = |wanted: &str| texts.iter().any(|text| share(wanted, text) >= ENOUGH);
    wanted.into_iter().all(is_there)
}

/// How much of the words that are wanted are in a text, from 0 to 1.
fn share(wanted: &str, text: &str) -> f64 {
    let (wanted, text) = (words(wanted), words(text));
    let there: HashSet<_> = text.windows(TOGETHER).collect();
    let all: HashSet<_> = wanted.windows(TOGETHER).collect();
    let found = all.intersection(&there).count();
    let count = |number: usize| u32::try_from(number).map_or(f64::MAX, f64::from);
    count(found) / count(all.len()).max(1.0)
}

/// In small letters, without what is not a letter or a digit.
fn words(text: &str) -> Vec<String> {
    let words = text.split(|letter: char| !letter.is_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

/// The SPDX list's words for these terms, below the names of who wrote the crate.
pub(super) fn of_terms(terms: &[LicenseReq], authors: &[String]) -> Vec<String> {
    let authors = match authors {
        [] => "its authors".to_owned(),
        authors => authors.join(", "),
    };
    terms
        .iter()
        .map(|term| {
            let mut text = format!("Copyright (c) {authors}\n\n");
            if let LicenseItem::Spdx { id, .. } = &term.license {
                text.push_str(id.text().trim());
            }
            if let Some(AdditionItem::Spdx(exception)) = &term.addition {
                text.push_str("\n\n");
                text.push_str(exception.text().trim());
            }
            text
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use spdx::Licensee;

    use super::*;
    use crate::cargo;
    use crate::dist::licences::crates;
    use crate::dist::program::Program;

    #[test]
    fn a_crates_own_texts_are_found_also_those_of_a_library_in_it() {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in [
            ("LICENSE-MIT", "mit"),
            ("COPYING", " copying\n"),
            ("LICENSES/Zlib.txt", "zlib"),
            ("library/source/COPYRIGHT", "c"),
            ("src/license.rs", "code"),
            ("tests/LICENSE", "of a test"),
            ("NOTICE.md", "\n"),
        ] {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let texts = of_crate(folder.path()).unwrap();
        assert_eq!(texts, ["copying", "mit", "zlib", "c"]);
    }

    fn term(name: &str) -> LicenseReq {
        Licensee::parse(name).unwrap().into_req()
    }

    #[test]
    fn what_ring_has_taken_from_another_crate_comes_with_its_texts() {
        let shipped = crates::shipped(Program::Client, &cargo::host().unwrap()).unwrap();
        let ring = shipped.iter().find(|shipped| shipped.name == "ring");
        let texts = of_crate(&ring.unwrap().folder).unwrap();
        // ring itself is under the ISC and Apache licences; its LICENSE points to these two of once_cell.
        assert!(hold(&texts, &term("MIT")), "{texts:?}");
        assert!(hold(&texts, &term("ISC")) && hold(&texts, &term("Apache-2.0")));
    }

    #[test]
    fn a_file_that_only_points_to_a_licence_is_none() {
        let points = [
            "Copyright 2020 A. Author\nLicensed under the MIT license, see http://opensource.org/licenses/MIT",
            "This project is dual-licensed under the Unlicense and MIT licenses.",
        ];
        assert!(!hold(&points.map(str::to_owned), &term("MIT")));
        let mut texts = of_terms(&[term("MIT")], &["A. Author".to_owned()]);
        assert!(hold(&texts, &term("MIT")));
        assert!(!hold(&texts, &term("Apache-2.0")) && !hold(&texts, &term("BSD-2-Clause")));
        texts.extend(of_terms(&[term("Apache-2.0")], &[]));
        assert!(hold(&texts, &term("Apache-2.0")));
        assert!(!hold(&texts, &term("Apache-2.0 WITH LLVM-exception")));
    }

    #[test]
    fn a_crate_without_a_text_has_the_lists_and_its_authors() {
        let terms = [term("MIT"), term("Apache-2.0 WITH LLVM-exception")];
        let texts = of_terms(&terms, &["A. Author".to_owned()]);
        assert!(texts[0].starts_with("Copyright (c) A. Author\n"));
        assert!(
            texts[0].contains("THE SOFTWARE IS PROVIDED \"AS IS\""),
            "{}",
            texts[0]
        );
        assert!(
            texts[1].contains("Apache License") && texts[1].contains("LLVM"),
            "{}",
            texts[1]
        );
    }
}
