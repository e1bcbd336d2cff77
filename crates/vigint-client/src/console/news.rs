//! What is news to people: whoever reads a year of it must not read the same line every three seconds.
//!
//! Programs get every event (`--json`); people get what changed.

use std::collections::HashMap;

use vigint_client::Event;
use vigint_core::ids::{IncidentId, SourceId};
use vigint_core::verdict::{RiskLevel, Verdict};
use vigint_core::wire::AnalysisResponse;

/// What was said of each source last.
#[derive(Debug, Default)]
pub(super) struct News {
    of_source: HashMap<String, Said>,
}

#[derive(Debug, Default)]
struct Said {
    /// That it is open.
    is_open: bool,
    verdict: Option<Verdict>,
    incident: Option<(IncidentId, RiskLevel)>,
    complaint: Option<String>,
}

impl News {
    /// Whether `event` is worth a line, after all that was said before. It is taken as said.
    pub(super) fn is_news(&mut self, event: &Event) -> bool {
        match event {
            Event::SourceOpened { source_id, .. } => {
                !std::mem::replace(&mut self.of(source_id).is_open, true)
            }
            // The library tells each once already.
            Event::Error {
                source_id: Some(source_id),
                code,
                ..
            } if code == "source_failed" => {
                *self.of(source_id) = Said::default();
                true
            }
            Event::Error {
                source_id: Some(source_id),
                message,
                ..
            } => {
                let said = self.of(source_id);
                // The next verdict says that it works again.
                said.verdict = None;
                said.complaint.replace(message.clone()).as_ref() != Some(message)
            }
            Event::Analysis { answer, .. } => self.is_news_of(answer),
            Event::SourceEnded { source_id, .. } => {
                self.of_source.remove(source_id.as_str());
                true
            }
            _ => true,
        }
    }

    fn is_news_of(&mut self, answer: &AnalysisResponse) -> bool {
        let said = self.of_source.entry(answer.source_id.clone()).or_default();
        said.complaint = None;
        let is_another = said.verdict.replace(answer.verdict) != Some(answer.verdict);
        let Some(incident) = &answer.incident else {
            return is_another;
        };
        // While something goes on the server adds to its incident every few seconds.
        match said.incident.replace((incident.id, answer.risk_level)) {
            Some((id, risk)) => id != incident.id || risk < answer.risk_level,
            None => true,
        }
    }

    fn of(&mut self, source: &SourceId) -> &mut Said {
        self.of_source.entry(source.to_string()).or_default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use vigint_core::clock::UtcTime;

    use super::*;

    const AT: UtcTime = UtcTime::UNIX_EPOCH;
    const FIRST: &str = "0197b2c0-0000-7000-8000-000000000001";
    const SECOND: &str = "0197b2c0-0000-7000-8000-000000000002";

    fn analysis(verdict: &str, incident: Option<(&str, &str)>) -> Event {
        let (id, risk) = incident.unzip();
        let incident =
            id.map(|id| json!({"id": id, "is_new": false, "url": "", "video_url": null}));
        let mut answer = crate::scripted_server::analysis("till");
        answer["verdict"] = json!(verdict);
        answer["has_security_incident"] = json!(incident.is_some());
        answer["risk_level"] = json!(risk.unwrap_or("LOW"));
        answer["incident"] = json!(incident);
        let answer = Box::new(serde_json::from_value(answer).unwrap());
        Event::Analysis { at: AT, answer }
    }

    fn error(code: &str, message: &str) -> Event {
        Event::Error {
            at: AT,
            source_id: Some("till".parse().unwrap()),
            code: code.to_owned(),
            message: message.to_owned(),
        }
    }

    fn opened() -> Event {
        Event::SourceOpened {
            at: AT,
            source_id: "till".parse().unwrap(),
            location: "cam".to_owned(),
            width: 1,
            height: 1,
            away_seconds: None,
            tries: 1,
        }
    }

    fn told(events: &[Event]) -> Vec<bool> {
        let mut news = News::default();
        events.iter().map(|event| news.is_news(event)).collect()
    }

    #[test]
    fn the_same_verdict_is_told_once() {
        let clear = || analysis("clear", None);
        let all = [clear(), clear(), analysis("vetoed", None), clear(), clear()];
        assert_eq!(told(&all), [true, false, true, true, false]);
    }

    #[test]
    fn an_incident_is_told_when_it_begins_and_when_its_risk_rises() {
        let seen = |id, risk| analysis("confirmed", Some((id, risk)));
        let all = [
            seen(FIRST, "MEDIUM"),
            seen(FIRST, "MEDIUM"),
            seen(FIRST, "HIGH"),
            seen(FIRST, "HIGH"),
            seen(SECOND, "MEDIUM"),
        ];
        assert_eq!(told(&all), [true, false, true, false, true]);
    }

    #[test]
    fn a_failing_analysis_is_told_once_and_then_that_it_works_again() {
        let (clear, failed) = (
            || analysis("clear", None),
            || error("analyzer_failed", "no"),
        );
        let all = [clear(), failed(), failed(), clear(), failed()];
        assert_eq!(told(&all), [true, true, false, true, true]);
    }

    #[test]
    fn a_camera_that_flaps_is_not_told_of_each_time() {
        let all = [opened(), opened(), error("source_failed", "gone"), opened()];
        assert_eq!(told(&all), [true, false, true, true]);
    }
}
