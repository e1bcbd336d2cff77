//! The one thread that prints. Whoever reads what we print may stop reading (a hung consumer of `--json`, Ctrl-S in the
//! terminal): then only this thread waits, and cameras go on.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use vigint_client::SourceProgress;

use super::live::LiveLines;
use super::{err, journal};

/// Lines that wait for whoever reads.
const MOST_WAITING: usize = 1024;
/// No line that is dropped rather than waited for is longer: what waits is bounded in bytes, too.
const LONGEST_LINE: usize = 64 * 1024;
/// How long the last lines are waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// Something to print.
#[derive(Debug)]
pub(super) enum Job {
    /// A line of standard output.
    Out(String),
    /// A line of standard error.
    Err(String),
    /// Where sources stand, for the live lines, and how long after the last time.
    Show(Vec<SourceProgress>, Duration),
    /// Another text for the live line of this name.
    ShowLine(String, String),
    /// No live lines any more.
    Clear,
}

/// What is done when whoever reads does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WhenFull {
    /// Whoever prints waits: a command whose answer is all there is to it.
    Wait,
    /// It is dropped and counted: cameras must not wait.
    Drop,
}

/// The thread, as those see it who print.
#[derive(Debug)]
pub(super) struct Printer {
    when_full: WhenFull,
    jobs: Mutex<Option<SyncSender<Job>>>,
    thread: Mutex<Option<(JoinHandle<()>, Receiver<()>)>>,
    outcome: Arc<Outcome>,
}

/// What became of the lines.
#[derive(Debug, Default)]
struct Outcome {
    dropped: AtomicU64,
    /// Why standard output takes nothing.
    failure: Mutex<Option<String>>,
}

impl Printer {
    /// Starts it. `out` is standard output.
    pub(super) fn start(when_full: WhenFull, out: impl io::Write + Send + 'static) -> Self {
        let (jobs, waiting) = sync_channel(MOST_WAITING);
        let (ended, has_ended) = sync_channel(1);
        let outcome = Arc::new(Outcome::default());
        let of_thread = Arc::clone(&outcome);
        let thread = Builder::new().name("print".to_owned()).spawn(move || {
            print_all(&waiting, out, &of_thread);
            let _ = ended.send(());
        });
        if let Err(error) = &thread {
            err(&format!("nothing can be printed: {error}"));
        }
        Self {
            when_full,
            jobs: Mutex::new(Some(jobs)),
            thread: Mutex::new(thread.ok().map(|thread| (thread, has_ended))),
            outcome,
        }
    }

    pub(super) fn print(&self, job: Job) {
        let Some(jobs) = lock(&self.jobs).clone() else {
            return;
        };
        if self.when_full == WhenFull::Wait {
            let _ = jobs.send(job);
            return;
        }
        let is_line = matches!(job, Job::Out(_) | Job::Err(_));
        let is_too_long =
            matches!(&job, Job::Out(line) | Job::Err(line) if line.len() > LONGEST_LINE);
        let is_dropped = is_too_long || matches!(jobs.try_send(job), Err(TrySendError::Full(_)));
        if is_dropped && is_line {
            self.outcome.dropped.fetch_add(1, Relaxed);
        }
    }

    /// Prints what waits, for a moment at most where nobody reads, and no more. Gives why standard output took
    /// nothing, when it did not; a reader that has had enough, as `head` has, is no failure.
    pub(super) fn finish(&self) -> Option<String> {
        drop(lock(&self.jobs).take());
        if let Some((thread, ended)) = lock(&self.thread).take()
            && ended.recv_timeout(PATIENCE).is_ok()
        {
            let _ = thread.join();
        }
        lock(&self.outcome.failure).take()
    }
}

fn print_all(jobs: &Receiver<Job>, mut out: impl io::Write, outcome: &Outcome) {
    let mut live = LiveLines::default();
    for job in jobs {
        match job {
            Job::Out(line) => live.above(|| print_line(&mut out, &line, outcome)),
            Job::Err(line) => live.above(|| err(&line)),
            Job::Show(progress, since) => live.show(&progress, since),
            Job::ShowLine(name, text) => live.say(&name, &text),
            Job::Clear => live.clear(),
        }
        let dropped = outcome.dropped.swap(0, Relaxed);
        if dropped > 0 {
            let mark = journal::mark();
            live.above(|| {
                err(&format!(
                    "{mark}{dropped} lines were not printed, for nobody read them in time"
                ));
            });
        }
    }
}

/// `println!` would panic when whoever reads has gone.
fn print_line(out: &mut impl io::Write, line: &str, outcome: &Outcome) {
    let written = writeln!(out, "{line}").and_then(|()| out.flush());
    if let Err(error) = written
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        lock(&outcome.failure).get_or_insert_with(|| error.to_string());
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    /// Takes a line only when it may, and then gives it on.
    struct Reader {
        may_take: Receiver<()>,
        taken: Sender<String>,
    }

    impl io::Write for Reader {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.may_take.recv();
            let _ = self.taken.send(String::from_utf8_lossy(bytes).into_owned());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Full;

    impl io::Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_stops_makes_nobody_wait_and_what_it_misses_is_counted() {
        let (let_it, may_take) = channel();
        let (taken, took) = channel();
        let printer = Printer::start(WhenFull::Drop, Reader { may_take, taken });
        for n in 0..MOST_WAITING + 100 {
            printer.print(Job::Out(n.to_string()));
        }
        let dropped = printer.outcome.dropped.load(Relaxed);
        assert!((99..=100).contains(&dropped), "{dropped}");
        printer.print(Job::Out("x".repeat(LONGEST_LINE + 1)));
        assert_eq!(printer.outcome.dropped.load(Relaxed), dropped + 1);
        drop(let_it);
        assert_eq!(printer.finish(), None);
        let took: String = took.iter().collect();
        assert!(took.starts_with("0\n1\n2\n"), "{took}");
        assert_eq!(printer.outcome.dropped.load(Relaxed), 0, "it was told");
    }

    #[test]
    fn a_full_disk_is_told_in_the_end() {
        let printer = Printer::start(WhenFull::Wait, Full);
        printer.print(Job::Out("an answer".to_owned()));
        assert!(printer.finish().is_some());
        printer.print(Job::Out("too late".to_owned()));
    }
}
