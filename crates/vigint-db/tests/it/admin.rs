//! Whole commands of an operator: what each does, refuses and writes into the audit log.

use std::time::Duration;

use vigint_core::client::{ClientChanges, ClientDetails};
use vigint_core::clock::UtcTime;
use vigint_core::ids::{ClientId, KeyId};
use vigint_core::key::ApiKey;
use vigint_core::key_request::{KeyAddition, KeyRotation};
use vigint_core::locale::Locale;
use vigint_core::money::MicroEuros;
use vigint_core::random::SystemRandom;
use vigint_core::wire::{
    AddKeyRequest, AuditLine, CreatedClientResponse, KeyState, RotateKeyRequest,
    RotatedKeyResponse, UpdateClientRequest,
};
use vigint_db::admin::{Admin, AdminError};
use vigint_db::audit::AuditQuery;
use vigint_db::clients::ClientStatus;
use vigint_db::usage::UsageQuery;
use vigint_db::{DbError, Operator, spending};

use crate::fixture::{Fixture, at};

fn admin() -> Admin {
    Admin::new(Operator::named("test"), "shell:ann".to_owned())
}

fn details(name: &str) -> ClientDetails {
    ClientDetails {
        name: name.to_owned(),
        email: format!("{name}@shop.example"),
        locale: Locale::French,
        time_zone: "Europe/Paris".to_owned(),
    }
}

fn create(fixture: &Fixture, name: &str) -> (CreatedClientResponse, ApiKey) {
    let key = ApiKey::generate(&SystemRandom);
    let made = act(fixture, |conn| {
        admin().create_client(conn, &details(name), &key, at(1))
    });
    (made.unwrap(), key)
}

fn act<T>(
    fixture: &Fixture,
    act: impl FnOnce(&mut vigint_db::AnyConnection) -> Result<T, AdminError>,
) -> Result<T, AdminError> {
    fixture.db.write(act)
}

fn is_let_in(fixture: &Fixture, key: &ApiKey, now: UtcTime) -> bool {
    let caller = fixture.read(|conn| vigint_db::auth::authenticate(conn, key.hash(), now));
    caller.unwrap().is_some()
}

fn rotate(
    fixture: &Fixture,
    client: ClientId,
    asked: &RotateKeyRequest,
    now: UtcTime,
) -> Result<(RotatedKeyResponse, ApiKey), AdminError> {
    let key = ApiKey::generate(&SystemRandom);
    let asked = KeyRotation::check(asked, now)?;
    let rotated = act(fixture, |conn| {
        admin().rotate_key(conn, client, &asked, &key, now)
    });
    rotated.map(|rotated| (rotated, key))
}

fn audited(fixture: &Fixture) -> Vec<AuditLine> {
    let page = fixture.read(|conn| admin().audit(conn, &AuditQuery::default()));
    page.unwrap().audit
}

on_each_database! {
    fn the_old_key_lives_for_its_grace_and_then_dies_by_itself(fixture) {
        let fixture = fixture.migrated();
        let (made, old) = create(&fixture, "acme");
        let asked = RotateKeyRequest { grace_seconds: Some(60), ..RotateKeyRequest::default() };
        let (rotated, new) = rotate(&fixture, made.client_id, &asked, at(100)).unwrap();
        assert_eq!(rotated.replaced.id, made.key_id);
        assert_eq!(rotated.replaced.expires_at, at(160));
        assert_eq!(rotated.new.api_key, new.reveal());
        let just_before = at(160) - Duration::from_millis(1);
        assert!(is_let_in(&fixture, &old, just_before) && is_let_in(&fixture, &new, just_before));
        assert!(!is_let_in(&fixture, &old, at(160)), "exact to the millisecond");
        assert!(is_let_in(&fixture, &new, at(160)));
        let listed = fixture.read(|conn| {
            admin().list_clients(conn, Some(made.client_id), at(160)).map_err(failed)
        });
        let states: Vec<_> = listed.unwrap().clients[0].api_keys.iter().map(|key| key.state).collect();
        assert_eq!(states, [KeyState::Expired, KeyState::Active]);
    }

    fn no_grace_ends_the_old_key_at_once_and_a_grace_lengthens_no_life(fixture) {
        let fixture = fixture.migrated();
        let (made, first) = create(&fixture, "acme");
        let at_once = RotateKeyRequest { grace_seconds: Some(0), expires_seconds: Some(50), ..RotateKeyRequest::default() };
        let (_, second) = rotate(&fixture, made.client_id, &at_once, at(100)).unwrap();
        assert!(!is_let_in(&fixture, &first, at(100)) && is_let_in(&fixture, &second, at(149)));
        let (rotated, _) = rotate(&fixture, made.client_id, &RotateKeyRequest::default(), at(110)).unwrap();
        assert_eq!(rotated.replaced.expires_at, at(150), "it would have ended then anyway");
        assert!(!is_let_in(&fixture, &second, at(150)));
    }

    fn with_several_live_keys_it_must_be_said_which(fixture) {
        let fixture = fixture.migrated();
        let (made, _) = create(&fixture, "acme");
        let key = ApiKey::generate(&SystemRandom);
        let asked = AddKeyRequest { name: Some("till 2".to_owned()), ..AddKeyRequest::default() };
        let asked = KeyAddition::check(&asked, at(2)).unwrap();
        let added = act(&fixture, |conn| admin().add_key(conn, made.client_id, &asked, &key, at(2))).unwrap();
        assert!(is_let_in(&fixture, &key, at(3)));
        let refused = rotate(&fixture, made.client_id, &RotateKeyRequest::default(), at(3)).unwrap_err();
        let said = refused.to_string();
        assert!(matches!(refused, AdminError::SeveralLiveKeys { .. }), "{said}");
        for id in [made.key_id, added.key_id] {
            assert!(said.contains(&format!("{id} (")), "{said}");
        }
        assert!(said.contains("till 2") && said.contains("never used"), "{said}");
        let named = RotateKeyRequest { key_id: Some(added.key_id), ..RotateKeyRequest::default() };
        let (rotated, _) = rotate(&fixture, made.client_id, &named, at(4)).unwrap();
        assert_eq!(rotated.new.name, "till 2");
        act(&fixture, |conn| admin().revoke_client(conn, made.client_id, at(5))).unwrap();
        let none = rotate(&fixture, made.client_id, &RotateKeyRequest::default(), at(6));
        assert!(matches!(none, Err(AdminError::NoLiveKey(_))));
        let dead = rotate(&fixture, made.client_id, &named, at(6));
        assert!(matches!(dead, Err(AdminError::KeyNotLive(_))));
    }

    fn nobody_elses_key_is_touched(fixture) {
        let fixture = fixture.migrated();
        let (mine, _) = create(&fixture, "mine");
        let (theirs, their_key) = create(&fixture, "theirs");
        let named = RotateKeyRequest { key_id: Some(theirs.key_id), ..RotateKeyRequest::default() };
        assert!(matches!(
            rotate(&fixture, mine.client_id, &named, at(2)),
            Err(AdminError::KeyOfAnother { .. })
        ));
        assert!(matches!(
            act(&fixture, |conn| admin().reactivate(conn, mine.client_id, Some(theirs.key_id), at(2))),
            Err(AdminError::KeyOfAnother { .. })
        ));
        act(&fixture, |conn| admin().revoke_client(conn, mine.client_id, at(2))).unwrap();
        act(&fixture, |conn| admin().set_status(conn, mine.client_id, ClientStatus::Suspended, at(2))).unwrap();
        assert!(is_let_in(&fixture, &their_key, at(3)));
    }

    fn a_suspended_client_is_not_let_in_until_it_is_resumed(fixture) {
        let fixture = fixture.migrated();
        let (made, key) = create(&fixture, "acme");
        let set = |status| act(&fixture, |conn| admin().set_status(conn, made.client_id, status, at(2))).unwrap();
        assert!(set(ClientStatus::Suspended).changed && !set(ClientStatus::Suspended).changed);
        assert!(!is_let_in(&fixture, &key, at(3)));
        assert_eq!(set(ClientStatus::Active).status, "active");
        assert!(is_let_in(&fixture, &key, at(3)));
        let actions: Vec<_> = audited(&fixture).into_iter().map(|line| line.action).collect();
        assert_eq!(actions, ["resume", "suspend", "create"], "what changed nothing is not written down");
    }

    fn every_change_is_written_down_newest_first_without_a_secret(fixture) {
        let fixture = fixture.migrated();
        let (made, first) = create(&fixture, "acme");
        let client = made.client_id;
        let (rotated, second) = rotate(&fixture, client, &RotateKeyRequest::default(), at(2)).unwrap();
        act(&fixture, |conn| admin().revoke_key(conn, rotated.new.key_id, at(3))).unwrap();
        act(&fixture, |conn| admin().revoke_client(conn, client, at(4))).unwrap();
        act(&fixture, |conn| admin().reactivate(conn, client, None, at(5))).unwrap();
        for asked in [
            UpdateClientRequest { monthly_budget: Some(MicroEuros(20_000_000)), ..UpdateClientRequest::default() },
            UpdateClientRequest { email: Some("new@shop.example".to_owned()), ..UpdateClientRequest::default() },
        ] {
            let changes = ClientChanges::check(&asked).unwrap();
            act(&fixture, |conn| admin().update_client(conn, client, &changes, at(6))).unwrap();
        }
        let lines = audited(&fixture);
        let seen: Vec<_> = lines.iter().map(|line| (line.action.as_str(), line.key_id)).collect();
        assert_eq!(
            seen,
            [
                ("update", None),
                ("budget", None),
                ("reactivate", None),
                ("revoke", None),
                ("revoke", Some(rotated.new.key_id)),
                ("rotate", Some(made.key_id)),
                ("create", Some(made.key_id)),
            ]
        );
        for line in &lines {
            assert_eq!((line.actor.as_str(), line.client_id), ("shell:ann", Some(client)));
            for key in [&first, &second] {
                assert!(!line.detail.contains(key.reveal()) && !line.detail.contains(&key.hash().to_hex()));
            }
        }
        let page = |cursor| AuditQuery { limit: 3, cursor, ..AuditQuery::default() };
        let mut walked = Vec::new();
        let mut cursor = None;
        loop {
            let found = fixture.read(|conn| admin().audit(conn, &page(cursor.take()))).unwrap();
            walked.extend(found.audit);
            cursor = found.next_cursor;
            if cursor.is_none() { break; }
        }
        assert_eq!(walked, lines, "each once, page by page");
        let only = AuditQuery { action: Some("revoke".to_owned()), key_id: Some(rotated.new.key_id), ..AuditQuery::default() };
        assert_eq!(fixture.read(|conn| admin().audit(conn, &only)).unwrap().audit.len(), 1);
    }

    fn what_is_not_there_is_named(fixture) {
        let fixture = fixture.migrated();
        let nobody = ClientId(99);
        let key = ApiKey::generate(&SystemRandom);
        let addition = KeyAddition::check(&AddKeyRequest::default(), at(1)).unwrap();
        let changes = ClientChanges { name: Some("x".to_owned()), ..ClientChanges::default() };
        let failures = [
            act(&fixture, |conn| admin().add_key(conn, nobody, &addition, &key, at(1)).map(drop)),
            act(&fixture, |conn| admin().revoke_client(conn, nobody, at(1)).map(drop)),
            act(&fixture, |conn| admin().reactivate(conn, nobody, None, at(1)).map(drop)),
            act(&fixture, |conn| admin().set_status(conn, nobody, ClientStatus::Suspended, at(1)).map(drop)),
            act(&fixture, |conn| admin().update_client(conn, nobody, &changes, at(1)).map(drop)),
            act(&fixture, |conn| admin().delete_client(conn, nobody, at(1)).map(drop)),
            rotate(&fixture, nobody, &RotateKeyRequest::default(), at(1)).map(drop),
        ];
        for failure in failures {
            assert!(matches!(failure, Err(AdminError::NoClient(id)) if id == nobody), "{failure:?}");
        }
        let no_key = act(&fixture, |conn| admin().revoke_key(conn, KeyId(99), at(1)));
        assert!(matches!(no_key, Err(AdminError::NoKey(KeyId(99)))));
        assert_eq!(audited(&fixture), []);
    }

    fn an_address_belongs_to_one_client_in_whatever_case(fixture) {
        let fixture = fixture.migrated();
        create(&fixture, "acme");
        let (other, _) = create(&fixture, "other");
        let asked = UpdateClientRequest { email: Some("ACME@shop.example".to_owned()), ..UpdateClientRequest::default() };
        let changes = ClientChanges::check(&asked).unwrap();
        let taken = act(&fixture, |conn| admin().update_client(conn, other.client_id, &changes, at(2)));
        assert!(matches!(taken, Err(AdminError::EmailTaken(_))));
        // Nothing of a refused command is kept: the connection goes on.
        assert_eq!(audited(&fixture).len(), 2);
    }

    fn a_budget_is_kept_to_the_micro_euro_and_taken_away_by_zero(fixture) {
        let fixture = fixture.migrated();
        let (made, _) = create(&fixture, "acme");
        for (micros, kept) in [(20_000_001, Some(MicroEuros(20_000_001))), (0, None)] {
            let asked = UpdateClientRequest { monthly_budget: Some(MicroEuros(micros)), ..UpdateClientRequest::default() };
            let changes = ClientChanges::check(&asked).unwrap();
            let client = act(&fixture, |conn| admin().update_client(conn, made.client_id, &changes, at(2))).unwrap();
            assert_eq!(client.monthly_budget, kept);
        }
    }

    fn what_ai_cost_this_month_is_shown_wherever_a_client_is(fixture) {
        let fixture = fixture.migrated();
        let (one, two) = (create(&fixture, "one").0.client_id, create(&fixture, "two").0.client_id);
        let tenant = vigint_db::Tenant::by_operator(&Operator::named("test"), one);
        fixture.write(|conn| spending::add(conn, &tenant, MicroEuros(1_500_000), at(2))).unwrap();
        let listed = |only, now| {
            let listed = fixture.read(|conn| admin().list_clients(conn, only, now).map_err(failed));
            listed.unwrap().clients.iter().map(|client| (client.id, client.spent_this_month)).collect::<Vec<_>>()
        };
        assert_eq!(listed(None, at(3)), [(one, MicroEuros(1_500_000)), (two, MicroEuros::ZERO)]);
        assert_eq!(listed(Some(one), at(3)), [(one, MicroEuros(1_500_000))]);
        let next_month = at(0) + Duration::from_secs(31 * 86_400);
        assert_eq!(listed(None, next_month), [(one, MicroEuros::ZERO), (two, MicroEuros::ZERO)]);
        assert_eq!(listed(Some(one), next_month), [(one, MicroEuros::ZERO)]);
        let changes = ClientChanges { monthly_budget: Some(Some(MicroEuros(5))), ..ClientChanges::default() };
        let changed = act(&fixture, |conn| admin().update_client(conn, one, &changes, at(3))).unwrap();
        assert_eq!((changed.monthly_budget, changed.spent_this_month), (Some(MicroEuros(5)), MicroEuros(1_500_000)));
    }

    fn usage_of_all_clients_is_summed_by_key(fixture) {
        let fixture = fixture.migrated();
        let (one, two) = (fixture.customer("one"), fixture.customer("two"));
        let empty = fixture.read(|conn| admin().usage(conn, None, &UsageQuery::default(), "EUR").map_err(failed)).unwrap();
        assert_eq!((empty.usage_count, empty.total_cost, empty.keys.len()), (0, 0.0, 0));
        fixture.use_key(&one, 3, MicroEuros(100_000), at(10));
        fixture.use_key(&two, 5, MicroEuros(200_001), at(20));
        let all = fixture.read(|conn| admin().usage(conn, None, &UsageQuery::default(), "EUR").map_err(failed)).unwrap();
        assert_eq!(all.usage_count, 8);
        assert_eq!(format!("{:.6}", all.total_cost), "0.300001");
        let keys: Vec<_> = all.keys.iter().map(|key| (key.client_id, key.usage_count)).collect();
        assert_eq!(keys, [(one.row.id, 3), (two.row.id, 5)]);
        assert_eq!(all.usage[0].client_id, two.row.id, "newest first");
        let only = fixture.read(|conn| admin().usage(conn, Some(one.row.id), &UsageQuery::default(), "EUR").map_err(failed)).unwrap();
        assert_eq!((only.usage_count, only.keys.len(), only.usage.len()), (3, 1, 1));
        let early = UsageQuery { to: Some(at(15)), ..UsageQuery::default() };
        let early = fixture.read(|conn| admin().usage(conn, None, &early, "EUR").map_err(failed)).unwrap();
        assert_eq!((early.usage_count, early.keys.len()), (3, 1));
    }
}

fn failed(error: AdminError) -> DbError {
    match error {
        AdminError::Database(error) => error,
        other => panic!("{other}"),
    }
}

on_each_database! {
    fn a_client_wide_revoke_leaves_no_key_that_a_command_was_just_making(fixture) {
        let fixture = fixture.migrated();
        for command in ["rotate", "add-key"] {
            let (made, old) = create(&fixture, command);
            let new = ApiKey::generate(&SystemRandom);
            let make = |conn: &mut vigint_db::AnyConnection| match command {
                "rotate" => {
                    let asked = KeyRotation::check(&RotateKeyRequest::default(), at(5))?;
                    admin().rotate_key(conn, made.client_id, &asked, &new, at(5)).map(drop)
                }
                _ => {
                    let asked = KeyAddition::check(&AddKeyRequest::default(), at(5))?;
                    admin().add_key(conn, made.client_id, &asked, &new, at(5)).map(drop)
                }
            };
            fixture.at_once(make, |conn: &mut vigint_db::AnyConnection| {
                admin().revoke_client(conn, made.client_id, at(6)).map(drop)
            });
            for key in [&old, &new] {
                assert!(!is_let_in(&fixture, key, at(7)), "{command}");
            }
        }
    }

    fn a_key_that_was_ended_at_once_is_not_given_a_grace_by_another_rotation(fixture) {
        let fixture = fixture.migrated();
        let (made, old) = create(&fixture, "acme");
        let rotate = |grace: u64| {
            let key = ApiKey::generate(&SystemRandom);
            let asked = RotateKeyRequest {
                key_id: Some(made.key_id),
                grace_seconds: Some(grace),
                ..RotateKeyRequest::default()
            };
            move |conn: &mut vigint_db::AnyConnection| {
                let asked = KeyRotation::check(&asked, at(5))?;
                match admin().rotate_key(conn, made.client_id, &asked, &key, at(5)) {
                    // The other was first: there is nothing left to replace.
                    Ok(_) | Err(AdminError::KeyNotLive(_)) => Ok(()),
                    Err(error) => Err(error),
                }
            }
        };
        fixture.at_once(rotate(0), rotate(86_400));
        assert!(!is_let_in(&fixture, &old, at(6)));
    }
}
