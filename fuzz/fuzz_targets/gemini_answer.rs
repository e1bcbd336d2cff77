//! What Gemini answers, or whoever stands in its place: the first two bytes are the status.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vigint_server::analysis::model::{Reply, read_gemini};

fuzz_target!(|data: &[u8]| {
    let (status, body) = data.split_at(data.len().min(2));
    let status = match status {
        // Most of what there is to read comes with this one.
        [0..128, _] | [] | [_] => 200,
        [high, low, ..] => u16::from_be_bytes([high & 3, *low]),
    };
    let reading = read_gemini(&Reply {
        status,
        retry_after: None,
        body,
    });
    // A refused call is never a verdict, and a verdict is never out of its bounds.
    if let Ok(verdict) = reading.verdict {
        assert_eq!(status, 200);
        assert!(verdict.confidence.is_none_or(|share| (0.0..=1.0).contains(&share)));
    }
});
