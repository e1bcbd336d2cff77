//! Threads that must never make a request wait: they compute, and get what the others leave.

use std::io;
use std::thread::{self, JoinHandle};

/// As the shell's `nice`: a busy request's thread gets about ten times the share of one of these.
const NICENESS: i32 = 10;

/// Starts a thread of lower priority.
///
/// # Errors
/// When the system gives no thread.
pub(crate) fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    thread::Builder::new().name(name.to_owned()).spawn(move || {
        // On Linux this is the calling thread alone. Where it is refused, the work is done all the same.
        let _ = rustix::process::setpriority_process(None, NICENESS);
        work()
    })
}

/// Why work in the background has no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The system gave no thread.
    #[error("the system gives no thread: {0}")]
    NoThread(#[from] io::Error),
    /// The work panicked.
    #[error("the work panicked")]
    Panicked,
}

/// Runs work on a thread of lower priority and waits for it without blocking. Who waits no longer does not stop
/// the work.
///
/// # Errors
/// When the system gives no thread, or the work panicked.
pub(crate) async fn run<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    let (done, result) = tokio::sync::oneshot::channel();
    spawn(name, move || done.send(work()).is_ok())?;
    result.await.map_err(|_| Failure::Panicked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_thread_is_nicer_than_the_one_that_asked() {
        let ours = rustix::process::getpriority_process(None).unwrap();
        let theirs = run("test", || {
            rustix::process::getpriority_process(None).unwrap()
        });
        assert!(theirs.await.unwrap() > ours);
        assert_eq!(rustix::process::getpriority_process(None).unwrap(), ours);
    }

    #[tokio::test]
    async fn a_panic_is_an_error() {
        let outcome: Result<(), _> = run("test", || panic!("injected")).await;
        assert!(matches!(outcome, Err(Failure::Panicked)));
    }
}
