//! Isolation: many tenants at once over every customer route, and no byte of one in another's answer.
//!
//! `oracle` knows whose a word is, `model` what a tenant must find, `operations` what tenants do, `walk` lets them
//! do it. The same code runs on both databases, during a storm of connections that break, and with filters that
//! are broken on purpose, which it must notice.

mod audit;
mod broken_filter;
mod connection;
mod dice;
mod model;
mod operations;
mod oracle;
mod pictures;
mod plan;
mod storm;
mod tenants;
mod walk;

use vigint_core::clock::{Clock as _, SystemClock};
use vigint_db::Backend;

use plan::{Plan, Server};
use walk::World;

/// What CI runs. `cargo xtask isolation` runs as many as one likes.
const OPERATIONS_ON_SQLITE: usize = 20_000;
const OPERATIONS_ON_POSTGRES: usize = 4_000;

fn nothing_foreign_is_found(server: Server, plan: &Plan) {
    let database = match server.test.db().backend() {
        Backend::Sqlite => "--database sqlite",
        Backend::Postgres => "--database postgres",
    };
    let clock = SystemClock::new();
    let mut world = World::on(server, plan);
    let walked = world.walk(plan);
    let calls =
        walked.unwrap_or_else(|violation| panic!("{violation}\nagain: {}", plan.replay(database)));
    let took = clock.elapsed();
    if plan.operations >= OPERATIONS_ON_POSTGRES {
        for known in operations::all() {
            let (made, good) = calls.get(&known.route).copied().unwrap_or_default();
            assert!(
                good > 0,
                "{:?} was called {made} times, never with success",
                known.route
            );
        }
    }
    world.audit(true);
    let mails = world.read_mails();
    let films = world
        .models
        .iter()
        .flat_map(|model| &model.incidents)
        .filter(|i| i.film.is_some())
        .count();
    eprintln!(
        "isolation: {} operations in {took:.1?}, then all of everybody: {films} films, {mails} mails, {:.1?}; nothing foreign",
        plan.operations,
        clock.elapsed()
    );
}

#[test]
fn no_byte_of_one_tenant_reaches_another_on_sqlite() {
    let plan = Plan::of("SQLite", OPERATIONS_ON_SQLITE);
    nothing_foreign_is_found(Server::sqlite(), &plan);
}

#[test]
fn no_byte_of_one_tenant_reaches_another_on_postgres() {
    if let Some(server) = Server::postgres() {
        let plan = Plan::of("PostgreSQL", OPERATIONS_ON_POSTGRES);
        nothing_foreign_is_found(server, &plan);
    }
}
