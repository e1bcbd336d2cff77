//! What a stand-in is like: its key, the names it knows, what it can do.

use super::error::ErrorShape;

/// The Gemini names of the reference, §1.5.
const GEMINI_MODELS: &[&str] = &[
    "gemini-3.5-flash-lite",
    "gemini-3.8-flash",
    "gemini-3.1-flash-lite",
    "gemini-3.5-flash",
    "gemini-2.5-flash-lite",
    "gemini-2.5-flash",
];
const OPENAI_MODELS: &[&str] = &["qwen3-vl:8b"];

/// What a [`ModelStandIn`](super::ModelStandIn) is like. The default refuses nothing that the real ones take.
#[derive(Clone, Debug)]
pub struct StandInOptions {
    /// The only key it takes, for both APIs.
    pub api_key: String,
    /// The names it knows as Gemini.
    pub gemini_models: Vec<String>,
    /// The names it knows as an OpenAI-compatible server.
    pub openai_models: Vec<String>,
    /// Longer bodies, in bytes, are answered with 413. They are read to their end and not kept.
    pub body_limit: usize,
    /// How many bytes of requests are kept, counted as three times their bodies: as they came, parsed, and
    /// their pictures. Beyond it the oldest are forgotten.
    pub kept_bytes: usize,
    /// Which port of the loopback; 0 is any free one.
    pub port: u16,
    /// What it is like as an OpenAI-compatible server.
    pub openai: OpenAiTraits,
}

/// In what OpenAI-compatible servers differ.
#[derive(Clone, Copy, Debug)]
pub struct OpenAiTraits {
    /// Whether it asks for the key; local servers take any word, and none.
    pub needs_key: bool,
    /// Whether it takes a response format of type `json_schema`.
    pub json_schema: bool,
    /// Whether it takes a response format of type `json_object`; LM Studio does not.
    pub json_object: bool,
    /// Whether it can see pictures.
    pub vision: bool,
    /// Whether it refuses `max_tokens` and wants `max_completion_tokens`, as OpenAI's newer models do.
    pub wants_max_completion_tokens: bool,
    /// How it writes its errors.
    pub error_shape: ErrorShape,
}

impl Default for StandInOptions {
    fn default() -> Self {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            api_key: "stand-in-key-6f1d0c2a".to_owned(),
            gemini_models: owned(GEMINI_MODELS),
            openai_models: owned(OPENAI_MODELS),
            body_limit: 100_000_000,
            kept_bytes: 512 << 20,
            port: 0,
            openai: OpenAiTraits::default(),
        }
    }
}

impl Default for OpenAiTraits {
    fn default() -> Self {
        Self {
            needs_key: true,
            json_schema: true,
            json_object: true,
            vision: true,
            wants_max_completion_tokens: false,
            error_shape: ErrorShape::Nested,
        }
    }
}
