use std::collections::{HashMap, HashSet};
use std::sync::Barrier;
use std::time::Duration;

use diesel::RunQueryDsl as _;
use vigint_core::client::ClientChanges;
use vigint_core::clock::UtcTime;
use vigint_core::ids::{AlertId, ClientId};
use vigint_core::incident::{AlertKind, AlertState};
use vigint_db::DbError;
use vigint_db::alerts::{self, AlertRow, ClaimedAlert, Lease, NewAlert};
use vigint_db::clients;
use vigint_db::incidents::IncidentRow;

use crate::fixture::{ADMIN, Customer, Fixture, at, new_alert};

fn queued(
    fixture: &Fixture,
    customer: &Customer,
    incident: Option<&IncidentRow>,
    due: UtcTime,
) -> AlertId {
    let alert = new_alert(incident, due);
    fixture
        .write(|conn| alerts::insert(conn, &customer.tenant, &alert))
        .unwrap();
    alert.id
}

fn claim(fixture: &Fixture, now: UtcTime, until: UtcTime) -> Option<ClaimedAlert> {
    fixture
        .write(|conn| alerts::claim_due(conn, &ADMIN, now, until, &[]))
        .unwrap()
}

fn get(fixture: &Fixture, customer: &Customer, id: AlertId) -> AlertRow {
    fixture
        .read(|conn| alerts::get(conn, &customer.tenant, id))
        .unwrap()
        .unwrap()
}

on_each_database! {
    fn an_alert_is_claimed_when_due_and_by_one_only(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let later = queued(&fixture, &acme, None, at(20));
        let sooner = queued(&fixture, &acme, None, at(10));
        assert!(claim(&fixture, at(10).plus_millis(-1), at(60)).is_none());
        let first = claim(&fixture, at(20), at(60)).unwrap();
        assert_eq!((first.alert.id, first.tenant), (sooner, Some(acme.tenant.clone())));
        assert_eq!((first.alert.state, first.alert.attempts), (AlertState::Sending, 1));
        assert_eq!(claim(&fixture, at(20), at(60)).unwrap().alert.id, later);
        assert!(claim(&fixture, at(20), at(60)).is_none());
    }

    fn who_has_its_share_of_those_that_are_sent_waits_and_nobody_else(fixture) {
        let fixture = fixture.migrated();
        let (acme, other) = (fixture.customer("acme"), fixture.customer("other"));
        let of_acme = queued(&fixture, &acme, None, at(0));
        let of_other = queued(&fixture, &other, None, at(1));
        let nobodys = new_alert(None, at(2));
        fixture.write(|conn| alerts::insert(conn, None, &nobodys)).unwrap();
        let claim = |but_of: &[ClientId]| {
            let claimed = fixture
                .write(|conn| alerts::claim_due(conn, &ADMIN, at(9), at(60), but_of))
                .unwrap();
            claimed.map(|claimed| claimed.alert.id)
        };
        let both = [acme.row.id, other.row.id];
        assert_eq!(claim(&both), Some(nobodys.id));
        assert_eq!(claim(&both), None);
        assert_eq!(claim(&both[..1]), Some(of_other));
        assert_eq!(claim(&[]), Some(of_acme));
    }

    fn claimers_at_once_never_get_the_same_alert(fixture) {
        const CLAIMERS: usize = 4;
        const ALERTS: usize = 40;
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let expected: HashSet<_> =
            (0..ALERTS).map(|_| queued(&fixture, &acme, None, at(0))).collect();
        let start = Barrier::new(CLAIMERS);
        let claimed: Vec<AlertId> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..CLAIMERS)
                .map(|_| {
                    scope.spawn(|| {
                        let db = fixture.open_again();
                        let next = || {
                            db.write(|conn| alerts::claim_due(conn, &ADMIN, at(1), at(60), &[]))
                                .unwrap_or_else(|error: DbError| panic!("{error}"))
                        };
                        start.wait();
                        std::iter::from_fn(next).map(|claimed| claimed.alert.id).collect::<Vec<_>>()
                    })
                })
                .collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(claimed.len(), ALERTS);
        assert_eq!(claimed.into_iter().collect::<HashSet<_>>(), expected);
    }

    fn a_lease_that_ran_out_makes_an_alert_claimable_again(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let id = queued(&fixture, &acme, None, at(0));
        let message_id = claim(&fixture, at(0), at(60)).unwrap().alert.message_id;
        assert!(claim(&fixture, at(60).plus_millis(-1), at(120)).is_none());
        let again = claim(&fixture, at(60), at(120)).unwrap().alert;
        assert_eq!((again.id, again.attempts), (id, 2));
        assert_eq!(again.message_id, message_id);
    }

    fn a_lease_is_renewed_until_another_has_taken_over(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let id = queued(&fixture, &acme, None, at(0));
        let first = claim(&fixture, at(0), at(20)).unwrap().lease;
        let renew = |lease: &Lease, until| {
            fixture.write(|conn| alerts::renew(conn, lease, until)).unwrap()
        };
        let renewed = renew(&first, at(25)).unwrap();
        assert_eq!(renew(&first, at(30)), None, "it goes on under the new one");
        assert!(claim(&fixture, at(24), at(44)).is_none());
        let second = claim(&fixture, at(25), at(45)).unwrap().lease;
        assert_eq!(renew(&renewed, at(50)), None);
        // Who was too slow takes no step of whoever came after it.
        let sent = |lease: &Lease| {
            fixture.write(|conn| alerts::mark_sent(conn, lease, "s", at(26))).unwrap()
        };
        let late = fixture.write(|conn| alerts::postpone(conn, &renewed, at(60), "x")).unwrap();
        assert!(!late && !sent(&renewed));
        assert_eq!(get(&fixture, &acme, id).state, AlertState::Sending);
        assert!(sent(&second));
    }

    fn a_sent_alert_stays_sent_and_counts(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let id = queued(&fixture, &acme, None, at(0));
        let lease = claim(&fixture, at(0), at(60)).unwrap().lease;
        let sent = || fixture.write(|conn| alerts::mark_sent(conn, &lease, "s", at(5))).unwrap();
        assert!(sent());
        assert!(!sent());
        let write = |refused: Result<bool, DbError>| assert!(!refused.unwrap());
        write(fixture.write(|conn| alerts::postpone(conn, &lease, at(9), "x")));
        write(fixture.write(|conn| alerts::mark_dead(conn, &lease, "x", at(9))));
        write(fixture.write(|conn| alerts::hold(conn, &lease, at(9))));
        assert!(claim(&fixture, at(999), at(9999)).is_none());
        assert_eq!(get(&fixture, &acme, id).state, AlertState::Sent);
        let next = AlertRow { created_at: at(99), ..get(&fixture, &acme, id) };
        let count = |since| {
            fixture.read(|conn| alerts::sent_before(conn, &acme.tenant, &next, since)).unwrap()
        };
        assert_eq!(count(at(5)), 1);
        assert_eq!(count(at(5).plus_millis(1)), 0);
    }

    fn of_alerts_sent_at_once_each_counts_those_before_it(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        for _ in 0..3 {
            queued(&fixture, &acme, None, at(0));
        }
        let claimed: Vec<_> = (0..3).map(|_| claim(&fixture, at(0), at(60)).unwrap()).collect();
        let mut counts: Vec<i64> = claimed
            .iter()
            .map(|one| {
                fixture
                    .read(|conn| alerts::sent_before(conn, &acme.tenant, &one.alert, at(0)))
                    .unwrap()
            })
            .collect();
        counts.sort_unstable();
        assert_eq!(counts, [0, 1, 2]);
    }

    fn one_digest_tells_what_was_held_back_and_the_next_what_was_since(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let held = |seconds| {
            let alert = NewAlert { created_at: at(seconds), ..new_alert(None, at(seconds)) };
            fixture.write(|conn| alerts::insert(conn, &acme.tenant, &alert)).unwrap();
            let lease = claim(&fixture, at(seconds), at(999)).unwrap().lease;
            assert!(fixture.write(|conn| alerts::hold(conn, &lease, at(seconds))).unwrap());
            alert.id
        };
        let digest = |seconds| NewAlert {
            kind: AlertKind::Digest,
            ..new_alert(None, at(seconds))
        };
        let quiet = Duration::from_secs(3600);
        let ensure = |digest: &NewAlert| {
            fixture.write(|conn| alerts::ensure_digest(conn, &acme.tenant, digest, quiet)).unwrap()
        };
        let told = |digest: &NewAlert, limit| {
            fixture
                .write(|conn| alerts::held_for(conn, &acme.tenant, digest.id, limit))
                .unwrap()
        };
        let early = [held(1), held(2), held(3)];
        let first = digest(60);
        assert!(ensure(&first));
        assert!(!ensure(&digest(61)), "one is enough");
        assert!(claim(&fixture, at(59), at(999)).is_none());
        let lease = claim(&fixture, at(60), at(999)).unwrap().lease;
        assert!(!ensure(&digest(62)), "one is on its way");
        assert_eq!(told(&first, 2).alerts.iter().map(|a| a.id).collect::<Vec<_>>(), early[..2]);
        let late = held(63);
        // Sent again, it tells the same.
        assert_eq!((told(&first, 2).alerts.len(), told(&first, 2).count), (2, 3));
        assert!(fixture.write(|conn| alerts::mark_sent(conn, &lease, "s", at(64))).unwrap());
        let second = digest(120);
        assert!(ensure(&second));
        assert_eq!(get(&fixture, &acme, second.id).next_attempt_at, at(64 + 3600));
        let next = told(&second, 50);
        assert_eq!((next.alerts[0].id, next.count), (late, 1));
        let lease = claim(&fixture, at(64 + 3600), at(9999)).unwrap().lease;
        assert!(fixture.write(|conn| alerts::mark_sent(conn, &lease, "s", at(3700))).unwrap());
        assert!(!ensure(&digest(3701)), "all is told");
    }

    fn a_deferred_alert_waits_and_has_not_been_tried(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let id = queued(&fixture, &acme, None, at(0));
        let lease = claim(&fixture, at(1), at(60)).unwrap().lease;
        let defer = || fixture.write(|conn| alerts::defer(conn, &lease, at(30), "not its turn"));
        assert!(defer().unwrap());
        assert!(!defer().unwrap(), "it is not being sent any more");
        let row = get(&fixture, &acme, id);
        assert_eq!((row.attempts, row.next_attempt_at), (0, at(30)));
    }

    fn a_postponed_alert_waits_for_its_time_and_says_why(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let id = queued(&fixture, &acme, None, at(0));
        let lease = claim(&fixture, at(0), at(60)).unwrap().lease;
        let postponed = fixture.write(|conn| alerts::postpone(conn, &lease, at(30), "greylisted"));
        assert!(postponed.unwrap());
        let alert = get(&fixture, &acme, id);
        assert_eq!((alert.state, alert.lease_until), (AlertState::Pending, None));
        assert_eq!(alert.last_error.as_deref(), Some("greylisted"));
        assert!(claim(&fixture, at(29), at(60)).is_none());
        assert_eq!(claim(&fixture, at(30), at(60)).unwrap().alert.attempts, 2);
    }

    fn dead_and_held_alerts_are_not_claimed(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let dead = queued(&fixture, &acme, None, at(0));
        let lease = claim(&fixture, at(0), at(1)).unwrap().lease;
        let marked =
            fixture.write(|conn| alerts::mark_dead(conn, &lease, "no such mailbox", at(2)));
        assert!(marked.unwrap());
        let held = queued(&fixture, &acme, None, at(0));
        let lease = claim(&fixture, at(0), at(1)).unwrap().lease;
        assert!(fixture.write(|conn| alerts::hold(conn, &lease, at(2))).unwrap());
        assert!(claim(&fixture, at(999), at(9999)).is_none());
        assert_eq!(get(&fixture, &acme, dead).state, AlertState::Dead);
        assert_eq!(get(&fixture, &acme, dead).last_error.as_deref(), Some("no such mailbox"));
        assert_eq!(get(&fixture, &acme, held).state, AlertState::Held);
    }

    fn a_thread_has_the_subject_of_its_first_mail(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let incident = fixture.incident(&acme, "till", 0);
        let thread = || {
            fixture
                .read(|conn| alerts::thread_of_incident(conn, &acme.tenant, incident.id))
                .unwrap()
        };
        let will_be_told = || {
            fixture
                .write(|conn| alerts::will_be_told(conn, &acme.tenant, incident.id, at(1)))
                .unwrap()
        };
        assert_eq!(thread(), None);
        let first = new_alert(Some(&incident), at(0));
        fixture.write(|conn| alerts::insert(conn, &acme.tenant, &first)).unwrap();
        assert!(will_be_told());
        let lease = claim(&fixture, at(0), at(60)).unwrap().lease;
        assert!(!will_be_told(), "it may be on its way");
        fixture.write(|conn| alerts::mark_sent(conn, &lease, "Alert: theft", at(1))).unwrap();
        let later = NewAlert {
            kind: AlertKind::RiskRaised,
            message_id: "later".to_owned(),
            ..new_alert(Some(&incident), at(2))
        };
        fixture.write(|conn| alerts::insert(conn, &acme.tenant, &later)).unwrap();
        assert!(will_be_told(), "by the later one");
        let thread = thread().unwrap();
        assert_eq!(thread.message_id, first.message_id);
        assert_eq!(thread.subject.as_deref(), Some("Alert: theft"));
    }

    fn a_mail_that_was_tried_and_is_surely_not_out_tells_what_is_new_and_at_once(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let incident = fixture.incident(&acme, "till", 0);
        let id = queued(&fixture, &acme, Some(&incident), at(0));
        let will_be_told = |now| {
            fixture
                .write(|conn| alerts::will_be_told(conn, &acme.tenant, incident.id, now))
                .unwrap()
        };
        let postpone = |lease: &_| {
            fixture.write(|conn| alerts::postpone(conn, lease, at(300), "greylisted")).unwrap();
        };
        postpone(&claim(&fixture, at(0), at(60)).unwrap().lease);
        assert!(will_be_told(at(9)));
        assert_eq!(get(&fixture, &acme, id).next_attempt_at, at(9));
        let lease = claim(&fixture, at(9), at(60)).unwrap().lease;
        let noted = fixture.write(|conn| alerts::note_may_be_out(conn, &lease, "Alert: theft"));
        assert!(noted.unwrap());
        postpone(&lease);
        assert!(!will_be_told(at(10)), "it may be out");
        assert_eq!(get(&fixture, &acme, id).next_attempt_at, at(300));
        let noted = fixture.write(|conn| alerts::note_may_be_out(conn, &lease, "late"));
        assert!(!noted.unwrap(), "the lease is over");
        let thread = fixture.read(|conn| alerts::thread_of_incident(conn, &acme.tenant, incident.id));
        let thread = thread.unwrap().unwrap();
        assert_eq!((thread.subject.as_deref(), thread.is_pending), (Some("Alert: theft"), true));
    }

    fn a_mail_that_is_begun_at_the_moment_tells_nothing_new(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let incident = fixture.incident(&acme, "till", 0);
        queued(&fixture, &acme, Some(&incident), at(0));
        let begin = |conn: &mut _| alerts::claim_due(conn, &ADMIN, at(1), at(60), &[]).map(drop);
        let (begun, will_be_told) = fixture.overlapping(
            begin,
            || Ok::<_, DbError>(()),
            |conn| alerts::will_be_told(conn, &acme.tenant, incident.id, at(1)),
        );
        begun.unwrap();
        assert!(!will_be_told.unwrap());
    }

    fn a_mail_that_will_tell_is_not_begun_before_there_is_what_it_tells(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let incident = fixture.incident(&acme, "till", 0);
        queued(&fixture, &acme, Some(&incident), at(0));
        let (asked, begun) = fixture.overlapping(
            |conn| {
                assert!(alerts::will_be_told(conn, &acme.tenant, incident.id, at(1))?);
                Ok::<_, DbError>(())
            },
            || Ok(()),
            // On PostgreSQL it waits for the other.
            |conn| alerts::claim_due(conn, &ADMIN, at(1), at(60), &[]),
        );
        asked.unwrap();
        assert!(begun.unwrap().is_some());
    }

    fn a_clip_that_is_there_wakes_its_alert_and_no_other(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let (incident, another) = (fixture.incident(&acme, "a", 0), fixture.incident(&acme, "b", 0));
        let waiting = queued(&fixture, &acme, Some(&incident), at(30));
        queued(&fixture, &acme, Some(&another), at(30));
        let wake = |now| {
            fixture
                .write(|conn| alerts::wake_for_incident(conn, &acme.tenant, incident.id, now))
                .unwrap()
        };
        assert_eq!(wake(at(3)), 1);
        let claimed = claim(&fixture, at(3), at(60)).unwrap();
        assert_eq!(claimed.alert.id, waiting);
        assert!(claim(&fixture, at(3), at(60)).is_none());
        // It failed once: now it waits for its next try, and no clip hastens that.
        fixture
            .write(|conn| alerts::postpone(conn, &claimed.lease, at(300), "later"))
            .unwrap();
        assert_eq!(wake(at(4)), 0);
    }

    fn an_alert_cannot_be_about_another_clients_incident(fixture) {
        let fixture = fixture.migrated();
        let (acme, other) = (fixture.customer("acme"), fixture.customer("other"));
        let theirs = fixture.incident(&other, "till", 0);
        let refused = fixture
            .write(|conn| alerts::insert(conn, &acme.tenant, &new_alert(Some(&theirs), at(0))));
        assert!(matches!(refused, Err(DbError::Gone)), "{refused:?}");
    }

    fn an_alert_of_nobodys_is_sent_without_a_client(fixture) {
        let fixture = fixture.migrated();
        let alert = NewAlert { notice: Some("{}".to_owned()), ..new_alert(None, at(0)) };
        fixture.write(|conn| alerts::insert(conn, None, &alert)).unwrap();
        let claimed = claim(&fixture, at(0), at(60)).unwrap();
        assert_eq!((claimed.alert.client_id, claimed.tenant), (None, None));
        assert_eq!(claimed.alert.notice.as_deref(), Some("{}"));
        let postponed = |lease: &Lease| {
            fixture.write(|conn| alerts::postpone(conn, lease, at(30), "x")).unwrap()
        };
        assert!(postponed(&claimed.lease));
        let again = claim(&fixture, at(30), at(60)).unwrap().lease;
        assert!(fixture.write(|conn| alerts::mark_sent(conn, &again, "s", at(31))).unwrap());
    }

    fn an_alert_about_an_incident_always_has_its_client(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let incident = fixture.incident(&acme, "till", 0);
        let refused = fixture
            .write(|conn| alerts::insert(conn, None, &new_alert(Some(&incident), at(0))));
        assert!(refused.is_err());
    }

    fn notices_take_no_place_of_alerts_in_the_hour(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let notice = NewAlert { notice: Some("{}".to_owned()), ..new_alert(None, at(0)) };
        fixture.write(|conn| alerts::insert(conn, &acme.tenant, &notice)).unwrap();
        let claimed = claim(&fixture, at(0), at(60)).unwrap();
        let sent = fixture.write(|conn| alerts::mark_sent(conn, &claimed.lease, "s", at(5)));
        assert!(sent.unwrap());
        let next = AlertRow { created_at: at(99), ..claimed.alert };
        let sent =
            fixture.read(|conn| alerts::sent_before(conn, &acme.tenant, &next, at(0))).unwrap();
        assert_eq!(sent, 0);
    }

    fn a_mail_goes_to_where_its_client_has_it_by_now_and_one_to_the_operator_does_not(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let of_kind = |kind| NewAlert { kind, ..new_alert(None, at(0)) };
        let [told, noticed, operator] =
            [AlertKind::Incident, AlertKind::Account, AlertKind::Operator].map(|kind| {
                let alert = of_kind(kind);
                fixture.write(|conn| alerts::insert(conn, &acme.tenant, &alert)).unwrap();
                alert.id
            });
        let nobodys = of_kind(AlertKind::Operator);
        fixture.write(|conn| alerts::insert(conn, None, &nobodys)).unwrap();
        let claim_all = || -> HashMap<AlertId, (String, Lease)> {
            std::iter::from_fn(|| claim(&fixture, at(1), at(60)))
                .map(|claimed| (claimed.alert.id, (claimed.alert.recipient, claimed.lease)))
                .collect()
        };
        let first = claim_all();
        assert_eq!(first[&told].0, "acme@example.com");
        fixture
            .write(|conn| alerts::mark_dead(conn, &first[&told].1, "no such user", at(2)))
            .unwrap();
        // The operator corrects it, and has it tried again.
        let changes = ClientChanges { email: Some("shop@acme.example".to_owned()), ..ClientChanges::default() };
        fixture.write(|conn| clients::update(conn, &acme.tenant, &changes, at(3))).unwrap();
        assert!(fixture.write(|conn| alerts::retry(conn, &ADMIN, told, at(1))).unwrap());
        assert_eq!(claim_all()[&told].0, "shop@acme.example");
        assert_eq!(get(&fixture, &acme, told).recipient, "shop@acme.example");
        assert_eq!(first[&noticed].0, "acme@example.com");
        assert_eq!(first[&operator].0, "shop@example.com");
        assert_eq!(first[&nobodys.id].0, "shop@example.com");
    }
}

#[test]
fn what_is_asked_of_a_client_for_each_mail_reads_no_other_rows() {
    #[derive(diesel::QueryableByName)]
    struct Plan {
        #[diesel(sql_type = diesel::sql_types::Text)]
        detail: String,
    }
    let fixture = Fixture::sqlite().migrated();
    for (asked, of_index) in [
        (
            "state = 'held' AND told_in IS NULL",
            "(client_id=? AND state=?)",
        ),
        (
            "state = 'sent' AND updated_at >= '2026' AND kind <> 'digest'",
            "(client_id=? AND state=? AND updated_at>?)",
        ),
    ] {
        let sql =
            format!("EXPLAIN QUERY PLAN SELECT id FROM alerts WHERE client_id = 1 AND {asked}");
        let plan: Vec<Plan> = fixture
            .read(|conn| Ok(diesel::sql_query(sql).load(conn)?))
            .unwrap();
        let expected = format!("alerts_by_state {of_index}");
        assert!(
            plan.iter().any(|step| step.detail.ends_with(&expected)),
            "{:?}",
            plan.iter().map(|step| &step.detail).collect::<Vec<_>>()
        );
    }
}
