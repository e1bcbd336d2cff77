//! What a server of chat completions answers: the first two bytes are the status.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vigint_server::analysis::model::{Dialect, Reply, read_openai};

fuzz_target!(|data: &[u8]| {
    let (status, body) = data.split_at(data.len().min(2));
    let status = match status {
        // Most of what there is to read comes with this one.
        [0..128, _] | [] | [_] => 200,
        [high, low, ..] => u16::from_be_bytes([high & 3, *low]),
    };
    let reply = Reply {
        status,
        retry_after: None,
        body,
    };
    let reading = read_openai(Dialect::default(), &reply);
    // A refused call is never a verdict, and a verdict is never out of its bounds.
    if let Ok(verdict) = reading.verdict {
        assert_eq!(status, 200);
        assert!(verdict.confidence.is_none_or(|share| (0.0..=1.0).contains(&share)));
    }
});
