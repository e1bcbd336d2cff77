//! That a camera fell silent or came back: what is kept of it until it is put into words.

use serde::{Deserialize, Serialize};
use vigint_core::clock::UtcTime;
use vigint_core::ids::{AlertId, SourceId};
use vigint_core::incident::AlertKind;
use vigint_db::alerts::NewAlert;
use vigint_db::sources::SourceRow;

use super::notice::CameraNews;

/// What happened to cameras of one client. Kept as JSON in the outbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CameraEvent {
    /// Nothing is heard of them any more.
    CamerasSilent {
        /// Their names, or ids where they have none. Those that fell silent together are told of together.
        cameras: Vec<String>,
        /// Their ids, in the same order. An earlier version wrote none.
        #[serde(default)]
        sources: Vec<SourceId>,
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
    /// What of it is still so when its mail is made, by these sources of the client: a camera that was heard again since
    /// it was told of at `told_at` is not silent any more. None when there is nothing left; the mail that it is back
    /// says since when it was silent.
    pub(super) fn still(self, rows: &[SourceRow], told_at: UtcTime) -> Option<Self> {
        let Self::CamerasSilent {
            cameras,
            sources,
            since,
        } = self
        else {
            return Some(self);
        };
        if sources.len() != cameras.len() {
            return Some(Self::CamerasSilent {
                cameras,
                sources,
                since,
            });
        }
        let mut still = (Vec::new(), Vec::new());
        let mut first = None;
        for (camera, id) in cameras.into_iter().zip(sources) {
            let silent_since = match rows.iter().find(|row| row.source_id == id) {
                // Nobody hears of one that was forgotten.
                None => since,
                // One that fell silent again is told of by another mail.
                Some(row) => match row.silent_since.filter(|at| *at <= told_at) {
                    None => continue,
                    Some(at) => at,
                },
            };
            first = Some(first.map_or(silent_since, |first| silent_since.min(first)));
            still.0.push(camera);
            still.1.push(id);
        }
        first.map(|since| Self::CamerasSilent {
            cameras: still.0,
            sources: still.1,
            since,
        })
    }

    /// As its mail tells it.
    pub(super) fn news(&self) -> CameraNews {
        match self {
            Self::CamerasSilent { cameras, since, .. } => CameraNews::Silent {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> UtcTime {
        UtcTime::from_unix_seconds(seconds)
    }

    fn row(id: &str, silent_since: Option<UtcTime>) -> SourceRow {
        SourceRow {
            source_id: id.parse().unwrap(),
            source_name: None,
            analysis_enabled: true,
            alerts_enabled: true,
            first_seen_at: at(0),
            last_seen_at: at(0),
            silent_since,
            sending_since: None,
        }
    }

    fn silent(cameras: &[&str], since: UtcTime) -> CameraEvent {
        CameraEvent::CamerasSilent {
            cameras: cameras.iter().map(|id| id.to_uppercase()).collect(),
            sources: cameras.iter().map(|id| id.parse().unwrap()).collect(),
            since,
        }
    }

    #[test]
    fn a_silence_is_told_of_as_it_is_when_the_mail_is_made() {
        let both = silent(&["till", "door"], at(10));
        let rows = |till, door| [row("till", till), row("door", door)];
        let still = |till, door| both.clone().still(&rows(till, door), at(30));
        assert_eq!(still(Some(at(10)), Some(at(20))), Some(both.clone()));
        let door = silent(&["door"], at(20));
        assert_eq!(still(None, Some(at(20))), Some(door.clone()));
        assert_eq!(
            still(Some(at(40)), Some(at(20))),
            Some(door),
            "silent again"
        );
        assert_eq!(still(None, None), None);
        assert_eq!(both.clone().still(&[], at(30)), Some(both.clone()));
    }

    #[test]
    fn what_tells_nothing_of_now_is_told_in_any_case() {
        let earlier =
            r#"{"kind":"cameras_silent","cameras":["TILL"],"since":"2026-11-29T10:00:00Z"}"#;
        let earlier: CameraEvent = serde_json::from_str(earlier).unwrap();
        let back = CameraEvent::CamerasBack {
            cameras: vec!["TILL".to_owned()],
            silent_since: at(10),
            back_at: at(20),
        };
        for event in [earlier, back] {
            assert_eq!(
                event.clone().still(&[row("till", None)], at(30)),
                Some(event)
            );
        }
    }
}
