//! What a server of chat completions answers.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::json;
use vigint_fuzz::Case;
use vigint_server::analysis::model::read_openai;

fuzz_target!(|data: &[u8]| {
    let case = Case::of(data, |said| {
        json!({"choices": [{"message": {"content": said}, "finish_reason": "stop"}]})
    });
    if let Some(case) = case {
        case.check(&read_openai(case.dialect, &case.reply()));
    }
});
