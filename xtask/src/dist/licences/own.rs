//! The words of crates that bring no file with them: taken from the notices in their sources.

/// Crates, and all that their sources say. A test holds each to the sources that are built.
const OWN: &[(&str, &str)] = &[
    // libpq and the parts of PostgreSQL that it needs, without PostgreSQL's file COPYRIGHT. The SPDX list has that
    // file as it was in 2010, and some of the sources are under other terms.
    ("pq-src", include_str!("own/pq-src.txt")),
];

/// What is to be shipped with this crate instead of its files.
pub(super) fn text(name: &str) -> Option<&'static str> {
    let found = OWN.iter().find(|(of, _)| *of == name);
    found.map(|(_, text)| text.trim())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::cargo;
    use crate::dist::licences::crates;
    use crate::dist::program::Program;

    /// Only built on Windows.
    const NOT_SHIPPED: &[&str] = &["inet_aton.c", "win32gettimeofday.c"];
    const POSTGRES: &str = "PostgreSQL Global Development Group";

    /// The lines of sources that name who has the copyright, without the marks of comments.
    fn copyrights(folder: &Path) -> Vec<String> {
        let mut lines = Vec::new();
        for entry in ignore::Walk::new(folder) {
            let entry = entry.unwrap();
            let name = entry.file_name().to_string_lossy();
            let is_source = name.ends_with(".c") || name.ends_with(".h");
            if !is_source || NOT_SHIPPED.contains(&&*name) {
                continue;
            }
            let source = std::fs::read(entry.path()).unwrap();
            for line in String::from_utf8_lossy(&source).lines() {
                let line = line.trim_start_matches([' ', '\t', '*', '/']).trim();
                if line.to_lowercase().contains("copyright (c)") {
                    lines.push(line.to_owned());
                }
            }
        }
        lines
    }

    #[test]
    fn the_text_of_libpq_has_every_copyright_of_its_sources() {
        let crates = crates::shipped(Program::Admin, &cargo::host().unwrap()).unwrap();
        let libpq = crates.iter().find(|shipped| shipped.name == "pq-src");
        let lines = copyrights(&libpq.unwrap().folder);
        assert!(lines.len() > 50, "{lines:?}");
        let text = text("pq-src").unwrap();
        for line in lines {
            // Most files name the years since they are there: all of these are within the first line's.
            let wanted = match line.strip_suffix(POSTGRES) {
                Some(years) => {
                    let last = years.trim_end_matches([',', ' ']).rsplit('-').next();
                    format!("1996-{}, {POSTGRES}", last.unwrap())
                }
                None => line,
            };
            assert!(text.contains(&wanted), "own/pq-src.txt lacks: {wanted}");
        }
    }

    #[test]
    fn the_text_of_libpq_has_the_terms_of_what_is_not_postgresqls() {
        let text = text("pq-src").unwrap();
        for (owner, terms) in [
            (
                "Internet Systems Consortium",
                "ISC DISCLAIMS ALL WARRANTIES",
            ),
            (
                "Todd C. Miller",
                "Permission to use, copy, modify, and distribute this software for any",
            ),
            ("Eric P. Allman", "Neither the name of the University"),
            (POSTGRES, "UNIVERSITY OF CALIFORNIA SPECIFICALLY DISCLAIMS"),
        ] {
            assert!(text.contains(owner) && text.contains(terms), "{owner}");
        }
        assert!(super::text("ring").is_none());
    }
}
