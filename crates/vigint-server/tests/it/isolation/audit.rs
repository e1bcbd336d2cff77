//! The end of a run: everything that everybody has is looked at once more, to the last film and mail.

use std::time::Duration;

use vigint_core::wire::{IncidentsResponse, SourcesResponse, UsageResponse};
use vigint_testkit::mailbox::{Mail, mails};
use vigint_testkit::programs::wait_for;

use super::connection::{Answer, Connection, Request};
use super::model::Model;
use super::operations::film;
use super::oracle::{Number, Oracle, Wrong, mark};
use super::tenants::Tenant;
use super::walk::World;

/// Films are made behind requests, on half of the cores.
const FILMS: Duration = Duration::from_secs(120);
const CONNECTIONS: usize = 4;

impl World {
    /// Everything of everybody; films only when asked for, for they have to be made first.
    pub(super) fn audit(&mut self, with_films: bool) {
        let (address, oracle) = (self.server.test.address(), &self.oracle);
        let share = self.tenants.len().div_ceil(CONNECTIONS);
        let tenants = self.tenants.chunks(share);
        std::thread::scope(|scope| {
            for (tenants, models) in tenants.zip(self.models.chunks_mut(share)) {
                scope.spawn(move || {
                    let mut connection = Connection::open(address);
                    for (tenant, model) in tenants.iter().zip(models) {
                        let connection = &mut connection;
                        let mut audit = Audit {
                            connection,
                            oracle,
                            tenant,
                            model,
                        };
                        if let Err(wrong) = audit.all(with_films) {
                            panic!("at the end, of tenant {}: {wrong:?}", tenant.number);
                        }
                    }
                });
            }
        });
    }

    /// Every mail names its reader, and nobody else.
    pub(super) fn read_mails(&self) -> usize {
        let mails = mails(&self.server.test.folder().join("outbox"));
        for path in &mails {
            let mail = Mail::read(path).unwrap();
            let reader = self.tenants.iter().find(|tenant| tenant.email == mail.to);
            let reader = reader
                .unwrap_or_else(|| panic!("{} is nobody", mail.to))
                .number;
            let text = [mail.subject, mail.text, mail.html].join("\n");
            assert!(
                text.contains(&mark(reader, 0)[..8]),
                "{} says of whom it is",
                path.display()
            );
            self.oracle.judge_text(reader, &text).unwrap();
        }
        mails.len()
    }
}

struct Audit<'a> {
    connection: &'a mut Connection,
    oracle: &'a Oracle,
    tenant: &'a Tenant,
    model: &'a mut Model,
}

impl Audit<'_> {
    fn all(&mut self, with_films: bool) -> Result<(), Wrong> {
        let of_client = |what: &str| format!("/api/clients/{}/{what}", self.tenant.id);
        let (sources, list) = (of_client("sources"), of_client("incidents"));
        let shown: SourcesResponse = self
            .get("/api/clients/{client_id}/sources", &sources)?
            .json()?;
        self.model.check_sources(&shown.sources)?;
        let shown = self.get(
            "/api/clients/{client_id}/incidents",
            &format!("{list}?limit=200"),
        )?;
        let shown: IncidentsResponse = shown.json()?;
        if shown.next_cursor.is_none() {
            self.model.check_list(&shown.incidents, |_| true)?;
        }
        self.model.learn_links(&shown.incidents);
        let vetoed = "/api/incidents?status=vetoed&limit=200";
        let shown: IncidentsResponse = self.get("/api/incidents", vetoed)?.json()?;
        if shown.next_cursor.is_none() {
            self.model.check_vetoed(&shown.incidents)?;
        }
        if with_films {
            self.films()?;
        }
        // A request is counted when it has been answered: this one is not in its own answer.
        let before = self.model.clone();
        let shown: UsageResponse = self.get("/api/usage", "/api/usage")?.json()?;
        Ok(before.check_usage(&shown, None)?)
    }

    fn films(&mut self) -> Result<(), Wrong> {
        let with_film: Vec<_> = self
            .model
            .incidents
            .iter()
            .filter(|i| i.has_film)
            .map(|i| i.id.clone())
            .collect();
        for id in with_film {
            let path = format!("/api/incidents/{id}/clip");
            let made = wait_for(FILMS, || {
                let answer = self.get("/api/incidents/{id}/clip", &path);
                (!matches!(&answer, Ok(answer) if answer.status == 202)).then_some(answer)
            });
            let made =
                made.ok_or_else(|| Wrong::from(format!("the film of {id} is not made")))??;
            film(self.tenant.number, id, "GET")(&made, self.model)?;
        }
        Ok(())
    }

    fn get(&mut self, pattern: &'static str, path: &str) -> Result<Answer, Wrong> {
        let request = Request {
            method: "GET",
            path: path.to_owned(),
            key: Some(self.tenant.keys[0].text.clone()),
            ..Request::default()
        };
        let answer = self.connection.ask(&request);
        let number: Number = self.tenant.number;
        self.oracle.judge(Some(number), &answer)?;
        self.model.count(0, (pattern, "GET", answer.status));
        Ok(answer)
    }
}
