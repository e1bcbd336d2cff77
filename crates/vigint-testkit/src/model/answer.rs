//! An answer as a test scripts it, for either API: what is said and how it is brought.

mod forms;
pub(super) mod reply;

use std::time::Duration;

use serde_json::Value;

use self::reply::Reply;
use super::error::ModelError;
use super::gate::{Gate, Latch};
use super::verdict::ModelVerdict;

/// What a stand-in answers to one request, in the shape of the API that was asked. Made of one of the
/// constructors, and changed from there; what changes the text of a model panics on an answer that has none.
#[derive(Clone, Debug)]
pub struct Answer {
    pub(super) content: Content,
    /// Beside those that the content brings.
    pub(super) headers: Vec<(String, String)>,
    pub(super) delivery: Delivery,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    /// A model has answered.
    Reply(Box<Reply>),
    /// The prompt never reached the model.
    BlockedPrompt {
        reason: String,
    },
    /// The model will not.
    Refusal {
        words: String,
    },
    Error(ModelError),
    /// Whatever the test wants.
    Raw {
        status: u16,
        body: Vec<u8>,
    },
    /// More bytes than anybody should read: so many, or without end.
    Flood {
        length: Option<u64>,
    },
    /// The connection closes.
    Nothing,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Delivery {
    pub(super) delay: Duration,
    pub(super) behind: Option<Latch>,
    pub(super) half_way: HalfWay,
}

/// What happens when half the body has been sent.
#[derive(Clone, Debug, Default)]
pub(super) enum HalfWay {
    #[default]
    GoOn,
    Close,
    WaitFor(Latch),
}

impl Answer {
    /// A verdict and nothing else, as both APIs give it when all is well.
    #[must_use]
    pub fn verdict(verdict: &ModelVerdict) -> Self {
        Self::text(verdict.to_json())
    }

    /// Anything as the text of the model.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(Content::Reply(Box::new(Reply::of(Some(text.into())))))
    }

    /// Any JSON as the text of the model, such as a verdict with a field missing.
    #[must_use]
    pub fn json(value: &Value) -> Self {
        Self::text(value.to_string())
    }

    /// An answer of the model without any text.
    #[must_use]
    pub fn without_text() -> Self {
        Self::new(Content::Reply(Box::new(Reply::of(None))))
    }

    /// A prompt that was blocked, for a reason such as `SAFETY`; from an OpenAI-compatible server an answer
    /// without text and `content_filter`.
    #[must_use]
    pub fn blocked_prompt(reason: &str) -> Self {
        let reason = reason.to_owned();
        Self::new(Content::BlockedPrompt { reason })
    }

    /// A model that will not: OpenAI's `refusal`, Gemini's PROHIBITED_CONTENT with these words as its message.
    #[must_use]
    pub fn refusal(words: &str) -> Self {
        let words = words.to_owned();
        Self::new(Content::Refusal { words })
    }

    /// Any status and body, as JSON unless a [header](Self::header) says otherwise.
    #[must_use]
    pub fn raw(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        Self::new(Content::Raw { status, body })
    }

    /// `{}` with status 200.
    #[must_use]
    pub fn empty_object() -> Self {
        Self::raw(200, "{}")
    }

    /// Status 200 without a body.
    #[must_use]
    pub fn empty_body() -> Self {
        Self::raw(200, "")
    }

    /// A page for people, as proxies answer, with whatever status.
    #[must_use]
    pub fn html(status: u16) -> Self {
        let page = "<!DOCTYPE html><html><head><title>Error</title></head>\
            <body><h1>The server encountered a temporary error</h1></body></html>";
        Self::raw(status, page).header("Content-Type", "text/html; charset=UTF-8")
    }

    /// Status 200 and an answer whose text goes on until the body has this many bytes; it never becomes whole
    /// JSON. Its length is announced.
    #[must_use]
    pub fn flood(bytes: u64) -> Self {
        let length = Some(bytes);
        Self::new(Content::Flood { length })
    }

    /// The same in chunks without end, until the client or the stand-in is gone.
    #[must_use]
    pub fn endless() -> Self {
        Self::new(Content::Flood { length: None })
    }

    /// The connection closes without a byte.
    #[must_use]
    pub fn dropped() -> Self {
        Self::new(Content::Nothing)
    }

    /// Nothing, until the stand-in is dropped.
    #[must_use]
    pub fn hang() -> Self {
        let mut answer = Self::dropped();
        answer.delivery.behind = Some(Latch::default());
        answer
    }

    /// Comes after this time.
    #[must_use]
    pub const fn after(mut self, delay: Duration) -> Self {
        self.delivery.delay = delay;
        self
    }

    /// Comes when the gate is released: see [`ModelStandIn::hold`](super::ModelStandIn::hold).
    #[must_use]
    pub fn behind(mut self, gate: &Gate) -> Self {
        self.delivery.behind = Some(gate.latch());
        self
    }

    /// Half of its body comes, the rest when the gate is released.
    #[must_use]
    pub fn half_behind(mut self, gate: &Gate) -> Self {
        self.delivery.half_way = HalfWay::WaitFor(gate.latch());
        self
    }

    /// Half of its body comes, then the connection closes.
    #[must_use]
    pub fn cut_half_way(mut self) -> Self {
        self.delivery.half_way = HalfWay::Close;
        self
    }

    /// With this header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    const fn new(content: Content) -> Self {
        Self {
            content,
            headers: Vec::new(),
            delivery: Delivery {
                delay: Duration::ZERO,
                behind: None,
                half_way: HalfWay::GoOn,
            },
        }
    }
}

impl From<ModelError> for Answer {
    fn from(error: ModelError) -> Self {
        Self::new(Content::Error(error))
    }
}
