//! How much memory this process may use: the machine's, or less when a cgroup (a container, a systemd
//! unit) bounds it. See cgroup-v2.rst and cgroup-v1/memory.rst of the Linux kernel.

use std::fs;
use std::path::{Path, PathBuf};

/// Taken where the system does not say.
const UNKNOWN_MACHINE: u64 = 1_024 * 1_024 * 1_024;

/// In bytes.
pub(super) fn usable() -> u64 {
    usable_on(Path::new("/"))
}

/// The same for a machine whose `/proc` and `/sys` are under `root`.
fn usable_on(root: &Path) -> u64 {
    let machine = installed(root).unwrap_or(UNKNOWN_MACHINE);
    cgroup_limits(root).into_iter().fold(machine, u64::min)
}

/// `MemTotal:       16314084 kB`
fn installed(root: &Path) -> Option<u64> {
    let meminfo = fs::read_to_string(root.join("proc/meminfo")).ok()?;
    let total = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = total.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1_024)
}

/// The limit of every group this process is in: a group's parents bound it too. No limit is written as
/// `max` (v2) or as a number beyond any machine (v1).
fn cgroup_limits(root: &Path) -> Vec<u64> {
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    groups
        .lines()
        .filter_map(|line| limit_files(root, line))
        .flatten()
        .filter_map(|file| fs::read_to_string(file).ok()?.trim().parse().ok())
        .collect()
}

/// The files that may bound the group of one line, `0::/group` (v2) or `9:memory:/group` (v1). Inside a
/// container the path may be the host's, which is not there; its root is the container's own group then.
fn limit_files(root: &Path, line: &str) -> Option<Vec<PathBuf>> {
    let mut fields = line.splitn(3, ':');
    let (_, controllers, group) = (fields.next()?, fields.next()?, fields.next()?);
    let (mount, file) = if controllers.is_empty() {
        ("sys/fs/cgroup", "memory.max")
    } else if controllers.split(',').any(|name| name == "memory") {
        ("sys/fs/cgroup/memory", "memory.limit_in_bytes")
    } else {
        return None;
    };
    let group = Path::new(group.trim_start_matches('/'));
    let files = (group.ancestors()).map(|group| root.join(mount).join(group).join(file));
    Some(files.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(files: &[(&str, &str)]) -> u64 {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        usable_on(root.path())
    }

    const MEMINFO: (&str, &str) = ("proc/meminfo", "MemTotal:        4096 kB\nMemFree: 1 kB\n");

    #[test]
    fn without_a_limit_it_is_the_machines_memory() {
        assert_eq!(machine(&[MEMINFO]), 4_194_304);
        assert_eq!(
            machine(&[
                MEMINFO,
                ("proc/self/cgroup", "0::/user.slice\n"),
                ("sys/fs/cgroup/user.slice/memory.max", "max\n"),
            ]),
            4_194_304
        );
    }

    #[test]
    fn the_smallest_limit_of_a_v2_group_and_its_parents_counts() {
        assert_eq!(
            machine(&[
                MEMINFO,
                ("proc/self/cgroup", "0::/a/b\n"),
                ("sys/fs/cgroup/a/b/memory.max", "max\n"),
                ("sys/fs/cgroup/a/memory.max", "1048576\n"),
            ]),
            1_048_576
        );
        assert_eq!(
            machine(&[
                MEMINFO,
                ("proc/self/cgroup", "0::/\n"),
                ("sys/fs/cgroup/memory.max", "2097152\n"),
            ]),
            2_097_152
        );
    }

    #[test]
    fn a_v1_limit_counts_and_one_beyond_the_machine_does_not() {
        let limited = |limit| {
            machine(&[
                MEMINFO,
                ("proc/self/cgroup", "4:cpu:/x\n9:memory:/docker/1\n"),
                ("sys/fs/cgroup/memory/memory.limit_in_bytes", limit),
            ])
        };
        assert_eq!(limited("1048576\n"), 1_048_576);
        assert_eq!(limited("9223372036854771712\n"), 4_194_304);
    }

    #[test]
    fn a_machine_that_says_nothing_counts_as_one_gibibyte() {
        assert_eq!(machine(&[]), UNKNOWN_MACHINE);
    }
}
