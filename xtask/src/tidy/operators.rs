//! An `Operator` may reach into every tenant's rows. It is made in few places, and each is named here.

use proc_macro2::Delimiter;

use super::Problem;
use super::tokens::{self, Kind, Token};
use super::tree::Tree;

/// Where one may be made, and under which name it appears in the audit log.
const ALLOWED: &[(&str, &str)] = &[
    ("crates/vigint-admin/src/reach/chosen.rs", "vigint-admin"),
    ("crates/vigint-server/src/cli/export.rs", "export"),
    ("crates/vigint-server/src/cli/storage.rs", "storage check"),
    ("crates/vigint-server/src/clips/room.rs", "clip room"),
    ("crates/vigint-server/src/clips/service.rs", "clip folder"),
    ("crates/vigint-server/src/http/admin_auth.rs", "admin API"),
    ("crates/vigint-server/src/incidents/review.rs", "clip link"),
    (
        "crates/vigint-server/src/jobs/deliver_alerts.rs",
        "alert job",
    ),
    ("crates/vigint-server/src/jobs/erase.rs", "erase job"),
    ("crates/vigint-server/src/jobs/expire.rs", "expiry job"),
    ("crates/vigint-server/src/jobs/host_clips.rs", "hosting job"),
    ("crates/vigint-server/src/jobs/make_clips.rs", "clip job"),
    (
        "crates/vigint-server/src/jobs/watch_cameras.rs",
        "camera watch",
    ),
    ("crates/vigint-server/src/jobs/sweep_files.rs", "file sweep"),
    ("crates/vigint-server/src/presence/look.rs", "presence"),
    ("crates/vigint-server/src/notices/disk.rs", "disk notices"),
    ("crates/vigint-server/src/notices/look.rs", "unusual use"),
    ("crates/vigint-server/src/notices/rates.rs", "rate watch"),
    ("crates/vigint-server/src/state.rs", "start"),
    ("crates/vigint-server/src/usage/meter.rs", "usage meter"),
];

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    compare(tree, ALLOWED)
}

fn compare(tree: &Tree, allowed: &[(&str, &str)]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut used = vec![false; allowed.len()];
    for file in tree.files.iter().filter(|file| file.is_shipped_rust()) {
        let made = match makers(file) {
            Ok(made) => made,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        for (line, name) in made {
            if let Some(index) = allowed
                .iter()
                .position(|entry| *entry == (file.path.as_str(), name.as_str()))
            {
                if let Some(used) = used.get_mut(index) {
                    *used = true;
                }
            } else {
                let what = format!("an Operator named {name} is made here");
                let cure = "Take a Tenant, or pass one in; if it has to be, add it to xtask/src/tidy/operators.rs";
                problems.push(Problem::new(&file.path, line, what, cure));
            }
        }
    }
    for ((path, name), _) in allowed.iter().zip(used).filter(|(_, used)| !used) {
        let what = format!("no Operator named {name} is made here any more");
        problems.push(Problem::new(
            path,
            0,
            what,
            "Take it out of xtask/src/tidy/operators.rs",
        ));
    }
    problems
}

/// Every `Operator::named(…)`: its line and what it is named by.
fn makers(file: &super::tree::TextFile) -> Result<Vec<(usize, String)>, Problem> {
    let tokens = tokens::shipped(file)?;
    let made = tokens.windows(6).filter_map(|window| {
        let [operator, a, b, named, open, name] = window else {
            return None;
        };
        let is_it = operator.word() == Some("Operator")
            && a.is(&Kind::Sign(':'))
            && b.is(&Kind::Sign(':'))
            && named.word() == Some("named");
        let name = match &name.kind {
            Kind::Literal(text) if open.is(&Kind::Open(Delimiter::Parenthesis)) => {
                Some(text.trim_matches('"'))
            }
            Kind::Word(word) => constant(&tokens, word),
            _ => None,
        };
        // Passed on as a function, or named by something else: no name that could be listed.
        let name = name.unwrap_or("?").to_owned();
        is_it.then_some((named.line, name))
    });
    Ok(made.collect())
}

/// The text of a constant of this file.
fn constant<'a>(tokens: &'a [Token], name: &str) -> Option<&'a str> {
    let begin = tokens.windows(2).position(|pair| {
        let words = [pair.first(), pair.last()].map(|token| token.and_then(Token::word));
        words == [Some("const"), Some(name)]
    })?;
    let declaration = tokens
        .get(begin..)?
        .iter()
        .take_while(|token| !token.is(&Kind::Sign(';')));
    declaration.into_iter().find_map(|token| match &token.kind {
        Kind::Literal(text) => Some(text.trim_matches('"')),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_operators_are_made_and_all_listed_are() {
        let jobs = "crates/vigint-server/src/jobs/mod.rs";
        let tree = Tree::made_up(&[
            (
                jobs,
                "fn a() {\n let o = vigint_db::Operator::named(\"jobs\");\n}",
            ),
            (
                "crates/vigint-db/tests/it/main.rs",
                "fn a() { Operator::named(\"test\"); }",
            ),
        ]);
        assert!(compare(&tree, &[(jobs, "jobs")]).is_empty());
        assert_eq!(compare(&tree, &[])[0].line, 2);
        let problems = compare(&tree, &[(jobs, "jobs"), (jobs, "gone")]);
        assert!(
            problems[0].what.contains("no Operator named gone"),
            "{problems:?}"
        );
        let text = "const WHO: &str = \"jobs\"; fn a() { Operator::named(WHO) }";
        assert!(compare(&Tree::made_up(&[(jobs, text)]), &[(jobs, "jobs")]).is_empty());
        let tree = Tree::made_up(&[(jobs, "fn a() { NAMES.map(Operator::named); b(c) }")]);
        assert_eq!(compare(&tree, &[(jobs, "jobs")]).len(), 2);
    }
}
