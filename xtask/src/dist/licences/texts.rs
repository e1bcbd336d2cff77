//! The words of licences: a crate's own files, else those of the SPDX list.

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
/// Of a C library that a crate brings: `crate/library/part/LICENSE`.
const DEPTH: usize = 3;
/// A longer file is no licence.
const MAX_BYTES: u64 = 1 << 20;

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

    #[test]
    fn a_crate_without_a_text_has_the_lists_and_its_authors() {
        let term = |name| Licensee::parse(name).unwrap().into_req();
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
