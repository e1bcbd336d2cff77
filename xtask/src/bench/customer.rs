//! A client of a server that is measured or tried.

use std::path::Path;

use anyhow::{Context as _, ensure};
use vigint_core::wire::CreatedClientResponse;
use vigint_testkit::programs::{ServerProcess, command};

/// One client, with its key.
pub(crate) struct Customer {
    pub(crate) id: String,
    pub(crate) key: String,
}

impl Customer {
    /// Makes one in the database of this server.
    pub(crate) fn create(admin: &Path, server: &ServerProcess, number: u8) -> anyhow::Result<Self> {
        let (name, email) = (
            format!("Bench {number}"),
            format!("bench{number}@bench.example"),
        );
        let output = command(admin, server.folder())
            .args(["create", "--name", &name, "--email", &email, "--json"])
            .output()
            .context("cannot run vigint-admin")?;
        ensure!(
            output.status.success(),
            "vigint-admin failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let created: CreatedClientResponse = serde_json::from_slice(&output.stdout)?;
        Ok(Self {
            id: created.client_id.to_string(),
            key: created.api_key,
        })
    }
}
