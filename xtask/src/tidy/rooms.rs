//! The rooms of vigint-server: a room uses only what stands below it.

use proc_macro2::Delimiter;

use super::Problem;
use super::tokens::{self, Kind, Token};
use super::tree::{TextFile, Tree};

const SOURCE: &str = "crates/vigint-server/src/";

/// Rooms that stand side by side.
struct Row {
    rooms: &'static [&'static str],
    /// Whether they may use each other: two files of one room.
    together: bool,
}

/// `architecture.md` §2, top to bottom.
const ROWS: &[Row] = &[
    together(&["main", "cli"]),
    together(&["lib", "state"]),
    apart(&["http"]),
    apart(&["jobs"]),
    apart(&["administration", "export", "incidents"]),
    apart(&["presence"]),
    // A mail holds the clip's link: alerts stand above clips.
    apart(&["alerts"]),
    apart(&["clips", "hosting", "notices", "usage"]),
    apart(&["analysis"]),
    apart(&["buffer"]),
    apart(&["database", "metrics", "secret_file", "telemetry", "vitals"]),
    apart(&[
        "background",
        "descriptors",
        "fair_turns",
        "http_client",
        "private_files",
    ]),
];

const fn together(rooms: &'static [&'static str]) -> Row {
    Row {
        rooms,
        together: true,
    }
}

const fn apart(rooms: &'static [&'static str]) -> Row {
    Row {
        rooms,
        together: false,
    }
}

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in tree.files.iter().filter(|file| file.is_shipped_rust()) {
        let Some(path) = file.path.strip_prefix(SOURCE) else {
            continue;
        };
        let modules = modules(path);
        let room = modules.first().copied().unwrap_or("lib");
        let Some(from) = row_of(room) else {
            let cure = "Give it a row in ROWS (xtask/src/tidy/rooms.rs) and in ARCHITECTURE.md, or move it into a room";
            problems.push(Problem::new(
                &file.path,
                0,
                format!("`{room}` is no room of the server"),
                cure,
            ));
            continue;
        };
        match edges(file, &modules) {
            Err(problem) => problems.push(problem),
            Ok(edges) => {
                let wrong = edges.iter().filter(|edge| !may_use(room, from, &edge.room));
                problems.extend(wrong.map(|edge| {
                    let what = format!(
                        "`{room}` uses `{}`, which does not stand below it",
                        edge.room
                    );
                    let cure = "Pass in what is needed, or move it to a room below both";
                    Problem::new(&file.path, edge.line, what, cure)
                }));
            }
        }
    }
    problems
}

fn may_use(room: &str, from: usize, other: &str) -> bool {
    // What is no room is an item of the crate's root.
    let to = row_of(other).or_else(|| row_of("lib"));
    room == other
        || to.is_some_and(|to| {
            to > from || (to == from && ROWS.get(to).is_some_and(|row| row.together))
        })
}

fn row_of(room: &str) -> Option<usize> {
    ROWS.iter().position(|row| row.rooms.contains(&room))
}

/// The names by which a file's module is reached: `http/auth.rs` is `http`, `auth`.
fn modules(path: &str) -> Vec<&str> {
    let path = path.trim_end_matches(".rs").trim_end_matches("/mod");
    match path {
        "lib" => Vec::new(),
        path => path.split('/').collect(),
    }
}

/// A place where a room is named.
#[derive(Debug, PartialEq, Eq)]
struct Edge {
    line: usize,
    room: String,
}

/// Every `crate::room`, also in groups, and every `super::…` that climbs to the crate's root.
fn edges(file: &TextFile, modules: &[&str]) -> Result<Vec<Edge>, Problem> {
    let tokens = tokens::shipped(file)?;
    let mut edges = Vec::new();
    // How deep in brackets the modules that the file itself opens begin.
    let mut opened: Vec<usize> = Vec::new();
    let mut depth = 0_usize;
    let mut index = 0;
    while let Some(rest) = tokens.get(index..).filter(|rest| !rest.is_empty()) {
        let deep = modules.len() + opened.len();
        match rest {
            [first, ..] if first.word() == Some("crate") => {
                rooms_named(rest.get(1..).unwrap_or_default(), &mut edges);
            }
            [first, ..] if first.word() == Some("super") => {
                let (climbed, behind) = climb(rest);
                if climbed >= deep && !modules.is_empty() {
                    rooms_named(behind, &mut edges);
                }
                index += rest.len() - behind.len() - 1;
            }
            [first, _, third, ..]
                if first.word() == Some("mod") && third.is(&Kind::Open(Delimiter::Brace)) =>
            {
                opened.push(depth);
            }
            [first, ..] => match first.kind {
                Kind::Open(_) => depth += 1,
                Kind::Close(_) => {
                    depth = depth.saturating_sub(1);
                    opened.retain(|begin| *begin < depth);
                }
                _ => {}
            },
            [] => {}
        }
        index += 1;
    }
    Ok(edges)
}

/// How many `super` stand here in a row, and what is behind the last.
fn climb(mut tokens: &[Token]) -> (usize, &[Token]) {
    let mut climbed = 0;
    loop {
        match tokens {
            [first, a, b, next, ..]
                if first.word() == Some("super")
                    && is_path(a, b)
                    && next.word() == Some("super") =>
            {
                climbed += 1;
                tokens = tokens.get(3..).unwrap_or_default();
            }
            [first, behind @ ..] if first.word() == Some("super") => return (climbed + 1, behind),
            _ => return (climbed, tokens),
        }
    }
}

fn is_path(a: &Token, b: &Token) -> bool {
    a.is(&Kind::Sign(':')) && b.is(&Kind::Sign(':'))
}

/// The rooms named behind the root of the crate: `::room…` or `::{room…, other…}`.
fn rooms_named(tokens: &[Token], edges: &mut Vec<Edge>) {
    let [a, b, behind @ ..] = tokens else {
        return;
    };
    if !is_path(a, b) {
        return;
    }
    match behind {
        [first, ..] if first.is(&Kind::Open(Delimiter::Brace)) => {
            let mut depth = 0_usize;
            let mut begins = false;
            for token in behind {
                match &token.kind {
                    Kind::Open(_) => {
                        depth += 1;
                        begins = depth == 1;
                    }
                    Kind::Close(_) => {
                        depth = depth.saturating_sub(1);
                        if depth == 0 {
                            return;
                        }
                    }
                    Kind::Sign(',') if depth == 1 => begins = true,
                    Kind::Word(room) if begins => {
                        begins = false;
                        edges.push(Edge {
                            line: token.line,
                            room: room.clone(),
                        });
                    }
                    _ => {}
                }
            }
        }
        [first, ..] => {
            if let Some(room) = first.word() {
                edges.push(Edge {
                    line: first.line,
                    room: room.to_owned(),
                });
            }
        }
        [] => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        let path = format!("{SOURCE}{path}");
        check(&Tree::made_up(&[(&path, text)]))
            .iter()
            .map(|problem| problem.line)
            .collect()
    }

    #[test]
    fn a_room_uses_what_stands_below_it_and_itself() {
        let text = "use crate::buffer::Ring;\nuse crate::{vitals, analysis::{judge, Motion}};\nuse crate::jobs::wake;";
        assert!(lines("jobs/mod.rs", text).is_empty());
        assert!(
            lines(
                "lib.rs",
                "mod http;\npub use crate::http::serve;\nuse state::State;"
            )
            .is_empty()
        );
        assert!(lines("state.rs", "use crate::http::Limits; use crate::build;").is_empty());
    }

    #[test]
    fn a_room_that_looks_up_or_aside_is_found_with_its_line() {
        assert_eq!(
            lines(
                "buffer/ring.rs",
                "use std::fmt;\nuse crate::analysis::judge;"
            ),
            [2]
        );
        assert_eq!(
            lines(
                "clips/mod.rs",
                "use crate::{\n  usage::Meter,\n  buffer,\n  alerts,\n};"
            ),
            [2, 4]
        );
        assert_eq!(
            lines("vitals.rs", "fn a() { crate::telemetry::start(); }"),
            [1]
        );
        assert_eq!(
            lines(
                "http/auth.rs",
                "use crate::state::State;\nuse crate::AppState;"
            ),
            [1, 2]
        );
    }

    #[test]
    fn climbing_to_the_root_is_no_way_round() {
        assert_eq!(lines("buffer/ring.rs", "use super::super::http::x;"), [1]);
        assert_eq!(lines("buffer.rs", "use super::http::x;"), [1]);
        assert_eq!(
            lines(
                "buffer/ring.rs",
                "mod inner { use super::super::super::http::x; }\nuse super::Ring;"
            ),
            [1]
        );
        assert!(
            lines(
                "buffer/ring.rs",
                "use super::http::x;\nmod inner { use super::super::http; }"
            )
            .is_empty()
        );
        assert!(
            lines(
                "buffer/ring.rs",
                "mod a { fn b() {} }\nmod c { use super::super::d; }"
            )
            .is_empty()
        );
    }

    #[test]
    fn tests_and_comments_may_name_anything() {
        let text = "/// See crate::http.\n#[cfg(test)]\nmod tests { use crate::http::x; }\n// crate::jobs::x";
        assert!(lines("buffer/mod.rs", text).is_empty());
    }

    #[test]
    fn a_room_without_a_row_is_asked_for_one() {
        let problems = check(&Tree::made_up(&[(
            "crates/vigint-server/src/helpers.rs",
            "",
        )]));
        assert!(problems[0].what.contains("`helpers` is no room"));
    }
}
