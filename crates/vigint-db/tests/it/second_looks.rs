//! Confirmations that failed, and what a later one says of the incident.

use vigint_core::ids::IncidentId;
use vigint_core::incident::{IncidentStatus, Triage};
use vigint_core::verdict::{Confirmation, RiskLevel};
use vigint_db::incidents::{self, IncidentQuery, IncidentRow, Redetection, SecondLook};
use vigint_db::{AnyConnection, DbError};

use crate::fixture::{Customer, Fixture, again, at, incident_row, source};

/// An open incident that its owner got a mail about, though the second look had failed.
fn unconfirmed(fixture: &Fixture, customer: &Customer) -> IncidentRow {
    let mut row = incident_row(customer, "till", 1);
    row.status = IncidentStatus::Open;
    row.confirmation = Confirmation::Unavailable;
    fixture
        .write(|conn| incidents::insert(conn, &customer.tenant, &row))
        .unwrap();
    row
}

fn look(confirmation: Confirmation) -> SecondLook {
    SecondLook {
        confirmation,
        incident_type: "agression".to_owned(),
        risk_level: RiskLevel::Medium,
        description: "second d".to_owned(),
        detailed_analysis: Some("second look".to_owned()),
        occurrences: 1,
        at: at(90),
    }
}

fn settle(
    fixture: &Fixture,
    customer: &Customer,
    id: IncidentId,
    look: &SecondLook,
) -> Option<IncidentRow> {
    fixture
        .write(|conn| incidents::settle_confirmation(conn, &customer.tenant, id, look))
        .unwrap()
        .map(|settled| settled.row)
}

fn get(fixture: &Fixture, customer: &Customer, id: IncidentId) -> IncidentRow {
    fixture
        .read(|conn| incidents::get(conn, &customer.tenant, id))
        .unwrap()
        .unwrap()
}

fn listed(fixture: &Fixture, customer: &Customer, triage: Option<Triage>) -> Vec<IncidentId> {
    let query = IncidentQuery {
        triage,
        ..IncidentQuery::default()
    };
    let page = fixture
        .read(|conn| incidents::list(conn, &customer.tenant, &query))
        .unwrap();
    page.incidents.into_iter().map(|(row, _)| row.id).collect()
}

on_each_database! {
    fn confirmed_late_an_incident_takes_over_what_was_seen(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let row = unconfirmed(&fixture, &acme);
        let settled = settle(&fixture, &acme, row.id, &look(Confirmation::Confirmed)).unwrap();
        let expected = IncidentRow {
            confirmation: Confirmation::Confirmed,
            incident_type: "agression".to_owned(),
            risk_level: RiskLevel::Medium,
            description: "second d".to_owned(),
            detailed_analysis: Some("second look".to_owned()),
            updated_at: at(90),
            ..row
        };
        assert_eq!(settled, expected);
        assert_eq!(get(&fixture, &acme, expected.id), expected);
        assert_eq!(listed(&fixture, &acme, None), [expected.id]);
    }

    fn vetoed_late_an_incident_is_closed_and_keeps_what_was_told(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let row = unconfirmed(&fixture, &acme);
        let settled = settle(&fixture, &acme, row.id, &look(Confirmation::Vetoed)).unwrap();
        let expected = IncidentRow {
            status: IncidentStatus::Closed,
            confirmation: Confirmation::Vetoed,
            risk_level: RiskLevel::Low,
            detailed_analysis: Some("second look".to_owned()),
            updated_at: at(90),
            ..row
        };
        assert_eq!(settled, expected);
        assert_eq!(get(&fixture, &acme, expected.id), expected);
        // What is detected next is told of anew: it opens an incident of its own.
        let next = fixture.write(|conn| {
            assert_eq!(incidents::open_of_source(conn, &acme.tenant, &source("till"))?, None);
            incidents::extend(conn, &acme.tenant, expected.id, &again(91))
        });
        assert_eq!(next.unwrap(), None);
    }

    fn a_late_veto_says_nothing_of_later_detections_and_a_late_yes_forgets_no_risk(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let row = unconfirmed(&fixture, &acme);
        let graver = Redetection {
            confirmation: Confirmation::Unavailable,
            risk_level: RiskLevel::High,
            ..again(5)
        };
        fixture.write(|conn| incidents::extend(conn, &acme.tenant, row.id, &graver)).unwrap();
        assert_eq!(settle(&fixture, &acme, row.id, &look(Confirmation::Vetoed)), None);
        let kept = get(&fixture, &acme, row.id);
        assert_eq!((kept.confirmation, kept.status), (Confirmation::Unavailable, IncidentStatus::Open));
        let settled = settle(&fixture, &acme, row.id, &look(Confirmation::Confirmed)).unwrap();
        assert_eq!((settled.confirmation, settled.risk_level), (Confirmation::Confirmed, RiskLevel::High));
    }

    fn what_was_told_of_and_vetoed_late_stays_in_its_owners_list(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let told = unconfirmed(&fixture, &acme);
        let mut at_once = incident_row(&acme, "door", 2);
        (at_once.triage, at_once.confirmation) = (Triage::Vetoed, Confirmation::Vetoed);
        fixture.write(|conn| incidents::insert(conn, &acme.tenant, &at_once)).unwrap();
        settle(&fixture, &acme, told.id, &look(Confirmation::Vetoed)).unwrap();
        assert_eq!(listed(&fixture, &acme, None), [told.id]);
        assert_eq!(listed(&fixture, &acme, Some(Triage::New)), [told.id]);
        assert_eq!(listed(&fixture, &acme, Some(Triage::Vetoed)), [at_once.id]);
        for id in [told.id, at_once.id] {
            fixture
                .write(|conn| incidents::set_triage(conn, &acme.tenant, id, Triage::Acknowledged, None, at(95)))
                .unwrap();
        }
        assert_eq!(listed(&fixture, &acme, Some(Triage::Acknowledged)), [told.id]);
        assert_eq!(listed(&fixture, &acme, Some(Triage::Vetoed)), [at_once.id]);
    }

    fn what_its_owner_has_dealt_with_is_left_alone(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        for confirmation in [Confirmation::Confirmed, Confirmation::Vetoed] {
            let row = unconfirmed(&fixture, &acme);
            fixture
                .write(|conn| {
                    let note = Some("called them");
                    incidents::set_triage(conn, &acme.tenant, row.id, Triage::Acknowledged, note, at(80))
                })
                .unwrap();
            let before = get(&fixture, &acme, row.id);
            assert_eq!(settle(&fixture, &acme, row.id, &look(confirmation)), None);
            assert_eq!(get(&fixture, &acme, row.id), before);
            fixture.write(|conn| incidents::close(conn, &acme.tenant, row.id)).unwrap();
        }
    }

    fn a_second_look_without_reasons_takes_none_away(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let mut row = incident_row(&acme, "till", 1);
        row.confirmation = Confirmation::Unavailable;
        row.detailed_analysis = Some("first".to_owned());
        fixture.write(|conn| incidents::insert(conn, &acme.tenant, &row)).unwrap();
        let silent = SecondLook { detailed_analysis: None, ..look(Confirmation::Confirmed) };
        let settled = settle(&fixture, &acme, row.id, &silent).unwrap();
        assert_eq!(settled.detailed_analysis.as_deref(), Some("first"));
    }

    fn only_what_is_in_doubt_is_settled_and_once(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let row = unconfirmed(&fixture, &acme);
        for nothing in [Confirmation::Unavailable, Confirmation::NotNeeded] {
            assert_eq!(settle(&fixture, &acme, row.id, &look(nothing)), None);
        }
        assert_eq!(get(&fixture, &acme, row.id), row);
        assert!(settle(&fixture, &acme, row.id, &look(Confirmation::Confirmed)).is_some());
        assert_eq!(settle(&fixture, &acme, row.id, &look(Confirmation::Vetoed)), None);
        for confirmation in [Confirmation::Confirmed, Confirmation::Vetoed, Confirmation::NotNeeded] {
            let mut other = incident_row(&acme, "door", 2);
            other.confirmation = confirmation;
            fixture.write(|conn| incidents::insert(conn, &acme.tenant, &other)).unwrap();
            assert_eq!(settle(&fixture, &acme, other.id, &look(Confirmation::Vetoed)), None);
            assert_eq!(get(&fixture, &acme, other.id), other);
        }
    }

    fn a_confirmed_detection_confirms_the_incident_it_extends(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let row = unconfirmed(&fixture, &acme);
        let extend = |confirmation| {
            let again = Redetection { confirmation, ..again(5) };
            let extended = fixture.write(|conn| incidents::extend(conn, &acme.tenant, row.id, &again));
            extended.unwrap().unwrap().row.confirmation
        };
        for doubt in [Confirmation::Unavailable, Confirmation::NotNeeded] {
            assert_eq!(extend(doubt), Confirmation::Unavailable);
        }
        assert_eq!(extend(Confirmation::Confirmed), Confirmation::Confirmed);
        assert_eq!(extend(Confirmation::Unavailable), Confirmation::Confirmed, "for good");
        assert_eq!(settle(&fixture, &acme, row.id, &look(Confirmation::Vetoed)), None);
    }

    fn an_alarm_by_hand_stays_one_when_it_is_extended(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let mut row = incident_row(&acme, "till", 1);
        (row.status, row.confirmation) = (IncidentStatus::Open, Confirmation::NotNeeded);
        fixture.write(|conn| incidents::insert(conn, &acme.tenant, &row)).unwrap();
        let extended = fixture.write(|conn| incidents::extend(conn, &acme.tenant, row.id, &again(5)));
        assert_eq!(extended.unwrap().unwrap().row.confirmation, Confirmation::NotNeeded);
    }

    fn a_detection_that_waited_for_a_second_look_undoes_nothing_of_it(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let row = unconfirmed(&fixture, &acme);
        let look = look(Confirmation::Confirmed);
        let second_look = |conn: &mut AnyConnection| {
            let settled = incidents::settle_confirmation(conn, &acme.tenant, row.id, &look)?;
            assert!(settled.is_some());
            Ok::<_, DbError>(())
        };
        let unconfirmed = Redetection { confirmation: Confirmation::Unavailable, ..again(5) };
        fixture.at_once(second_look, |conn| {
            incidents::extend(conn, &acme.tenant, row.id, &unconfirmed).map(drop)
        });
        let both = get(&fixture, &acme, row.id);
        assert_eq!((both.confirmation, both.occurrences), (Confirmation::Confirmed, 2));
        assert_eq!(both.detailed_analysis.as_deref(), Some("second look"));
    }

    fn a_late_yes_that_waited_for_another_detection_in_doubt_confirms_both(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let row = unconfirmed(&fixture, &acme);
        let in_doubt = Redetection { confirmation: Confirmation::Unavailable, ..again(5) };
        let detection = |conn: &mut AnyConnection| {
            assert!(incidents::extend(conn, &acme.tenant, row.id, &in_doubt)?.is_some());
            Ok::<_, DbError>(())
        };
        let yes = look(Confirmation::Confirmed);
        let (_, late) = fixture.overlapping(detection, || Ok(()), |conn| {
            incidents::settle_confirmation(conn, &acme.tenant, row.id, &yes)
        });
        let settled = late.unwrap().expect("it is settled");
        assert_eq!((settled.row.confirmation, settled.row.occurrences), (Confirmation::Confirmed, 2));
    }

    fn a_second_look_that_waited_for_a_confirmed_detection_settles_nothing(fixture) {
        let fixture = fixture.migrated();
        let acme = fixture.customer("acme");
        let row = unconfirmed(&fixture, &acme);
        let detection = |conn: &mut AnyConnection| {
            let extended = incidents::extend(conn, &acme.tenant, row.id, &again(5))?;
            assert!(extended.is_some());
            Ok::<_, DbError>(())
        };
        let veto = look(Confirmation::Vetoed);
        let (_, late) = fixture.overlapping(detection, || Ok(()), |conn| {
            incidents::settle_confirmation(conn, &acme.tenant, row.id, &veto)
        });
        assert_eq!(late.unwrap(), None);
        let kept = get(&fixture, &acme, row.id);
        assert_eq!((kept.confirmation, kept.status), (Confirmation::Confirmed, IncidentStatus::Open));
    }
}
