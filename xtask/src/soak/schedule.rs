//! What is broken, in which order and for how long, as it follows from a seed. It must not know of anything that runs.

use std::time::Duration;

use vigint_testkit::splitmix::SplitMix;

/// What can be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    /// Nothing yet: the client starts.
    Start,
    /// Nothing more: all is cured, and every camera must be live.
    End,
    /// A camera cuts its connections and is away.
    Reboot,
    /// A camera stays connected and sends nothing.
    Freeze,
    /// A camera has another password, until it has the old one again.
    Password,
    /// A camera sends random bytes.
    Garbage,
    /// A camera has another resolution, until it has the old one again.
    Resolution,
    /// A camera sends far too many pictures.
    Flood,
    /// The server is killed (SIGKILL) and started again.
    ServerKilled,
    /// Nothing passes between client and server.
    ServerStalled,
    /// Few bytes pass between client and server.
    ServerSlow,
}

impl Fault {
    const OF_CAMERAS: [Self; 6] = [
        Self::Reboot,
        Self::Freeze,
        Self::Password,
        Self::Garbage,
        Self::Resolution,
        Self::Flood,
    ];
    const OF_SERVER: [Self; 3] = [Self::ServerKilled, Self::ServerStalled, Self::ServerSlow];

    /// All of them.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        Self::OF_CAMERAS.into_iter().chain(Self::OF_SERVER)
    }

    /// Those of the server.
    pub(super) fn of_server() -> impl Iterator<Item = Self> {
        Self::OF_SERVER.into_iter()
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::End => "end",
            Self::Reboot => "reboot",
            Self::Freeze => "freeze",
            Self::Password => "password",
            Self::Garbage => "garbage",
            Self::Resolution => "resolution",
            Self::Flood => "flood",
            Self::ServerKilled => "server killed",
            Self::ServerStalled => "server stalled",
            Self::ServerSlow => "server slow",
        }
    }
}

/// What is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// The camera of this place in the list.
    Camera(usize),
    Server,
}

/// One thing that is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// How long after the step before it, at the earliest.
    pub(super) after: Duration,
    pub(super) target: Target,
    pub(super) fault: Fault,
    /// When it is cured.
    pub(super) lasts: Duration,
    /// What it is broken with, where that is random: a password, a speed.
    pub(super) salt: u64,
}

impl Step {
    /// Whether its cure cuts the connections that hang, in place of letting pass what they hold.
    pub(super) const fn is_cured_by_cut(self) -> bool {
        can_be_long(self.fault) && self.salt & 1 == 1
    }
}

/// Whether the client is to come to its own time limits: half a minute for an answer, twenty seconds for a first picture.
const fn can_be_long(fault: Fault) -> bool {
    matches!(fault, Fault::Freeze | Fault::ServerStalled)
}

/// One of so many stalls and freezes is long.
const LONG_ONE_OF: u64 = 4;

/// All steps, one after the other, for ever. The kinds of faults come in turns, shuffled each time, so that also a
/// short run has all of them. It begins with a long freeze and a long stall, each beside the other: so it has these, too.
pub(super) struct Schedule {
    random: SplitMix,
    cameras: usize,
    /// Kinds that are still to come in this turn.
    turn: Vec<Fault>,
    /// Which turn this is, from 1.
    turns: u64,
}

impl Schedule {
    /// For so many cameras, at least one.
    pub(super) fn new(seed: u64, cameras: usize) -> Self {
        Self {
            random: SplitMix(seed),
            cameras,
            turn: Vec::new(),
            turns: 0,
        }
    }

    fn lasts(&mut self, fault: Fault) -> Duration {
        let is_long =
            can_be_long(fault) && (below(&mut self.random, LONG_ONE_OF) == 0 || self.turns == 1);
        let millis = if is_long {
            35_000 + below(&mut self.random, 15_000)
        } else {
            2000 + below(&mut self.random, 12_000)
        };
        Duration::from_millis(millis)
    }

    fn fault(&mut self) -> Fault {
        if self.turn.is_empty() {
            self.turns += 1;
            self.turn = Fault::all().collect();
            for place in (1..self.turn.len()).rev() {
                let other = place_below(&mut self.random, place + 1);
                self.turn.swap(place, other);
            }
            if self.turns == 1 {
                // The last are taken first.
                self.turn.sort_by_key(|fault| can_be_long(*fault));
            }
        }
        self.turn.pop().unwrap_or(Fault::Reboot)
    }
}

impl Iterator for Schedule {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let fault = self.fault();
        let target = if Fault::OF_SERVER.contains(&fault) {
            Target::Server
        } else {
            Target::Camera(place_below(&mut self.random, self.cameras))
        };
        Some(Step {
            after: Duration::from_millis(1000 + below(&mut self.random, 3000)),
            target,
            fault,
            lasts: self.lasts(fault),
            salt: self.random.next(),
        })
    }
}

/// One of so many places.
fn place_below(random: &mut SplitMix, places: usize) -> usize {
    let places = u64::try_from(places).unwrap_or(1);
    usize::try_from(below(random, places)).unwrap_or(0)
}

/// Below this bound.
fn below(random: &mut SplitMix, bound: u64) -> u64 {
    random.next() % bound.max(1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_same_seed_breaks_the_same_and_another_something_else() {
        let steps = |seed| Schedule::new(seed, 6).take(100).collect::<Vec<_>>();
        assert_eq!(steps(7), steps(7));
        assert_ne!(steps(7), steps(8));
    }

    #[test]
    fn each_turn_has_every_kind_once_in_another_order() {
        let steps: Vec<Step> = Schedule::new(3, 6).take(18).collect();
        let kinds = |steps: &[Step]| steps.iter().map(|step| step.fault).collect::<Vec<_>>();
        let (first, second) = (kinds(&steps[..9]), kinds(&steps[9..]));
        assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), 9);
        assert_eq!(second.iter().collect::<BTreeSet<_>>().len(), 9);
        assert_ne!(first, second);
    }

    #[test]
    fn a_long_stall_and_a_long_freeze_come_first_and_one_of_four_later() {
        for seed in 0..50 {
            let mut steps = Schedule::new(seed, 6);
            let first: Vec<Step> = steps.by_ref().take(2).collect();
            assert!(
                first.iter().all(|step| can_be_long(step.fault)),
                "{first:?}"
            );
            assert_ne!(first[0].fault, first[1].fault);
            assert!(first.iter().all(|step| step.lasts.as_secs() >= 35));
        }
        let later = Schedule::new(5, 6).skip(9).take(9000);
        let later: Vec<Step> = later.filter(|step| can_be_long(step.fault)).collect();
        let long = later
            .iter()
            .filter(|step| step.lasts.as_secs() >= 35)
            .count();
        let cut = later.iter().filter(|step| step.is_cured_by_cut()).count();
        assert!((400..600).contains(&long), "{long} of {}", later.len());
        assert!((900..1100).contains(&cut), "{cut} of {}", later.len());
    }

    #[test]
    fn something_breaks_every_few_seconds_for_a_while_and_never_a_camera_that_is_not_there() {
        for step in Schedule::new(11, 3).take(1000) {
            assert!((1000..4000).contains(&step.after.as_millis()));
            let is_long = step.lasts.as_millis() >= 14_000;
            assert!(!is_long || can_be_long(step.fault));
            assert!(step.lasts.as_millis() >= if is_long { 35_000 } else { 2000 });
            assert!(step.lasts.as_millis() < 50_000);
            assert!(can_be_long(step.fault) || !step.is_cured_by_cut());
            match step.target {
                Target::Camera(camera) => assert!(camera < 3),
                Target::Server => assert!(Fault::OF_SERVER.contains(&step.fault)),
            }
        }
    }
}
