//! A server that asks a stand-in, and a client of it.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::json;
use vigint_core::clock::UtcTime;
use vigint_core::wire::AnalysisResponse;
use vigint_testkit::model::ModelStandIn;
use vigint_testkit::programs::ServerProcess;

use crate::bench::customer::Customer;
use crate::loopback;

/// Longer than an analysis may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

pub(super) struct World {
    pub(super) server: ServerProcess,
    pub(super) model: ModelStandIn,
    folder: tempfile::TempDir,
}

impl World {
    /// With these settings in `[AI]`, and no limit that is ever reached.
    pub(super) fn start(programs: &Path, ai: &str) -> anyhow::Result<Self> {
        let model = ModelStandIn::start().context("the stand-in does not start")?;
        let folder = tempfile::tempdir()?;
        let config = format!(
            "[Logging]\nlevel = warn\n[Limits]\nrequests_per_second = 1000000\nburst = 1000000\n\
             analyses_per_minute = 1000000\n[AI]\ngemini_api_key = {}\ngemini_base_url = {}\n{ai}",
            model.api_key(),
            model.base_url()
        );
        std::fs::write(folder.path().join("config.ini"), config)?;
        let program = programs.join("vigint-server");
        let server = ServerProcess::start_program(&program, folder.path(), &["serve"])?;
        Ok(Self {
            server,
            model,
            folder,
        })
    }

    /// A new client, and how it asks.
    pub(super) fn caller(&self, programs: &Path, number: u8) -> anyhow::Result<Caller> {
        let customer = Customer::create(&programs.join("vigint-admin"), &self.server, number)?;
        Ok(Caller {
            agent: loopback::agent(ANSWER_LIMIT),
            url: self.server.url().to_owned(),
            bearer: format!("Bearer {}", customer.key),
        })
    }

    /// Stops the server and removes what it left.
    pub(super) fn stop(self) -> anyhow::Result<()> {
        drop(self.model);
        let status = self.server.stop();
        ensure!(status.success(), "the server did not stop: {status}");
        self.folder.close().context("cannot remove its folder")
    }
}

/// A client of the server.
pub(super) struct Caller {
    agent: ureq::Agent,
    url: String,
    bearer: String,
}

impl Caller {
    /// Pushes one frame of a source, taken at this time, or now.
    pub(super) fn push(
        &self,
        source: &str,
        at: Option<UtcTime>,
        jpeg: &[u8],
    ) -> anyhow::Result<()> {
        let at = at.map_or_else(String::new, |at| format!("&captured_at={at}"));
        let url = format!("{}/api/video/buffer?source_id={source}{at}", self.url);
        let mut answer = self
            .agent
            .post(url)
            .header("Authorization", &self.bearer)
            .content_type("image/jpeg")
            .send(jpeg)?;
        let body = answer.body_mut().read_to_string()?;
        ensure!(answer.status() == 200, "a frame was refused: {body}");
        Ok(())
    }

    pub(super) fn analyze(&self, source: &str) -> anyhow::Result<AnalysisResponse> {
        let mut answer = self
            .agent
            .post(format!("{}/api/video/analyze", self.url))
            .header("Authorization", &self.bearer)
            .send(json!({"source_id": source}).to_string())?;
        let body = answer.body_mut().read_to_string()?;
        ensure!(answer.status() == 200, "an analysis failed: {body}");
        serde_json::from_str(&body).context("this is no analysis")
    }
}
