//! What a model said, before it is written in the shape of an API.

use serde_json::Value;

use crate::model::tokens::text_tokens;

#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) text: Option<String>,
    /// In how many parts the text comes.
    pub(crate) parts: usize,
    pub(crate) thoughts: Option<String>,
    /// Instead of those of the thoughts.
    pub(crate) thought_tokens: Option<u64>,
    /// Whether the text stands where thoughts belong.
    pub(crate) is_in_reasoning: bool,
    pub(crate) finish: Finish,
    /// Who answered; none is who was asked.
    pub(crate) model: Option<String>,
    pub(crate) usage: UsageReport,
    pub(crate) missing_counters: Vec<&'static str>,
}

/// Why a model ended.
#[derive(Clone, Debug)]
pub(crate) enum Finish {
    Stop,
    Truncated,
    Blocked,
    Other(Option<String>),
}

/// What is said about tokens.
#[derive(Clone, Debug)]
pub(crate) enum UsageReport {
    /// What the request and the answer come to.
    Counted,
    Missing,
    Given(Value),
}

impl Reply {
    pub(crate) const fn of(text: Option<String>) -> Self {
        Self {
            text,
            parts: 1,
            thoughts: None,
            thought_tokens: None,
            is_in_reasoning: false,
            finish: Finish::Stop,
            model: None,
            usage: UsageReport::Counted,
            missing_counters: Vec::new(),
        }
    }

    pub(crate) fn text_tokens(&self) -> u64 {
        self.text.as_deref().map_or(0, text_tokens)
    }

    pub(crate) fn thought_tokens(&self) -> u64 {
        let shown = self.thoughts.as_deref().map_or(0, text_tokens);
        self.thought_tokens.unwrap_or(shown)
    }

    /// The text in its parts, nearly equal in length; fewer when it has fewer characters.
    pub(crate) fn text_in_parts(&self) -> Vec<String> {
        let Some(text) = &self.text else {
            return Vec::new();
        };
        let characters: Vec<char> = text.chars().collect();
        if characters.is_empty() {
            return vec![String::new()];
        }
        let length = characters.len().div_ceil(self.parts.max(1));
        characters
            .chunks(length)
            .map(|part| part.iter().collect())
            .collect()
    }

    /// What is said about tokens, when `counted` is what they come to.
    pub(crate) fn usage(&self, counted: Value) -> Option<Value> {
        let mut usage = match &self.usage {
            UsageReport::Counted => counted,
            UsageReport::Missing => return None,
            UsageReport::Given(usage) => usage.clone(),
        };
        for name in &self.missing_counters {
            remove(&mut usage, name);
        }
        Some(usage)
    }
}

/// Removes a key from an object and all that it holds.
fn remove(value: &mut Value, name: &str) {
    match value {
        Value::Object(fields) => {
            fields.remove(name);
            fields.values_mut().for_each(|field| remove(field, name));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| remove(item, name)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_up_the_text() {
        let parts = |parts, text: &str| {
            let mut reply = Reply::of(Some(text.to_owned()));
            reply.parts = parts;
            reply.text_in_parts()
        };
        assert_eq!(parts(3, "déjà vu"), ["déj", "à v", "u"]);
        assert_eq!(parts(9, "ab"), ["a", "b"]);
        assert_eq!(parts(0, "ab"), ["ab"]);
        assert_eq!(parts(2, ""), [""]);
        assert!(Reply::of(None).text_in_parts().is_empty());
    }
}
