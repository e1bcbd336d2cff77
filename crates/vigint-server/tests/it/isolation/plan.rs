//! What a run is: how much, from which seed, on which server.

use std::sync::Arc;

use vigint_core::clock::{Clock as _, ManualClock, SystemClock};
use vigint_core::random::{Random as _, SystemRandom};
use vigint_server::state::Parts;

use super::model::{PRICE_ALERT, PRICE_CONFIRM, PRICE_FRAME, PRICE_SCREEN};
use super::operations::Known;
use super::pictures::ReadsComments;
use crate::fixture::{Options, TestServer};

pub(super) struct Plan {
    pub(super) operations: usize,
    pub(super) seed: u64,
    pub(super) tenants: usize,
    pub(super) threads: usize,
    /// Which routes are called.
    pub(super) calls: fn(&Known) -> bool,
}

impl Plan {
    /// As `cargo xtask isolation` asks for it, otherwise so many operations from a seed of its own.
    pub(super) fn of(name: &str, operations: usize) -> Self {
        let mut fresh = [0; 4];
        SystemRandom.fill(&mut fresh);
        let plan = Self {
            operations: asked("OPERATIONS").unwrap_or(operations),
            seed: asked("SEED").unwrap_or(u64::from(u32::from_le_bytes(fresh))),
            tenants: asked("TENANTS").unwrap_or(200),
            threads: asked("THREADS").unwrap_or(4),
            calls: |_| true,
        };
        assert!((2..=60_000).contains(&plan.tenants), "there must be others");
        assert!(
            (1..=plan.tenants / 2).contains(&plan.threads),
            "each thread needs two tenants"
        );
        let Self {
            operations,
            seed,
            tenants,
            threads,
            ..
        } = plan;
        eprintln!(
            "isolation: {name}: {operations} operations of {tenants} tenants by {threads} threads, seed {seed}"
        );
        plan
    }

    /// How to run it again, on this database.
    pub(super) fn replay(&self, more: &str) -> String {
        let Self {
            operations,
            seed,
            tenants,
            threads,
            ..
        } = self;
        format!(
            "cargo xtask isolation {more} --operations {operations} --seed {seed} --tenants {tenants} --threads {threads}"
        )
    }
}

fn asked<T: std::str::FromStr<Err: std::fmt::Debug>>(name: &str) -> Option<T> {
    #[allow(
        clippy::disallowed_methods,
        reason = "tests have no settings: what to run is said in the environment"
    )]
    let value = std::env::var(format!("VIGINT_ISOLATION_{name}")).ok()?;
    Some(value.parse().unwrap())
}

/// A server on which time stands still: what must be in a buffer, and which incidents are still open, does not
/// hang on how fast the machine is.
pub(super) struct Server {
    pub(super) test: TestServer,
    pub(super) clock: Arc<ManualClock>,
}

impl Server {
    pub(super) fn sqlite() -> Self {
        Self::sqlite_with("", |_| {})
    }

    pub(super) fn sqlite_with(config: &str, change: impl FnOnce(&mut Parts) + 'static) -> Self {
        let (clock, options) = options(config, change);
        Self {
            test: TestServer::with(options),
            clock,
        }
    }

    pub(super) fn postgres() -> Option<Self> {
        Self::postgres_with("", |_| {})
    }

    pub(super) fn postgres_with(
        config: &str,
        change: impl FnOnce(&mut Parts) + 'static,
    ) -> Option<Self> {
        let (clock, options) = options(config, change);
        let test = TestServer::postgres_with(options)?;
        Some(Self { test, clock })
    }
}

fn options(config: &str, change: impl FnOnce(&mut Parts) + 'static) -> (Arc<ManualClock>, Options) {
    let clock = Arc::new(ManualClock::new(SystemClock::new().now()));
    let euros = |micros: i64| format!("0.{micros:06}");
    let (frame, screen) = (euros(PRICE_FRAME), euros(PRICE_SCREEN));
    let (confirm, alert) = (euros(PRICE_CONFIRM), euros(PRICE_ALERT));
    let config = format!(
        "[AI]\nmotion_gate = false\n\
        [Alerts]\nmax_per_hour = 10000\n\
        [Billing]\nprice_frame = {frame}\nprice_screen = {screen}\nprice_confirm = {confirm}\nprice_alert = {alert}\n\
        [Limits]\nrequests_per_second = 1000000\nburst = 1000000\nanalyses_per_minute = 1000000\n\
        alerts_per_minute = 1000000\nfailed_auth_per_minute = 1000000\n{config}"
    );
    let still = Arc::clone(&clock);
    let change = move |parts: &mut Parts| {
        parts.analyzer = Some(Arc::new(ReadsComments));
        parts.clock = still;
        change(parts);
    };
    (
        clock,
        Options {
            config,
            change: Box::new(change),
        },
    )
}
