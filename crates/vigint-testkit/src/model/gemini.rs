//! Gemini's `generateContent` and list of models: the reference, §1.

mod answers;
mod fields;
mod refusals;

use std::time::Duration;

use serde_json::{Value, json};

pub(super) use self::answers::{blocked_prompt, refusal, reply};
pub(super) use self::refusals::refuse;

use self::fields::{field, items, text};
use super::media::Media;
use super::options::StandInOptions;
use super::request::Prompt;
use super::tokens::{MediaResolution, is_before_gemini_3};
use crate::http::HttpAnswer;

/// How many models a page of the list has, unless the request says otherwise.
const PAGE_SIZE: usize = 50;

/// What a request says and shows; whatever is not as it should be is left out.
pub(super) fn read_prompt(json: &Value) -> Prompt {
    let system = field(json, "systemInstruction").into_iter();
    let parts = || items(json, "contents").flat_map(|content| items(content, "parts"));
    Prompt {
        system_text: texts(system.flat_map(|content| items(content, "parts"))),
        user_text: texts(parts()),
        media: parts().filter_map(read_media).collect(),
    }
}

/// How closely to look; `None` when it says something that nobody knows.
pub(super) fn media_resolution(json: &Value) -> Option<MediaResolution> {
    let config = field(json, "generationConfig");
    match config.and_then(|config| field(config, "mediaResolution")) {
        Some(name) => MediaResolution::from_name(name.as_str()?),
        None => Some(MediaResolution::Unset),
    }
}

/// A page of the models that the stand-in knows.
pub(super) fn list_models(options: &StandInOptions, query: &str) -> HttpAnswer {
    let parameter = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let (_, value) = pairs.find(|(found, _)| *found == name)?;
        value.parse::<usize>().ok()
    };
    let size = parameter("pageSize").unwrap_or(PAGE_SIZE).max(1);
    let start = parameter("pageToken").unwrap_or_default();
    let names = options.gemini_models.iter().skip(start);
    let models: Vec<_> = names
        .take(size)
        .map(|name| {
            json!({
                "name": format!("models/{name}"), "displayName": name, "version": "001",
                "inputTokenLimit": 1_048_576, "outputTokenLimit": 65_536,
                "supportedGenerationMethods": ["generateContent", "countTokens"],
                "thinking": !is_before_gemini_3(name),
            })
        })
        .collect();
    let mut page = json!({"models": models});
    let next = start.saturating_add(size);
    if next < options.gemini_models.len() {
        page["nextPageToken"] = next.to_string().into();
    }
    HttpAnswer::json(200, &page)
}

fn texts<'a>(parts: impl Iterator<Item = &'a Value>) -> String {
    let texts: Vec<_> = parts
        .filter_map(|part| field(part, "text")?.as_str())
        .collect();
    texts.join("\n")
}

fn read_media(part: &Value) -> Option<Media> {
    let data = field(part, "inlineData")?;
    let movie = field(part, "videoMetadata");
    let offset = |name| read_duration(movie.and_then(|movie| field(movie, name))?);
    Some(Media {
        frames_per_second: movie.and_then(|movie| field(movie, "fps")?.as_f64()),
        start: offset("startOffset"),
        end: offset("endOffset"),
        ..Media::from_base64(text(data, "mimeType"), text(data, "data"))
    })
}

/// A duration as protobuf writes it in JSON, such as `10s` or `1.5s`.
fn read_duration(value: &Value) -> Option<Duration> {
    let seconds = value.as_str()?.strip_suffix('s')?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}
