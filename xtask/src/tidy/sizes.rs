//! The largest files, for a person to look at.

use super::tokens;
use super::tree::Tree;

/// The `count` files with the most lines of code that ships, largest first.
pub(super) fn largest(tree: &Tree, count: usize) -> Vec<(&str, usize)> {
    let shipped = tree.files.iter().filter(|file| file.is_shipped_rust());
    let mut sizes: Vec<_> = shipped
        .filter_map(|file| {
            let mut lines: Vec<_> = tokens::shipped(file)
                .ok()?
                .iter()
                .map(|token| token.line)
                .collect();
            lines.dedup();
            Some((file.path.as_str(), lines.len()))
        })
        .collect();
    sizes.sort_by_key(|(path, lines)| (std::cmp::Reverse(*lines), *path));
    sizes.truncate(count);
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_that_ship_are_counted() {
        let tree = Tree::made_up(&[
            (
                "crates/a/src/small.rs",
                "fn a() {\n\n    // nothing\n}\n#[cfg(test)]\nmod tests {\n\n\nfn a() {\n}\n}",
            ),
            ("crates/a/src/large.rs", "fn a() {\n    b();\n}"),
            ("crates/a/tests/huge.rs", "fn a() {\n\n\n}"),
        ]);
        let expected = [("crates/a/src/large.rs", 3), ("crates/a/src/small.rs", 2)];
        assert_eq!(largest(&tree, 9), expected);
    }
}
