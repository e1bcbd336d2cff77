//! `deploy/Dockerfile` is not built here: at least what it copies is there, and its compiler is ours.

use ignore::gitignore::GitignoreBuilder;

use super::Problem;
use super::tree::Tree;

const DOCKERFILE: &str = "deploy/Dockerfile";
const IGNORED: &str = ".dockerignore";
const TOOLCHAIN: &str = "rust-toolchain.toml";
/// How the first stage begins.
const FROM_RUST: &str = "FROM rust:";

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let Some(dockerfile) = tree.text(DOCKERFILE) else {
        return Vec::new();
    };
    // Patterns with a slash before them mean the same to docker as to git.
    let mut patterns = GitignoreBuilder::new("");
    for line in tree.text(IGNORED).unwrap_or_default().lines() {
        // A pattern that cannot be read ignores nothing.
        let _ = patterns.add_line(None, line);
    }
    let ignored = patterns.build().ok();
    let mut problems = Vec::new();
    for (number, line) in dockerfile.lines().enumerate() {
        for source in copied(line) {
            let cure = "Write the right path, or take the line out";
            if !tree.has(source) {
                let what = format!("it copies {source}, which is not there");
                problems.push(Problem::new(DOCKERFILE, number + 1, what, cure));
            } else if let Some(ignored) = &ignored
                && ignored
                    .matched_path_or_any_parents(source, false)
                    .is_ignore()
            {
                let what = format!("it copies {source}, which {IGNORED} hides from docker");
                problems.push(Problem::new(DOCKERFILE, number + 1, what, cure));
            }
        }
        if let Some(image) = line.strip_prefix(FROM_RUST)
            && !is_our_compiler(tree, image)
        {
            let what = format!("it builds with rust:{image}, which {TOOLCHAIN} does not name");
            problems.push(Problem::new(
                DOCKERFILE,
                number + 1,
                what,
                "Name the same version",
            ));
        }
    }
    problems
}

/// What a line copies from the repository: all its words but the last, which is where it goes to.
fn copied(line: &str) -> Vec<&str> {
    let mut words = line.split_whitespace();
    if words.next() != Some("COPY") {
        return Vec::new();
    }
    let mut words: Vec<_> = words.collect();
    words.pop();
    if words.iter().any(|word| word.starts_with("--from=")) {
        return Vec::new();
    }
    words.retain(|word| !word.starts_with("--"));
    words
}

fn is_our_compiler(tree: &Tree, image: &str) -> bool {
    let version = image.split(['-', ' ']).next().unwrap_or_default();
    let toolchain = tree.text(TOOLCHAIN).unwrap_or_default();
    toolchain.contains(&format!("channel = \"{version}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whats(dockerfile: &str) -> Vec<String> {
        let tree = Tree::made_up(&[
            (DOCKERFILE, dockerfile),
            (IGNORED, "# built\n/target\n/.env.*\n!/.env.template\n"),
            (TOOLCHAIN, "[toolchain]\nchannel = \"1.95.0\"\n"),
            ("Cargo.toml", ""),
            ("crates/a/src/lib.rs", ""),
            ("target/x", ""),
            (".env.template", ""),
        ]);
        check(&tree)
            .into_iter()
            .map(|problem| problem.what)
            .collect()
    }

    #[test]
    fn what_is_there_and_what_comes_from_another_stage_may_be_copied() {
        let good = "FROM rust:1.95.0-bookworm AS build\nCOPY Cargo.toml crates ./\nCOPY --chown=a crates b\nCOPY .env.template .\nCOPY --from=build /target/release/x /bin/\n";
        assert_eq!(whats(good), Vec::<String>::new());
    }

    #[test]
    fn what_is_missing_or_hidden_and_another_compiler_are_found() {
        let found = whats("FROM rust:1.94-bookworm\nCOPY Cargo.toml gone ./\nCOPY target/x .\n");
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].contains("rust:1.94"), "{found:?}");
        assert!(found[1].contains("copies gone"), "{found:?}");
        assert!(found[2].contains("hides from docker"), "{found:?}");
    }
}
