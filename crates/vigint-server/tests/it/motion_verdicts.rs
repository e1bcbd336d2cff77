//! The table of verdicts, judged by motion. Models have theirs in `models/`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use vigint_server::analysis::{MotionAnalyzer, MotionShares};
use vigint_testkit::scene::{Scene, noise_frame, still_frame};
use vigint_video::grey::{DecodeError, GreyDecoder, GreyMemory, GreyPlane, JpegGreyDecoder};

use crate::fixture::{Customer, Options, TestServer, now};

/// The width and height of pictures that cannot be decoded.
const BAD: u16 = 48;

/// Fails at some pictures while it is broken.
struct Breaks(Arc<AtomicBool>);

impl GreyDecoder for Breaks {
    fn decode(
        &self,
        jpeg: &[u8],
        plane: &mut GreyPlane,
        memory: &mut GreyMemory,
    ) -> Result<(), DecodeError> {
        let info = vigint_video::jpeg::inspect(jpeg, u64::MAX).unwrap();
        if info.width == BAD && self.0.load(Ordering::SeqCst) {
            return Err(DecodeError::Panicked);
        }
        JpegGreyDecoder.decode(jpeg, plane, memory)
    }
}

/// A server whose gate cannot decode bad pictures. Its analyzer can, until it is broken, too.
fn server() -> (TestServer, Arc<AtomicBool>) {
    let is_broken = Arc::new(AtomicBool::new(false));
    let theirs = Arc::clone(&is_broken);
    let server = TestServer::with(Options {
        config: "[AI]\nmotion_gate = false\n".to_owned(),
        change: Box::new(move |parts| {
            parts.grey_decoder = Arc::new(Breaks(Arc::new(AtomicBool::new(true))));
            let shares = MotionShares {
                screen: 0.3,
                confirm: 0.6,
            };
            let analyzer = MotionAnalyzer::new(shares, Arc::new(Breaks(theirs)), 1);
            parts.analyzer = Some(Arc::new(analyzer));
        }),
    });
    (server, is_broken)
}

/// So many pictures of a visit, five a second of it.
fn moving(count: usize) -> Vec<Vec<u8>> {
    let scene = Scene {
        frames_per_second: 5,
        ..Scene::default()
    };
    let visit = Scene::visit();
    let begin = visit.start + Duration::from_secs(1);
    let frames = scene.frames().filter(|frame| frame.at >= begin);
    frames.take(count).map(|frame| frame.jpeg).collect()
}

fn judged(customer: &Customer) -> Value {
    let answer = customer.post("/api/video/analyze", &json!({"source_id": "till"}));
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn verdict(body: &Value) -> [&str; 2] {
    ["verdict", "confirmation"].map(|name| body[name].as_str().unwrap())
}

#[test]
fn the_table_of_verdicts_holds_for_motion() {
    let (server, is_broken) = server();
    let customer = server.customer("Acme");

    let begin = now();
    customer.push_all_at("till", &vec![still_frame(); 70], begin);
    let body = judged(&customer);
    assert_eq!(verdict(&body), ["clear", "not_needed"]);
    assert_eq!(
        body["stages"],
        json!([{"stage": "screen", "analyzer": "motion", "verdict": "clear", "ms": body["stages"][0]["ms"]}])
    );

    // Moving is most of what the screen sees, and little of the whole.
    customer.push_all_at("till", &moving(30), begin.plus_millis(3_000));
    let body = judged(&customer);
    assert_eq!(verdict(&body), ["vetoed", "vetoed"], "{body}");
    assert_eq!(
        (&body["incident"], &body["risk_level"]),
        (&Value::Null, &json!("LOW"))
    );
    let vetoed = customer.get("/api/incidents?status=vetoed").json();
    assert_eq!(vetoed["incidents"].as_array().unwrap().len(), 1);

    let busy = server.customer("Busy");
    busy.push_all("till", &moving(40));
    let body = judged(&busy);
    assert_eq!(verdict(&body), ["confirmed", "confirmed"], "{body}");
    assert_eq!(body["incident"]["is_new"], true);

    // What was looked at once, and cannot be any more.
    let other = server.customer("Other");
    let begin = now();
    other.push_all_at("till", &vec![noise_frame(1, BAD, BAD); 70], begin);
    assert_eq!(judged(&other)["verdict"], "clear");
    is_broken.store(true, Ordering::SeqCst);
    other.push_all_at("till", &moving(30), begin.plus_millis(3_000));
    let body = judged(&other);
    assert_eq!(verdict(&body), ["unconfirmed", "unavailable"], "{body}");
    assert_eq!(body["has_security_incident"], true);

    let blind = server.customer("Blind");
    blind.push_all("till", &vec![noise_frame(1, BAD, BAD); 20]);
    let answer = blind.post("/api/video/analyze", &json!({"source_id": "till"}));
    assert_eq!(
        (answer.status, &answer.json()["code"]),
        (502, &json!("analyzer_failed"))
    );
    assert_eq!(blind.get("/api/incidents").json()["incidents"], json!([]));
    // It says nothing of how the analyzer is: anybody can send such pictures. The one before was the last to say.
    assert_eq!(
        blind.get("/api/health").json()["checks"]["analyzer"],
        "motion"
    );
}
