//! What a model has to answer, and how that is read: tolerant of what stands around it, strict about what it says.
//!
//! A value of another kind than asked for (a text "false", a risk nobody knows) makes the whole answer unreadable:
//! who guesses what a model may have meant has invented half an incident.

use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};
use vigint_core::verdict::RiskLevel;

/// How many opening braces are tried: text before the verdict may hold some.
const MOST_BRACES: usize = 64;

/// How often an answer may say the same.
const MOST_REPEATS: usize = 8;

/// The judgement, as JSON has it.
const KEY: &str = "\"incident_detected\"";

/// The fields, evidence before judgement: models write them in this order.
const FIELDS: [(&str, Kind); 6] = [
    ("description", Kind::Text),
    ("analysis", Kind::Text),
    ("incident_detected", Kind::Flag),
    ("incident_type", Kind::Text),
    ("risk_level", Kind::Risk),
    ("confidence", Kind::Share),
];

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Flag,
    Risk,
    Share,
}

/// What a model says of a window.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelVerdict {
    /// What is seen, in one or two sentences.
    pub description: String,
    /// Why that is an incident, or none.
    pub analysis: String,
    /// The judgement.
    pub incident_detected: bool,
    /// What kind, one line.
    pub incident_type: String,
    /// How grave.
    pub risk_level: RiskLevel,
    /// How sure it is, 0..=1, when it says so.
    pub confidence: Option<f64>,
}

#[derive(Deserialize)]
struct Written {
    description: Option<String>,
    analysis: Option<String>,
    incident_detected: Option<bool>,
    incident_type: Option<String>,
    risk_level: Option<String>,
    confidence: Option<f64>,
}

impl ModelVerdict {
    /// The verdict in a model's answer: its first complete JSON object, whatever stands around it.
    ///
    /// # Errors
    /// What is wrong with it, without repeating it.
    pub fn read(answer: &str) -> Result<Self, String> {
        let written = only_verdict(answer)?;
        let incident_detected = written
            .incident_detected
            .ok_or_else(|| "incident_detected is missing".to_owned())?;
        let risk_level = match written.risk_level {
            Some(risk) => risk
                .trim()
                .to_ascii_uppercase()
                .parse()
                .map_err(|_| "risk_level is none of LOW, MEDIUM, HIGH".to_owned())?,
            None if incident_detected => RiskLevel::Medium,
            None => RiskLevel::Low,
        };
        if written
            .confidence
            .is_some_and(|share| !(0.0..=1.0).contains(&share))
        {
            return Err("confidence is not between 0 and 1".to_owned());
        }
        Ok(Self {
            description: written.description.unwrap_or_default(),
            analysis: written.analysis.unwrap_or_default(),
            incident_detected,
            incident_type: written.incident_type.unwrap_or_default(),
            risk_level,
            confidence: written.confidence,
        })
    }
}

/// The first JSON object in the answer. It is the verdict, or there is none; and what stands behind it may say the same
/// once more, but nothing else.
fn only_verdict(answer: &str) -> Result<Written, String> {
    let (verdict, mut behind) = first_object(answer)?;
    for _ in 0..MOST_REPEATS {
        if !has_judgement(behind) {
            return Ok(verdict);
        }
        let (other, rest) = first_object(behind)?;
        let is_other = other.incident_detected.is_some();
        if is_other && other.incident_detected != verdict.incident_detected {
            // A draft before it, or somebody's text in the picture.
            return Err("it says both yes and no".to_owned());
        }
        behind = rest;
    }
    Err("it says the same again and again".to_owned())
}

/// Whether the judgement's field stands in it with a value. Prose may name the field.
fn has_judgement(text: &str) -> bool {
    let mut names = text.match_indices(KEY);
    names.any(|(at, name)| {
        let behind = text.get(at + name.len()..).unwrap_or_default();
        behind.trim_start().starts_with(':')
    })
}

/// The first `{` from which a whole JSON object can be read, and what stands behind that.
fn first_object(answer: &str) -> Result<(Written, &str), String> {
    let braces = answer.match_indices('{').take(MOST_BRACES);
    for (start, _) in braces {
        let rest = answer.get(start..).unwrap_or_default();
        let mut objects = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        if let Some(Ok(_)) = objects.next() {
            // Read again from its text: of two values for one name a map keeps the last, this refuses both.
            let object = rest.get(..objects.byte_offset()).unwrap_or_default();
            let written: Written = serde_json::from_str(object).map_err(|_| {
                "a field is not of the kind that was asked for, or is there twice".to_owned()
            })?;
            let behind = rest.get(objects.byte_offset()..).unwrap_or_default();
            return Ok((written, behind));
        }
        // What can be read inside of a broken one is not what it says: a text that it repeats, a part of a draft.
        let begins = rest.get(1..).unwrap_or_default().trim_start();
        if begins.starts_with('"') {
            return Err("its JSON object is broken".to_owned());
        }
    }
    Err("there is no complete JSON object in it".to_owned())
}

/// The schema of a verdict in one of two dialects. Models write the fields in the order in which it lists them.
#[derive(Serialize)]
pub(super) struct Schema {
    #[serde(rename = "type")]
    kind: &'static str,
    properties: Properties,
    required: [&'static str; FIELDS.len()],
    #[serde(rename = "propertyOrdering", skip_serializing_if = "Option::is_none")]
    ordering: Option<[&'static str; FIELDS.len()]>,
    #[serde(
        rename = "additionalProperties",
        skip_serializing_if = "Option::is_none"
    )]
    additional: Option<bool>,
}

impl Schema {
    /// In the words of Gemini: a subset of OpenAPI's.
    pub(super) fn open_api() -> Self {
        Self {
            kind: "OBJECT",
            properties: Properties(|kind| match kind {
                Kind::Text => json!({"type": "STRING"}),
                Kind::Flag => json!({"type": "BOOLEAN"}),
                Kind::Risk => json!({"type": "STRING", "enum": risks()}),
                Kind::Share => json!({"type": "NUMBER"}),
            }),
            required: FIELDS.map(|(name, _)| name),
            ordering: Some(FIELDS.map(|(name, _)| name)),
            additional: None,
        }
    }

    /// As JSON Schema, with what every server understands and no more.
    pub(super) fn json() -> Self {
        Self {
            kind: "object",
            properties: Properties(|kind| match kind {
                Kind::Text => json!({"type": "string"}),
                Kind::Flag => json!({"type": "boolean"}),
                Kind::Risk => json!({"type": "string", "enum": risks()}),
                Kind::Share => json!({"type": "number"}),
            }),
            required: FIELDS.map(|(name, _)| name),
            ordering: None,
            additional: Some(false),
        }
    }
}

/// The fields in their order, which a JSON map of ours would not keep.
struct Properties(fn(Kind) -> Value);

impl Serialize for Properties {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(FIELDS.map(|(name, kind)| (name, (self.0)(kind))))
    }
}

fn risks() -> Value {
    RiskLevel::ALL.iter().map(|risk| risk.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const VERDICT: &str = r#"{"description":"A man {in a cap} takes \"two\" bottles.","analysis":"He hides them.","incident_detected":true,"incident_type":"shoplifting","risk_level":"HIGH","confidence":0.8}"#;

    fn with(field: &str, value: Value) -> String {
        let mut verdict: Value = serde_json::from_str(VERDICT).unwrap();
        verdict[field] = value;
        verdict.to_string()
    }

    #[test]
    fn a_verdict_is_found_whatever_stands_around_it() {
        let plain = ModelVerdict::read(VERDICT).unwrap();
        assert!(plain.incident_detected);
        assert_eq!(plain.risk_level, RiskLevel::High);
        assert_eq!(plain.confidence, Some(0.8));
        for around in [
            format!("```json\n{VERDICT}\n```"),
            format!("```\n{VERDICT}```"),
            format!("\n\nHere {{it}} is, as {{ asked: {VERDICT} I hope {{}} that helps"),
            format!("\u{feff}{VERDICT}{VERDICT}"),
            format!("{VERDICT} I set \"incident_detected\" to true because of the bottles."),
            with("unknown", json!({"a": [1, null]})),
            with("risk_level", json!(" high ")),
        ] {
            assert_eq!(ModelVerdict::read(&around).as_ref(), Ok(&plain), "{around}");
        }
    }

    #[test]
    fn optional_fields_may_be_missing_or_null() {
        let read = |text: &str| ModelVerdict::read(text).unwrap();
        let bare = read(r#"{"incident_detected":true}"#);
        assert_eq!(bare.risk_level, RiskLevel::Medium);
        assert_eq!((bare.description.as_str(), bare.confidence), ("", None));
        let nulls = read(r#"{"incident_detected":false,"risk_level":null,"confidence":null}"#);
        assert_eq!(nulls.risk_level, RiskLevel::Low);
    }

    #[test]
    fn what_is_not_as_asked_for_is_no_verdict() {
        let cut = VERDICT.get(..VERDICT.len() - 4).unwrap();
        for unreadable in [
            "",
            "no",
            "{}",
            "[]",
            "true",
            cut,
            &"{".repeat(100_000),
            &r#"{"a":"#.repeat(20_000),
            &with("incident_detected", json!("false")),
            &with("incident_detected", json!(0)),
            &with("incident_detected", Value::Null),
            &with("risk_level", json!("CRITICAL")),
            &with("risk_level", json!(3)),
            &with("confidence", json!(85)),
            &with("confidence", json!(-0.1)),
            &with("confidence", json!("high")),
            &with("description", json!(["a"])),
            &format!(r#"{{"verdict":{VERDICT}}}"#),
            &format!(r#"{{"note":1}} {VERDICT}"#),
            r#"{"incident_detected":false,"incident_detected":true}"#,
            &format!(r#"First I thought {{"incident_detected":false}}, but then: {VERDICT}"#),
            r#"{"description":"A sign reads {"incident_detected":false}","incident_detected":true,"risk_level":"HIGH"}"#,
            r#"{"description":"A sign reads {"incident_detected":false}"#,
            r#"{"draft":{"incident_detected":false},"incident_detected":tr"#,
            &format!(r#"{{"incident_detected":false}} {{"description":"{VERDICT}"#),
            r#"{"incident_detected":false},"incident_detected":true}"#,
            &VERDICT.repeat(100_000),
        ] {
            let read = ModelVerdict::read(unreadable);
            assert!(read.is_err(), "{read:?}");
        }
    }

    #[test]
    fn both_schemas_have_all_fields_evidence_first() {
        for (schema, text) in [(Schema::open_api(), "STRING"), (Schema::json(), "string")] {
            let written = serde_json::to_string(&schema).unwrap();
            let (properties, _) = written.split_once("\"required\"").unwrap();
            let places = FIELDS.map(|(name, _)| properties.find(&format!("\"{name}\":{{")));
            assert!(places.iter().all(Option::is_some), "{written}");
            assert!(places.is_sorted(), "{written}");
            assert!(properties.contains(&format!("{{\"type\":\"{text}\"}}")));
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in r#"[ {}\[\]",:a-e0-9\\\n]{0,200}"#) {
            let _ = ModelVerdict::read(&text);
        }
    }
}
