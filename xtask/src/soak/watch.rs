//! The client from look to look: its memory, its descriptors, its children.

use std::collections::BTreeSet;
use std::time::Duration;

use vigint_core::clock::{Clock as _, SystemClock};
use vigint_testkit::programs::wait_for;

use super::complaints::Complaints;
use super::processes::{self, Children, Open};
use super::secrets::Secrets;
use super::slope::{Memory, Sample};
use crate::memory::resident;

/// Between two looks.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(1);
/// So many descriptors more at the quietest moment of the last quarter than at that of the second are a leak.
const DESCRIPTORS_MORE: usize = 8;
/// The client keeps a connection for so many looks after its last use.
const CONNECTION_KEPT: usize = 60;
/// So many more may be kept connections, where a quarter is shorter than that: a server that stalled leaves each camera
/// some of them.
const CONNECTIONS_MORE: usize = 16;

/// What was killed may take so long to be gone.
const LAST_BREATH: Duration = Duration::from_secs(2);

/// What was seen.
pub(super) struct Watch {
    clock: SystemClock,
    pid: u32,
    children: Children,
    samples: Vec<Sample>,
    descriptors: Vec<Open>,
    /// Names of secrets that were seen on command lines; each is told once.
    on_command_lines: BTreeSet<String>,
}

/// Descriptors at the quietest moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Descriptors {
    pub(super) early: usize,
    pub(super) late: usize,
}

impl Descriptors {
    /// Of the second quarter and of the last.
    fn of(looks: &[usize]) -> Option<Self> {
        let mut quarters = looks.chunks(looks.len().div_ceil(4).max(1));
        let quietest = |quarter: &[usize]| quarter.iter().min().copied();
        let late = quietest(quarters.next_back()?)?;
        let early = quarters.nth(1).and_then(quietest).unwrap_or(late);
        Some(Self { early, late })
    }
}

impl Watch {
    pub(super) fn of(pid: u32) -> Self {
        Self {
            clock: SystemClock::new(),
            pid,
            children: Children::default(),
            samples: Vec::new(),
            descriptors: Vec::new(),
            on_command_lines: BTreeSet::new(),
        }
    }

    /// Looks at a client that runs; measures it only when it does what it is for.
    pub(super) fn look(
        &mut self,
        secrets: &Secrets,
        complaints: &Complaints,
        is_measured: bool,
    ) -> anyhow::Result<()> {
        let found = self.children.look(self.pid);
        for pid in found.new_zombies {
            complaints.add(&format!(
                "the client's child {pid} is dead for seconds and was not waited for"
            ));
        }
        for line in found.command_lines {
            for name in secrets.in_bytes(line.as_bytes()) {
                if self.on_command_lines.insert(name.clone()) {
                    complaints.add(&format!(
                        "{name} stands on the command line of a child of the client"
                    ));
                }
            }
        }
        if !is_measured {
            return Ok(());
        }
        self.samples.push(Sample {
            minutes: self.clock.elapsed().as_secs_f64() / 60.0,
            kibibytes: resident(self.pid)?.into(),
        });
        self.descriptors.push(processes::descriptors(self.pid)?);
        Ok(())
    }

    /// Memory after so many minutes, and whether it is flat and bounded, with so many cameras whose largest picture had so
    /// many bytes.
    pub(super) fn memory(
        &self,
        minutes: f64,
        cameras: u8,
        largest: usize,
        complaints: &Complaints,
    ) -> Option<Memory> {
        let memory = Memory::of(&self.samples)?;
        let largest = f64::from(u32::try_from(largest).unwrap_or(u32::MAX)) / 1024.0;
        for wrong in memory.wrong(minutes, cameras.into(), largest) {
            complaints.add(&format!("the client's memory is {wrong}"));
        }
        Some(memory)
    }

    /// Descriptors, and whether they stay as many. Of those that are no connections none is kept.
    pub(super) fn descriptors(&self, complaints: &Complaints) -> Option<Descriptors> {
        let all = self.descriptors.iter().map(|open| open.all);
        let all = Descriptors::of(&all.collect::<Vec<_>>())?;
        let files = self.descriptors.iter().map(|open| open.all - open.sockets);
        let files = Descriptors::of(&files.collect::<Vec<_>>())?;
        let is_short = self.descriptors.len() / 4 < CONNECTION_KEPT;
        let kept = if is_short { CONNECTIONS_MORE } else { 0 };
        for (kind, of, most) in [
            ("descriptors", all, DESCRIPTORS_MORE + kept),
            ("pipes and files", files, DESCRIPTORS_MORE),
        ] {
            let Descriptors { early, late } = of;
            if late > early + most {
                complaints.add(&format!(
                    "the client's {kind} grow: at least {early} at first, at least {late} at the end"
                ));
            }
        }
        Some(all)
    }

    /// How many children became zombies, and how many are left when the client has ended.
    pub(super) fn judge_children(&self, complaints: &Complaints) -> (usize, usize) {
        let zombies = self.children.zombies.len();
        let own: Vec<u32> = processes::group_of(std::process::id())
            .into_iter()
            .collect();
        let is_all_gone = || self.children.left(&own).is_empty().then_some(());
        let left = match wait_for(LAST_BREATH, is_all_gone) {
            Some(()) => Vec::new(),
            None => self.children.left(&own),
        };
        if !left.is_empty() {
            complaints.add(&format!(
                "processes of the client are left after its end: {left:?}"
            ));
        }
        (zombies, left.len())
    }

    pub(super) fn secrets_on_command_lines(&self) -> usize {
        self.on_command_lines.len()
    }
}
