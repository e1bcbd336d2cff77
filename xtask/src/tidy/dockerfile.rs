//! `deploy/Dockerfile` is not built here: at least what it copies is there, its compiler is ours, and no program is in
//! the image without the licences of what is in it.

use ignore::gitignore::GitignoreBuilder;

use super::Problem;
use super::tree::Tree;

const DOCKERFILE: &str = "deploy/Dockerfile";
const IGNORED: &str = ".dockerignore";
const TOOLCHAIN: &str = "rust-toolchain.toml";
/// How the first stage begins.
const FROM_RUST: &str = "FROM rust:";
/// Where the first stage has the programs, before their names.
const BUILT: &str = "/target/release/";
/// What all our programs' names begin with.
const OURS: &str = "vigint-";
/// Where it has their licences.
const LICENCES: &str = "/target/licences/";
/// How it writes them.
const WRITE_LICENCES: &str = "xtask -- licences ";

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
        for program in shipped(line) {
            if !has_licences(dockerfile, program) {
                let what = format!("{OURS}{program} is in the image without its licences");
                let cure = format!(
                    "Write them with `cargo run --package {WRITE_LICENCES}--program {program} --to …{LICENCES}` \
                     and copy these"
                );
                problems.push(Problem::new(DOCKERFILE, number + 1, what, &cure));
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

/// The programs of ours that a line copies from another stage, without what all their names begin with.
fn shipped(line: &str) -> Vec<&str> {
    if !line.starts_with("COPY --from=") {
        return Vec::new();
    }
    let words = line.split_whitespace();
    words
        .filter_map(|word| word.split_once(BUILT)?.1.strip_prefix(OURS))
        .collect()
}

/// Whether they are written in one stage and copied from there.
fn has_licences(dockerfile: &str, program: &str) -> bool {
    let option = format!("--program {program} ");
    let mut lines = dockerfile.lines();
    let is_written = lines.any(|line| line.contains(WRITE_LICENCES) && line.contains(&option));
    is_written && lines.any(|line| line.starts_with("COPY --from=") && line.contains(LICENCES))
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
    fn a_program_without_its_licences_is_found() {
        let copy =
            "COPY --from=build /v/target/release/vigint-a /v/target/release/vigint-b /bin/\n";
        let write = "RUN cargo run --package xtask -- licences --program a --to target/licences\n";
        let take = "COPY --from=build /v/target/licences/ /usr/share/doc/\n";
        let found = whats(&format!("{write}{copy}{take}"));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("vigint-b is in the image"), "{found:?}");
        assert_eq!(whats(&format!("{write}{copy}")).len(), 2);
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
