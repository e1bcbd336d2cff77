//! Whether the tests that need ffmpeg can run.

use std::process::Stdio;

use tokio::process::Command;

/// Whether ffmpeg is here. Without it a test that needs it says so loudly and is skipped, unless
/// `VIGINT_REQUIRE_FFMPEG=1` (as in CI).
pub(crate) async fn has_ffmpeg() -> bool {
    let version = Command::new("ffmpeg")
        .arg("-version")
        .stdout(Stdio::null())
        .status()
        .await;
    let is_here = version.is_ok_and(|status| status.success());
    if !is_here {
        let required = environment("VIGINT_REQUIRE_FFMPEG").as_deref() == Some("1");
        assert!(
            !required,
            "ffmpeg is required and not here: sudo apt-get install -y ffmpeg"
        );
        eprintln!("\n*** SKIPPED: this test needs ffmpeg (sudo apt-get install -y ffmpeg) ***\n");
    }
    is_here
}

#[allow(
    clippy::disallowed_methods,
    reason = "the one place of these tests that reads the environment"
)]
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
