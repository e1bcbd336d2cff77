//! That a camera fell silent or came back: what is kept of it until it is put into words.

use serde::{Deserialize, Serialize};
use vigint_core::clock::UtcTime;
use vigint_core::ids::AlertId;
use vigint_core::incident::AlertKind;
use vigint_db::alerts::NewAlert;

use super::notice::CameraNews;

/// What happened to cameras of one client. Kept as JSON in the outbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CameraEvent {
    /// Nothing is heard of them any more.
    CamerasSilent {
        /// Their names, or ids where they have none. Those that fell silent together are told of together.
        cameras: Vec<String>,
        /// When the first of them was heard last.
        since: UtcTime,
    },
    /// They are heard again.
    CamerasBack {
        /// As above.
        cameras: Vec<String>,
        /// When the first of them was heard last before it was silent.
        silent_since: UtcTime,
        /// When they were heard again.
        back_at: UtcTime,
    },
}

impl CameraEvent {
    /// As its mail tells it.
    pub(super) fn news(&self) -> CameraNews {
        match self {
            Self::CamerasSilent { cameras, since } => CameraNews::Silent {
                cameras: cameras.clone(),
                since: *since,
            },
            Self::CamerasBack {
                cameras,
                silent_since,
                back_at,
            } => CameraNews::Back {
                cameras: cameras.clone(),
                silent_since: *silent_since,
                back_at: *back_at,
            },
        }
    }

    /// The mail about it.
    #[must_use]
    pub fn alert(&self, id: AlertId, recipient: String, now: UtcTime) -> NewAlert {
        NewAlert {
            id,
            incident_id: None,
            kind: AlertKind::Camera,
            channel: "email".to_owned(),
            recipient,
            not_before: now,
            message_id: format!("camera-{id}"),
            created_at: now,
            notice: Some(serde_json::to_string(self).unwrap_or_default()),
        }
    }
}
