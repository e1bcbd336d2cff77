//! The library by itself.

use vigint_client::{ApiError, BuildError, Frame, InvalidKey, SecureVideoAnalyzer};
use vigint_core::key::KeyError;

use crate::scripted_server::{Reply, ScriptedServer};

#[tokio::test]
async fn pictures_can_be_pushed_and_analysed_without_a_camera() {
    let server = ScriptedServer::start(Reply::of_vigint).await;
    let analyzer = SecureVideoAnalyzer::builder()
        .api_base_url(format!("{}/", server.url()))
        .api_key("a-key-of-16-chars")
        .build()
        .unwrap();
    let frame = Frame {
        source_name: Some("Till & door".into()),
        number: Some(41),
        ..Frame::from(vec![0xFF, 0xD8, 0xFF])
    };
    assert_eq!(analyzer.push_frame(frame).await.unwrap().frame_count, 41);
    let seen = server.requests().pop().unwrap();
    assert_eq!(seen.query("source_name").as_deref(), Some("Till & door"));
    assert_eq!(seen.query("captured_at"), None);
    assert_eq!(
        seen.header("authorization"),
        Some("Bearer a-key-of-16-chars")
    );
    let answer = analyzer.analyze(&"default".parse().unwrap()).await.unwrap();
    assert!(!answer.has_security_incident);
}

#[tokio::test]
async fn a_key_that_cannot_be_one_is_refused_and_none_sends_nothing() {
    let server = ScriptedServer::start(Reply::of_vigint).await;
    let build = |key: &str| {
        SecureVideoAnalyzer::builder()
            .api_base_url(server.url())
            .api_key(key)
            .build()
    };
    assert!(matches!(
        build("short"),
        Err(BuildError::Key(InvalidKey::Key(KeyError::NotAKey)))
    ));
    let mistyped = format!("vgt_{}", "0".repeat(60));
    assert!(matches!(
        build(&mistyped),
        Err(BuildError::Key(InvalidKey::Key(KeyError::Mistyped)))
    ));
    let keyless = build("").unwrap();
    assert_eq!(
        keyless
            .push_frame(Frame {
                number: Some(1),
                ..Frame::from(vec![1])
            })
            .await
            .unwrap_err(),
        ApiError::NoKey
    );
    assert!(server.requests().is_empty());
}
