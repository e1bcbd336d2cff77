//! `cargo xtask isolation`: the walk of many tenants over every customer route, as long as one likes. The walk
//! itself is a test of vigint-server (`tests/it/isolation/`); here it is only asked for.

use clap::{Args, ValueEnum};

use crate::{cargo, packages, say};

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Requests
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..))]
    operations: u64,
    /// What everything that is done follows from; a new one each time unless given
    #[arg(long)]
    seed: Option<u64>,
    /// Tenants
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(2..=60_000))]
    tenants: u32,
    /// Threads that send, at most half as many as tenants; with one, the same seed does exactly the same again
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=256))]
    threads: u32,
    /// Where the server keeps its rows
    #[arg(long, value_enum, default_value_t = Database::Sqlite)]
    database: Database,
    /// Cut all tenants off in the middle of a request, again and again, instead of a walk: with fixed operations
    /// of 200 tenants
    #[arg(long)]
    storm: bool,
    /// Build for speed
    #[arg(long)]
    release: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Database {
    Sqlite,
    Postgres,
}

impl Options {
    const fn test(&self) -> &'static str {
        match (self.storm, self.database) {
            (false, Database::Sqlite) => {
                "isolation::no_byte_of_one_tenant_reaches_another_on_sqlite"
            }
            (false, Database::Postgres) => {
                "isolation::no_byte_of_one_tenant_reaches_another_on_postgres"
            }
            (true, Database::Sqlite) => {
                "isolation::storm::a_reconnect_storm_mixes_nothing_and_holds_no_room_on_sqlite"
            }
            (true, Database::Postgres) => {
                "isolation::storm::a_reconnect_storm_mixes_nothing_and_holds_no_room_on_postgres"
            }
        }
    }
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    packages::ensure_compiler()?;
    if matches!(options.database, Database::Postgres) {
        packages::ensure_postgres()?;
    }
    say::step("Many tenants at once");
    let mut command = cargo::command("cargo", &["test", "--package", "vigint-server"]);
    if options.release {
        command.arg("--release");
    }
    // Not by cargo nextest, which ends what takes long.
    command
        .args(["--test", "it", "--", "--exact", "--nocapture"])
        .arg(options.test())
        .env("VIGINT_REQUIRE_POSTGRES", "1")
        .env(
            "VIGINT_ISOLATION_OPERATIONS",
            options.operations.to_string(),
        )
        .env("VIGINT_ISOLATION_TENANTS", options.tenants.to_string())
        .env("VIGINT_ISOLATION_THREADS", options.threads.to_string());
    if let Some(seed) = options.seed {
        command.env("VIGINT_ISOLATION_SEED", seed.to_string());
    }
    cargo::run(&mut command)
}
