//! `cargo xtask tidy`: the walls and promises that no compiler checks. Each check is a file here; what is
//! allowed stands in a table at its top.

mod actix;
mod crates;
mod dockerfile;
mod links;
mod lints;
mod migrations;
mod operators;
mod rooms;
mod secrets;
mod sizes;
mod tokens;
mod tree;

use anyhow::bail;

use self::tree::Tree;
use crate::{cargo, say};

/// Something to be mended.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Problem {
    /// The file, or what else is at fault.
    place: String,
    /// 1 is the first line; 0 when there is none to name.
    line: usize,
    what: String,
    cure: String,
}

impl Problem {
    fn new(place: &str, line: usize, what: impl Into<String>, cure: impl Into<String>) -> Self {
        Self {
            place: place.to_owned(),
            line,
            what: what.into(),
            cure: cure.into(),
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.place)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        write!(f, ": {}. {}.", self.what, self.cure)
    }
}

/// Runs every check and lists the largest files.
pub(crate) fn run() -> anyhow::Result<()> {
    say::step("Tidy");
    let tree = Tree::read(cargo::root())?;
    let metadata = cargo::metadata()?;
    let checks = [
        ("crates use only those below them", crates::check(&metadata)),
        ("every member is under the lints", lints::check(&tree)),
        (
            "rooms of the server use only those below them",
            rooms::check(&tree),
        ),
        ("actix is named only under http/", actix::check(&tree)),
        (
            "the operator's bypass is made only where listed",
            operators::check(&tree),
        ),
        ("migrations are twins", migrations::check(&tree)),
        ("links in the Markdown resolve", links::check(&tree)),
        (
            "the Dockerfile copies what is there",
            dockerfile::check(&tree),
        ),
        ("no secrets", secrets::check(&tree)),
    ];
    let mut found = 0_usize;
    for (name, problems) in checks {
        let mark = if problems.is_empty() { "ok  " } else { "FAIL" };
        say::line(&format!("{mark} {name}"));
        for problem in &problems {
            say::plain(&format!("         {problem}"));
        }
        found += problems.len();
    }
    say::line(
        "The largest files, in lines without tests (most are under 150; at 300 ask whether it does one thing):",
    );
    for (path, lines) in sizes::largest(&tree, 8) {
        say::plain(&format!("         {lines:4}  {path}"));
    }
    if found > 0 {
        bail!("{found} things to tidy, listed above");
    }
    Ok(())
}
