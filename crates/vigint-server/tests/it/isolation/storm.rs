//! A storm: everybody is cut off in the middle of a request, all at the same moment, and is back at once.

use std::net::TcpStream;
use std::sync::Barrier;
use std::time::Duration;

use vigint_server::state::Parts;
use vigint_testkit::programs::wait_for;

use super::connection::{Connection, Request};
use super::dice::Dice;
use super::model::Model;
use super::operations::{self, Scene};
use super::plan::{Plan, Server};
use super::tenants::Tenant;
use super::walk::{World, judge};

const TENANTS: usize = 200;
const ROUNDS: usize = 3;
const BEFORE_AND_AFTER: usize = 1_200;
/// What each does when it is back.
const OPERATIONS_BACK: usize = 6;
/// A body of this size or more takes a MiB of the room for bodies before any of it comes.
const SHARE: usize = 1024 * 1024;

fn plan(database: &str) -> Plan {
    Plan {
        operations: BEFORE_AND_AFTER,
        tenants: TENANTS,
        ..Plan::of(database, BEFORE_AND_AFTER)
    }
}

/// Exactly as much room for bodies as all tenants take who send a large one each.
fn config() -> String {
    format!("[VideoAnalysis]\nmax_inflight_bytes = {TENANTS} MiB\n")
}

/// Nobody is given up for being slow while the others are looked at.
fn patient(parts: &mut Parts) {
    parts.body_patience = Duration::from_secs(300);
}

fn a_storm_passes(server: Server, plan: &Plan) {
    let mut world = World::on(server, plan);
    let walk = |world: &mut World| {
        let walked = world.walk(plan);
        walked.unwrap_or_else(|violation| panic!("{violation}\nagain: {}", plan.replay("--storm")));
    };
    walk(&mut world);
    for round in 0..ROUNDS {
        world.storm(plan.seed, round);
    }
    world.room_for_bodies_is_whole();
    walk(&mut world);
    world.audit(false);
}

#[test]
fn a_reconnect_storm_mixes_nothing_and_holds_no_room_on_sqlite() {
    a_storm_passes(
        Server::sqlite_with(&config(), patient),
        &plan("storm, SQLite"),
    );
}

#[test]
fn a_reconnect_storm_mixes_nothing_and_holds_no_room_on_postgres() {
    if let Some(server) = Server::postgres_with(&config(), patient) {
        a_storm_passes(server, &plan("storm, PostgreSQL"));
    }
}

impl World {
    fn storm(&mut self, seed: u64, round: usize) {
        let known = operations::all();
        let (address, oracle, start) = (self.server.test.address(), &self.oracle, self.start);
        let (first, tenants) = (self.done, &self.tenants);
        let all_are_in_the_middle = Barrier::new(tenants.len());
        std::thread::scope(|scope| {
            for (tenant, model) in tenants.iter().zip(&mut self.models) {
                let (known, all_are_in_the_middle) = (&known, &all_are_in_the_middle);
                let first = first + tenant.number * OPERATIONS_BACK;
                let mut dice = Dice::new(seed ^ u64::try_from(first).unwrap(), tenant.number);
                scope.spawn(move || {
                    let mut connection = Connection::open(address);
                    connection.send(&begin(&mut dice, tenant));
                    // One of them may be counted that was whole, and one that was not.
                    model.broken_off += 2;
                    all_are_in_the_middle.wait();
                    cut_off(connection, dice.once_in(2));

                    let mut connection = Connection::open(address);
                    for operation in first..first + OPERATIONS_BACK {
                        let known = operations::draw_route(&mut dice, known);
                        let prepared = (known.draw)(&mut Scene {
                            dice: &mut dice,
                            me: tenant,
                            model,
                            other: &tenants[(tenant.number + 1) % tenants.len()],
                            others: &Model::default(),
                            operation,
                            start,
                        });
                        let request = prepared.request.clone();
                        let answer = connection.ask(&request);
                        if let Err(wrong) = judge(oracle, known, prepared, model, &answer) {
                            panic!(
                                "seed {seed}, round {round}, tenant {}, {} {}: {wrong:?}",
                                tenant.number, request.method, request.path
                            );
                        }
                    }
                });
            }
        });
        self.done += tenants.len() * OPERATIONS_BACK;
    }

    /// The room for bodies is as large as before: everybody's share of it can be had at the same time, and then
    /// there is none for a byte more.
    fn room_for_bodies_is_whole(&mut self) {
        // What was cut off is let go of when the server notices: soon.
        let whole = wait_for(Duration::from_secs(60), || {
            self.everybody_has_a_share().then_some(())
        });
        assert!(whole.is_some(), "bodies that never came still take room");
        let is_free = wait_for(Duration::from_secs(60), || {
            (self.status_of_a_small_body() == 422).then_some(())
        });
        assert!(
            is_free.is_some(),
            "and so do those that were let go of after that"
        );
    }

    fn everybody_has_a_share(&mut self) -> bool {
        let address = self.server.test.address().to_owned();
        let mut held = Vec::new();
        for (tenant, model) in self.tenants.iter().zip(&mut self.models) {
            let mut connection = Connection::open(&address);
            connection.send(&large(tenant)[..200]);
            model.broken_off += 1;
            held.push(connection);
        }
        let is_full = wait_for(Duration::from_secs(20), || {
            (self.status_of_a_small_body() == 503).then_some(())
        });
        // Both threads of the server come by all their connections meanwhile.
        let stays_full = (0..20).all(|_| self.status_of_a_small_body() == 503);
        is_full.is_some()
            && stays_full
            && held
                .iter_mut()
                .all(|connection| is_waiting(connection.stream()))
    }

    /// Of a body that is no picture: 422 when there is room for it.
    fn status_of_a_small_body(&mut self) -> u16 {
        let (tenant, model) = (&self.tenants[0], &mut self.models[0]);
        let request = Request {
            method: "POST",
            path: "/api/video/buffer".to_owned(),
            key: Some(tenant.keys[0].text.clone()),
            content_type: "image/jpeg",
            body: vec![0],
            ..Request::default()
        };
        let answer = Connection::open(self.server.test.address()).ask(&request);
        model.count(0, ("/api/video/buffer", "POST", answer.status));
        answer.status
    }
}

/// The beginning of something: half a frame, a little of a large batch, half a head, or a whole request whose answer
/// nobody will read and half of the next.
fn begin(dice: &mut Dice, tenant: &Tenant) -> Vec<u8> {
    let key = Some(dice.pick(&tenant.keys).text.clone());
    let frame = Request {
        method: "POST",
        path: "/api/video/buffer?source_id=till".to_owned(),
        key: key.clone(),
        content_type: "image/jpeg",
        body: tenant.blank.clone(),
        ..Request::default()
    };
    let frame = frame.bytes();
    let list = Request {
        method: "GET",
        path: "/api/incidents".to_owned(),
        key,
        ..Request::default()
    };
    match dice.below(4) {
        0 => frame[..frame.len() - tenant.blank.len() / 2].to_vec(),
        1 => large(tenant)[..1_000].to_vec(),
        2 => frame[..40].to_vec(),
        _ => [&list.bytes(), &frame[..frame.len() - 1]].concat(),
    }
}

/// A batch so large that its share is a whole one.
fn large(tenant: &Tenant) -> Vec<u8> {
    let request = Request {
        method: "POST",
        path: "/api/video/buffer/batch".to_owned(),
        key: Some(tenant.keys[1].text.clone()),
        content_type: "application/json",
        body: vec![b' '; SHARE + 1],
        ..Request::default()
    };
    request.bytes()
}

/// With a reset, as from a machine that fell over, or as programs end.
fn cut_off(mut connection: Connection, with_reset: bool) {
    if with_reset {
        let at_once = Some(Duration::ZERO);
        rustix::net::sockopt::set_socket_linger(connection.stream(), at_once).unwrap();
    }
}

/// Whether nothing was answered on it.
fn is_waiting(stream: &mut TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let peeked = stream.peek(&mut [0]);
    peeked.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}
