//! The client and its children as the kernel knows them (proc(5)): memory, descriptors, who is dead and not buried, what
//! stands on command lines.

use std::collections::BTreeSet;
use std::fs;

use anyhow::Context as _;

/// Looks at which a dead child may still be there: its parent has to come to bury it.
const LOOKS_OF_THE_DEAD: u32 = 5;

/// A process, not to be taken for a later one of the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Process {
    pub(super) pid: u32,
    started: u64,
}

/// What the kernel says of one process.
#[derive(Debug, PartialEq, Eq)]
struct Status {
    process: Process,
    parent: u32,
    group: u32,
    is_dead: bool,
}

/// The children of one process, from look to look.
#[derive(Debug, Default)]
pub(super) struct Children {
    groups: BTreeSet<u32>,
    seen: BTreeSet<Process>,
    dead: Vec<(Process, u32)>,
    /// Children that were dead for longer than it takes to bury them.
    pub(super) zombies: BTreeSet<Process>,
}

/// What one look found.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// The command lines of those that live.
    pub(super) command_lines: Vec<String>,
    /// Those that have become zombies.
    pub(super) new_zombies: Vec<u32>,
}

impl Children {
    /// Looks again.
    pub(super) fn look(&mut self, parent: u32) -> Look {
        let mut found = Look::default();
        let mut dead = Vec::new();
        for child in all().into_iter().filter(|status| status.parent == parent) {
            self.seen.insert(child.process);
            self.groups.insert(child.group);
            let pid = child.process.pid;
            if child.is_dead {
                let before = self.dead.iter().find(|(dead, _)| *dead == child.process);
                let looks = before.map_or(0, |(_, looks)| *looks) + 1;
                if looks > LOOKS_OF_THE_DEAD && self.zombies.insert(child.process) {
                    found.new_zombies.push(pid);
                }
                dead.push((child.process, looks));
            } else {
                // It may have ended since.
                let line = fs::read(format!("/proc/{pid}/cmdline"));
                let line = line.map(|line| String::from_utf8_lossy(&line).into_owned());
                found.command_lines.extend(line);
            }
        }
        self.dead = dead;
        found
    }

    /// Those seen earlier, and others of their process groups, that live now; but for these groups.
    pub(super) fn left(&self, but_for: &[u32]) -> Vec<u32> {
        let living = all().into_iter().filter(|status| !status.is_dead);
        let left = living.filter(|status| {
            self.seen.contains(&status.process)
                || (self.groups.contains(&status.group) && !but_for.contains(&status.group))
        });
        left.map(|status| status.process.pid).collect()
    }
}

/// Of which process group this process is.
pub(super) fn group_of(pid: u32) -> Option<u32> {
    Some(parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?.group)
}

/// The descriptors that a process has open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    pub(super) all: usize,
    /// Those of them that are connections.
    pub(super) sockets: usize,
}

/// How many descriptors a process has open.
pub(super) fn descriptors(pid: u32) -> anyhow::Result<Open> {
    let path = format!("/proc/{pid}/fd");
    let entries = fs::read_dir(&path).with_context(|| format!("cannot read {path}"))?;
    let mut open = Open { all: 0, sockets: 0 };
    for entry in entries.flatten() {
        let is_socket = fs::read_link(entry.path())
            .is_ok_and(|target| target.to_string_lossy().starts_with("socket:"));
        open.all += 1;
        open.sockets += usize::from(is_socket);
    }
    Ok(open)
}

fn all() -> Vec<Status> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter(|entry| {
            let name = entry.file_name();
            name.to_string_lossy()
                .bytes()
                .all(|byte| byte.is_ascii_digit())
        })
        // It may have ended since.
        .filter_map(|entry| parse(&fs::read_to_string(entry.path().join("stat")).ok()?))
        .collect()
}

/// A line of /proc/PID/stat. The name in it may hold anything, brackets too.
fn parse(line: &str) -> Option<Status> {
    let (pid, rest) = line.split_once(" (")?;
    let (_, rest) = rest.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    Some(Status {
        process: Process {
            pid: pid.parse().ok()?,
            started: fields.get(19)?.parse().ok()?,
        },
        is_dead: *fields.first()? == "Z",
        parent: fields.get(1)?.parse().ok()?,
        group: fields.get(2)?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use vigint_testkit::programs::wait_for;

    use super::*;

    #[test]
    fn a_name_with_brackets_and_blanks_is_no_hindrance() {
        let line = "42 (a) Z (b) S 7 43 43 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 12345 1000 10";
        let expected = Status {
            process: Process {
                pid: 42,
                started: 12345,
            },
            parent: 7,
            group: 43,
            is_dead: false,
        };
        assert_eq!(parse(line), Some(expected));
    }

    #[test]
    fn a_dead_child_is_a_zombie_only_when_nobody_buries_it_for_long() {
        let me = std::process::id();
        let mut child = Command::new("true").spawn().unwrap();
        let pid = child.id();
        let limit = std::time::Duration::from_secs(60);
        let died = wait_for(limit, || {
            parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
                .filter(|child| child.is_dead)
        });
        assert!(died.is_some());
        let mut children = Children::default();
        for _ in 0..LOOKS_OF_THE_DEAD {
            assert!(!children.look(me).new_zombies.contains(&pid));
        }
        assert!(children.look(me).new_zombies.contains(&pid));
        assert!(
            !children.look(me).new_zombies.contains(&pid),
            "it is told once"
        );
        child.wait().unwrap();
        let own = group_of(me).unwrap();
        assert!(!children.left(&[own]).contains(&pid));
    }

    #[test]
    fn a_child_that_lives_is_left_and_its_command_line_is_seen() {
        let mut child = Command::new("cat")
            .arg("-")
            .arg("a-word-to-look-for")
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut children = Children::default();
        let limit = std::time::Duration::from_secs(60);
        // Between fork and exec it has our own command line.
        let seen = wait_for(limit, || {
            let lines = children.look(std::process::id()).command_lines;
            lines
                .iter()
                .any(|line| line.contains("a-word-to-look-for"))
                .then_some(())
        });
        assert!(seen.is_some());
        let own = group_of(std::process::id()).unwrap();
        assert!(children.left(&[own]).contains(&child.id()));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!children.left(&[own]).contains(&child.id()));
    }

    #[test]
    fn this_process_uses_descriptors() {
        let me = std::process::id();
        let before = descriptors(me).unwrap();
        assert!(before.all > 2);
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        assert!(descriptors(me).unwrap().sockets > 0);
        drop(socket);
    }
}
