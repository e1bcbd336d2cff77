//! The customer of the demo: made by vigint-admin, known to vigint-client by its `.env`, and asking the
//! server with its key.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use vigint_core::wire::{AnalysisResponse, CreatedClientResponse, IncidentInfo, IncidentsResponse};
use vigint_testkit::programs::{ServerProcess, command};

use crate::loopback;

/// How long the server may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// A client with its key.
pub(super) struct Customer {
    pub(super) email: String,
    key: String,
}

impl Customer {
    /// Makes one in the database of this server.
    pub(super) fn create(admin: &Path, server: &ServerProcess) -> anyhow::Result<Self> {
        let email = "security@demo.example";
        let output = command(admin, server.folder())
            .args(["create", "--name", "Demo Shop", "--email", email])
            .args(["--locale", "en", "--json"])
            .output()
            .context("cannot run vigint-admin")?;
        let said = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            bail!(
                "vigint-admin could not make a client ({}): {}",
                output.status,
                said.trim()
            );
        }
        let created: CreatedClientResponse =
            serde_json::from_slice(&output.stdout).with_context(|| {
                format!("vigint-admin does not answer what it promises; it also said: {said}")
            })?;
        Ok(Self {
            email: created.email,
            key: created.api_key,
        })
    }

    /// Writes what vigint-client reads, for its owner's eyes only.
    pub(super) fn write_env_file(&self, folder: &Path, server_url: &str) -> anyhow::Result<()> {
        let path = folder.join(".env");
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let mut file = options
            .open(&path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        write!(
            file,
            "VIGINT_API_KEY={}\nVIGINT_SERVER_URL={server_url}\n",
            self.key
        )?;
        Ok(())
    }

    /// How many of its incidents were vetoed.
    pub(super) fn count_vetoed(&self, server_url: &str) -> anyhow::Result<usize> {
        let body = self.get(&format!("{server_url}/api/incidents?status=vetoed"))?;
        let page: IncidentsResponse = serde_json::from_str(&body)
            .with_context(|| format!("these are no incidents: {body}"))?;
        Ok(page.incidents.len())
    }

    /// The incident that an analysis opened, as the server keeps it.
    pub(super) fn fetch_incident(
        &self,
        server_url: &str,
        analysis: &AnalysisResponse,
    ) -> anyhow::Result<IncidentInfo> {
        let incident = analysis
            .incident
            .as_ref()
            .context("the analysis names no incident")?;
        let body = self.get(&format!("{server_url}/api/incidents/{}", incident.id))?;
        serde_json::from_str(&body).with_context(|| format!("this is no incident: {body}"))
    }

    fn get(&self, url: &str) -> anyhow::Result<String> {
        let mut answer = loopback::agent(ANSWER_LIMIT)
            .get(url)
            .header("Authorization", format!("Bearer {}", self.key))
            .call()
            .with_context(|| format!("the server does not show {url}"))?;
        let body = answer.body_mut().read_to_string()?;
        ensure!(
            answer.status() == 200,
            "the server does not show {url}: {body}"
        );
        Ok(body)
    }
}
