//! What the server says of this client: usage and incidents. Clips are in `film`.

use reqwest::RequestBuilder;
use url::Url;
use vigint_core::clock::UtcTime;
use vigint_core::ids::{IncidentId, SourceId};
use vigint_core::incident::Triage;
use vigint_core::wire::{IncidentInfo, IncidentsResponse, TriageRequest, UsageResponse};

use super::{ApiError, Uplink};

/// Which lines of the meter are meant; without anything all of them, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsageQuery {
    /// From this moment on.
    pub from: Option<UtcTime>,
    /// Before this moment.
    pub to: Option<UtcTime>,
    /// Go on behind an earlier page: its `next_cursor`.
    pub cursor: Option<String>,
}

/// Which incidents are meant; without anything all but the vetoed, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IncidentQuery {
    /// Only those of this source.
    pub source_id: Option<SourceId>,
    /// Only those in this state. Vetoed ones are given only when they are asked for.
    pub status: Option<Triage>,
    /// From this moment on.
    pub from: Option<UtcTime>,
    /// Before this moment.
    pub to: Option<UtcTime>,
    /// How many at most, 1 to 200; the server's own number (50) when it is not given.
    pub limit: Option<u16>,
    /// Go on behind an earlier page: its `next_cursor`.
    pub cursor: Option<String>,
}

impl Uplink {
    /// `GET /api/usage`.
    pub(crate) async fn usage(&self, asked: &UsageQuery) -> Result<UsageResponse, ApiError> {
        let mut url = self.url("api/usage");
        add(&mut url, "from", asked.from);
        add(&mut url, "to", asked.to);
        add(&mut url, "cursor", asked.cursor.as_deref());
        self.ask_with_key(self.http.get(url)).await
    }

    /// `GET /api/incidents`.
    pub(crate) async fn incidents(
        &self,
        asked: &IncidentQuery,
    ) -> Result<IncidentsResponse, ApiError> {
        let mut url = self.url("api/incidents");
        add(&mut url, "source_id", asked.source_id.as_ref());
        add(&mut url, "status", asked.status);
        add(&mut url, "from", asked.from);
        add(&mut url, "to", asked.to);
        add(&mut url, "limit", asked.limit);
        add(&mut url, "cursor", asked.cursor.as_deref());
        self.ask_with_key(self.http.get(url)).await
    }

    /// `GET /api/incidents/{id}`.
    pub(crate) async fn incident(&self, id: IncidentId) -> Result<IncidentInfo, ApiError> {
        let request = self.http.get(self.url(&format!("api/incidents/{id}")));
        self.ask_with_key(request).await
    }

    /// `PATCH /api/incidents/{id}`.
    pub(crate) async fn triage(
        &self,
        id: IncidentId,
        status: Option<Triage>,
        note: Option<&str>,
    ) -> Result<IncidentInfo, ApiError> {
        let body = TriageRequest {
            status: status.map(|status| status.as_str().to_owned()),
            note: note.map(str::to_owned),
        };
        let request: RequestBuilder = self.http.patch(self.url(&format!("api/incidents/{id}")));
        self.ask_with_key(request.json(&body)).await
    }
}

fn add(url: &mut Url, name: &str, value: Option<impl ToString>) {
    if let Some(value) = value {
        url.query_pairs_mut().append_pair(name, &value.to_string());
    }
}
