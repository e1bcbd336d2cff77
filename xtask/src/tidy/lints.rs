//! Every member of the workspace is under the workspace's lints.

use super::Problem;
use super::tree::Tree;

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let manifests = tree
        .files
        .iter()
        .filter(|file| file.path.ends_with("/Cargo.toml"));
    let mut problems = Vec::new();
    for file in manifests {
        let Ok(manifest) = file.text.parse::<toml::Table>() else {
            problems.push(Problem::new(&file.path, 0, "this is no TOML", "Mend it"));
            continue;
        };
        // A workspace of its own cannot have another's.
        if manifest.contains_key("workspace") {
            continue;
        }
        let lints = manifest
            .get("lints")
            .and_then(|lints| lints.get("workspace"));
        if lints.and_then(toml::Value::as_bool) != Some(true) {
            let cure = "Add the lines `[lints]` and `workspace = true`";
            problems.push(Problem::new(
                &file.path,
                0,
                "this crate is not under the workspace's lints",
                cure,
            ));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_without_the_lints_is_found() {
        let tree = Tree::made_up(&[
            ("Cargo.toml", "[workspace]"),
            ("crates/a/Cargo.toml", "[lints]\nworkspace = true"),
            (
                "crates/b/Cargo.toml",
                "[lints.rust]\nunsafe_code = \"deny\"",
            ),
            ("fuzz/Cargo.toml", "[workspace]\n[package]"),
            ("xtask/Cargo.toml", "[package]"),
        ]);
        let places: Vec<_> = check(&tree)
            .into_iter()
            .map(|problem| problem.place)
            .collect();
        assert_eq!(places, ["crates/b/Cargo.toml", "xtask/Cargo.toml"]);
    }
}
