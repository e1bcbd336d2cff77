//! One bad picture hurts one request, and nobody else.

use std::sync::Arc;

use serde_json::json;
use vigint_server::analysis::{MotionAnalyzer, MotionShares};
use vigint_video::grey::{DecodeError, GreyDecoder, GreyMemory, GreyPlane, JpegGreyDecoder};

use crate::fixture::{Options, TestServer, pictures};

/// Panics on pictures of one width, as a decoder with a bug would.
struct Buggy;

const CURSED: (u16, u16) = (48, 48);

impl GreyDecoder for Buggy {
    fn decode(
        &self,
        jpeg: &[u8],
        plane: &mut GreyPlane,
        memory: &mut GreyMemory,
    ) -> Result<(), DecodeError> {
        let info = vigint_video::jpeg::inspect(jpeg, u64::MAX).unwrap();
        assert!((info.width, info.height) != CURSED, "an injected panic");
        JpegGreyDecoder.decode(jpeg, plane, memory)
    }
}

#[test]
fn a_picture_that_makes_the_decoder_panic_hurts_nobody_else() {
    let server = TestServer::with(Options {
        change: Box::new(|parts| {
            let shares = MotionShares {
                screen: 0.5,
                confirm: 0.5,
            };
            parts.grey_decoder = Arc::new(Buggy);
            parts.analyzer = Some(Arc::new(MotionAnalyzer::new(shares, Arc::new(Buggy), 1)));
        }),
        ..Options::default()
    });
    let attacker = server.customer("Attacker");
    let victim = server.customer("Victim");
    let cursed = vigint_testkit::scene::noise_frame(1, CURSED.0, CURSED.1);
    attacker.push_all("default", &vec![cursed; 20]);
    victim.push_all("default", &pictures(20));

    // Nobody knows what the attacker's pictures show: that is an error, never "nothing happened".
    let answer = attacker.post("/api/video/analyze", &json!({}));
    assert_eq!(answer.status, 502, "{}", answer.text());
    assert_eq!(answer.json()["code"], "analyzer_failed");
    // The victim's are judged as ever.
    let answer = victim.post("/api/video/analyze", &json!({}));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["frame_count"], 19);
    assert_eq!(answer.json()["skipped"], "no_motion", "the gate saw them");
}

#[test]
fn what_is_no_picture_is_refused_and_named() {
    let server = TestServer::sqlite();
    let customer = server.customer("Acme");
    let whole = &pictures(1)[0];
    for (body, status, code) in [
        (b"hello".to_vec(), 422, "not_a_jpeg"),
        (whole[..whole.len() - 2].to_vec(), 422, "not_a_jpeg"),
        (b"\x89PNG\r\n\x1a\n".to_vec(), 422, "not_a_jpeg"),
    ] {
        let answer = customer.push("source_id=a", &body);
        assert_eq!(
            (answer.status, answer.json()["code"].as_str().unwrap()),
            (status, code)
        );
    }
    let mut trailed = whole.clone();
    trailed.extend_from_slice(b"bytes after the end");
    assert_eq!(customer.push("source_id=a", &trailed).status, 200);
    let sources = customer
        .get(&format!("/api/clients/{}/sources", customer.id))
        .json();
    assert_eq!(sources["sources"][0]["bytes"], whole.len());
}
