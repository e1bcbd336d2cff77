//! Links in the Markdown lead somewhere: to a file of ours, and to a heading of it.

use std::collections::BTreeMap;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::Problem;
use super::tree::{TextFile, Tree};

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let pages: BTreeMap<&str, Page> = tree
        .files
        .iter()
        .filter(|file| file.path.ends_with(".md"))
        .map(|file| (file.path.as_str(), Page::read(file)))
        .collect();
    let mut problems = Vec::new();
    for (path, page) in &pages {
        for (line, link) in &page.links {
            if let Err((what, cure)) = follow(tree, &pages, path, link) {
                problems.push(Problem::new(path, *line, what, cure));
            }
        }
    }
    problems
}

fn follow(
    tree: &Tree,
    pages: &BTreeMap<&str, Page>,
    from: &str,
    link: &str,
) -> Result<(), (String, &'static str)> {
    if link.contains("://") || link.starts_with("mailto:") {
        return Ok(());
    }
    let (target, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = if target.is_empty() {
        from.to_owned()
    } else {
        let Some(target) = resolve(from, target) else {
            return Err((
                format!("`{link}` leads out of the project"),
                "Link to a file of the project, relatively",
            ));
        };
        target
    };
    if !target.is_empty() && !tree.has(&target) {
        return Err((
            format!("`{link}` leads to {target}, which is not there"),
            "Write the right path, or the file",
        ));
    }
    match pages.get(target.as_str()) {
        Some(page) if !anchor.is_empty() && !page.anchors.iter().any(|other| other == anchor) => {
            let cure = "Use the heading's words in small letters, joined by dashes";
            Err((format!("`{link}`: {target} has no heading #{anchor}"), cure))
        }
        _ => Ok(()),
    }
}

/// A relative path, from the workspace's folder. None when it leaves it.
fn resolve(from: &str, link: &str) -> Option<String> {
    if link.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// What one Markdown file offers and asks for.
#[derive(Debug, Default)]
struct Page {
    links: Vec<(usize, String)>,
    anchors: Vec<String>,
}

impl Page {
    fn read(file: &TextFile) -> Self {
        let mut page = Self::default();
        let mut heading: Option<String> = None;
        let parser = Parser::new_ext(
            &file.text,
            Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES,
        );
        for (event, place) in parser.into_offset_iter() {
            match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    let before = file.text.get(..place.start).unwrap_or_default();
                    page.links
                        .push((before.matches('\n').count() + 1, dest_url.into_string()));
                }
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => {
                    page.add_anchor(&heading.take().unwrap_or_default());
                }
                Event::Text(text) | Event::Code(text) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&text);
                    }
                }
                _ => {}
            }
        }
        page
    }

    /// As GitHub makes them.
    fn add_anchor(&mut self, heading: &str) {
        let kept = heading
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        let anchor = kept.collect::<String>().to_lowercase().replace(' ', "-");
        let again = (1..).map(|number| format!("{anchor}-{number}"));
        let free = std::iter::once(anchor.clone())
            .chain(again)
            .find(|anchor| !self.anchors.contains(anchor));
        self.anchors.extend(free);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_files_folders_and_headings_resolve() {
        let tree = Tree::made_up(&[
            (
                "README.md",
                "# Vigint\n[a](docs/a.md#two-words-once-more) [b](docs/) [c](#vigint) [d](https://x.y/z)",
            ),
            (
                "docs/a.md",
                "## Two words, `once` more\n[up](../README.md) [root](..)\n`[code](nowhere.md)`",
            ),
        ]);
        assert_eq!(check(&tree), []);
    }

    #[test]
    fn dead_links_are_found_with_their_lines() {
        let text = "# A\n\n[x](gone.md) and\n[y](#b)\n\n![z](../../out.png)\n\n```\n[code](no.md)\n```\n\n[r]\n\n[r]: also-gone.md";
        let problems = check(&Tree::made_up(&[("docs/a.md", text)]));
        let found: Vec<_> = problems.iter().map(|problem| problem.line).collect();
        assert_eq!(found, [3, 4, 6, 12], "{problems:?}");
    }

    #[test]
    fn equal_headings_are_told_apart() {
        let tree = Tree::made_up(&[("a.md", "# B\n# B\n[1](#b) [2](#b-1) [3](#b-2)")]);
        assert_eq!(check(&tree).len(), 1);
    }
}
