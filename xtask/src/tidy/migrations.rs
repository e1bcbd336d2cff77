//! Both databases go the same way: for each migration of one there is one of the other, whole.

use std::collections::BTreeSet;

use super::Problem;
use super::tree::Tree;

const BACKENDS: [&str; 2] = ["migrations/sqlite", "migrations/postgres"];

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    let steps = BACKENDS.map(|backend| steps(tree, backend));
    let all: BTreeSet<_> = steps.iter().flatten().copied().collect();
    if all.is_empty() {
        let cure = "There is at least one: is this run in the right folder?";
        problems.push(Problem::new(
            "migrations",
            0,
            "there are no migrations",
            cure,
        ));
    }
    let mut stamps = BTreeSet::new();
    for step in all {
        // The database knows a step by its time alone: of two with one time the second would never be taken.
        let stamp = step.split_once('_').map_or(step, |(stamp, _)| stamp);
        if !stamps.insert(stamp.replace('-', "")) {
            problems.push(Problem::new(
                &format!("migrations/*/{step}"),
                0,
                "another step has this time",
                "Give it a time of its own",
            ));
        }
        if !is_well_named(step) {
            let cure = "Name it by a time and what it does, such as 2026-11-22-180000_first_tables";
            problems.push(Problem::new(
                &format!("migrations/*/{step}"),
                0,
                "this name has no order",
                cure,
            ));
        }
        for backend in BACKENDS {
            for part in ["up.sql", "down.sql"] {
                let path = format!("{backend}/{step}/{part}");
                if tree.text(&path).is_none_or(|text| text.trim().is_empty()) {
                    let cure = "Write it, as its twin does";
                    problems.push(Problem::new(
                        &path,
                        0,
                        "this part of a migration is missing",
                        cure,
                    ));
                }
            }
        }
    }
    problems
}

/// The folders right under this one.
fn steps<'a>(tree: &'a Tree, backend: &str) -> BTreeSet<&'a str> {
    let inside = tree
        .paths()
        .filter_map(|path| path.strip_prefix(backend)?.strip_prefix('/'));
    inside
        .filter_map(|path| path.split_once('/'))
        .map(|(step, _)| step)
        .collect()
}

fn is_well_named(step: &str) -> bool {
    step.split_once('_').is_some_and(|(stamp, what)| {
        stamp.len() >= 8
            && stamp.chars().all(|c| c.is_ascii_digit() || c == '-')
            && what
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twins_are_asked_for() {
        let whole = [
            ("migrations/sqlite/20261122180000_first/up.sql", "CREATE"),
            ("migrations/sqlite/20261122180000_first/down.sql", "DROP"),
            ("migrations/postgres/20261122180000_first/up.sql", "CREATE"),
            ("migrations/postgres/20261122180000_first/down.sql", "DROP"),
        ];
        assert!(check(&Tree::made_up(&whole)).is_empty());
        let problems = check(&Tree::made_up(&whole[..3]));
        assert_eq!(
            problems[0].place,
            "migrations/postgres/20261122180000_first/down.sql"
        );
        assert_eq!(check(&Tree::made_up(&whole[..2])).len(), 2);
        assert_eq!(check(&Tree::default()).len(), 1);
        let same_time = whole.map(|(path, text)| (path.replace("_first", "_other"), text));
        let all = same_time.iter().map(|(path, text)| (path.as_str(), *text));
        let all: Vec<_> = whole.into_iter().chain(all).collect();
        assert_eq!(check(&Tree::made_up(&all)).len(), 1);
    }

    #[test]
    fn a_name_gives_the_order() {
        assert!(is_well_named("2026-11-22-180000_first_tables"));
        assert!(!is_well_named("first_tables"));
        assert!(!is_well_named("20261122"));
    }
}
