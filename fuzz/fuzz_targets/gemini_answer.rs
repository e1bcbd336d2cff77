//! What Gemini answers, or whoever stands in its place.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::json;
use vigint_fuzz::Case;
use vigint_server::analysis::model::read_gemini;

fuzz_target!(|data: &[u8]| {
    let case = Case::of(data, |said| {
        json!({"candidates": [{"content": {"parts": [{"text": said}]}, "finishReason": "STOP"}]})
    });
    if let Some(case) = case {
        case.check(&read_gemini(&case.reply()));
    }
});
