//! Signals, and what becomes of the camera's child process.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::Value;
use tokio::process::Command;
use vigint_testkit::programs;

use crate::program::{Folder, finish, has_ffmpeg};
use crate::scripted_server::{PATIENCE, Reply, Request, ScriptedServer};

#[tokio::test]
async fn ctrl_c_and_sigterm_end_it_in_order_with_0() {
    if !has_ffmpeg().await {
        return;
    }
    let server = ScriptedServer::start(Reply::of_vigint).await;
    let folder = Folder::new();
    let film = folder.film(1).await;
    let url = server.url();
    for signal in ["-INT", "-TERM"] {
        let id = format!("film{signal}={film}");
        let args = [
            "--json",
            "--loop",
            "--source",
            &id,
            "--api-url",
            &url,
            "--api-key",
            "a-key-of-16-chars",
        ];
        let client = folder.client(&args).spawn().unwrap();
        let pid = client.id().unwrap().to_string();
        let wanted = format!("film{signal}");
        let is_ours = |request: &&Request| request.query("source_id").as_deref() == Some(&wanted);
        // More than one round of the film: it goes on at its end, and so do its times.
        server
            .until(|all| all.iter().filter(is_ours).filter(|r| r.is_frame()).count() >= 15)
            .await;
        assert!(
            Command::new("kill")
                .args([signal, &pid])
                .status()
                .await
                .unwrap()
                .success()
        );
        let ran = finish(client).await;
        assert_eq!(ran.code, 0, "{ran:?}");
        let names = ran.event_names();
        assert_eq!(
            &names[names.len() - 2..],
            ["source_ended", "stopped"],
            "{ran:?}"
        );
        let opened = ran
            .events()
            .iter()
            .filter(|e: &&Value| e["event"] == "source_opened")
            .count();
        assert!(opened >= 2, "{ran:?}");
        let frames: Vec<Request> = server
            .requests()
            .into_iter()
            .filter(|r| r.is_frame() && is_ours(&r))
            .collect();
        let times: Vec<String> = frames
            .iter()
            .map(|f| f.query("captured_at").unwrap())
            .collect();
        assert!(times.is_sorted(), "{times:?}");
    }
}

#[tokio::test]
async fn no_child_outlives_the_program_however_it_is_stopped() {
    // A camera that shows nothing and a child that ends only when it is killed.
    let folder = Folder::new();
    let stubborn = folder.write(
        "ffmpeg",
        "#!/bin/sh\necho $$ > new.txt\n/bin/mv new.txt pid.txt\nexec /bin/sleep 600\n",
    );
    std::fs::set_permissions(&stubborn, std::fs::Permissions::from_mode(0o755)).unwrap();
    let pid_file = folder.path().join("pid.txt");
    for signals in [&["-TERM"][..], &["-TERM", "-INT"]] {
        let args = [
            "--source",
            "rtsp://127.0.0.1:1/x",
            "--api-key",
            "a-key-of-16-chars",
        ];
        let mut command = folder.client(&args);
        let client = command.env("PATH", folder.path()).spawn().unwrap();
        let child = appearing(&pid_file).await;
        for signal in signals {
            let pid = client.id().unwrap().to_string();
            assert!(
                Command::new("kill")
                    .args([*signal, pid.as_str()])
                    .status()
                    .await
                    .unwrap()
                    .success()
            );
        }
        let ran = finish(client).await;
        assert_eq!(ran.code, 0, "{ran:?}");
        has_ended(child.trim()).await;
        std::fs::remove_file(&pid_file).unwrap();
    }
}

/// Looks at what another process does until it is there. On a thread of its own: looking blocks.
async fn wait_for<T: Send + 'static>(
    look: impl FnMut() -> Option<T> + Send + 'static,
) -> Option<T> {
    let looking = tokio::task::spawn_blocking(|| programs::wait_for(PATIENCE, look));
    looking.await.unwrap()
}

async fn appearing(file: &Path) -> String {
    let path = file.to_owned();
    let content = wait_for(move || std::fs::read_to_string(&path).ok()).await;
    content.unwrap_or_else(|| panic!("{} never came", file.display()))
}

/// Waits until no such process runs (one that nobody has collected yet does not run).
async fn has_ended(pid: &str) {
    let stat = format!("/proc/{pid}/stat");
    let runs = move || std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z "));
    let ended = wait_for(move || (!runs()).then_some(())).await;
    ended.unwrap_or_else(|| panic!("the child {pid} lives on"));
}
