//! The verdict that a model is asked for, as it writes it.

use serde::Serialize;
use vigint_core::verdict::RiskLevel;

/// A verdict with its six fields, written in the order that the schema asks for. What is no verdict is
/// made with [`Answer::json`](super::Answer::json) or [`Answer::text`](super::Answer::text).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelVerdict {
    /// What is to be seen.
    pub description: String,
    /// The reasoning.
    pub analysis: String,
    /// Whether it is an incident.
    pub incident_detected: bool,
    /// What kind; empty when it is none.
    pub incident_type: String,
    /// How grave.
    pub risk_level: RiskLevel,
    /// From 0 to 1.
    pub confidence: f64,
}

impl ModelVerdict {
    /// An incident of this kind: grave, and nearly certain.
    #[must_use]
    pub fn incident(kind: &str) -> Self {
        Self {
            description: "A person takes a bottle from the shelf and puts it into a bag."
                .to_owned(),
            analysis: "The bottle is on the shelf at first, then in the hand, then gone."
                .to_owned(),
            incident_detected: true,
            incident_type: kind.to_owned(),
            risk_level: RiskLevel::High,
            confidence: 0.9,
        }
    }

    /// No incident.
    #[must_use]
    pub fn clear() -> Self {
        Self {
            description: "A person looks at the shelf and walks on.".to_owned(),
            analysis: "Nothing is taken, and nothing is put away.".to_owned(),
            incident_detected: false,
            incident_type: String::new(),
            risk_level: RiskLevel::Low,
            confidence: 0.9,
        }
    }

    /// As JSON on one line.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("texts, a truth and a number can be written")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_written_in_the_order_of_the_schema() {
        let text = ModelVerdict::incident("vol").to_json();
        let places: Vec<_> = [
            "description",
            "analysis",
            "incident_detected",
            "incident_type",
            "risk_level",
            "confidence",
        ]
        .map(|name| text.find(&format!("\"{name}\":")).unwrap())
        .to_vec();
        assert!(places.is_sorted(), "{text}");
        assert!(text.contains(r#""incident_type":"vol","risk_level":"HIGH","confidence":0.9"#));
    }
}
