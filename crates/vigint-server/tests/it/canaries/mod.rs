//! No secret is ever printed: the three real programs live through a busy day, at trace level, and all that they
//! printed, answered and left on the disk is searched for the secrets they were given and those they made.
//!
//! A new key has one place: standard output of the command that makes it, and the admin API's 201. A link's token
//! stands in the mail and in the answers to its own client.
//!
//! Not searched, and known to hold a secret: the arguments of the ffmpeg that vigint-client starts hold the
//! camera's password, for every user of that machine to read (issue 7), and so do vigint-client's own when it is
//! given by `--source` or `--api-key`.

mod search;
mod story;
mod transcript;

use std::io::Read as _;
use std::net::TcpListener;

use vigint_testkit::{postgres, programs};

use self::search::Canaries;
use self::story::{Setting, tell};
use self::transcript::Transcript;

/// Our own crates at trace, libraries at what they have to say at that level.
const TRACE: &str = "trace";
/// Everything that any library has to say.
const ALL_LIBRARIES: &str = "trace,vigint=trace,actix_http=trace,actix_server=trace,actix_web=trace,actix_tls=trace,\
    rustls=trace,tokio=trace,mio=trace,diesel=trace,diesel_migrations=trace,r2d2=trace,hyper=trace,reqwest=trace,\
    lettre=trace,h2=trace,log=trace,clap=trace,config=trace";

#[test]
fn no_secret_is_told_on_sqlite_in_text() {
    tell(Setting {
        level: TRACE,
        format: "text",
        database: None,
    });
}

#[test]
fn no_secret_is_told_on_postgresql_in_json_by_any_library() {
    if let Some(database) = postgres::database() {
        tell(Setting {
            level: ALL_LIBRARIES,
            format: "json",
            database: Some(database),
        });
    }
}

#[test]
fn a_leak_would_be_seen() {
    let mut canaries = Canaries::default();
    canaries.add_key("key", "vgt_canary-8f3a5c7e1b2d4f6a");
    canaries.add("link token", "0d1e2f3a4b5c6d7e0d1e2f3a4b5c6d7e");
    let mut transcript = Transcript::default();
    transcript.note(
        "server.log",
        "authorization: Bearer vgt_canary-8f3a5c7e1b2d4f6a",
    );
    transcript.note(
        "1.eml",
        "http://localhost/video/x?token=0d1e2f3a4b5c6d7e0d1e2f3a4b5c6d7e",
    );
    transcript.note("server.out", "token=0d1e2f3a4b5c6d7e0d1e2f3a4b5c6d7e");
    let leaks = transcript.leaks(&canaries);
    assert_eq!(leaks.len(), 2, "{leaks:#?}");
    assert!(leaks[0].starts_with("key in server.log"), "{leaks:#?}");
    assert!(
        leaks[1].starts_with("link token in server.out"),
        "{leaks:#?}"
    );
}

#[test]
fn the_operators_program_shows_no_secret_among_its_arguments() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let key = story::secret("admin");
    let mut command = programs::command(&programs::path("vigint-admin"), folder.path());
    command.args(["--server-url", &url, "list"]);
    let mut running = command.env("VIGINT_ADMIN_KEY", &key).spawn().unwrap();
    // It has sent its request, and waits.
    let (mut asked, _) = listener.accept().unwrap();
    let mut head = [0; 1024];
    let read = asked.read(&mut head).unwrap();
    assert!(String::from_utf8_lossy(&head[..read]).contains(&key));
    let arguments = std::fs::read(format!("/proc/{}/cmdline", running.id())).unwrap();
    drop(asked);
    running.wait().unwrap();
    assert!(!String::from_utf8(arguments).unwrap().contains(&key));
}
