//! What the fuzz targets share: how a fuzzer's bytes become a service's reply, and what must hold of any reading.

use vigint_server::analysis::model::{AnswerFormat, Dialect, Reading, Reply};

/// One reply, as a fuzzer writes it.
pub struct Case<'a> {
    status: u16,
    retry_after: Option<&'a str>,
    /// How the request was made that it replies to.
    pub dialect: Dialect,
    body: Vec<u8>,
    /// What the model says, if the body is a sound answer around it.
    said: Option<&'a str>,
}

impl<'a> Case<'a> {
    /// Three bytes choose the status, how the request was made and what the rest is: the body, or what the model says
    /// in a body that `answer` writes around it. A fuzzer seldom writes two levels of JSON by itself.
    pub fn of(data: &'a [u8], answer: impl FnOnce(&str) -> serde_json::Value) -> Option<Self> {
        let [status, dialect, kind, rest @ ..] = data else {
            return None;
        };
        let text = str::from_utf8(rest).ok();
        let said = text.filter(|_| kind & 1 == 1);
        Some(Self {
            // Most of what there is to read comes with the first.
            status: match status {
                0..160 => 200,
                160..246 => 400 + u16::from(status - 160),
                status => 500 + u16::from(status - 246),
            },
            retry_after: text.filter(|_| kind & 2 == 2),
            dialect: Dialect {
                format: match dialect % 3 {
                    0 => AnswerFormat::Schema,
                    1 => AnswerFormat::JsonObject,
                    _ => AnswerFormat::Prompt,
                },
                says_completion_tokens: dialect & 64 == 64,
                takes_temperature: dialect & 128 == 128,
            },
            body: said.map_or_else(|| rest.to_vec(), |said| answer(said).to_string().into_bytes()),
            said,
        })
    }

    /// It, as it is read.
    pub fn reply(&self) -> Reply<'_> {
        Reply {
            status: self.status,
            retry_after: self.retry_after,
            body: &self.body,
        }
    }

    /// A refused call is never a verdict, a verdict is never out of its bounds, and a model's yes or no stands in what
    /// it said.
    pub fn check(&self, reading: &Reading) {
        let Ok(verdict) = &reading.verdict else {
            return;
        };
        assert_eq!(self.status, 200);
        assert!(verdict.confidence.is_none_or(|share| (0.0..=1.0).contains(&share)));
        if let Some(said) = self.said {
            assert!(said.contains(if verdict.incident_detected { "true" } else { "false" }));
        }
    }
}
