//! The sources, tried side by side: what they show, as a still in a folder too.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use vigint_client::{CaptureError, NativeStream, SecureVideoAnalyzer, Source, SourceLook};

use super::findings::{Findings, Mark};
use crate::exit::Exit;
use crate::still;

/// How many are opened at once: each is a process that decodes video.
const SIDE_BY_SIDE: usize = 8;

/// Each in the order it was given, as soon as those before it are known.
pub(super) async fn check(
    analyzer: &SecureVideoAnalyzer,
    sources: Vec<Source>,
    stills: &Path,
    findings: &mut Findings<'_>,
) {
    let turns = Arc::new(Semaphore::new(SIDE_BY_SIDE));
    let mut looks = JoinSet::new();
    for (place, source) in sources.iter().cloned().enumerate() {
        let (analyzer, turns) = (analyzer.clone(), Arc::clone(&turns));
        looks.spawn(async move {
            // A semaphore that nobody closes always gives its turn.
            let _turn = turns.acquire().await;
            (place, analyzer.look_at(&source).await)
        });
    }
    let mut found: Vec<Option<Result<SourceLook, CaptureError>>> = Vec::new();
    found.resize_with(sources.len(), || None);
    let mut told = 0;
    while let Some(looked) = looks.join_next().await {
        let (place, look) = match looked {
            Ok(looked) => looked,
            Err(broken) if broken.is_panic() => std::panic::resume_unwind(broken.into_panic()),
            Err(_) => continue,
        };
        if let Some(slot) = found.get_mut(place) {
            *slot = Some(look);
        }
        while let (Some(source), Some(look)) = (
            sources.get(told),
            found.get_mut(told).and_then(Option::take),
        ) {
            tell(source, look, stills, findings);
            told += 1;
        }
    }
}

fn tell(
    source: &Source,
    look: Result<SourceLook, CaptureError>,
    stills: &Path,
    findings: &mut Findings<'_>,
) {
    let check = format!("source {}", source.id);
    let look = match look {
        Ok(look) => look,
        Err(error) => {
            let said = format!("{}: {error}", source.location);
            findings.bad(&check, &said, Exit::Source);
            return;
        }
    };
    let native = match &look.native {
        Some(native) => format!(" as sent; {}", words_of(native)),
        None => " as sent".to_owned(),
    };
    let (width, height) = (look.width, look.height);
    let said = format!(
        "{} shows pictures, {width}x{height}{native}",
        source.location
    );
    let still = still::save(stills, &source.id, &look.jpeg);
    let native = look.native.as_ref();
    let details = json!({
        "source_id": source.id,
        "width": width,
        "height": height,
        "codec": native.map(|native| &native.codec),
        "native_width": native.map(|native| native.width),
        "native_height": native.map(|native| native.height),
        "native_fps": native.and_then(|native| native.fps),
        "still": still.as_ref().ok().map(|path| path.display().to_string()),
    });
    findings.tell(&check, Mark::Ok, &said, details);
    tell_still(still, stills, findings);
}

fn tell_still(still: std::io::Result<PathBuf>, stills: &Path, findings: &Findings<'_>) {
    match still {
        Ok(path) => findings.add(&format!("still saved: {}", path.display())),
        Err(error) => {
            let said = format!(
                "no still can be saved in {}: {error}; choose another folder with --stills",
                stills.display()
            );
            findings.warn("stills", &said);
        }
    }
}

/// Such as `h264, 2560x1440, 25 fps at the camera`.
fn words_of(native: &NativeStream) -> String {
    let fps = match native.fps {
        Some(fps) => format!(", {fps} fps"),
        None => String::new(),
    };
    format!(
        "{}, {}x{}{fps} at its origin",
        native.codec, native.width, native.height
    )
}
