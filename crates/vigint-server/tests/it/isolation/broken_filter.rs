//! The walk must notice a filter that does not filter. What ships has no hook for that: the filters are broken from
//! outside. In the database a view that shows every client's rows to each takes the place of a table, so that
//! `WHERE client_id = …` holds for all of them; an analyzer and an encoder mix up what they are given.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use vigint_core::verdict::Stage;
use vigint_server::analysis::{Analyzer, AnalyzerError, Look, Opinion};
use vigint_server::state::Parts;
use vigint_video::clip::{ClipEncoder, ClipError, ClipFrame, ClipInfo, H264ClipEncoder};

use super::operations::Known;
use super::oracle::Wrong;
use super::pictures::{ReadsComments, comment_of};
use super::plan::{Plan, Server};
use super::walk::{Violation, World};

/// Few tenants meet often.
const TENANTS: usize = 12;
/// Enough for everybody to have something of each kind.
const TO_BEGIN_WITH: usize = 600;
/// A walk over one broken route does not need as many to notice.
const UNTIL_NOTICED: usize = 200;

fn plan(operations: usize, calls: fn(&Known) -> bool) -> Plan {
    Plan {
        operations,
        seed: 4,
        tenants: TENANTS,
        threads: 2,
        calls,
    }
}

fn is_foreign(violation: &Violation) -> bool {
    matches!(&violation.wrong, Wrong::Foreign { owner, .. } if *owner != violation.tenant)
}

/// Each incident is everybody's.
const INCIDENTS_OF_ALL: &str = "
    ALTER TABLE incidents RENAME TO incidents_kept;
    CREATE VIEW incidents AS
        SELECT i.id, c.id AS client_id, i.api_key_id, i.source_id, i.source_name, i.status, i.triage,
            i.incident_type, i.risk_level, i.description, i.analysis, i.detailed_analysis, i.confirmation,
            i.is_manual, i.occurrences, i.frame_count, i.first_seen_at, i.last_seen_at, i.detected_at, i.note,
            i.created_at, i.updated_at, i.confirmation_settled_at
        FROM incidents_kept i CROSS JOIN clients c;";

/// Each key is everybody's, but leads to its own client as before: only lists are wrong.
const KEYS_OF_ALL: &str = "
    ALTER TABLE api_keys RENAME TO api_keys_kept;
    CREATE VIEW api_keys AS
        SELECT k.id, c.id AS client_id,
            CASE WHEN c.id = k.client_id THEN k.key_hash ELSE 'nobody''s' END AS key_hash,
            k.key_prefix, k.name, k.scope, k.is_active, k.expires_at, k.revoked_at, k.last_used_at,
            k.created_at, k.updated_at
        FROM api_keys_kept k CROSS JOIN clients c;";

/// And after that: each key leads to whichever client comes first.
const KEYS_TO_ALL: &str = "
    DROP VIEW api_keys;
    CREATE VIEW api_keys AS
        SELECT k.id, c.id AS client_id, k.key_hash, k.key_prefix, k.name, k.scope, k.is_active, k.expires_at,
            k.revoked_at, k.last_used_at, k.created_at, k.updated_at
        FROM api_keys_kept k CROSS JOIN clients c;";

/// The server notes in that table when a key was last used: a view has to take that.
const SQLITE_TAKES_NOTES: &str = "
    CREATE TRIGGER api_keys_noted INSTEAD OF UPDATE ON api_keys BEGIN SELECT 1; END;";
const POSTGRES_TAKES_NOTES: &str = "
    CREATE RULE api_keys_noted AS ON UPDATE TO api_keys DO INSTEAD NOTHING;";

fn lists_incidents(known: &Known) -> bool {
    known.route.1.ends_with("/incidents")
}

fn lists_keys(known: &Known) -> bool {
    known.route.1.ends_with("/keys")
}

fn asks_who_it_is(known: &Known) -> bool {
    known.route.1 == "/api/whoami"
}

fn counts_usage(known: &Known) -> bool {
    known.route.1.ends_with("/usage")
}

fn broken_filters_are_noticed(server: Server, takes_notes: &str) {
    let all = plan(TO_BEGIN_WITH, |_| true);
    let mut world = World::on(server, &all);
    let walked = world.walk(&all);
    walked.unwrap_or_else(|violation| panic!("before anything is broken: {violation}"));
    let mut noticed = |statements: &str, calls| {
        world.server.test.sql(statements);
        let walked = world.walk(&plan(UNTIL_NOTICED, calls));
        let violation = walked.expect_err("the broken filter is noticed");
        eprintln!("isolation: noticed: {violation}");
        violation
    };

    // Usage holds no word by which it could be told whose it is: it is counted.
    let violation = noticed(&format!("{KEYS_OF_ALL}{takes_notes}"), counts_usage);
    assert!(
        violation.to_string().contains("usage_count is"),
        "{violation}"
    );
    let violation = noticed("", lists_keys);
    assert!(is_foreign(&violation), "{violation}");
    let violation = noticed(INCIDENTS_OF_ALL, lists_incidents);
    assert!(is_foreign(&violation), "{violation}");
    let violation = noticed(KEYS_TO_ALL, asks_who_it_is);
    assert!(is_foreign(&violation), "{violation}");
}

#[test]
fn a_filter_broken_in_the_database_is_noticed_on_sqlite() {
    broken_filters_are_noticed(Server::sqlite(), SQLITE_TAKES_NOTES);
}

#[test]
fn a_filter_broken_in_the_database_is_noticed_on_postgres() {
    if let Some(server) = Server::postgres() {
        broken_filters_are_noticed(server, POSTGRES_TAKES_NOTES);
    }
}

/// Judges the look before the one it is given, when that was another tenant's.
#[derive(Default)]
struct MixesLooks(Mutex<Option<Look>>);

impl MixesLooks {
    fn mixed(&self, stage: Stage, look: &Look) -> Result<Opinion, AnalyzerError> {
        let whose = |look: &Look| comment_of(&look.frames[0].jpeg)[..8].to_owned();
        let before = self.0.lock().unwrap().replace(look.clone());
        let before = before.filter(|before| whose(before) != whose(look));
        Ok(ReadsComments::opinion(
            stage,
            before.as_ref().unwrap_or(look),
        ))
    }
}

impl Analyzer for MixesLooks {
    fn kind(&self) -> &'static str {
        "motion"
    }

    fn label(&self, _: Stage) -> String {
        "mixed".to_owned()
    }

    fn look<'a>(
        &'a self,
        stage: Stage,
        look: &'a Look,
        _: Duration,
    ) -> BoxFuture<'a, Result<Opinion, AnalyzerError>> {
        Box::pin(std::future::ready(self.mixed(stage, look)))
    }
}

/// Gives everybody the first film it made.
#[derive(Default)]
struct MixesFilms(Mutex<Option<(Vec<u8>, ClipInfo)>>);

impl ClipEncoder for MixesFilms {
    fn encode(
        &self,
        frames: &mut dyn Iterator<Item = io::Result<ClipFrame>>,
        out: &mut dyn io::Write,
    ) -> Result<ClipInfo, ClipError> {
        let mut first = self.0.lock().unwrap();
        if first.is_none() {
            let mut film = Vec::new();
            let info = H264ClipEncoder::default().encode(frames, &mut film)?;
            *first = Some((film, info));
        }
        let (film, info) = first.as_ref().unwrap();
        out.write_all(film)
            .map_err(|error| ClipError::Write(error.to_string()))?;
        Ok(*info)
    }
}

fn mixed(change: impl FnOnce(&mut Parts) + 'static) -> Violation {
    let all = plan(4 * TO_BEGIN_WITH, |_| true);
    let mut world = World::on(Server::sqlite_with("", change), &all);
    world.walk(&all).expect_err("what is mixed up is noticed")
}

#[test]
fn frames_of_another_are_noticed_in_what_an_analysis_says_of_them() {
    let violation = mixed(|parts| parts.analyzer = Some(Arc::new(MixesLooks::default())));
    assert!(is_foreign(&violation), "{violation}");
    assert!(
        violation.request.ends_with("/api/video/analyze"),
        "{violation}"
    );
}

#[test]
fn a_film_of_another_is_noticed_by_its_pictures() {
    let violation = mixed(|parts| parts.clip_encoder = Arc::new(MixesFilms::default()));
    assert!(is_foreign(&violation), "{violation}");
    assert!(violation.to_string().contains("a film"), "{violation}");
}
