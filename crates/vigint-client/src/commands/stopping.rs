//! Ctrl-C and SIGTERM.

use tokio::signal::unix::{SignalKind, signal};
use vigint_client::SecureVideoAnalyzer;

/// The first signal stops in order; the second is waited for no longer.
pub(super) async fn told_to_stop_twice(analyzer: &SecureVideoAnalyzer) {
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        // Without handlers the signals end the program in their own way.
        return std::future::pending().await;
    };
    for _ in 0..2 {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        analyzer.stop();
    }
}
