//! What a stand-in refuses by itself, before any script is asked.

use super::error::ModelError;
use super::options::StandInOptions;
use super::request::{Call, ModelRequest, Provider};
use super::{gemini, openai};

/// Refuses as the real services do, and what the real ones take but must never see: a key in a URL.
pub(super) fn refuse(request: &ModelRequest, options: &StandInOptions) -> Result<(), ModelError> {
    if request.key_in_query {
        let message = "the key is in the URL, where logs keep it: send it in a header";
        return Err(ModelError::new(400, message));
    }
    if request.call == Call::Unknown {
        let message = format!("nothing is here: {} {}", request.method, request.path);
        return Err(ModelError::new(404, message));
    }
    let needs_key = request.provider == Provider::Gemini || options.openai.needs_key;
    if needs_key && request.key() != Some(options.api_key.as_str()) {
        return Err(ModelError::invalid_key());
    }
    if request.body_length > u64::try_from(options.body_limit).unwrap_or(u64::MAX) {
        return Err(ModelError::too_large());
    }
    match (request.call, request.provider) {
        (Call::Generate, Provider::Gemini) => gemini::refuse(request, options),
        (Call::Generate, Provider::OpenAi) => openai::refuse(request, options),
        _ => Ok(()),
    }
}
