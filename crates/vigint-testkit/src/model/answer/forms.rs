//! The forms that models give their answers: fences, thoughts, several parts, reasons to end, bills.
//!
//! Each panics on an answer that is no model's, such as an error: the test would not test what it says.

use serde_json::Value;

use super::reply::{Finish, Reply, UsageReport};
use super::{Answer, Content};

impl Answer {
    /// In a fence of ```` ```json ````.
    ///
    /// # Panics
    /// When it has no text.
    #[must_use]
    pub fn fenced(self) -> Self {
        self.rewritten(|text| format!("```json\n{text}\n```"))
    }

    /// Between other words.
    ///
    /// # Panics
    /// When it has no text.
    #[must_use]
    pub fn with_prose(self, before: &str, after: &str) -> Self {
        self.rewritten(|text| format!("{before}\n{text}\n{after}"))
    }

    /// After thoughts in `<think>` tags, as part of the text.
    ///
    /// # Panics
    /// When it has no text.
    #[must_use]
    pub fn with_think_tags(self, thoughts: &str) -> Self {
        self.rewritten(|text| format!("<think>\n{thoughts}\n</think>\n\n{text}"))
    }

    /// After thoughts: a part with `thought` for Gemini, `reasoning` for OpenAI. They count as tokens.
    #[must_use]
    pub fn thinking(self, thoughts: &str) -> Self {
        self.shaped(|reply| reply.thoughts = Some(thoughts.to_owned()))
    }

    /// With so many tokens of thoughts on the bill, whether any are shown or not.
    #[must_use]
    pub fn thought_tokens(self, tokens: u64) -> Self {
        self.shaped(|reply| reply.thought_tokens = Some(tokens))
    }

    /// Its text in the wrong place: OpenAI's `reasoning_content` with empty `content`, a `thought` part of
    /// Gemini.
    #[must_use]
    pub fn in_reasoning_content(self) -> Self {
        self.shaped(|reply| reply.is_in_reasoning = true)
    }

    /// Its text in so many parts (Gemini; OpenAI has one text always).
    #[must_use]
    pub fn split(self, parts: usize) -> Self {
        self.shaped(|reply| reply.parts = parts)
    }

    /// Cut short by the limit of tokens: MAX_TOKENS, `length`. The text is left as it is.
    #[must_use]
    pub fn truncated(self) -> Self {
        self.shaped(|reply| reply.finish = Finish::Truncated)
    }

    /// Blocked though there is text: SAFETY, `content_filter`.
    #[must_use]
    pub fn blocked(self) -> Self {
        self.shaped(|reply| reply.finish = Finish::Blocked)
    }

    /// With any reason to end, also one that does not exist.
    #[must_use]
    pub fn finish(self, reason: &str) -> Self {
        self.shaped(|reply| reply.finish = Finish::Other(Some(reason.to_owned())))
    }

    /// Without a reason to end: none for Gemini, null for OpenAI.
    #[must_use]
    pub fn unfinished(self) -> Self {
        self.shaped(|reply| reply.finish = Finish::Other(None))
    }

    /// By another model than was asked.
    #[must_use]
    pub fn by_model(self, name: &str) -> Self {
        self.shaped(|reply| reply.model = Some(name.to_owned()))
    }

    /// Without `usageMetadata`, `usage`.
    #[must_use]
    pub fn without_usage(self) -> Self {
        self.shaped(|reply| reply.usage = UsageReport::Missing)
    }

    /// Without this counter, such as `candidatesTokenCount`, wherever it stands.
    #[must_use]
    pub fn without_counter(self, name: &'static str) -> Self {
        self.shaped(|reply| reply.missing_counters.push(name))
    }

    /// With this as `usageMetadata`, `usage`.
    #[must_use]
    pub fn with_usage(self, usage: Value) -> Self {
        self.shaped(|reply| reply.usage = UsageReport::Given(usage))
    }

    #[track_caller]
    fn shaped(mut self, change: impl FnOnce(&mut Reply)) -> Self {
        let Content::Reply(reply) = &mut self.content else {
            panic!(
                "only an answer of a model can be changed so, not {:?}",
                self.content
            );
        };
        change(reply);
        self
    }

    #[track_caller]
    fn rewritten(self, write: impl FnOnce(&str) -> String) -> Self {
        self.shaped(|reply| {
            let text = reply.text.as_deref().expect("an answer with a text");
            reply.text = Some(write(text));
        })
    }
}
