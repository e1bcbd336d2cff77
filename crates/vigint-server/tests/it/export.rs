//! `vigint-server export`, the real program beside a running server.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use vigint_core::ids::{ClipId, IncidentId};
use vigint_core::incident::{ClipState, IncidentStatus};
use vigint_core::key::ApiKey;
use vigint_core::random::SystemRandom;
use vigint_db::DbError;
use vigint_db::clips::{ClipRow, NewClip};
use vigint_db::sources::{Heard, Patience};
use vigint_server::clips::{ClipStore, StorageKey};
use vigint_testkit::mailbox::mails;
use vigint_testkit::programs::wait_for;
use zip::ZipArchive;

use crate::fixture::{
    Customer, FixedAnalyzer, OPERATOR, TestServer, now, pictures, signing_secret,
};

const PATIENCE: Duration = Duration::from_secs(60);

macro_rules! on_each_database {
    ($(fn $name:ident($server:ident) $body:block)+) => { $(
        fn $name($server: &TestServer) $body

        mod $name {
            use crate::fixture::{FixedAnalyzer, TestServer};

            #[test]
            fn sqlite() {
                super::$name(&FixedAnalyzer::server(Ok(true), Ok(true)));
            }

            #[test]
            fn postgres() {
                let options = FixedAnalyzer::options("", Ok(true), Ok(true));
                if let Some(server) = TestServer::postgres_with(options) {
                    super::$name(&server);
                }
            }
        }
    )+ };
}

/// An incident of the customer's, with its film and its mail.
fn incident(server: &TestServer, customer: &Customer, source: &str) -> String {
    let outbox = server.folder().join("outbox");
    let before = mails(&outbox).len();
    customer.push_all(source, &pictures(12));
    let found = customer.post("/api/video/analyze", &json!({"source_id": source}));
    let id = found.json()["incident"]["id"].as_str().unwrap().to_owned();
    let is_done = || {
        let shown = customer.get(&format!("/api/incidents/{id}")).json();
        let is_ready = shown["clip"]["state"] == "ready";
        (is_ready && mails(&outbox).len() > before).then_some(())
    };
    wait_for(PATIENCE, is_done).expect("its film is made and its mail is written");
    id
}

/// Writes down a source now: the server itself does so from time to time.
fn hear(server: &TestServer, customer: &Customer, source: &str) {
    let heard = Heard {
        source_id: source.parse().unwrap(),
        source_name: None,
        at: now(),
    };
    let patience = Patience {
        silent_after: Duration::from_secs(300),
        listening_since: now(),
    };
    let written = server
        .db()
        .write(|conn| vigint_db::sources::hear(conn, &customer.tenant, &[heard], &patience));
    written.unwrap_or_else(|error: DbError| panic!("{error}"));
}

/// An incident whose film somebody else is about to make: its frames are kept.
fn pending(server: &TestServer, customer: &Customer, frames: &[Vec<u8>]) -> String {
    let id = IncidentId::generate(&SystemRandom);
    let clip = ClipId::generate(&SystemRandom);
    let key = StorageKey::new(customer.id, clip);
    let store = ClipStore::open(&server.folder().join("clips"), 1 << 20).unwrap();
    let frames: Vec<Bytes> = frames.iter().cloned().map(Bytes::from).collect();
    let timed = (0..)
        .zip(&frames)
        .map(|(number, jpeg)| (now().plus_millis(number * 100), jpeg));
    store.keep_frames(key, timed).unwrap();
    let later = now() + Duration::from_secs(3600);
    let written = server.db().write(|conn| {
        let query = vigint_db::incidents::IncidentQuery::default();
        let mut row = vigint_db::incidents::list(conn, &customer.tenant, &query)?
            .incidents
            .remove(0)
            .0;
        row.id = id;
        row.status = IncidentStatus::Closed;
        vigint_db::incidents::insert(conn, &customer.tenant, &row)?;
        let new = NewClip {
            id: clip,
            incident_id: id,
            storage_key: key.to_string(),
            expires_at: later,
            created_at: now(),
        };
        vigint_db::clips::insert(conn, &customer.tenant, &new)?;
        vigint_db::clips::claim_pending(conn, &OPERATOR, customer.id, now(), later).map(drop)
    });
    written.unwrap_or_else(|error: DbError| panic!("{error}"));
    id.to_string()
}

fn clips_of(server: &TestServer, customer: &Customer) -> Vec<ClipRow> {
    server
        .db()
        .read(|conn| vigint_db::clips::page(conn, &customer.tenant, None, 100))
        .unwrap_or_else(|error: DbError| panic!("{error}"))
}

fn film_of(server: &TestServer, row: &ClipRow) -> PathBuf {
    let folder = server
        .folder()
        .join("clips")
        .join(row.client_id.to_string());
    folder.join(format!("{}.mp4", row.id))
}

/// An export into the server's folder, as typed.
fn command(server: &TestServer, customer: &Customer, more: &[&str]) -> Command {
    let id = customer.id.to_string();
    let words = ["export", "--client-id", &id, "--to", "out.zip"];
    server.command(&[&words, more].concat())
}

/// Exit code, standard output and standard error.
fn run(mut command: Command) -> (Option<i32>, String, String) {
    said(command.output().unwrap())
}

fn said(output: Output) -> (Option<i32>, String, String) {
    let [out, err] = [output.stdout, output.stderr].map(|said| String::from_utf8(said).unwrap());
    (output.status.code(), out, err)
}

/// Every file in the archive.
fn unpack(server: &TestServer) -> BTreeMap<String, Vec<u8>> {
    let file = File::open(server.folder().join("out.zip")).unwrap();
    let mut zip = ZipArchive::new(file).unwrap();
    (0..zip.len())
        .map(|index| {
            let mut file = zip.by_index(index).unwrap();
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            (file.name().unwrap().into_owned(), bytes)
        })
        .collect()
}

fn json_of(files: &BTreeMap<String, Vec<u8>>, name: &str) -> Value {
    let bytes = files
        .get(name)
        .unwrap_or_else(|| panic!("no {name} in {:?}", files.keys()));
    serde_json::from_slice(bytes).unwrap()
}

fn lines_of(files: &BTreeMap<String, Vec<u8>>, name: &str) -> Vec<Value> {
    let text = std::str::from_utf8(&files[name]).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The kinds of the boxes of an MP4, which must fill it to its last byte.
fn boxes(mut film: &[u8]) -> Vec<String> {
    let mut kinds = Vec::new();
    while !film.is_empty() {
        let length = u32::from_be_bytes(film[..4].try_into().unwrap());
        kinds.push(String::from_utf8_lossy(&film[4..8]).into_owned());
        film = &film[usize::try_from(length).unwrap()..];
    }
    kinds
}

/// What is left of an export in the server's folder.
fn left(server: &TestServer) -> Vec<String> {
    let entries = fs::read_dir(server.folder()).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".zip"))
        .collect()
}

/// How a key must not appear: itself, and its hash.
fn secrets_of(customer: &Customer) -> Vec<String> {
    let key: ApiKey = customer.key.parse().unwrap();
    let hash: [u8; 32] = Sha256::digest(key.reveal().as_bytes()).into();
    vec![
        customer.key.clone(),
        hex::encode(hash),
        STANDARD.encode(hash),
        URL_SAFE_NO_PAD.encode(hash),
    ]
}

fn holds(files: &BTreeMap<String, Vec<u8>>, what: &str) -> Option<String> {
    let holds = |bytes: &Vec<u8>| memchr::memmem::find(bytes, what.as_bytes()).is_some();
    let named = files
        .iter()
        .find(|(name, bytes)| name.contains(what) || holds(bytes));
    named.map(|(name, _)| name.clone())
}

on_each_database! {
    fn an_export_holds_all_of_one_client_and_nothing_of_another(server) {
        let (acme, bodega) = (server.customer("Acme"), server.customer("Bodega"));
        let mine = [incident(server, &acme, "till"), incident(server, &acme, "door")];
        let others = incident(server, &bodega, "bodegadoor");
        let frames = pictures(7);
        hear(server, &acme, "till");
        let unmade = pending(server, &acme, &frames);
        let (code, out, err) = run(command(server, &acme, &["--json"]));
        assert_eq!(code, Some(0), "{err}");
        assert!(err.contains("warning: out.zip holds private pictures"), "{err}");
        assert_eq!(err.lines().count(), 1, "{err}");
        let summary: Value = serde_json::from_str(&out).unwrap();
        let path = server.folder().join("out.zip");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(summary["bytes"], fs::metadata(&path).unwrap().len());
        assert_eq!(left(server), ["out.zip"]);

        let files = unpack(server);
        // The films, by their rows and by themselves.
        let rows = clips_of(server, &acme);
        assert_eq!(rows.len(), 3);
        for row in &rows {
            let name = format!("clips/{}.mp4", row.incident_id);
            if row.state == ClipState::Ready {
                let film = &files[&name];
                assert_eq!(Some(hex::encode(Sha256::digest(film))), row.sha256);
                let boxes = boxes(film);
                assert!(["ftyp", "moov", "mdat"].iter().all(|kind| boxes.iter().any(|found| found == kind)), "{boxes:?}");
                let still = &files[&format!("clips/{}.jpg", row.incident_id)];
                assert!(still.starts_with(b"\xff\xd8") && still.ends_with(b"\xff\xd9"));
            } else {
                assert_eq!((row.incident_id.to_string(), files.get(&name)), (unmade.clone(), None));
            }
        }
        let kept: Vec<_> = files.iter().filter(|(name, _)| name.starts_with(&format!("clips/{unmade}/"))).collect();
        let kept_pictures: Vec<_> = kept.iter().map(|(_, bytes)| (*bytes).clone()).collect();
        assert_eq!(kept_pictures, frames, "all of them, in their order");
        assert!(kept.iter().all(|(name, _)| name.ends_with("Z.jpg") && !name.contains(':')));

        // The rows.
        let client = json_of(&files, "client.json");
        assert_eq!((&client["name"], &client["email"], &client["id"]), (&json!("Acme"), &json!("acme@shop.example"), &json!(acme.id)));
        let incidents = json_of(&files, "incidents.json");
        let ids: BTreeSet<&str> = incidents.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect();
        assert_eq!(ids, BTreeSet::from([&*mine[0], &*mine[1], &*unmade]));
        assert!(incidents[0]["analysis"].as_str().is_some_and(|words| !words.is_empty()));
        let keys = json_of(&files, "keys.json");
        assert_eq!(keys[0]["key_prefix"], acme.row.key_prefix);
        assert_eq!(keys[0].get("key_hash"), None);
        let sources = json_of(&files, "sources.json");
        assert!(sources.as_array().unwrap().iter().any(|row| row["source_id"] == "till"), "{sources}");
        let alerts = json_of(&files, "alerts.json");
        assert!(alerts.as_array().unwrap().iter().all(|row| row["recipient"] == "acme@shop.example"));
        let audit = json_of(&files, "audit.json");
        let export = audit.as_array().unwrap().iter().find(|row| row["action"] == "export").unwrap();
        assert!(export["actor"].as_str().unwrap().starts_with("shell:"), "{export}");
        let usage = lines_of(&files, "usage.jsonl");
        assert!(usage.iter().any(|row| row["endpoint"] == "/api/video/analyze"), "{usage:?}");
        let eml = files.keys().filter(|name| name.starts_with("mails/")).count();
        assert_eq!(eml, 2);

        // What is said of it is so.
        for (name, count) in [("incidents", 3), ("clips", 2), ("frames", 7), ("mails", 2)] {
            assert_eq!(summary[name], count, "{name}: {summary}");
        }
        assert_eq!(summary["usage_rows"], usage.len());
        assert_eq!((&summary["missing"], &summary["damaged"]), (&json!([]), &json!([])));
        let manifest = json_of(&files, "manifest.json");
        let listed = manifest["files"].as_array().unwrap();
        assert_eq!(listed.len() + 1, files.len(), "all but the manifest itself");
        for file in listed {
            let bytes = &files[file["path"].as_str().unwrap()];
            assert_eq!((&file["bytes"], &file["sha256"]), (&json!(bytes.len()), &json!(hex::encode(Sha256::digest(bytes)))));
        }
        assert_eq!(manifest["rows"]["incidents"], 3);
        assert!(manifest["left_out"]["api_keys.key_hash"].is_string(), "{manifest}");
        let readme = std::str::from_utf8(&files["README.txt"]).unwrap();
        assert!(readme.starts_with("Everything that Vigint keeps about Acme (client "), "{readme}");
        for name in files.keys().filter(|name| !name.contains('/')) {
            assert!(readme.contains(&format!("\n{name} ")) || name == "README.txt", "{name} is not told of: {readme}");
        }

        // Nothing of the other one, and no secret.
        assert!(holds(&files, &mine[0]).is_some() && holds(&files, "acme@shop.example").is_some());
        let foreign = clips_of(server, &bodega)[0].id.to_string();
        let strangers = ["Bodega", "bodega", &others, &foreign, &bodega.row.key_prefix].map(str::to_owned);
        let secrets = [secrets_of(&acme), secrets_of(&bodega), vec![signing_secret()]].concat();
        for hidden in strangers.iter().chain(&secrets) {
            assert_eq!(holds(&files, hidden), None, "{hidden}");
        }
    }

    fn what_cannot_be_given_is_named_and_the_rest_is_given(server) {
        let acme = server.customer_in(vigint_core::locale::Locale::French, "Acme");
        for source in ["till", "door", "yard"] {
            incident(server, &acme, source);
        }
        let rows = clips_of(server, &acme);
        let [gone, changed, whole] = &rows[..] else { panic!("{rows:?}") };
        fs::remove_file(film_of(server, gone)).unwrap();
        fs::write(film_of(server, changed), b"no film").unwrap();
        // What cannot be read: a folder where a picture should be, frames that end too early.
        let still = film_of(server, whole).with_extension("jpg");
        fs::remove_file(&still).unwrap();
        fs::create_dir(&still).unwrap();
        let cut = pending(server, &acme, &pictures(4));
        let cut_clip = clips_of(server, &acme).into_iter().find(|row| row.state == ClipState::Pending).unwrap();
        let frames = film_of(server, &cut_clip).with_extension("frames");
        let bytes = fs::read(&frames).unwrap();
        fs::write(&frames, &bytes[..bytes.len() / 2]).unwrap();
        // The client of a suspended account may ask, too.
        server.sql(&format!("UPDATE clients SET status = 'suspended' WHERE id = {}", acme.id));
        let (code, out, err) = run(command(server, &acme, &[]));
        assert_eq!(code, Some(0), "{err}");
        assert!(out.contains("client     Acme (id "), "{out}");
        assert!(out.contains("4 incidents, 2 clips, 2 frames of clips without a film, 3 mails"), "{out}");
        assert!(out.contains("1 missing, 3 damaged"), "{out}");
        let still = format!("damaged: clips/{}.jpg: only its first 0 bytes could be read: ", whole.incident_id);
        assert!(err.contains(&still), "{err}");
        let cut = format!("damaged: clips/{cut}: frame 3 and those behind it cannot be read: ");
        assert!(err.contains(&cut), "{err}");
        let kept_still = format!("clips/{}.jpg", gone.incident_id);
        let [gone, changed, whole] = [gone, changed, whole].map(|row| format!("clips/{}.mp4", row.incident_id));
        assert!(err.contains(&format!("missing: {gone}: its film is not on the disk\n")), "{err}");
        assert!(err.contains(&format!("damaged: {changed}: its SHA-256 was ")), "{err}");
        let files = unpack(server);
        assert_eq!(files[&changed], b"no film");
        assert!(files[&whole].len() > 1000);
        let manifest = json_of(&files, "manifest.json");
        assert_eq!(manifest["missing"].as_array().unwrap().len(), 1);
        assert_eq!(manifest["missing"][0]["path"], gone);
        assert!(files.contains_key(&kept_still), "the picture of a film that is gone is given");
        let damaged = manifest["damaged"].as_array().unwrap();
        assert!(damaged.iter().any(|file| file["path"] == *changed), "{damaged:?}");
        assert_eq!(json_of(&files, "client.json")["status"], "suspended");
        let readme = std::str::from_utf8(&files["README.txt"]).unwrap();
        assert!(readme.starts_with("Tout ce que Vigint conserve sur Acme"), "{readme}");
        for name in files.keys().filter(|name| !name.contains('/')) {
            assert!(readme.contains(&format!("\n{name} ")) || name == "README.txt", "{name} is not told of: {readme}");
        }
    }

    fn without_a_line_in_the_audit_log_there_is_no_export(server) {
        let acme = server.customer("Acme");
        server.sql("ALTER TABLE audit_log RENAME TO gone");
        let (code, out, err) = run(command(server, &acme, &[]));
        assert_eq!((code, &*out), (Some(1), ""), "{err}");
        assert!(err.contains("no export is made without a line in the audit log: "), "{err}");
        assert!(left(server).is_empty());
        server.sql("ALTER TABLE gone RENAME TO audit_log");
        assert_eq!(run(command(server, &acme, &[])).0, Some(0));
    }

    fn another_versions_database_is_named_with_its_cure(server) {
        let acme = server.customer("Acme");
        server.sql("INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000000')");
        let (code, _, err) = run(command(server, &acme, &[]));
        assert_eq!(code, Some(1), "{err}");
        assert!(err.contains("use a program as new as the server"), "{err}");
        server.sql("DELETE FROM __diesel_schema_migrations WHERE version > '20261125'");
        let (code, _, err) = run(command(server, &acme, &[]));
        assert_eq!(code, Some(1), "{err}");
        assert!(err.contains("run `vigint-server migrate`"), "{err}");
        assert!(left(server).is_empty());
    }
}

#[test]
fn what_is_asked_for_wrongly_is_refused_and_nothing_is_written() {
    let server = TestServer::sqlite();
    let acme = server.customer("Acme");
    let id = acme.id.to_string();
    let export = |client: &str, to: &str, more: &[&str]| {
        let words = ["export", "--client-id", client, "--to", to];
        run(server.command(&[&words, more].concat()))
    };
    let (code, out, err) = export("4711", "out.zip", &[]);
    assert_eq!(
        (code, &*out, &*err),
        (Some(3), "", "vigint-server: there is no client 4711\n")
    );
    assert!(left(&server).is_empty());
    let (code, _, err) = export(&id, "-", &[]);
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains("cannot be written to a pipe"), "{err}");
    let (code, _, err) = export(&id, "nowhere/out.zip", &[]);
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains("there is no folder nowhere"), "{err}");
    assert_eq!(export("five", "out.zip", &[]).0, Some(2));
    fs::write(server.folder().join("out.zip"), "mine").unwrap();
    let (code, _, err) = export(&id, "out.zip", &[]);
    assert_eq!(code, Some(2), "{err}");
    assert!(
        err.contains("out.zip is there already") && err.contains("--force"),
        "{err}"
    );
    assert_eq!(fs::read(server.folder().join("out.zip")).unwrap(), b"mine");
    assert_eq!(export(&id, "out.zip", &["--force"]).0, Some(0));
    assert_eq!(json_of(&unpack(&server), "client.json")["name"], "Acme");
    // One that was killed has left this: it is not ours to judge.
    fs::write(server.folder().join("out.zip.unfinished"), "half").unwrap();
    let (code, _, err) = export(&id, "out.zip", &["--force"]);
    assert_eq!(code, Some(2), "{err}");
    assert!(
        err.contains("another export is writing it, or one was killed"),
        "{err}"
    );
}

/// Where a mail of the customer's would lie.
fn mail_path(server: &TestServer, customer: &Customer) -> PathBuf {
    let outbox = server.folder().join("outbox");
    fs::create_dir_all(&outbox).unwrap();
    let mail = "00000000-0000-0000-0000-000000000001";
    outbox.join(format!("20991122T154003Z-c{}-{mail}.eml", customer.id))
}

#[test]
fn a_full_disk_is_told_and_nothing_half_is_left() {
    let server = TestServer::sqlite();
    let acme = server.customer("Acme");
    fs::write(mail_path(&server, &acme), vec![7; 24 << 20]).unwrap();
    let id = acme.id.to_string();
    let export = server.command(&["export", "--client-id", &id, "--to", "out.zip"]);
    // Files of more than 8 MiB cannot be written: the nearest to a full disk that a test may make.
    let limited = "trap '' XFSZ; ulimit -f 16384; exec \"$0\" \"$@\"";
    let mut shell = Command::new("sh");
    shell
        .args(["-c", limited])
        .arg(export.get_program())
        .args(export.get_args());
    shell.current_dir(server.folder()).env_clear();
    shell.envs(
        export
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    let (code, out, err) = run(shell);
    assert_eq!((code, &*out), (Some(1), ""), "{err}");
    assert!(
        err.starts_with("vigint-server: out.zip cannot be written, nothing of it is left: "),
        "{err}"
    );
    assert_eq!(err.lines().count(), 1, "{err}");
    assert!(left(&server).is_empty());
}

/// An export that is in the middle: it reads a file of which this test holds the other end.
struct Halfway {
    child: Child,
    pipe: File,
}

impl Halfway {
    /// `path`: a file that will be copied.
    fn at(server: &TestServer, customer: &Customer, path: &Path) -> Self {
        mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        let mut command = command(server, customer, &[]);
        let child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Returns once the export has opened it.
        let pipe = OpenOptions::new().write(true).open(path).unwrap();
        assert_eq!(left(server), ["out.zip.unfinished"]);
        Self { child, pipe }
    }

    /// Lets it come to the end of the file.
    fn go_on(self) -> (Option<i32>, String, String) {
        drop(self.pipe);
        said(self.child.wait_with_output().unwrap())
    }
}

#[test]
fn an_export_that_is_stopped_leaves_nothing() {
    for signal in [Signal::INT, Signal::TERM] {
        let server = TestServer::sqlite();
        let acme = server.customer("Acme");
        let mut halfway = Halfway::at(&server, &acme, &mail_path(&server, &acme));
        kill_process(Pid::from_child(&halfway.child), signal).unwrap();
        // It goes on until it hears of the signal, and reads no more then.
        let refuses = || halfway.pipe.write_all(&[7; 1 << 12]).err();
        wait_for(PATIENCE, refuses).expect("it stops");
        let (code, out, err) = halfway.go_on();
        assert_eq!((code, &*out), (Some(1), ""), "{err}");
        assert_eq!(
            err,
            "vigint-server: stopped: no export was made, and nothing of it is left\n"
        );
        assert!(left(&server).is_empty());
    }
}

#[test]
fn a_client_that_is_erased_meanwhile_is_not_handed_out() {
    let server = TestServer::sqlite();
    let acme = server.customer("Acme");
    let halfway = Halfway::at(&server, &acme, &mail_path(&server, &acme));
    let erased = server
        .db()
        .write(|conn| vigint_db::clients::delete(conn, &OPERATOR, &acme.tenant, now()));
    assert!(
        erased
            .unwrap_or_else(|error: DbError| panic!("{error}"))
            .is_some()
    );
    let (code, out, err) = halfway.go_on();
    assert_eq!((code, &*out), (Some(1), ""), "{err}");
    assert!(
        err.contains("was erased while its export was made"),
        "{err}"
    );
    assert!(left(&server).is_empty());
}

#[test]
fn a_film_that_ends_meanwhile_is_missing_and_no_transaction_is_held_over_the_films() {
    let server = FixedAnalyzer::server(Ok(true), Ok(true));
    let acme = server.customer("Acme");
    for source in ["till", "door"] {
        incident(&server, &acme, source);
    }
    let rows = clips_of(&server, &acme);
    fs::remove_file(film_of(&server, &rows[0])).unwrap();
    let halfway = Halfway::at(&server, &acme, &film_of(&server, &rows[0]));
    // With a snapshot open the log could not be emptied.
    wait_for(PATIENCE, || server.db().truncate_wal().ok()).expect("no reader is in the way");
    let ended = server
        .db()
        .write(|conn| vigint_db::clips::mark_expired(conn, &acme.tenant, rows[1].id));
    ended.unwrap_or_else(|error: DbError| panic!("{error}"));
    fs::remove_file(film_of(&server, &rows[1])).unwrap();
    let (code, _, err) = halfway.go_on();
    assert_eq!(code, Some(0), "{err}");
    let ended = format!(
        "clips/{}.mp4: it ended while this export was made",
        rows[1].incident_id
    );
    assert!(err.contains(&ended), "{err}");
}
