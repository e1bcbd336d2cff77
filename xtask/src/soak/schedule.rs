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

/// All steps, one after the other, for ever. The kinds of faults come in turns, shuffled each time, so that also a
/// short run has all of them.
pub(super) struct Schedule {
    random: SplitMix,
    cameras: usize,
    /// Kinds that are still to come in this turn.
    turn: Vec<Fault>,
}

impl Schedule {
    /// For so many cameras, at least one.
    pub(super) fn new(seed: u64, cameras: usize) -> Self {
        Self {
            random: SplitMix(seed),
            cameras,
            turn: Vec::new(),
        }
    }

    fn fault(&mut self) -> Fault {
        if self.turn.is_empty() {
            self.turn = Fault::all().collect();
            for place in (1..self.turn.len()).rev() {
                let other = place_below(&mut self.random, place + 1);
                self.turn.swap(place, other);
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
            lasts: Duration::from_millis(2000 + below(&mut self.random, 12_000)),
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
    fn something_breaks_every_few_seconds_for_a_while_and_never_a_camera_that_is_not_there() {
        for step in Schedule::new(11, 3).take(1000) {
            assert!((1000..4000).contains(&step.after.as_millis()));
            assert!((2000..14_000).contains(&step.lasts.as_millis()));
            match step.target {
                Target::Camera(camera) => assert!(camera < 3),
                Target::Server => assert!(Fault::OF_SERVER.contains(&step.fault)),
            }
        }
    }
}
