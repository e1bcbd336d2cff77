//! `[AI]`: which model looks at the frames, how long it may take and what it may cost.

use std::time::Duration;

use vigint_core::key::Secret;
use vigint_core::locale::Locale;
use vigint_core::money::MicroEuros;

use super::definition::section;
use super::model_prices::{ModelPrices, model_prices};
use super::parse::{flag, number, one_of, optional, seconds, text, web_address};
use super::secrets::header_secret;

section! {
    /// Which model looks at the frames, how long it may take and what it may cost.
    Ai in "AI" {
        /// auto, gemini, openai (any server that speaks its chat completions) or motion (built in, no model).
        /// auto is gemini when gemini_api_key is given, else motion.
        provider: Provider = "auto" => one_of(PROVIDERS);
        /// Google's key. Customers never see or need it.
        @secret gemini_api_key: Option<Secret> = "", env GOOGLE_API_KEY => optional(header_secret);
        /// Where Gemini is.
        @masked gemini_base_url: String = "https://generativelanguage.googleapis.com" => web_address;
        /// Where the OpenAI-compatible server is, /v1 included: http://127.0.0.1:11434/v1 for Ollama.
        @masked openai_base_url: String = "https://api.openai.com/v1" => web_address;
        /// Its key, when it asks for one.
        @secret openai_api_key: Option<Secret> = "", env OPENAI_API_KEY => optional(header_secret);
        /// The model of the cheap first look. Must be given when provider is openai.
        screening_model: String = "gemini-3.5-flash-lite" => text;
        /// The model of the careful second look. Must be given when provider is openai.
        confirmation_model: String = "gemini-3.8-flash" => text;
        /// Frames the first look is shown, 2 to 64: the first and the last of its window, and some between.
        screening_frames: usize = "8" => number(2..=64);
        /// Frames the second look is shown, 2 to 128.
        confirmation_frames: usize = "16" => number(2..=128);
        /// How closely the first look sees each frame: low, medium or high. Models charge more for more.
        screening_resolution: Resolution = "low" => one_of(RESOLUTIONS);
        /// How closely the second look sees each frame: low, medium or high.
        confirmation_resolution: Resolution = "medium" => one_of(RESOLUTIONS);
        /// The longer side of the frames that models are shown, in pixels, 256 to 2048; larger ones are made smaller.
        picture_size: u16 = "768" => number(256..=2_048);
        /// Seconds one look may take, its retries included, 0.5 to 25. A whole analysis ends within 25.
        timeout_seconds: Duration = "10" => seconds(0.5, 25.0);
        /// The language of descriptions, and of new clients: fr or en.
        language: Locale = "fr" => one_of(LANGUAGES);
        /// Ask no model while nothing moves.
        motion_gate: bool = "true" => flag;
        /// What the providers charge: model=input/output a million tokens, with commas between models.
        /// In the currency of `[Billing]`; list prices in dollars may stand here as they are.
        model_prices: ModelPrices = "gemini-3.5-flash-lite=0.30/2.50, gemini-3.8-flash=1.50/7.50, gemini-3.1-flash-lite=0.25/1.50, gemini-3.5-flash=1.50/9.00, gemini-2.5-flash-lite=0.10/0.40" => model_prices;
        /// What the models may cost in a calendar month over all clients; then motion judges.
        /// Default, and 0: no bound.
        monthly_budget: Option<MicroEuros> = "" => budget;
    }
}

/// Who judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// Gemini when its key is given, else motion.
    Auto,
    /// Google's models.
    Gemini,
    /// Any server that speaks OpenAI's chat completions.
    OpenAi,
    /// The built-in motion analyzer.
    Motion,
}

const PROVIDERS: &[(&str, Provider)] = &[
    ("auto", Provider::Auto),
    ("gemini", Provider::Gemini),
    ("openai", Provider::OpenAi),
    ("motion", Provider::Motion),
];

/// How closely a model looks at a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// As its provider calls it.
    Low,
    /// As its provider calls it.
    Medium,
    /// As its provider calls it.
    High,
}

const RESOLUTIONS: &[(&str, Resolution)] = &[
    ("low", Resolution::Low),
    ("medium", Resolution::Medium),
    ("high", Resolution::High),
];

const LANGUAGES: &[(&str, Locale)] = &[
    (Locale::French.as_str(), Locale::French),
    (Locale::English.as_str(), Locale::English),
];

impl Ai {
    /// Who judges in fact: never [`Provider::Auto`].
    #[must_use]
    pub fn chosen_provider(&self) -> Provider {
        match (self.provider, &self.gemini_api_key) {
            (Provider::Auto, Some(_)) => Provider::Gemini,
            (Provider::Auto, None) => Provider::Motion,
            (chosen, _) => chosen,
        }
    }
}

fn budget(text: &str) -> Result<Option<MicroEuros>, String> {
    let amount = optional(super::parse::money(1_000_000))(text)?;
    Ok(amount.filter(|amount| *amount != MicroEuros::ZERO))
}
