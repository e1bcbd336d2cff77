//! actix is named in one place, so that services can be driven without HTTP, and HTTP be changed alone.

use super::Problem;
use super::tokens::{self, Kind};
use super::tree::Tree;

const ALLOWED: &str = "crates/vigint-server/src/http/";

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    let elsewhere = tree
        .files
        .iter()
        .filter(|file| file.is_shipped_rust() && !file.path.starts_with(ALLOWED));
    for file in elsewhere {
        match tokens::shipped(file) {
            Err(problem) => problems.push(problem),
            Ok(tokens) => problems.extend(tokens.iter().filter_map(|token| {
                let Kind::Word(word) = &token.kind else {
                    return None;
                };
                let what = format!("`{word}` is named outside {ALLOWED}");
                let cure = "Take plain values here, and translate in http/";
                word.starts_with("actix")
                    .then(|| Problem::new(&file.path, token.line, what, cure))
            })),
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actix_outside_http_is_found() {
        let tree = Tree::made_up(&[
            (
                "crates/vigint-server/src/http/mod.rs",
                "use actix_web::web;",
            ),
            (
                "crates/vigint-server/src/jobs/mod.rs",
                "// actix_web\nuse actix_web::rt;",
            ),
            (
                "crates/vigint-server/tests/it/main.rs",
                "use actix_web::test;",
            ),
        ]);
        let problems = check(&tree);
        assert_eq!(problems.len(), 1);
        assert_eq!(
            (problems[0].place.as_str(), problems[0].line),
            ("crates/vigint-server/src/jobs/mod.rs", 2)
        );
    }
}
