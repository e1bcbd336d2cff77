use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use vigint_core::clock::UtcTime;
use vigint_core::ids::ClipId;
use vigint_core::key::Secret;
use vigint_core::random::SystemRandom;
use vigint_core::verdict::RiskLevel;
use vigint_db::clips::HostedFilm;
use vigint_testkit::hosting::{HostingAnswer, HostingStandIn};

use super::answer::{self, Asked};
use super::{Film, Hosting, HostingOptions, UploadError};

const HOUR: Duration = Duration::from_secs(3600);

fn now() -> UtcTime {
    UtcTime::from_unix_seconds(1_795_448_403)
}

fn hosting(service: &HostingStandIn, stay: Duration) -> Hosting {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Hosting::new(HostingOptions {
        base_url: service.base_url(),
        api_key: Secret::new(service.api_key()),
        stay,
    })
    .unwrap()
}

/// A film of more bytes than go at once.
fn film(folder: &Path) -> Film {
    let bytes: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    let path = folder.join("film.mp4");
    std::fs::write(&path, &bytes).unwrap();
    Film {
        clip: ClipId::generate(&SystemRandom),
        path,
        bytes: u64::try_from(bytes.len()).unwrap(),
        sha256: hex::encode(Sha256::digest(&bytes)),
        expires_at: now() + 48 * HOUR,
        source: "caisse-2".parse().unwrap(),
        incident_type: "vol".to_owned(),
        risk_level: RiskLevel::High,
        frame_count: 12,
        analysis: "Il met une bouteille \"sous\" sa veste.\nEt sort.".to_owned(),
    }
}

fn upload(hosting: &Hosting, film: &Film) -> Result<HostedFilm, UploadError> {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(hosting.upload(film, now()))
}

/// One upload that is answered so.
fn answered(answer: HostingAnswer) -> Result<HostedFilm, UploadError> {
    let (service, folder) = (HostingStandIn::start().unwrap(), TempDir::new().unwrap());
    service.script([answer]);
    let uploaded = upload(&hosting(&service, HOUR), &film(folder.path()));
    let refused: Vec<_> = service
        .uploads()
        .iter()
        .map(|upload| upload.refused)
        .collect();
    assert_eq!(refused, [None]);
    uploaded
}

fn body(change: impl FnOnce(&mut Value)) -> HostingAnswer {
    let mut body = json!({
        "success": true,
        "video_id": "v-1",
        "private_link": "https://sparse.example/v/1?t=secret",
        "expiration_time": "2026-11-30T10:00:00Z",
    });
    change(&mut body);
    HostingAnswer::Body(body.to_string())
}

#[test]
fn a_film_is_handed_over_whole_with_all_that_is_said_of_it() {
    let (service, folder) = (HostingStandIn::start().unwrap(), TempDir::new().unwrap());
    let film = film(folder.path());
    let hosted = upload(&hosting(&service, 48 * HOUR), &film).unwrap();
    let [upload] = service.uploads().try_into().unwrap();
    assert_eq!(upload.refused, None);
    assert_eq!(upload.target, "POST /api/v1/videos/upload");
    assert_eq!(
        upload.header("authorization"),
        format!("Bearer {}", service.api_key())
    );
    assert_eq!(upload.header("x-video-id"), film.clip.to_string());
    assert_eq!(
        upload.header("transfer-encoding"),
        "",
        "its length is said before"
    );
    assert_eq!(upload.video, std::fs::read(&film.path).unwrap());
    assert!(
        upload.video_head.contains("video/mp4"),
        "{}",
        upload.video_head
    );
    assert_eq!(upload.fields["expiration_hours"], "48");
    assert_eq!(upload.fields["access_type"], "private");
    assert_eq!(
        upload.metadata,
        json!({
            "video_id": film.clip.to_string(),
            "upload_timestamp": now().to_string(),
            "expiration_time": (now() + 48 * HOUR).to_string(),
            "source": "caisse-2",
            "type": "security_incident",
            "incident_type": "vol",
            "risk_level": "HIGH",
            "frame_count": 12,
            "analysis": film.analysis,
            "file_hash": film.sha256,
        })
    );
    assert_eq!(hosted.id, format!("sparse-{}", film.clip));
    assert!(hosted.url.reveal().starts_with(&service.base_url()));
    assert_eq!(
        hosted.until,
        now() + 48 * HOUR,
        "the service does not say otherwise"
    );
    assert!(
        !format!("{hosted:?}").contains("private-"),
        "a link is a secret"
    );
}

#[test]
fn a_film_is_to_stay_no_longer_than_it_is_kept_here() {
    let (service, folder) = (HostingStandIn::start().unwrap(), TempDir::new().unwrap());
    // As the settings have it, and a film that was made some seconds after its incident.
    let soon = Film {
        expires_at: now() + 48 * HOUR - Duration::from_secs(9),
        ..film(folder.path())
    };
    upload(&hosting(&service, 48 * HOUR), &soon).unwrap();
    // A server that was down for a night.
    let late = Film {
        expires_at: now() + 36 * HOUR + HOUR / 4,
        ..soon.clone()
    };
    let hosted = upload(&hosting(&service, 48 * HOUR), &late).unwrap();
    assert_eq!(hosted.until, late.expires_at);
    upload(&hosting(&service, HOUR / 1000), &late).unwrap();
    let hours: Vec<_> = service
        .uploads()
        .iter()
        .map(|upload| upload.fields["expiration_hours"].clone())
        .collect();
    assert_eq!(hours, ["48", "36.25", "0.001"]);
}

#[test]
fn what_may_pass_is_told_from_what_may_not() {
    for (answer, may_pass, is_of_service, words) in [
        (HostingAnswer::Status(500), true, true, "answered 500"),
        (HostingAnswer::Status(503), true, true, "answered 503"),
        (HostingAnswer::Status(429), true, true, "answered 429"),
        (HostingAnswer::Status(408), true, true, "answered 408"),
        (HostingAnswer::Close, true, true, "could not be reached"),
        (
            HostingAnswer::Status(401),
            false,
            true,
            "mend [SparseAI] api_key",
        ),
        (
            HostingAnswer::Status(403),
            false,
            true,
            "mend [SparseAI] api_key",
        ),
        (
            HostingAnswer::Status(307),
            false,
            true,
            "sends us elsewhere",
        ),
        (
            HostingAnswer::Status(402),
            false,
            true,
            "refused the film (402)",
        ),
        (
            HostingAnswer::Status(404),
            false,
            true,
            "is [SparseAI] base_url right?",
        ),
        (
            HostingAnswer::Status(400),
            false,
            false,
            "refused the film (400)",
        ),
        (
            HostingAnswer::Status(413),
            false,
            false,
            "refused the film (413)",
        ),
        (
            HostingAnswer::Status(200),
            false,
            true,
            "refused the film (200)",
        ),
        (
            HostingAnswer::Body("<html>".to_owned()),
            false,
            true,
            "it is no JSON",
        ),
        (
            HostingAnswer::Body("x".repeat(70_000)),
            false,
            true,
            "it is too long",
        ),
        (
            body(|body| body["success"] = Value::Null),
            false,
            true,
            "whether it was a success",
        ),
        (
            body(|body| body["video_id"] = Value::Null),
            false,
            true,
            "no video_id",
        ),
        (
            body(|body| body["private_link"] = json!("")),
            false,
            true,
            "no private_link",
        ),
    ] {
        let error = answered(answer.clone()).unwrap_err();
        assert_eq!(error.may_pass(), may_pass, "{answer:?}");
        assert_eq!(error.is_of_service(), is_of_service, "{answer:?}");
        let said = error.to_string();
        assert!(said.contains(words), "{answer:?}: {said}");
        // The stand-in repeats the key, as some services do.
        assert!(!said.contains("sparse-key"), "{answer:?}: {said}");
        if matches!(answer, HostingAnswer::Status(status) if status != 307) {
            assert!(said.contains("the key was ***"), "{answer:?}: {said}");
        }
    }
}

#[test]
fn a_service_that_is_not_there_may_be_another_time() {
    let (service, folder) = (HostingStandIn::start().unwrap(), TempDir::new().unwrap());
    let hosting = hosting(&service, HOUR);
    drop(service);
    assert!(!hosting.vital().is_failing());
    let error = upload(&hosting, &film(folder.path())).unwrap_err();
    assert!(error.may_pass(), "{error}");
    assert!(hosting.vital().is_failing(), "health says so");
}

#[test]
fn only_a_link_that_nobody_between_can_read_is_believed() {
    let link = |link: &str| answered(HostingAnswer::Link(link.to_owned()));
    for good in [
        "https://sparse.example/v/1?t=secret",
        "http://127.0.0.1:9/v",
        "http://[::1]/v",
        "http://localhost/v",
    ] {
        assert_eq!(link(good).unwrap().url.reveal(), good);
    }
    for bad in [
        "http://sparse.example/v/1",
        "http://127.0.0.1.sparse.example/v",
        "javascript:alert(1)",
        "//sparse.example/v",
        "https://user:password@sparse.example/v",
        "https://sparse.example/v\r\nBcc: x@y.example",
        "https://sparse.example/v 1",
        "v/1",
    ] {
        let error = link(bad).unwrap_err().to_string();
        assert!(error.contains("private_link"), "{bad}: {error}");
        assert!(!error.contains("sparse.example"), "{bad}: {error}");
    }
}

#[test]
fn the_end_of_a_link_is_the_one_that_the_service_names() {
    let until = |time: Value| {
        answered(body(|body| body["expiration_time"] = time))
            .unwrap()
            .until
            .to_string()
    };
    let asked = (now() + HOUR).to_string();
    assert_eq!(
        until(json!("2026-11-30T10:00:00Z")),
        "2026-11-30T10:00:00.000Z"
    );
    assert_eq!(
        until(json!("2026-11-30T10:00:00+02:00")),
        "2026-11-30T08:00:00.000Z"
    );
    // As Python's `datetime.utcnow().isoformat()` writes it.
    assert_eq!(
        until(json!("2026-11-30T10:00:00.123456")),
        "2026-11-30T10:00:00.123Z"
    );
    for unreadable in [json!("soon"), json!(7), Value::Null] {
        assert_eq!(until(unreadable), asked);
    }
}

#[test]
fn a_film_that_is_gone_or_another_one_is_not_handed_over() {
    let (service, folder) = (HostingStandIn::start().unwrap(), TempDir::new().unwrap());
    let hosting = hosting(&service, HOUR);
    let film = film(folder.path());
    let longer = Film {
        bytes: film.bytes + 1,
        ..film.clone()
    };
    let error = upload(&hosting, &longer).unwrap_err();
    assert!(matches!(error, UploadError::OtherFilm { .. }), "{error}");
    let gone = Film {
        path: folder.path().join("gone.mp4"),
        ..film
    };
    let error = upload(&hosting, &gone).unwrap_err();
    assert!(matches!(error, UploadError::Film(_)), "{error}");
    assert!(!error.may_pass() && !hosting.vital().is_failing());
    assert!(service.uploads().is_empty());
}

/// What an answer of a service elsewhere is read as.
fn read(status: u16, body: &str) -> Result<HostedFilm, String> {
    let asked = Asked {
        at: now(),
        until: now() + HOUR,
        key: &Secret::new("the-key"),
        is_loopback: false,
    };
    answer::read(status, body.as_bytes(), &asked).map_err(|error| error.to_string())
}

#[test]
fn a_service_elsewhere_names_no_address_of_the_readers_own_machine() {
    for link in [
        "http://127.0.0.1/v",
        "https://localhost/v",
        "http://[::1]/v",
    ] {
        let body = json!({"success": true, "video_id": "v", "private_link": link});
        let refused = read(200, &body.to_string()).unwrap_err();
        assert!(refused.contains("no https address"), "{link}: {refused}");
    }
}

#[test]
fn what_a_service_says_is_logged_without_keys_and_links() {
    for (said, shown) in [
        ("the-key is wrong", "*** is wrong"),
        ("the\u{200B}-key is wrong", "*** is wrong"),
        (
            "it is at https://sparse.example/v/1?t=s already",
            "it is at *** already",
        ),
        ("two\nlines", "two lines"),
    ] {
        let body = json!({"success": false, "message": said}).to_string();
        for status in [200, 401, 409, 503] {
            let error = read(status, &body).unwrap_err();
            assert!(error.ends_with(&format!(": {shown}")), "{error}");
        }
    }
    for id in ["https://sparse.example/v/1", "x-the-key"] {
        let body = json!({"success": true, "video_id": id, "private_link": "https://s.example/1"});
        assert!(
            read(200, &body.to_string())
                .unwrap_err()
                .contains("no video_id")
        );
    }
}

#[test]
fn a_link_that_is_over_when_it_is_given_is_none() {
    let body = json!({
        "success": true, "video_id": "v", "private_link": "https://s.example/1",
        "expiration_time": now().to_string(),
    });
    assert!(
        read(200, &body.to_string())
            .unwrap_err()
            .contains("is past")
    );
}

#[test]
fn what_a_long_answer_means_is_said_by_its_status() {
    let (service, folder) = (HostingStandIn::start().unwrap(), TempDir::new().unwrap());
    service.script([HostingAnswer::Page(503)]);
    let error = upload(&hosting(&service, HOUR), &film(folder.path())).unwrap_err();
    assert!(
        matches!(error, UploadError::Trouble { status: 503, .. }),
        "{error}"
    );
}
