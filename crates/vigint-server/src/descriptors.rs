//! How many descriptors this process may have open, and how many of them connections may take. Frames, films,
//! mails and the database need some, too: evidence must not be lost because somebody connects.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What connections never take.
const KEPT_FREE: u64 = 200;
/// What each thread that answers requests opens for itself: its event queue and wakers, and on SQLite its
/// connection for looking keys up, of three files.
const OPENED_BY_WORKER: u64 = 8;
/// More connections than this are of no use to one thread.
const MOST_OF_WORKER: u64 = 25_600;

/// Raises the limit to what the system allows, and returns what it is then. Many systems begin at 1,024 for
/// the sake of programs that call `select`, which nothing here does.
pub(crate) fn raise_limit() -> u64 {
    let found = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: found.maximum,
        maximum: found.maximum,
    };
    let now = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => raised,
        Err(error) => {
            tracing::warn!(%error, "the limit of open files could not be raised");
            found
        }
    };
    now.current.unwrap_or(u64::MAX)
}

/// How many connections each of `workers` threads may hold under this limit. Under a limit so low that little or
/// nothing is left, connections still get a quarter: a server that nobody can reach keeps no evidence either.
pub(crate) fn connections_of_worker(limit: u64, workers: usize) -> usize {
    let workers = u64::try_from(workers.max(1)).unwrap_or(u64::MAX);
    let kept = KEPT_FREE.saturating_add(workers.saturating_mul(OPENED_BY_WORKER));
    let connections = limit.saturating_sub(kept).max(limit / 4);
    let of_worker = (connections / workers).clamp(1, MOST_OF_WORKER);
    usize::try_from(of_worker).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_two_hundred_descriptors_free() {
        for (limit, workers, each) in [
            (1024, 2, 404),
            (1024, 8, 95),
            (65_536, 4, 16_326),
            (300, 2, 42),
        ] {
            assert_eq!(connections_of_worker(limit, workers), each);
            let workers = u64::try_from(workers).unwrap();
            let taken = workers * (u64::try_from(each).unwrap() + OPENED_BY_WORKER);
            assert!(limit - taken >= KEPT_FREE);
        }
    }

    #[test]
    fn under_a_low_limit_connections_get_a_quarter_and_at_least_one() {
        assert_eq!(connections_of_worker(256, 2), 32);
        assert_eq!(connections_of_worker(64, 4), 4);
        assert_eq!(connections_of_worker(8, 16), 1);
    }

    #[test]
    fn without_a_limit_a_worker_takes_what_is_of_use() {
        assert_eq!(connections_of_worker(u64::MAX, 2), 25_600);
    }
}
