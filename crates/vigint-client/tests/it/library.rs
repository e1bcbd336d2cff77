//! The library by itself.

use std::path::{Path, PathBuf};

use vigint_client::{
    ApiError, BuildError, Frame, InvalidKey, Location, SecureVideoAnalyzer, Source,
};
use vigint_core::key::KeyError;
use vigint_testkit::programs;

use crate::program::{Folder, has_ffmpeg};
use crate::scripted_server::{PATIENCE, Reply, Request, ScriptedServer};

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

#[tokio::test]
async fn a_run_that_is_dropped_ends_its_cameras_process_and_its_progress() {
    if !has_ffmpeg().await {
        return;
    }
    let server = ScriptedServer::start(Reply::of_vigint).await;
    let folder = Folder::new();
    folder.film(1).await;
    let film = folder.path().join("film.mp4");
    let mut source = Source::new("till".parse().unwrap(), Location::File(film.clone()));
    source.options.repeat = true;
    let analyzer = SecureVideoAnalyzer::builder()
        .api_base_url(server.url())
        .api_key("a-key-of-16-chars")
        .build()
        .unwrap();
    let is_read = async {
        let has_frames = |all: &[Request]| all.iter().filter(|r| r.is_frame()).count() >= 3;
        server.until(has_frames).await;
        analyzer.progress().len()
    };
    let read = tokio::select! {
        ended = analyzer.run(source) => panic!("a film that is repeated for ever ended: {ended:?}"),
        read = is_read => read,
    };
    assert_eq!(read, 1);
    assert_eq!(analyzer.progress(), [], "it is not being run any more");
    let looked = tokio::task::spawn_blocking(move || {
        programs::wait_for(PATIENCE, || reads(&film).is_empty().then_some(()))
    });
    assert!(looked.await.unwrap().is_some(), "ffmpeg lives on");
}

/// The processes that have this file on their command line. One that nobody has collected yet has none.
fn reads(film: &Path) -> Vec<PathBuf> {
    let wanted = film.to_str().unwrap();
    let processes = std::fs::read_dir("/proc")
        .unwrap()
        .map(|entry| entry.unwrap().path());
    processes
        .filter(|process| {
            let typed = std::fs::read(process.join("cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&typed).contains(wanted)
        })
        .collect()
}
