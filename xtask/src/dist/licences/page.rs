//! How `THIRD-PARTY-LICENSES` is set: first a line for each part, then each text once, with those it is of.

use std::collections::BTreeMap;

/// Something in the program that others wrote.
pub(super) struct Part {
    pub(super) name: String,
    pub(super) licence: String,
    /// Where it comes from.
    pub(super) home: String,
    pub(super) texts: Vec<String>,
}

/// Above and below the names over a text.
pub(super) const LINE: &str =
    "================================================================================";

/// The page, with these notices above all.
pub(super) fn write(program: &str, notices: &[&str], parts: &[Part]) -> String {
    let mut page = format!(
        "In {program} there is software that others wrote. Its licences are listed here, with their texts below.\n\n"
    );
    for notice in notices {
        page.push_str(&format!("{notice}\n\n"));
    }
    for part in parts {
        page.push_str(&format!(
            "{} ({}), {}\n",
            part.name, part.licence, part.home
        ));
    }
    for (text, owners) in texts(parts) {
        page.push_str(&format!(
            "\n{LINE}\n{}\n{LINE}\n\n{text}\n",
            owners.join(", ")
        ));
    }
    page
}

/// Each text with the names of all parts that have it: the order is that of the parts. Texts that differ in nothing but their spaces are one.
fn texts(parts: &[Part]) -> Vec<(&str, Vec<&str>)> {
    let mut found: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for part in parts {
        for text in &part.texts {
            let words: Vec<_> = text.split_whitespace().collect();
            let place = *places.entry(words.join(" ")).or_insert(found.len());
            match found.get_mut(place) {
                Some((_, owners)) if owners.last() == Some(&part.name.as_str()) => {}
                Some((_, owners)) => owners.push(&part.name),
                None => found.push((text, vec![&part.name])),
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_named_and_a_text_that_several_have_stands_once() {
        let part = |name: &str, texts: &[&str]| Part {
            name: name.to_owned(),
            licence: "MIT".to_owned(),
            home: "https://example.com".to_owned(),
            texts: texts.iter().map(|&text| text.to_owned()).collect(),
        };
        let parts = [
            part("a 1", &["one  text\nhere", "one text here"]),
            part("b 2", &["another"]),
            part("c 3", &["one text\n  here"]),
        ];
        let page = write("vigint-client", &["A notice."], &parts);
        let head = "texts below.\n\nA notice.\n\na 1 (MIT), https://example.com\n";
        assert!(page.contains(head), "{page}");
        assert!(page.contains("b 2 (MIT), https://example.com\n"), "{page}");
        assert!(
            page.contains(&format!("{LINE}\na 1, c 3\n{LINE}\n\none  text\nhere\n")),
            "{page}"
        );
        assert!(
            !page.contains("one text"),
            "in its first spelling only: {page}"
        );
    }
}
