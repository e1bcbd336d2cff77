//! What to do after a call that brought no verdict: ask again, and how, or give up. A pure table; it follows what the
//! providers' own documents say may be repeated.

use std::time::Duration;

use super::provider::Dialect;
use super::reply::Fault;
use crate::analysis::analyzer::AnalyzerError;

/// How often trouble that passes by itself is waited out.
const MOST_WAITS: u32 = 4;
/// The first of these waits, unless the provider names one; each is twice the one before.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// After so many of them the other model is asked: it may have room.
const WAITS_FOR_ONE_MODEL: u32 = 2;
/// What must be left of the time for a call to be worth it.
const SHORTEST_CALL: Duration = Duration::from_millis(500);
/// A server can differ in three things, one of them twice.
const MOST_ADAPTIONS: u32 = 4;
/// Who sees fewer than this sees a pose, and no behaviour: then nobody has looked.
const FEWEST_PICTURES: usize = 4;
/// How much more a model may say after it was cut off: thinking counts, too.
const MORE_ROOM: u32 = 4;

/// How the next call is made.
#[derive(Clone, Debug)]
pub(super) struct Attempts {
    /// How the server wants it.
    pub(super) dialect: Dialect,
    /// The most tokens it may answer.
    pub(super) max_output_tokens: u32,
    /// How many pictures are sent: half as many each time that they are too much.
    pub(super) pictures: usize,
    /// Whether the other model is asked.
    pub(super) is_second_model: bool,
    waits: u32,
    adaptions: u32,
    has_repeated: bool,
}

/// What is next.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    /// Another call, after this time.
    Again(Duration),
    /// Nobody knows.
    GiveUp(AnalyzerError),
}

impl Attempts {
    pub(super) const fn new(dialect: Dialect, max_output_tokens: u32, pictures: usize) -> Self {
        Self {
            dialect,
            max_output_tokens,
            pictures,
            is_second_model: false,
            waits: 0,
            adaptions: 0,
            has_repeated: false,
        }
    }

    /// What follows from this fault when `left` is left of the time. `chance`, 0..1, spreads the waits of those who
    /// met the same trouble at once.
    pub(super) fn after(&mut self, fault: Fault, left: Duration, chance: f64) -> Next {
        match fault {
            Fault::Truncated => {
                let more = self.max_output_tokens.saturating_mul(MORE_ROOM);
                self.repeat("the answer was cut off", |attempts| {
                    attempts.max_output_tokens = more;
                })
            }
            Fault::NoVerdict(why) => self.repeat(&why, |_| {}),
            Fault::Adapt(dialect) if self.adaptions < MOST_ADAPTIONS => {
                self.adaptions += 1;
                self.dialect = dialect;
                Next::Again(Duration::ZERO)
            }
            Fault::TooLarge(_) if self.pictures > FEWEST_PICTURES => {
                self.pictures = (self.pictures / 2).max(FEWEST_PICTURES);
                Next::Again(Duration::ZERO)
            }
            Fault::Adapt(_) => rejected("the request is not understood".to_owned()),
            Fault::TooLarge(why) | Fault::Refused(why) => rejected(why),
            Fault::Blocked(why) => rejected(format!("blocked by the provider: {why}")),
            Fault::Trouble { why, retry_after } | Fault::Rate { why, retry_after } => {
                self.wait(why, retry_after, left, chance)
            }
            Fault::ShutOut { why, retry_after } => Next::GiveUp(AnalyzerError::Unavailable {
                reason: why,
                retry_after,
            }),
        }
    }

    fn repeat(&mut self, why: &str, change: impl FnOnce(&mut Self)) -> Next {
        if std::mem::replace(&mut self.has_repeated, true) {
            return Next::GiveUp(AnalyzerError::Failed(why.to_owned()));
        }
        change(self);
        Next::Again(Duration::ZERO)
    }

    fn wait(
        &mut self,
        why: String,
        retry_after: Option<Duration>,
        left: Duration,
        chance: f64,
    ) -> Next {
        let backoff = FIRST_WAIT.saturating_mul(1 << self.waits.min(MOST_WAITS));
        // From half of it to all of it.
        let spread = backoff.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0);
        let wait = retry_after.unwrap_or(spread);
        if self.waits >= MOST_WAITS || wait + SHORTEST_CALL > left {
            return Next::GiveUp(AnalyzerError::Unavailable {
                reason: why,
                retry_after,
            });
        }
        self.waits += 1;
        self.is_second_model = self.waits >= WAITS_FOR_ONE_MODEL;
        Next::Again(wait)
    }
}

const fn rejected(why: String) -> Next {
    Next::GiveUp(AnalyzerError::Rejected(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(600);

    fn attempts() -> Attempts {
        Attempts::new(Dialect::default(), 1024, 30)
    }

    fn trouble(retry_after: Option<u64>) -> Fault {
        Fault::Trouble {
            why: "503".to_owned(),
            retry_after: retry_after.map(Duration::from_secs),
        }
    }

    #[test]
    fn trouble_is_waited_out_ever_longer_and_then_the_other_model_is_asked() {
        let mut attempts = attempts();
        let mut waits = Vec::new();
        let unavailable = loop {
            match attempts.after(trouble(None), LONG, 1.0) {
                Next::Again(wait) => waits.push((wait.as_secs(), attempts.is_second_model)),
                Next::GiveUp(error) => break error,
            }
        };
        assert_eq!(waits, [(1, false), (2, true), (4, true), (8, true)]);
        assert!(matches!(unavailable, AnalyzerError::Unavailable { .. }));
        let half = attempts_after_luck(0.0);
        assert_eq!(half, Next::Again(Duration::from_millis(500)));
    }

    fn attempts_after_luck(chance: f64) -> Next {
        attempts().after(trouble(None), LONG, chance)
    }

    #[test]
    fn the_provider_s_own_wait_counts_and_what_does_not_fit_is_handed_on() {
        let ten = Duration::from_secs(10);
        let rate = |secs| Fault::Rate {
            why: "429".to_owned(),
            retry_after: Some(Duration::from_secs(secs)),
        };
        let again = attempts().after(rate(3), ten, 0.0);
        assert_eq!(again, Next::Again(Duration::from_secs(3)));
        let refused = attempts().after(rate(21), ten, 0.0);
        let expected = AnalyzerError::Unavailable {
            reason: "429".to_owned(),
            retry_after: Some(Duration::from_secs(21)),
        };
        assert_eq!(refused, Next::GiveUp(expected));
    }

    #[test]
    fn what_may_change_is_repeated_once_and_what_cannot_is_not() {
        let once = [Fault::Truncated, Fault::NoVerdict("no JSON".to_owned())];
        for fault in once {
            let mut attempts = attempts();
            let next = attempts.after(fault.clone(), LONG, 0.0);
            assert_eq!(next, Next::Again(Duration::ZERO));
            let is_cut = fault == Fault::Truncated;
            assert_eq!(attempts.max_output_tokens, if is_cut { 4096 } else { 1024 });
            assert!(matches!(
                attempts.after(fault, LONG, 0.0),
                Next::GiveUp(AnalyzerError::Failed(_))
            ));
        }
        let never = [
            Fault::Blocked("SAFETY".to_owned()),
            Fault::Refused("400".to_owned()),
        ];
        for fault in never {
            assert!(matches!(
                attempts().after(fault, LONG, 0.0),
                Next::GiveUp(AnalyzerError::Rejected(_))
            ));
        }
        let shut = Fault::ShutOut {
            why: "403".to_owned(),
            retry_after: None,
        };
        assert!(matches!(
            attempts().after(shut, LONG, 0.0),
            Next::GiveUp(AnalyzerError::Unavailable { .. })
        ));
    }

    #[test]
    fn a_request_that_is_too_large_gets_smaller_and_a_strange_one_plainer_but_not_for_ever() {
        let mut attempts = attempts();
        let too_large = || Fault::TooLarge("413".to_owned());
        for pictures in [15, 7, 4] {
            assert_eq!(
                attempts.after(too_large(), LONG, 0.0),
                Next::Again(Duration::ZERO)
            );
            assert_eq!(attempts.pictures, pictures);
        }
        assert!(matches!(
            attempts.after(too_large(), LONG, 0.0),
            Next::GiveUp(AnalyzerError::Rejected(_))
        ));
        let plainer = Dialect {
            takes_temperature: false,
            ..Dialect::default()
        };
        let again = (0..100)
            .take_while(|_| {
                attempts.after(Fault::Adapt(plainer), LONG, 0.0) == Next::Again(Duration::ZERO)
            })
            .count();
        assert_eq!((again, attempts.dialect), (4, plainer));
    }
}
