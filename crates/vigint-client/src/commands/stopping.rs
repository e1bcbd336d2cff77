//! Ctrl-C and SIGTERM.

use tokio::signal::unix::{Signal, SignalKind, signal};
use vigint_client::SecureVideoAnalyzer;

/// The first signal stops in order; the second is waited for no longer.
pub(super) async fn told_to_stop_twice(analyzer: &SecureVideoAnalyzer) {
    let Some(mut signals) = Signals::listen() else {
        return std::future::pending().await;
    };
    for _ in 0..2 {
        signals.next().await;
        analyzer.stop();
    }
}

/// Ends at the first signal: for what can be dropped as it stands.
pub(super) async fn told_to_stop() {
    match Signals::listen() {
        Some(mut signals) => signals.next().await,
        None => std::future::pending().await,
    }
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Without handlers the signals end the program in their own way.
    fn listen() -> Option<Self> {
        Some(Self {
            interrupt: signal(SignalKind::interrupt()).ok()?,
            terminate: signal(SignalKind::terminate()).ok()?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
