//! When what is in doubt is tried again, how long, and how much of it is kept.

use bytes::Bytes;
use vigint_core::clock::{ManualClock, UtcTime};
use vigint_core::ids::KeyId;
use vigint_core::locale::Locale;
use vigint_core::random::SystemRandom;
use vigint_db::{Operator, Tenant};

use super::*;
use crate::buffer::{Frame, IncomingFrame};

fn doubts() -> (Arc<Doubts>, Arc<ManualClock>) {
    let hand = Arc::new(ManualClock::new(UtcTime::UNIX_EPOCH));
    let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&hand);
    (Arc::new(Doubts::new(&clock)), hand)
}

fn caller(client: i64) -> Caller {
    Caller {
        tenant: Tenant::by_operator(&Operator::named("test"), ClientId(client)),
        key_id: KeyId(client),
        client_name: String::new(),
        client_email: String::new(),
        locale: Locale::English,
        time_zone: "UTC".to_owned(),
        key_name: String::new(),
        key_prefix: String::new(),
        key_created_at: UtcTime::UNIX_EPOCH,
        key_expires_at: None,
        key_last_used_at: None,
    }
}

/// A detection of an incident of its own.
fn doubt(client: i64) -> Doubt {
    Doubt {
        caller: caller(client),
        incident: IncidentId::generate(&SystemRandom),
        whole: Look::sample(Vec::new()),
    }
}

/// Another detection of the same.
fn again(doubt: &Doubt) -> Doubt {
    Doubt {
        caller: doubt.caller.clone(),
        incident: doubt.incident,
        whole: doubt.whole.clone(),
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn one_due(doubts: &Arc<Doubts>) -> Trial {
    let mut due = doubts.due();
    assert_eq!(due.len(), 1);
    due.pop().expect("it is due")
}

#[test]
fn it_is_tried_after_five_seconds_then_ever_later_to_ten_minutes_and_given_up_after_three_hours() {
    let (doubts, clock) = doubts();
    doubts.add(doubt(1));
    let mut waits = Vec::new();
    while !doubts.clients().is_empty() {
        let mut waited = 0;
        while doubts.due().pop().is_none() {
            clock.advance(seconds(1));
            waited += 1;
        }
        waits.push(waited);
    }
    let (first, rest) = waits.split_at(7);
    assert_eq!(first, [5, 10, 20, 40, 80, 160, 320]);
    assert!(rest.iter().all(|wait| *wait == 600), "{rest:?}");
    let until_given_up: u64 = waits.iter().sum();
    assert!((3 * 3600 - 600..=3 * 3600).contains(&until_given_up));
}

#[test]
fn what_is_being_tried_is_not_tried_twice_and_then_waits_longer() {
    let (doubts, clock) = doubts();
    doubts.add(doubt(1));
    clock.advance(seconds(5));
    let trial = one_due(&doubts);
    assert!(doubts.due().is_empty());
    drop(trial);
    assert!(doubts.due().is_empty());
    clock.advance(seconds(10));
    one_due(&doubts).settled();
    assert!(doubts.clients().is_empty());
}

#[test]
fn one_of_a_client_is_tried_at_a_time_and_the_longest_due_comes_first() {
    let (doubts, clock) = doubts();
    let (early, late, other) = (doubt(1), doubt(1), doubt(2));
    for doubt in [&early, &late, &other] {
        doubts.add(again(doubt));
        clock.advance(seconds(1));
    }
    clock.advance(seconds(5));
    let incidents =
        |trials: &[Trial]| -> Vec<_> { trials.iter().map(|one| one.incident).collect() };
    let trials = doubts.due();
    assert_eq!(incidents(&trials), [early.incident, other.incident]);
    for trial in trials {
        trial.settled();
    }
    let trials = doubts.due();
    assert_eq!(incidents(&trials), [late.incident]);
}

#[test]
fn an_incident_is_refuted_once_all_of_its_detections_are() {
    let (doubts, clock) = doubts();
    let first = doubt(1);
    for _ in 0..3 {
        doubts.add(again(&first));
    }
    clock.advance(seconds(5));
    for refuted in [None, None, Some(3)] {
        let trial = one_due(&doubts);
        assert_eq!(trial.refuted_with_it(), refuted);
        trial.refuted();
    }
    assert!(doubts.clients().is_empty());
}

#[test]
fn a_detection_that_comes_while_the_last_one_is_refuted_is_looked_at_as_well() {
    let (doubts, clock) = doubts();
    let first = doubt(1);
    doubts.add(again(&first));
    clock.advance(seconds(5));
    let trial = one_due(&doubts);
    doubts.add(again(&first));
    assert_eq!(trial.refuted_with_it(), None);
    trial.refuted();
    let trial = one_due(&doubts);
    assert_eq!(trial.refuted_with_it(), Some(2));
}

#[test]
fn what_is_rejected_or_never_readable_is_given_up_and_refutes_nothing() {
    let rejected = AnalyzerError::Rejected("blocked".to_owned());
    let unreadable = AnalyzerError::Failed("no JSON".to_owned());
    for (error, tries) in [(rejected, 1), (unreadable, 3), (AnalyzerError::TimedOut, 5)] {
        let (doubts, clock) = doubts();
        let first = doubt(1);
        doubts.add(again(&first));
        doubts.add(again(&first));
        for _ in 0..tries {
            clock.advance(seconds(600));
            one_due(&doubts).failed(&error);
        }
        if error == AnalyzerError::TimedOut {
            assert!(doubts.due().is_empty(), "it waits");
            continue;
        }
        let trial = one_due(&doubts);
        assert_eq!(trial.refuted_with_it(), Some(1), "{error}: not the other");
        trial.failed(&AnalyzerError::TimedOut);
        assert_eq!(doubts.clients().len(), 1, "{error}: it is tried again");
    }
}

#[test]
fn a_forgotten_client_s_do_not_come_back_from_a_trial() {
    let (doubts, clock) = doubts();
    let (gone, other) = (doubt(1), doubt(2));
    doubts.add(again(&gone));
    doubts.add(again(&other));
    clock.advance(seconds(5));
    let mut trials = doubts.due();
    assert_eq!(trials.len(), 2);
    doubts.forget(ClientId(1));
    // Let in again, the incident goes on: what was tried before says nothing of this.
    doubts.add(again(&gone));
    let before = trials.remove(0);
    assert_eq!(before.incident, gone.incident);
    before.refuted();
    drop(trials);
    let mut clients = doubts.clients();
    clients.sort_unstable();
    assert_eq!(clients, [ClientId(1), ClientId(2)]);
    clock.advance(seconds(5));
    assert_eq!(one_due(&doubts).refuted_with_it(), Some(1));
}

#[test]
fn an_incident_s_a_client_s_and_all_are_bounded() {
    let (doubts, clock) = doubts();
    let looks =
        |doubts: &Doubts| -> usize { doubts.lock().iter().map(|one| one.looks.len()).sum() };
    let long = doubt(1);
    for _ in 0..10 {
        doubts.add(again(&long));
    }
    assert_eq!(looks(&doubts), MOST_OF_AN_INCIDENT);
    for client in 1..=20 {
        for _ in 0..10 {
            doubts.add(doubt(client));
        }
    }
    assert_eq!(looks(&doubts), MOST);
    let of_first = doubts
        .lock()
        .iter()
        .filter(|one| one.client() == ClientId(1))
        .map(|one| one.looks.len())
        .sum::<usize>();
    assert_eq!(of_first, MOST_OF_A_CLIENT);
    clock.advance(seconds(5));
    let trials = doubts.due();
    doubts.add(doubt(99));
    assert_eq!(looks(&doubts), MOST, "those that are being tried included");
    drop(trials);
}

#[test]
fn what_their_pictures_take_is_bounded() {
    let frame = |megabytes: usize| {
        let at = UtcTime::UNIX_EPOCH;
        let incoming = IncomingFrame {
            jpeg: Bytes::from(vec![0; megabytes << 20]),
            width: 640,
            height: 360,
            frame_count: 1,
            captured_at: None,
            source_name: None,
        };
        Arc::new(Frame::new(incoming, at, at))
    };
    let large = |client: i64, megabytes: usize| Doubt {
        whole: Look::sample(vec![frame(megabytes)]),
        ..doubt(client)
    };
    let (doubts, _) = doubts();
    for megabytes in [20, 20, 10] {
        doubts.add(large(1, megabytes));
    }
    let bytes = |doubts: &Doubts| doubts.lock().iter().map(Waiting::bytes).sum::<usize>() >> 20;
    assert_eq!(bytes(&doubts), 30);
    for client in 2..=6 {
        doubts.add(large(client, 30));
    }
    assert_eq!(bytes(&doubts), 120);
}
