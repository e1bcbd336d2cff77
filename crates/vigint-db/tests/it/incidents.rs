use std::collections::HashSet;

use vigint_core::ids::IncidentId;
use vigint_core::incident::{IncidentStatus, Triage};
use vigint_core::random::SystemRandom;
use vigint_core::verdict::{Confirmation, RiskLevel};
use vigint_db::incidents::{self, IncidentPage, IncidentQuery, IncidentRow, Redetection};
use vigint_db::{DbError, clips};

use crate::fixture::{ADMIN, Customer, Fixture, again, at, incident_row, new_clip, source};

fn open_incident(
    fixture: &Fixture,
    customer: &Customer,
    from: &str,
    seconds: i64,
) -> Result<IncidentRow, DbError> {
    let mut row = incident_row(customer, from, seconds);
    row.status = IncidentStatus::Open;
    fixture.write(|conn| incidents::insert(conn, &customer.tenant, &row))?;
    Ok(row)
}

fn page(fixture: &Fixture, customer: &Customer, query: &IncidentQuery) -> IncidentPage {
    fixture
        .read(|conn| incidents::list(conn, &customer.tenant, query))
        .unwrap()
}

fn ids(page: &IncidentPage) -> Vec<IncidentId> {
    page.incidents
        .iter()
        .map(|(incident, _)| incident.id)
        .collect()
}

on_each_database! {
    fn what_was_kept_is_read_back(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let mut row = incident_row(&acme, "till", 1);
        row.detailed_analysis = Some("« détail »".to_owned());
        row.note = Some("…".to_owned());
        row.last_seen_at = at(2).plus_millis(345);
        fixture.write(|conn| incidents::insert(conn, &acme.tenant, &row)).unwrap();
        let read = fixture.read(|conn| incidents::get(conn, &acme.tenant, row.id)).unwrap();
        assert_eq!(read, Some(row));
        let unknown = IncidentId::generate(&SystemRandom);
        assert_eq!(fixture.read(|conn| incidents::get(conn, &acme.tenant, unknown)).unwrap(), None);
    }

    fn a_source_has_one_open_incident(fixture) {
        let fixture = fixture.migrated();
        let (acme, other) = (fixture.customer("acme"), fixture.customer("other"));
        let first = open_incident(&fixture, &acme, "till", 1).unwrap();
        let second = open_incident(&fixture, &acme, "till", 2).unwrap_err();
        assert!(matches!(&second, DbError::IncidentOpen { source_id } if source_id == "till"), "{second}");
        open_incident(&fixture, &acme, "door", 2).unwrap();
        open_incident(&fixture, &other, "till", 2).unwrap();
        let found = fixture.read(|conn| incidents::open_of_source(conn, &acme.tenant, &source("till")));
        assert_eq!(found.unwrap().unwrap().id, first.id);
        assert!(fixture.write(|conn| incidents::close(conn, &acme.tenant, first.id)).unwrap());
        assert!(!fixture.write(|conn| incidents::close(conn, &acme.tenant, first.id)).unwrap());
        let found = fixture.read(|conn| incidents::open_of_source(conn, &acme.tenant, &source("till")));
        assert_eq!(found.unwrap(), None);
        open_incident(&fixture, &acme, "till", 3).unwrap();
    }

    fn an_open_incident_is_extended_and_a_closed_one_is_not(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let row = open_incident(&fixture, &acme, "till", 1).unwrap();
        let extend = |again: Redetection| {
            fixture.write(|conn| incidents::extend(conn, &acme.tenant, row.id, &again)).unwrap()
        };
        assert_eq!(extend(again(5)).unwrap().row.occurrences, 2);
        let last = Redetection { seen_at: at(4), frame_count: 300, ..again(6) };
        let extended = extend(last).unwrap().row;
        let read = fixture.read(|conn| incidents::get(conn, &acme.tenant, row.id)).unwrap().unwrap();
        assert_eq!(extended, read);
        assert_eq!((read.occurrences, read.frame_count), (3, 300));
        assert_eq!((read.first_seen_at, read.last_seen_at), (at(1), at(5)), "the latest it was seen");
        assert_eq!(read.detected_at, at(6));
        fixture.write(|conn| incidents::close(conn, &acme.tenant, row.id)).unwrap();
        assert_eq!(extend(again(7)), None);
    }

    fn an_incident_keeps_the_gravest_it_ever_was(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let mut row = incident_row(&acme, "till", 1);
        (row.status, row.risk_level) = (IncidentStatus::Open, RiskLevel::Low);
        fixture.write(|conn| incidents::insert(conn, &acme.tenant, &row)).unwrap();
        let risk = |risk_level| {
            let again = Redetection { risk_level, ..again(2) };
            let extended = fixture.write(|conn| incidents::extend(conn, &acme.tenant, row.id, &again));
            extended.unwrap().unwrap().row.risk_level
        };
        assert_eq!(risk(RiskLevel::Medium), RiskLevel::Medium);
        assert_eq!(risk(RiskLevel::High), RiskLevel::High);
        assert_eq!(risk(RiskLevel::Low), RiskLevel::High);
    }

    fn a_veto_stays_among_the_vetoed_when_its_owner_has_looked_at_it(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let mut veto = incident_row(&acme, "till", 1);
        (veto.triage, veto.confirmation) = (Triage::Vetoed, Confirmation::Vetoed);
        let seen = incident_row(&acme, "till", 2);
        for row in [&veto, &seen] {
            fixture.write(|conn| incidents::insert(conn, &acme.tenant, row)).unwrap();
            let step = Triage::Acknowledged;
            fixture
                .write(|conn| incidents::set_triage(conn, &acme.tenant, row.id, step, None, at(3)))
                .unwrap()
                .unwrap();
        }
        let listed = |triage| {
            let query = IncidentQuery { triage, ..IncidentQuery::default() };
            let page = fixture.read(|conn| incidents::list(conn, &acme.tenant, &query)).unwrap();
            page.incidents.into_iter().map(|(row, _)| row.id).collect::<Vec<_>>()
        };
        assert_eq!(listed(Some(Triage::Vetoed)), [veto.id]);
        assert_eq!(listed(None), [seen.id]);
        assert_eq!(listed(Some(Triage::Acknowledged)), [seen.id]);
    }

    fn open_incidents_close_when_quiet_or_old(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let quiet = open_incident(&fixture, &acme, "quiet", 100).unwrap();
        let old = open_incident(&fixture, &acme, "old", 0).unwrap();
        let live = open_incident(&fixture, &acme, "live", 100).unwrap();
        for row in [&old, &live] {
            fixture
                .write(|conn| incidents::extend(conn, &acme.tenant, row.id, &again(160)))
                .unwrap();
        }
        let close = || {
            fixture.write(|conn| incidents::close_expired(conn, &ADMIN, at(101), at(1))).unwrap()
        };
        assert_eq!(close(), 2);
        assert_eq!(close(), 0);
        let status = |id| {
            fixture.read(|conn| incidents::get(conn, &acme.tenant, id)).unwrap().unwrap().status
        };
        assert_eq!(status(quiet.id), IncidentStatus::Closed);
        assert_eq!(status(old.id), IncidentStatus::Closed);
        assert_eq!(status(live.id), IncidentStatus::Open);
    }

    fn triage_takes_only_allowed_steps(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let row = fixture.incident(&acme, "till", 1);
        let set = |triage, note: Option<&str>| {
            fixture.write(|conn| {
                incidents::set_triage(conn, &acme.tenant, row.id, triage, note, at(9))
            })
        };
        let seen = set(Triage::Acknowledged, Some("calling them")).unwrap().unwrap();
        assert_eq!((seen.triage, seen.note.as_deref()), (Triage::Acknowledged, Some("calling them")));
        assert_eq!(seen.updated_at, at(9));
        let done = set(Triage::Resolved, None).unwrap().unwrap();
        assert_eq!((done.triage, done.note.as_deref()), (Triage::Resolved, Some("calling them")));
        let error = set(Triage::New, None).unwrap_err();
        assert!(matches!(error, DbError::Forbidden(_)), "{error}");
        let unknown = IncidentId::generate(&SystemRandom);
        let nothing = fixture.write(|conn| {
            incidents::set_triage(conn, &acme.tenant, unknown, Triage::Resolved, None, at(9))
        });
        assert_eq!(nothing.unwrap(), None);
    }

    fn vetoed_incidents_are_listed_only_when_asked_for(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let shown = fixture.incident(&acme, "till", 1);
        let mut vetoed = incident_row(&acme, "till", 2);
        (vetoed.triage, vetoed.confirmation) = (Triage::Vetoed, Confirmation::Vetoed);
        fixture.write(|conn| incidents::insert(conn, &acme.tenant, &vetoed)).unwrap();
        let list = |triage| {
            ids(&page(&fixture, &acme, &IncidentQuery { triage, ..IncidentQuery::default() }))
        };
        assert_eq!(list(None), [shown.id]);
        assert_eq!(list(Some(Triage::Vetoed)), [vetoed.id]);
        assert_eq!(list(Some(Triage::Resolved)), []);
    }

    fn the_list_is_newest_first_within_its_bounds_and_has_the_clips(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let rows: Vec<_> = (0..4).map(|second| fixture.incident(&acme, "till", second)).collect();
        let elsewhere = fixture.incident(&acme, "door", 9);
        let clip = new_clip(&rows[2], 2);
        fixture.write(|conn| clips::insert(conn, &acme.tenant, &clip)).unwrap();
        let query = IncidentQuery {
            source_id: Some(source("till")),
            from: Some(at(1)),
            to: Some(at(3)),
            ..IncidentQuery::default()
        };
        let found = page(&fixture, &acme, &query);
        assert_eq!(ids(&found), [rows[2].id, rows[1].id]);
        assert_eq!(found.incidents[0].1.as_ref().unwrap().id, clip.id);
        assert_eq!(found.incidents[1].1, None);
        assert_eq!(found.next_cursor, None);
        let all = page(&fixture, &acme, &IncidentQuery::default());
        assert_eq!(ids(&all)[0], elsewhere.id);
        assert_eq!(all.incidents.len(), 5);
    }

    fn pages_show_each_incident_once_while_new_ones_come_in(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        // Three at each second: the cursor falls between incidents of the same time.
        let expected: HashSet<_> = (0..21).map(|n| fixture.incident(&acme, "till", n / 3).id).collect();
        let mut shown = Vec::new();
        let mut query = IncidentQuery { limit: 4, ..IncidentQuery::default() };
        loop {
            let found = page(&fixture, &acme, &query);
            shown.extend(ids(&found));
            fixture.incident(&acme, "till", 100);
            query.cursor = found.next_cursor;
            if query.cursor.is_none() {
                break;
            }
        }
        assert_eq!(shown.len(), expected.len());
        assert_eq!(shown.into_iter().collect::<HashSet<_>>(), expected);
    }

    fn a_cursor_of_somebody_elses_making_is_refused(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        for cursor in ["", "_", "12", "x_y", "12_34", "12_' OR 1=1 --"] {
            let query = IncidentQuery { cursor: Some(cursor.to_owned()), ..IncidentQuery::default() };
            let refused = fixture.read(|conn| incidents::list(conn, &acme.tenant, &query));
            assert!(matches!(refused, Err(DbError::BadCursor)), "{cursor}");
        }
    }

    fn a_text_that_means_nothing_is_named_by_its_place(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let row = fixture.incident(&acme, "till", 1);
        fixture.sql("UPDATE incidents SET risk_level = 'HIGHEST'");
        let error = fixture
            .read(|conn| incidents::get(conn, &acme.tenant, row.id))
            .unwrap_err()
            .to_string();
        assert!(error.contains("'HIGHEST' in incidents.risk_level"), "{error}");
    }

    fn a_state_that_does_not_exist_cannot_be_stored(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        fixture.incident(&acme, "till", 1);
        use diesel::connection::SimpleConnection as _;
        let refused = fixture
            .read(|conn| Ok(conn.batch_execute("UPDATE incidents SET triage = 'forgotten'")?));
        assert!(refused.is_err());
    }
}
