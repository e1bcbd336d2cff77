//! Breaks one thing after the other, cures it when its time has come, and demands that what was broken shows a new
//! picture within half a minute, and goes on. At the end every camera must, whatever was broken last.
//!
//! What is broken and what is awaited is kept apart for each camera. A step waits until its target is well again: the
//! server's until no camera is awaited. While the server is away no camera is awaited; once it is back, all are.

use std::sync::Arc;
use std::time::Duration;

use vigint_core::clock::{Clock as _, SystemClock, UtcTime};
use vigint_testkit::fault_proxy::FaultProxy;

use super::complaints::Complaints;
use super::fleet::Fleet;
use super::recoveries::Recoveries;
use super::schedule::{Fault, Schedule, Step, Target};
use super::secrets::Secrets;
use super::settling::Settling;
use super::silence::{self, Silence};
use super::stage::Server;
use super::witness::Witness;
use crate::say;

/// The promise: live again within this time after a cure, whatever went before.
pub(super) const LIVE_WITHIN: Duration = Duration::from_secs(30);
/// A slow line passes so many bytes a second, and up to twice as many: all cameras together send two to four times that.
const SLOW_FROM: u32 = 60 << 10;

/// A camera as the script sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Camera {
    /// Seen since its last cure; it is to go on.
    Live(Silence),
    Broken(Broken),
    Awaited {
        fault: Fault,
        /// None: as soon as the server is back.
        since: Option<Moment>,
        is_late: bool,
    },
}

/// How something is broken.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Broken {
    fault: Fault,
    until: Duration,
    /// Whether the cure cuts its connections.
    is_cut: bool,
}

impl Broken {
    fn by(step: Step, now: Duration) -> Self {
        Self {
            fault: step.fault,
            until: now + step.lasts,
            is_cut: step.is_cured_by_cut(),
        }
    }

    /// What is told of its cure.
    fn cured(self) -> String {
        let cut = if self.is_cut {
            ", and its connections cut"
        } else {
            ""
        };
        format!("{} cured{cut}", self.fault.name())
    }
}

/// The same moment on both clocks.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Moment {
    elapsed: Duration,
    at: UtcTime,
}

pub(super) struct Script {
    pub(super) fleet: Arc<Fleet>,
    pub(super) proxy: FaultProxy,
    pub(super) server: Server,
    pub(super) witness: Arc<Witness>,
    pub(super) complaints: Arc<Complaints>,
    pub(super) secrets: Arc<Secrets>,
    pub(super) recoveries: Recoveries,
    clock: SystemClock,
    cameras: Vec<Camera>,
    /// When each of them was last cured of a fault of its own.
    own_cures: Vec<Option<UtcTime>>,
    /// How the server is broken.
    broken: Option<Broken>,
    breakable: Vec<usize>,
    settling: Settling,
    schedule: Schedule,
    next: Option<(Step, Duration)>,
}

impl Script {
    pub(super) fn new(
        seed: u64,
        fleet: Arc<Fleet>,
        proxy: FaultProxy,
        server: Server,
        witness: Arc<Witness>,
        complaints: Arc<Complaints>,
        secrets: Arc<Secrets>,
    ) -> Self {
        let breakable = fleet.breakable();
        let clock = SystemClock::new();
        Self {
            cameras: vec![Camera::Live(Silence::since(clock.now(), None)); fleet.posts.len()],
            own_cures: vec![None; fleet.posts.len()],
            schedule: Schedule::new(seed, breakable.len()),
            breakable,
            settling: Settling::of(fleet.posts.len()),
            fleet,
            proxy,
            server,
            witness,
            complaints,
            secrets,
            recoveries: Recoveries::default(),
            clock,
            broken: None,
            next: None,
        }
    }

    /// At the beginning: no camera has been seen yet.
    pub(super) fn await_first_frames(&mut self) {
        self.await_all(Fault::Start);
    }

    /// Does what is due now.
    pub(super) async fn go_on(&mut self, may_break: bool) -> anyhow::Result<()> {
        self.cure_what_is_due().await?;
        self.look_for_the_living();
        self.look_for_the_silent();
        if may_break {
            self.break_what_is_due();
        }
        Ok(())
    }

    /// Cures everything now, and awaits every camera: also those that were well.
    pub(super) async fn cure_all(&mut self) -> anyhow::Result<()> {
        for camera in &mut self.cameras {
            if let Camera::Broken(broken) = camera {
                broken.until = Duration::ZERO;
            }
        }
        if let Some(broken) = &mut self.broken {
            broken.until = Duration::ZERO;
        }
        self.cure_what_is_due().await?;
        let moment = self.moment();
        for camera in &mut self.cameras {
            // Who is awaited already has no more time for it.
            if let Camera::Live(_) = camera {
                *camera = Camera::Awaited {
                    fault: Fault::End,
                    since: Some(moment),
                    is_late: false,
                };
            }
        }
        Ok(())
    }

    /// Whether nothing is broken and nothing awaited but what is late.
    pub(super) fn is_quiet(&self) -> bool {
        let is_quiet = |camera: &Camera| {
            matches!(
                camera,
                Camera::Live(_) | Camera::Awaited { is_late: true, .. }
            )
        };
        self.broken.is_none() && self.cameras.iter().all(is_quiet)
    }

    /// Whether every camera has sent as many frames as it should since all was cured and all were live, or had the time
    /// for it.
    pub(super) fn is_settled(&mut self, since: UtcTime) -> bool {
        let now = self.clock.now();
        self.settling
            .is_over(&self.fleet, &self.witness, &self.complaints, since, now)
    }

    /// Whether all that can be broken was, each at least once.
    pub(super) fn has_broken_all(&self) -> bool {
        Fault::all().all(|fault| self.recoveries.faults(fault) > 0)
    }

    fn moment(&self) -> Moment {
        Moment {
            elapsed: self.clock.elapsed(),
            at: self.clock.now(),
        }
    }

    async fn cure_what_is_due(&mut self) -> anyhow::Result<()> {
        let now = self.clock.elapsed();
        if let Some(broken) = self.broken
            && broken.until <= now
        {
            if broken.fault == Fault::ServerKilled {
                let address = self.server.come_back().await?;
                self.proxy.forward_to(address);
            }
            if broken.is_cut {
                self.proxy.cut().await;
            }
            self.proxy.cure();
            self.broken = None;
            say::line(&broken.cured());
            self.await_all(broken.fault);
        }
        let moment = self.moment();
        let since = self.broken.is_none().then_some(moment);
        let posts = self.cameras.iter_mut().zip(&self.fleet.posts);
        for (place, (camera, post)) in posts.enumerate() {
            if let Camera::Broken(broken) = *camera
                && broken.until <= now
            {
                post.cure(broken.is_cut);
                if let Some(own_cure) = self.own_cures.get_mut(place) {
                    *own_cure = Some(moment.at);
                }
                if broken.fault == Fault::Garbage {
                    self.witness.is_garbage(place, false);
                }
                say::line(&format!("{}: {}", post.id, broken.cured()));
                *camera = Camera::Awaited {
                    fault: broken.fault,
                    since,
                    is_late: false,
                };
            }
        }
        Ok(())
    }

    /// After the server's cure.
    fn await_all(&mut self, of_server: Fault) {
        let moment = self.moment();
        for camera in &mut self.cameras {
            let fault = match *camera {
                Camera::Broken(_) => continue,
                Camera::Live(_) => of_server,
                Camera::Awaited { fault, .. } => fault,
            };
            *camera = Camera::Awaited {
                fault,
                since: Some(moment),
                is_late: false,
            };
        }
    }

    fn look_for_the_living(&mut self) {
        let now = self.clock.elapsed();
        for (place, camera) in self.cameras.iter_mut().enumerate() {
            let Camera::Awaited {
                fault,
                since: Some(since),
                is_late,
            } = camera
            else {
                continue;
            };
            let waited = now.saturating_sub(since.elapsed);
            if self.witness.has_seen(place, since.at) {
                self.recoveries.add(*fault, waited);
                let own_cure = self.own_cures.get(place).copied().flatten();
                *camera = Camera::Live(Silence::since(since.at, own_cure));
            } else if waited > LIVE_WITHIN && !*is_late {
                *is_late = true;
                if let Some(post) = self.fleet.posts.get(place) {
                    self.complaints.add(&format!(
                        "{} ({}) is not live {} s after the cure of: {}",
                        post.id,
                        post.kind,
                        LIVE_WITHIN.as_secs(),
                        fault.name()
                    ));
                }
            }
        }
    }

    /// While the server is away nothing is counted: once it is back, all are awaited anew.
    fn look_for_the_silent(&mut self) {
        if self.broken.is_some() {
            return;
        }
        let now = self.clock.now();
        for (place, camera) in self.cameras.iter_mut().enumerate() {
            if let Camera::Live(silence) = camera
                && silence.is_too_long(now, self.witness.last_new(place))
                && let Some(post) = self.fleet.posts.get(place)
            {
                self.complaints.add(&format!(
                    "{} ({}) was live and has shown nothing new for {} s, and neither it nor the server is broken",
                    post.id,
                    post.kind,
                    silence::LONGEST.as_secs()
                ));
            }
        }
    }

    fn break_what_is_due(&mut self) {
        let now = self.clock.elapsed();
        let (step, due) = match self.next {
            Some(next) => next,
            None => {
                let Some(step) = self.schedule.next() else {
                    return;
                };
                *self.next.insert((step, now + step.after))
            }
        };
        if due > now {
            return;
        }
        match step.target {
            Target::Server if self.server_may_break() => self.break_server(step, now),
            Target::Camera(index) => {
                let Some(place) = self.breakable.get(index).copied() else {
                    self.next = None;
                    return;
                };
                match self.cameras.get(place) {
                    Some(Camera::Live(_)) => self.break_camera(place, step, now),
                    // It may never come: others are broken meanwhile.
                    Some(Camera::Awaited { is_late: true, .. }) => {}
                    _ => return,
                }
            }
            Target::Server => return,
        }
        self.next = None;
    }

    fn server_may_break(&self) -> bool {
        let is_awaited = |camera: &Camera| matches!(camera, Camera::Awaited { is_late: false, .. });
        self.broken.is_none() && !self.cameras.iter().any(is_awaited)
    }

    fn break_camera(&mut self, place: usize, step: Step, now: Duration) {
        let (Some(camera), Some(post)) = (self.cameras.get_mut(place), self.fleet.posts.get(place))
        else {
            return;
        };
        if step.fault == Fault::Garbage {
            self.witness.is_garbage(place, true);
        }
        if let Some(password) = post.break_by(step.fault, step.salt) {
            self.secrets
                .add(&format!("a changed password of {}", post.id), &password);
        }
        *camera = Camera::Broken(Broken::by(step, now));
        say::line(&format!(
            "{}: {} for {:.1} s",
            post.id,
            step.fault.name(),
            step.lasts.as_secs_f32()
        ));
        self.recoveries.begin(step.fault);
    }

    fn break_server(&mut self, step: Step, now: Duration) {
        match step.fault {
            Fault::ServerKilled => self.server.kill(),
            Fault::ServerStalled => self.proxy.stall(),
            _ => {
                let more = u32::try_from(step.salt % u64::from(SLOW_FROM)).unwrap_or(0);
                self.proxy.slow(SLOW_FROM + more);
            }
        }
        self.broken = Some(Broken::by(step, now));
        say::line(&format!(
            "{} for {:.1} s",
            step.fault.name(),
            step.lasts.as_secs_f32()
        ));
        self.recoveries.begin(step.fault);
    }
}
