//! The walls between crates: who may use whom, and what nobody may come to compile.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata};

use super::Problem;

/// One crate of the workspace.
struct Wall {
    name: &'static str,
    /// Which other crates of ours it may use. All may use vigint-testkit in their tests.
    uses: &'static [&'static str],
    /// What must not be among all that it is built with, however far down.
    never: &'static [&'static str],
}

/// `architecture.md` §2.
const WALLS: &[Wall] = &[
    Wall {
        name: "vigint-core",
        uses: &[],
        never: &["actix-web", "diesel", "reqwest", "tokio"],
    },
    Wall {
        name: "vigint-video",
        uses: &["vigint-core"],
        never: &["actix-web", "diesel", "reqwest", "tokio"],
    },
    Wall {
        name: "vigint-db",
        uses: &["vigint-core"],
        never: &["actix-web", "reqwest"],
    },
    Wall {
        name: "vigint-config",
        uses: &["vigint-core"],
        never: &["actix-web", "diesel", "reqwest"],
    },
    Wall {
        name: "vigint-server",
        uses: &["vigint-core", "vigint-video", "vigint-db", "vigint-config"],
        never: &["actix-governor", "aws-lc-rs", "native-tls"],
    },
    Wall {
        name: "vigint-client",
        uses: &["vigint-core", "vigint-video"],
        never: &[
            "actix-web",
            "aws-lc-rs",
            "diesel",
            "libsqlite3-sys",
            "native-tls",
            "pq-sys",
            "r2d2",
        ],
    },
    Wall {
        name: "vigint-admin",
        uses: &["vigint-core", "vigint-db", "vigint-config"],
        never: &["actix-web"],
    },
    Wall {
        name: "vigint-testkit",
        uses: &["vigint-core", "vigint-video"],
        never: &["actix-web", "diesel"],
    },
    Wall {
        name: "xtask",
        uses: &["vigint-core", "vigint-video", "vigint-testkit"],
        never: &["actix-web", "diesel"],
    },
];

/// Packages that one crate alone names, so that there is one place that speaks to what they speak to.
const NAMED_ONCE: &[(&str, &str)] = &[
    ("actix-web", "vigint-server"),
    ("diesel", "vigint-db"),
    ("r2d2", "vigint-db"),
    ("openh264", "vigint-video"),
    ("muxide", "vigint-video"),
];

const TESTKIT: &str = "vigint-testkit";

pub(super) fn check(metadata: &Metadata) -> Vec<Problem> {
    judge(&Graph::of(metadata))
}

/// Who is built with whom, by name.
#[derive(Debug, Default)]
struct Graph {
    members: BTreeSet<String>,
    normal: BTreeMap<String, BTreeSet<String>>,
    dev: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    fn of(metadata: &Metadata) -> Self {
        let name = |id: &cargo_metadata::PackageId| {
            let package = metadata.packages.iter().find(|package| package.id == *id);
            package
                .map(|package| package.name.to_string())
                .unwrap_or_default()
        };
        let mut graph = Self {
            members: metadata.workspace_members.iter().map(name).collect(),
            ..Self::default()
        };
        for node in metadata.resolve.iter().flat_map(|resolve| &resolve.nodes) {
            let user = name(&node.id);
            for used in &node.deps {
                for kind in &used.dep_kinds {
                    let edges = match kind.kind {
                        DependencyKind::Development => &mut graph.dev,
                        _ => &mut graph.normal,
                    };
                    edges
                        .entry(user.clone())
                        .or_default()
                        .insert(name(&used.pkg));
                }
            }
        }
        graph
    }

    /// The way from one package to another by which it is built with it.
    fn way(&self, from: &str, to: &str) -> Option<String> {
        let mut before: BTreeMap<&str, &str> = BTreeMap::new();
        let mut next = vec![from];
        while let Some(user) = next.pop() {
            for used in self.normal.get(user).into_iter().flatten() {
                if used != from && !before.contains_key(used.as_str()) {
                    before.insert(used, user);
                    next.push(used);
                }
            }
        }
        let mut way = vec![to];
        while let Some(user) = before.get(way.last()?) {
            way.push(user);
        }
        way.reverse();
        (way.len() > 1).then(|| way.join(" → "))
    }
}

fn judge(graph: &Graph) -> Vec<Problem> {
    let mut problems = Vec::new();
    for member in &graph.members {
        let Some(wall) = WALLS.iter().find(|wall| wall.name == member) else {
            let cure = "Give it a row in WALLS (xtask/src/tidy/crates.rs) and in ARCHITECTURE.md";
            problems.push(Problem::new(
                member,
                0,
                "this crate has no place in the table",
                cure,
            ));
            continue;
        };
        let used = |edges: &BTreeMap<String, BTreeSet<String>>| {
            edges.get(member).cloned().unwrap_or_default()
        };
        let ours = |used: &String| graph.members.contains(used);
        let (normal, dev) = (used(&graph.normal), used(&graph.dev));
        let in_tests = dev.iter().filter(|used| *used != TESTKIT);
        for used in normal.iter().chain(in_tests).filter(|used| ours(used)) {
            if !wall.uses.contains(&used.as_str()) {
                let what = format!("{member} uses {used}, which does not stand below it");
                problems.push(Problem::new(
                    member,
                    0,
                    what,
                    "Move what is needed to a crate below both",
                ));
            }
        }
        for never in wall.never {
            if let Some(way) = graph.way(member, never) {
                let what = format!("{member} must not be built with {never}: {way}");
                problems.push(Problem::new(member, 0, what, "Take the dependency out"));
            }
        }
        for (package, owner) in NAMED_ONCE {
            if owner != member && (normal.contains(*package) || dev.contains(*package)) {
                let what = format!("{member} names {package}, which is {owner}'s alone");
                problems.push(Problem::new(member, 0, what, format!("Go through {owner}")));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(normal: &[(&str, &str)], dev: &[(&str, &str)]) -> Graph {
        let edges = |pairs: &[(&str, &str)]| {
            let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            for (user, used) in pairs {
                edges
                    .entry((*user).into())
                    .or_default()
                    .insert((*used).into());
            }
            edges
        };
        let members = [
            "vigint-core",
            "vigint-db",
            "vigint-client",
            "vigint-testkit",
        ];
        Graph {
            members: members.map(str::to_owned).into(),
            normal: edges(normal),
            dev: edges(dev),
        }
    }

    #[test]
    fn crates_below_and_the_testkit_in_tests_are_fine() {
        let normal = [
            ("vigint-db", "vigint-core"),
            ("vigint-db", "diesel"),
            ("vigint-client", "reqwest"),
        ];
        let dev = [("vigint-db", "vigint-testkit"), ("vigint-core", "proptest")];
        assert_eq!(judge(&graph(&normal, &dev)), []);
    }

    #[test]
    fn looking_up_is_found() {
        let problems = judge(&graph(&[("vigint-core", "vigint-db")], &[]));
        assert!(problems[0].what.starts_with("vigint-core uses vigint-db"));
        let problems = judge(&graph(&[("vigint-db", "vigint-testkit")], &[]));
        assert_eq!(problems.len(), 1, "the testkit ships nowhere: {problems:?}");
        let problems = judge(&graph(&[], &[("vigint-client", "vigint-db")]));
        assert_eq!(problems.len(), 1, "not in tests either: {problems:?}");
    }

    #[test]
    fn a_forbidden_package_is_found_however_far_down() {
        let normal = [
            ("vigint-client", "cache"),
            ("cache", "store"),
            ("store", "libsqlite3-sys"),
        ];
        let problems = judge(&graph(&normal, &[]));
        assert!(
            problems[0]
                .what
                .ends_with("vigint-client → cache → store → libsqlite3-sys")
        );
        assert_eq!(
            judge(&graph(&[], &normal)),
            [],
            "tests may be built with it"
        );
    }

    #[test]
    fn a_crate_without_a_row_and_a_package_in_wrong_hands_are_found() {
        let mut graph = graph(&[("vigint-testkit", "r2d2")], &[]);
        graph.members.insert("vigint-new".into());
        let problems = judge(&graph);
        let whats: Vec<_> = problems
            .iter()
            .map(|problem| problem.what.as_str())
            .collect();
        assert_eq!(
            whats,
            [
                "this crate has no place in the table",
                "vigint-testkit names r2d2, which is vigint-db's alone"
            ]
        );
    }
}
