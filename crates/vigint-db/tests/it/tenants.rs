use vigint_core::incident::{AlertState, ClipState, IncidentStatus, Triage};
use vigint_core::money::MicroEuros;
use vigint_core::verdict::{Confirmation, RiskLevel};
use vigint_db::alerts::AlertRow;
use vigint_db::clips::MadeClip;
use vigint_db::incidents::{IncidentQuery, SecondLook};
use vigint_db::spending::Cap;
use vigint_db::usage::UsageQuery;
use vigint_db::{alerts, clients, clips, incidents, keys, sources, spending, usage};

use crate::fixture::{
    ADMIN, again, at, hear, incident_row, new_alert, new_clip, new_usage, source,
};

on_each_database! {
    fn a_tenant_sees_and_changes_nothing_of_anothers(fixture) {
        let fixture = fixture.migrated();
        let (victim, thief) = (fixture.customer("victim"), fixture.customer("thief"));
        let mut incident = incident_row(&victim, "till", 1);
        incident.status = IncidentStatus::Open;
        incident.confirmation = Confirmation::Unavailable;
        let clip = new_clip(&incident, 1);
        let alert = new_alert(Some(&incident), at(0));
        let till = source("till");
        let claimed = fixture
            .write(|conn| {
                incidents::insert(conn, &victim.tenant, &incident)?;
                clips::insert(conn, &victim.tenant, &clip)?;
                alerts::insert(conn, &victim.tenant, &alert)?;
                hear(conn, &victim.tenant, "till", None, at(1))?;
                usage::insert(conn, &victim.tenant, &new_usage(victim.key.id, 1))?;
                spending::add(conn, &victim.tenant, MicroEuros(7), at(1))?;
                assert!(spending::claim_warning(conn, Cap::OfClient(&victim.tenant), MicroEuros(20), 80, at(1))?);
                alerts::claim_due(conn, &ADMIN, at(1), at(60), &[])
            })
            .unwrap()
            .unwrap();
        let me = &thief.tenant;
        let made = MadeClip { bytes: 1, duration_ms: 1, width: 2, height: 2, sha256: String::new() };
        let look = SecondLook {
            confirmation: Confirmation::Vetoed,
            incident_type: String::new(),
            risk_level: RiskLevel::Low,
            description: String::new(),
            detailed_analysis: None,
            occurrences: 1,
            at: at(2),
        };
        fixture
            .write(|conn| {
                assert_eq!(clients::get(conn, me)?.unwrap().id, thief.row.id);
                assert_eq!(keys::list(conn, me)?, std::slice::from_ref(&thief.key));
                assert!(!keys::revoke(conn, me, victim.key.id, at(2))?);
                assert!(sources::list(conn, me)?.is_empty());
                assert!(!sources::mark_silent(conn, me, &till, at(1))?);
                assert!(!sources::delete(conn, me, &till)?);

                let usage = usage::list(conn, me, &UsageQuery::default())?;
                assert_eq!((usage.rows.len(), usage.usage_count, usage.total_cost.0), (0, 0, 0));
                let of_their_key = UsageQuery { key_id: Some(victim.key.id), ..UsageQuery::default() };
                assert_eq!(usage::list(conn, me, &of_their_key)?.usage_count, 0);

                assert_eq!(incidents::get(conn, me, incident.id)?, None);
                assert_eq!(incidents::open_of_source(conn, me, &till)?, None);
                assert!(incidents::list(conn, me, &IncidentQuery::default())?.incidents.is_empty());
                let extended = incidents::extend(conn, me, incident.id, &again(2))?;
                assert_eq!(extended, None);
                assert_eq!(incidents::settle_confirmation(conn, me, incident.id, &look)?, None);
                assert!(!incidents::close(conn, me, incident.id)?);
                let triaged = incidents::set_triage(conn, me, incident.id, Triage::Dismissed, None, at(2))?;
                assert_eq!(triaged, None);

                assert_eq!(clips::of_incident(conn, me, incident.id)?, None);
                assert!(!clips::mark_ready(conn, me, clip.id, &made)?);
                assert!(!clips::mark_failed(conn, me, clip.id, 0, "mine now")?);
                assert!(!clips::lease_until(conn, me, clip.id, 0, at(2))?);
                assert!(!clips::mark_expired(conn, me, clip.id)?);

                assert_eq!(alerts::get(conn, me, alert.id)?, None);
                let next = AlertRow { created_at: at(9), ..claimed.alert.clone() };
                assert_eq!(alerts::sent_before(conn, me, &next, at(0))?, 0);
                assert_eq!(alerts::thread_of_incident(conn, me, incident.id)?, None);
                assert_eq!(alerts::held_for(conn, me, alert.id, 9)?, alerts::HeldAlerts::default());
                assert_eq!(alerts::wake_for_incident(conn, me, incident.id, at(0))?, 0);

                assert_eq!(spending::state(conn, me, at(2))?.client_spent, MicroEuros::ZERO);
                assert!(spending::claim_warning(conn, Cap::OfClient(me), MicroEuros(20), 80, at(2))?);

                // These act on a whole client: the thief's own, and nobody else.
                assert_eq!(keys::revoke_all(conn, me, at(2))?, 1);
                assert_eq!(keys::reactivate_all(conn, me, at(2))?, 1);
                assert!(clients::set_status(conn, me, clients::ClientStatus::Suspended, at(2))?);
                assert!(clients::delete(conn, &ADMIN, me, at(2))?.is_some());
                Ok(())
            })
            .unwrap();

        let own = &victim.tenant;
        fixture
            .read(|conn| {
                assert_eq!(clients::get(conn, own)?, Some(victim.row.clone()));
                assert_eq!(keys::list(conn, own)?, std::slice::from_ref(&victim.key));
                assert_eq!(sources::list(conn, own)?.len(), 1);
                assert_eq!(usage::list(conn, own, &UsageQuery::default())?.usage_count, 1);
                assert_eq!(spending::state(conn, own, at(3))?.client_spent, MicroEuros(7));
                assert!(!spending::claim_warning(conn, Cap::OfClient(own), MicroEuros(20), 80, at(3))?);
                assert_eq!(incidents::get(conn, own, incident.id)?, Some(incident.clone()));
                assert_eq!(clips::of_incident(conn, own, incident.id)?.unwrap().state, ClipState::Pending);
                assert_eq!(alerts::get(conn, own, alert.id)?.unwrap().state, AlertState::Sending);
                Ok(())
            })
            .unwrap();
    }
}
