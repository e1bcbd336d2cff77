//! The day: an operator at work, a customer with a camera, callers who do it wrong, and things that break.

mod hosting;
mod models;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use vigint_core::random::{Random as _, SystemRandom};
use vigint_db::{Db, DbError};
use vigint_testkit::mailbox::{Mail, mails};
use vigint_testkit::postgres::TestDatabase;
use vigint_testkit::programs::{self, ServerProcess, wait_for};
use vigint_testkit::scene::Scene;

use super::search::Canaries;
use super::transcript::Transcript;
use crate::fixture::{Answer, now, send};

const PATIENCE: Duration = Duration::from_secs(60);

/// On what the day is spent.
pub(super) struct Setting {
    pub(super) level: &'static str,
    pub(super) format: &'static str,
    /// None: SQLite.
    pub(super) database: Option<TestDatabase>,
}

/// A secret that nobody has seen before.
pub(super) fn secret(name: &str) -> String {
    let mut random = [0; 16];
    SystemRandom.fill(&mut random);
    format!("canary-{name}-{}", hex::encode(random))
}

/// Lives through the day and fails when anything was told.
pub(super) fn tell(setting: Setting) {
    let mut day = Day::begin(setting);
    let server = day.start_server();
    let customer = day.operate(&server);
    day.operate_from_elsewhere(&server);
    day.call_wrongly(&server, &customer);
    day.call_the_admin_api(&server);
    day.watch(&server, &customer);
    day.run_the_client(&server, &customer);
    server.stop();
    day.ask_models(&customer);
    day.host_films(&customer);
    let server = day.start_server();
    day.break_things(&server, &customer);
    let arguments = std::fs::read(format!("/proc/{}/cmdline", server.pid())).unwrap();
    day.transcript.note("the server's arguments", arguments);
    server.stop();
    day.misconfigure();
    day.end();
}

struct Day {
    server_folder: TempDir,
    shop: TempDir,
    environment: Vec<(&'static str, String)>,
    /// Of the log.
    format: &'static str,
    database: Option<TestDatabase>,
    canaries: Canaries,
    transcript: Transcript,
}

/// A customer's key that lets in.
struct Customer {
    id: String,
    key: String,
}

impl Day {
    fn begin(setting: Setting) -> Self {
        let mut day = Self {
            server_folder: tempfile::tempdir().unwrap(),
            shop: tempfile::tempdir().unwrap(),
            environment: vec![("RUST_LOG", setting.level.to_owned())],
            format: setting.format,
            database: setting.database,
            canaries: Canaries::default(),
            transcript: Transcript::default(),
        };
        for name in [
            "SECRET_KEY",
            "OLD_SECRET",
            "VIGINT_ADMIN_KEY",
            "GOOGLE_API_KEY",
            "OPENAI_API_KEY",
            "EMAIL_PASSWORD",
        ] {
            let value = secret(name);
            day.canaries.add(name, &value);
            day.environment.push((name, value));
        }
        day.environment
            .push(("EMAIL_USERNAME", "alerts@example.com".to_owned()));
        if let Some(database) = &day.database {
            let url: url::Url = database.url().parse().unwrap();
            day.canaries
                .add("database password", url.password().unwrap());
            day.environment
                .push(("DATABASE_URL", database.url().to_owned()));
        }
        let config = format!(
            "[API]\nprevious_secret_key = ${{OLD_SECRET}}\n[Admin]\nnotify_email = ops@example.com\n[AI]\nprovider = motion\n\
             [Limits]\nfailed_auth_per_minute = 30\n[Logging]\nformat = {}\n",
            setting.format
        );
        std::fs::write(day.server_folder.path().join("config.ini"), config).unwrap();
        day
    }

    fn start_server(&self) -> ServerProcess {
        let environment: Vec<_> = (self.environment.iter())
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        ServerProcess::start_in(self.server_folder.path(), &[], &environment)
    }

    fn secret_of(&self, name: &str) -> String {
        let found = self.environment.iter().find(|(other, _)| *other == name);
        found.unwrap().1.clone()
    }

    /// Runs a program in a folder with the day's secrets in its environment.
    fn program(&self, folder: &Path, words: &[&str], more: &[(&str, &str)]) -> Output {
        let (name, words) = words.split_first().unwrap();
        let mut command = programs::command(&programs::path(name), folder);
        command.args(words);
        command.envs(self.environment.iter().map(|(name, value)| (*name, value)));
        command.envs(more.iter().copied());
        command.output().unwrap()
    }

    /// The same in the server's folder, noted down. Says whether it did what it was asked.
    fn run(&mut self, words: &[&str], more: &[(&str, &str)]) -> bool {
        let folder = self.server_folder.path().to_owned();
        self.run_in(&folder, words, more)
    }

    fn run_in(&mut self, folder: &Path, words: &[&str], more: &[(&str, &str)]) -> bool {
        let output = self.program(folder, words, more);
        self.note(words, &output.stdout, &output.stderr);
        output.status.success()
    }

    /// Under the words that name the command: what follows them may be a secret that this test gave.
    fn note(&mut self, words: &[&str], stdout: &[u8], stderr: &[u8]) {
        let who = words.join(" ");
        self.transcript.note(format!("{who} out"), stdout);
        self.transcript.note(format!("{who} err"), stderr);
    }

    /// Runs a command that makes a key. The key stands once, where it belongs, and is then taken out of what the
    /// command said.
    fn make_key(&mut self, words: &[&str], more: &[(&str, &str)]) -> String {
        let output = self.program(self.server_folder.path(), words, more);
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(
            output.status.success(),
            "{words:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let key = if words.contains(&"--json") {
            let said: Value = serde_json::from_str(&said).unwrap();
            said["api_key"].as_str().unwrap().to_owned()
        } else {
            let mut lines = said
                .lines()
                .filter_map(|line| line.strip_prefix("API Key: "));
            let key = lines.next().unwrap().to_owned();
            assert_eq!(lines.next(), None, "{words:?}");
            key
        };
        assert_eq!(said.matches(&key).count(), 1, "{words:?}");
        self.canaries
            .add_key(&format!("key of {}", words.join(" ")), &key);
        self.note(words, said.replace(&key, "").as_bytes(), &output.stderr);
        key
    }

    fn ask(&mut self, who: &str, server: &ServerProcess, request: Request<'_>) -> Answer {
        let Request {
            method,
            path,
            headers,
            body,
        } = request;
        let answer = send(server.url(), method, path, headers, body);
        self.transcript
            .note(format!("{who} head"), format!("{:?}", answer.headers));
        self.transcript.note(format!("{who} body"), &answer.body);
        answer
    }

    /// An operator at the server's own shell.
    fn operate(&mut self, server: &ServerProcess) -> Customer {
        let admin = "vigint-admin";
        assert!(self.run(&["vigint-server", "check-config"], &[]));
        let first = self.make_key(
            &[
                admin,
                "create",
                "--name",
                "Acme",
                "--email",
                "a@shop.example",
                "--locale",
                "en",
            ],
            &[],
        );
        self.make_key(
            &[
                admin,
                "create",
                "--name",
                "B",
                "--email",
                "b@shop.example",
                "--json",
            ],
            &[],
        );
        self.make_key(
            &[admin, "add-key", "--client-id", "2", "--name", "till"],
            &[],
        );
        self.make_key(
            &[
                admin,
                "add-key",
                "--client-id",
                "2",
                "--expires",
                "1d",
                "--json",
            ],
            &[],
        );
        self.make_key(&[admin, "rotate", "--client-id", "1", "--grace", "1h"], &[]);
        self.make_key(
            &[
                admin,
                "rotate",
                "--client-id",
                "1",
                "--key-id",
                "5",
                "--grace",
                "0s",
                "--json",
            ],
            &[],
        );
        for words in [
            "list",
            "list --json",
            "revoke --key-id 3 --yes",
            "revoke --client-id 2 --yes",
            "reactivate --client-id 2",
            "suspend --client-id 2 --yes",
            "resume --client-id 2",
            "update --client-id 2 --name Bee",
            "budget --client-id 2 --monthly 20",
            "usage",
            "usage --csv",
            "audit",
            "audit --json",
            "alerts",
            "--list",
        ] {
            let words: Vec<_> = std::iter::once(admin).chain(words.split(' ')).collect();
            assert!(self.run(&words, &[]), "{words:?}");
        }
        // What an operator may take for the place of a key.
        for words in [
            &["revoke", &first][..],
            &["revoke", "--key-id", &first],
            &["list", &format!("--api-key={first}")],
            &[&first],
        ] {
            let words = [&[admin], words].concat();
            let output = self.program(self.server_folder.path(), &words, &[]);
            assert_eq!(output.status.code(), Some(2), "{output:?}");
            self.note(
                &["a key among the words of vigint-admin"],
                &output.stdout,
                &output.stderr,
            );
            let output = self.program(
                self.server_folder.path(),
                &[&["vigint-server"], &words[1..]].concat(),
                &[],
            );
            assert_eq!(output.status.code(), Some(2), "{output:?}");
            self.note(
                &["a key among the words of vigint-server"],
                &output.stdout,
                &output.stderr,
            );
        }
        let customer = Customer {
            id: "1".to_owned(),
            key: first,
        };
        let bearer = format!("Bearer {}", customer.key);
        let headers = [("authorization", bearer.as_str())];
        let whoami = self.ask("whoami", server, Request::get("/api/whoami", &headers));
        assert_eq!(whoami.status, 200, "{}", whoami.text());
        customer
    }

    /// The same over the admin API, with the right key and with others.
    fn operate_from_elsewhere(&mut self, server: &ServerProcess) {
        let to = ["vigint-admin", "--server-url", server.url()];
        let with = |words: &[&'static str]| [&to[..], words].concat();
        self.make_key(
            &with(&["create", "--name", "C", "--email", "c@shop.example"]),
            &[],
        );
        self.make_key(&with(&["add-key", "--client-id", "3", "--json"]), &[]);
        self.make_key(&with(&["rotate", "--client-id", "2", "--key-id", "2"]), &[]);
        for words in [
            &["list"][..],
            &["list", "--json"],
            &["revoke", "--client-id", "3", "--yes"],
            &["delete", "--client-id", "3", "--yes"],
            &["usage", "--json"],
            &["audit"],
        ] {
            assert!(self.run(&with(words), &[]), "{words:?}");
        }
        let wrong = secret("wrong-admin-key");
        self.canaries.add("a wrong admin key", &wrong);
        for key in [
            wrong.clone(),
            format!("{wrong} with spaces"),
            format!("{wrong}\u{e9}"),
        ] {
            assert!(!self.run(&with(&["list"]), &[("VIGINT_ADMIN_KEY", &key)]));
        }
        let address = server
            .url()
            .replace("http://", &format!("http://admin:{wrong}@"));
        for url in [address, format!("http://127.0.0.1:1/?key={wrong}")] {
            let words = ["vigint-admin", "--server-url", &url, "list"];
            let output = self.program(self.server_folder.path(), &words, &[]);
            assert!(!output.status.success());
            self.note(
                &["vigint-admin with a secret in the address"],
                &output.stdout,
                &output.stderr,
            );
        }
    }

    /// Callers who show keys where they do not belong, and keys that are none.
    fn call_wrongly(&mut self, server: &ServerProcess, customer: &Customer) {
        let wrong = secret("wrong-key");
        self.canaries.add_key("a wrong key", &wrong);
        let address = server.url().strip_prefix("http://").unwrap().to_owned();
        for key in [&customer.key, &wrong] {
            let bearer = format!("bearer   {key}");
            let basic = format!("Basic {}", {
                use base64::Engine as _;
                base64::engine::general_purpose::STANDARD.encode(format!("user:{key}"))
            });
            let authorized = [
                ("Authorization", bearer.as_str()),
                ("Content-Type", "application/json"),
            ];
            for path in [
                format!("/api/whoami?api_key={key}"),
                format!("/api/whoami?access%5Ftoken={key}&x=1"),
                format!("/api/video/buffer?source_id={key}/"),
                format!("/api/clients/{key}"),
                format!("/api/incidents/{key}"),
                format!("/api/usage?from={key}"),
                format!("/api/incidents?cursor={key}"),
                format!("/{key}"),
                format!("/admin/clients?admin_key={key}"),
                format!("/video/{key}?expires=1&token={key}"),
            ] {
                self.ask("a key in a URL", server, Request::get(&path, &authorized));
            }
            for (name, value) in [
                ("authorization", bearer.as_str()),
                ("authorization", &basic),
                ("authorization", key),
                ("x-api-key", key),
                ("x-admin-key", key),
                ("cookie", &format!("key={key}")),
                ("referer", &format!("http://x/?key={key}")),
                ("user-agent", key),
                ("x-forwarded-for", key),
                ("x-request-id", key),
                ("content-type", key),
                ("range", key),
                ("if-none-match", key),
            ] {
                let headers = [(name, value)];
                self.ask(
                    "a key in a header",
                    server,
                    Request::get("/api/whoami", &headers),
                );
            }
            for body in [
                json!({"source_id": key}).to_string(),
                json!({"source_id": {"api_key": key}}).to_string(),
                json!({"frame_data": key, "source_id": "a b"}).to_string(),
                json!({"frames": [{"frame_data": key}]}).to_string(),
                json!({"analysis": "x", "risk_level": key}).to_string(),
                json!({ key.as_str(): 1 }).to_string(),
                format!("{{\"api_key\": \"{key}\", "),
                key.clone(),
            ] {
                for path in [
                    "/api/video/buffer",
                    "/api/video/buffer/batch",
                    "/api/video/analyze",
                    "/api/video/alert",
                ] {
                    let request = Request {
                        method: "POST",
                        path,
                        headers: &authorized,
                        body: body.as_bytes(),
                    };
                    self.ask("a key in a body", server, request);
                }
            }
            for raw in [
                format!("GET /api/whoami?key={key} HTTP/9.9\r\nHost: a\r\n\r\n"),
                format!("{key} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
                format!("GET / HTTP/1.1\r\nHost: a\r\n{key}\r\n\r\n"),
                format!(
                    "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\nContent-Length: {key}\r\n\r\n"
                ),
                format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", key.repeat(4000)),
                format!(
                    "POST /api/video/buffer HTTP/1.1\r\nHost: a\r\nX-API-Key: {key}\r\nExpect: 100-continue\r\n\
                     Content-Length: 99\r\nConnection: close\r\n\r\n{key}"
                ),
            ] {
                self.transcript
                    .note("an answer to what is hardly HTTP", speak(&address, &raw));
            }
        }
    }

    fn call_the_admin_api(&mut self, server: &ServerProcess) {
        let key = self.secret_of("VIGINT_ADMIN_KEY");
        let headers = [
            ("X-Admin-Key", key.as_str()),
            ("Content-Type", "application/json"),
        ];
        for (path, body) in [
            (
                "/admin/clients",
                json!({"name": "D", "email": "d@shop.example"}),
            ),
            ("/admin/clients/2/keys", json!({"name": "another"})),
        ] {
            let body = body.to_string();
            let answer = send(server.url(), "POST", path, &headers, body.as_bytes());
            assert_eq!(answer.status, 201, "{}", answer.text());
            let made = answer.json()["api_key"].as_str().unwrap().to_owned();
            assert_eq!(answer.text().matches(&made).count(), 1);
            self.canaries.add_key(&format!("key of POST {path}"), &made);
            self.transcript
                .note(format!("POST {path} head"), format!("{:?}", answer.headers));
            self.transcript.note(
                format!("POST {path} body"),
                answer.text().replace(&made, ""),
            );
        }
        for path in [
            "/admin/clients",
            "/admin/audit",
            "/admin/usage",
            "/admin/alerts",
            "/metrics",
        ] {
            let answer = self.ask("the admin API", server, Request::get(path, &headers));
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        }
        let in_url = format!("/admin/clients?x_admin_key={key}");
        self.ask(
            "the admin key in a URL",
            server,
            Request::get(&in_url, &headers),
        );
        let bearer = format!("Bearer {key}");
        self.ask(
            "the admin key as a client's",
            server,
            Request::get("/api/whoami", &[("authorization", &bearer)]),
        );
    }

    /// A theft before the camera, its mail, and its link.
    fn watch(&mut self, server: &ServerProcess, customer: &Customer) {
        self.push_a_visit(server, customer, "till");
        let answer = self.analyze(server, customer, "till");
        assert_eq!(
            answer.json()["has_security_incident"],
            true,
            "{}",
            answer.text()
        );
        // There are mails about the leaked keys, too.
        let outbox = self.server_folder.path().join("vigint-data/outbox");
        let link_in = |mail: &PathBuf| Some(Mail::read(mail).unwrap().clip_link()?.to_owned());
        let link = wait_for(PATIENCE, || mails(&outbox).iter().find_map(link_in)).unwrap();
        let path = link[link.find("/video/").unwrap()..].to_owned();
        let (_, token) = path.split_once("token=").unwrap();
        self.canaries.add("link token", token);
        for path in [
            path.clone(),
            format!("{}0", &path[..path.len() - 1]),
            path.replace("expires=", "expires=1"),
            format!("{path}&token=x"),
            path.replace("/video/", "/videos/"),
        ] {
            for headers in [
                &[][..],
                &[("range", "bytes=0-1")],
                &[("referer", path.as_str())],
            ] {
                self.ask("a link", server, Request::get(&path, headers));
            }
        }
        let bearer = format!("Bearer {}", customer.key);
        let headers = [("authorization", bearer.as_str())];
        for path in [
            "/api/incidents",
            "/api/usage",
            &format!("/api/clients/{}/keys", customer.id),
        ] {
            let answer = self.ask("own answer: list", server, Request::get(path, &headers));
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
    }

    fn analyze(&mut self, server: &ServerProcess, customer: &Customer, source: &str) -> Answer {
        let bearer = format!("Bearer {}", customer.key);
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
        ];
        let body = json!({"source_id": source}).to_string();
        let request = Request {
            method: "POST",
            path: "/api/video/analyze",
            headers: &headers,
            body: body.as_bytes(),
        };
        self.ask("own answer: analysis", server, request)
    }

    /// The eight seconds around the drawn visit, ending now.
    fn push_a_visit(&mut self, server: &ServerProcess, customer: &Customer, source: &str) {
        let from = Scene::visit().start.saturating_sub(Duration::from_secs(3));
        let frames: Vec<_> = Scene::default()
            .frames()
            .filter(|frame| frame.at >= from && frame.at < from + Duration::from_secs(8))
            .collect();
        let (last, now) = (frames.last().unwrap().at, now());
        let headers = [
            ("x-api-key", customer.key.as_str()),
            ("content-type", "image/jpeg"),
        ];
        for frame in &frames {
            let at = now - (last - frame.at);
            let path = format!("/api/video/buffer?source_id={source}&captured_at={at}");
            let request = Request {
                method: "POST",
                path: &path,
                headers: &headers,
                body: &frame.jpeg,
            };
            assert_eq!(self.ask("a frame", server, request).status, 200);
        }
    }

    /// The customer's program, with its key and its cameras' passwords in every place they may stand.
    fn run_the_client(&mut self, server: &ServerProcess, customer: &Customer) {
        let shop = self.shop.path().to_owned();
        let password = secret("camera");
        self.canaries.add("camera password", &password);
        let camera = format!("rtsp://user:{password}@127.0.0.1:1/x?token={password}");
        let film = shop.join("scene.mp4");
        Scene::default().write_mp4(&film).unwrap();
        let film = film.to_str().unwrap();
        let env_file = |key: &str| {
            let text = format!(
                "VIGINT_API_KEY={key}\nVIGINT_SERVER_URL={}\nRUST_LOG=trace\n",
                server.url()
            );
            std::fs::write(shop.join(".env"), text).unwrap();
        };
        let program = "vigint-client";
        env_file(&customer.key);
        let cameras = format!("[[camera]]\nsource = '{camera}'\nid = 'door'\n");
        std::fs::write(shop.join("cameras.toml"), cameras).unwrap();
        let source = [("VIGINT_SOURCE", camera.as_str())];
        // With one camera that cannot be reached, and a film.
        for words in [
            &["--once"][..],
            &["--once", "--json"],
            &["check"],
            &["usage"],
            &["incidents"],
            &["incidents", "--json"],
            &["check", "--sources", "cameras.toml"],
            &["--sources", "cameras.toml", "--once"],
        ] {
            self.run_in(&shop, &[&[program], words].concat(), &source);
        }
        let output = self.program(&shop, &[program, "--source", &camera, "--once"], &[]);
        self.note(
            &["vigint-client with a camera's address"],
            &output.stdout,
            &output.stderr,
        );
        let output = self.program(
            &shop,
            &[program, "run", "--source", film, "--fast", "--json"],
            &[],
        );
        self.note(
            &["vigint-client run --json"],
            &output.stdout,
            &output.stderr,
        );
        // Wrong keys: one that the server does not know, and a mistyped one.
        let unknown = secret("unknown-key");
        self.canaries.add_key("an unknown key", &unknown);
        let mistyped = format!(
            "vgt_{}{}",
            secret("mistyped").replace('-', ""),
            "0".repeat(12)
        );
        self.canaries.add_key("a mistyped key", &mistyped);
        for key in [&unknown, &mistyped] {
            env_file(key);
            for words in [
                &["check"][..],
                &["run", "--source", film, "--once"],
                &["usage"],
            ] {
                assert!(
                    !self.run_in(&shop, &[&[program], words].concat(), &[]),
                    "{words:?}"
                );
            }
            let output = self.program(&shop, &[program, "check", "--api-key", key], &[]);
            self.note(
                &["vigint-client with --api-key"],
                &output.stdout,
                &output.stderr,
            );
        }
        std::fs::write(
            shop.join(".env"),
            format!("VIGINT_API_KEY=two words {}\n", customer.key),
        )
        .unwrap();
        assert!(!self.run_in(&shop, &[program, "check"], &[]));
    }

    /// Things that must not happen, and what is said of them.
    fn break_things(&mut self, server: &ServerProcess, customer: &Customer) {
        // Nowhere to keep evidence: the incident is told without a clip, and the cause is in the log.
        let clips = self.server_folder.path().join("vigint-data/clips");
        std::fs::rename(&clips, clips.with_extension("away")).unwrap();
        std::fs::write(&clips, "in the way").unwrap();
        self.push_a_visit(server, customer, "door");
        let headers = [
            ("x-api-key", customer.key.as_str()),
            ("content-type", "application/json"),
        ];
        let request = Request {
            method: "POST",
            path: "/api/video/analyze",
            headers: &headers,
            body: br#"{"source_id": "door"}"#,
        };
        self.ask("own answer: no clip", server, request);
        self.ask("health", server, Request::get("/api/health", &[]));
        // A database that goes away while the server runs, or that nobody can write to.
        let alarm = || Request {
            method: "POST",
            path: "/api/video/alert",
            headers: &headers,
            body: br#"{"analysis": "somebody is here"}"#,
        };
        let failed = if let Some(database) = self.database.take() {
            drop(database);
            self.ask("a failure", server, alarm())
        } else {
            let path = self.server_folder.path().join("vigint-data/vigint.db");
            let url = format!("sqlite:///{}", path.display());
            let db = Db::open(&url.parse().unwrap(), 1).unwrap();
            let locked = db.write(|_| Ok::<_, DbError>(self.ask("a failure", server, alarm())));
            locked.unwrap()
        };
        assert!(failed.status >= 500, "{} {}", failed.status, failed.text());
        self.ask("health", server, Request::get("/api/health", &[]));
        // A database that is not there, with a password in its address.
        let password = secret("database");
        self.canaries
            .add("password of a database that is away", &password);
        let url = format!("postgresql://vigint:{password}@127.0.0.1:1/vigint");
        let query = format!("postgresql://127.0.0.1:1/vigint?user=vigint&password={password}");
        for url in [&url, &query, &url.replace("postgresql", "postgre")] {
            for words in [
                &[
                    "vigint-server",
                    "serve",
                    "--host",
                    "127.0.0.1",
                    "--port",
                    "0",
                ][..],
                &["vigint-server", "migrate"],
                &["vigint-admin", "list"],
            ] {
                assert!(!self.run(words, &[("DATABASE_URL", url)]), "{words:?}");
            }
            let words = ["vigint-admin", "import", "--from", url, "--dry-run"];
            let output = self.program(self.server_folder.path(), &words, &[]);
            assert!(!output.status.success());
            self.note(&["vigint-admin import"], &output.stdout, &output.stderr);
            self.run(&["vigint-server", "check-config"], &[("DATABASE_URL", url)]);
        }
    }

    /// A server that must not start, with its secrets where they do not belong.
    fn misconfigure(&mut self) {
        let folder = tempfile::tempdir().unwrap();
        let misplaced = secret("misplaced");
        self.canaries.add("a secret in a wrong place", &misplaced);
        let hosting = secret("hosting");
        self.canaries
            .add("SPARSE_AI_API_KEY of a wrong config", &hosting);
        for config in [
            format!("[API]\nsecret_kee = {misplaced}\n"),
            format!("[Secrets]\nsecret_key = {misplaced}\n"),
            format!("[API]\nport = {misplaced}\n"),
            format!("[API]\nhost = {misplaced}!\n"),
            format!("[API]\nsecret_key =\n   {misplaced}==\n"),
            format!("[API]\nsecret_key {misplaced}\n"),
            format!("{misplaced}\n"),
            format!("[{misplaced}]\n"),
            format!("[API]\nsecret_key = ${{{misplaced}}}\n"),
            format!(
                "[AI]\nprovider = {misplaced}\n[Limits]\nburst = {misplaced}\n[Logging]\nlevel = {misplaced}\n"
            ),
            format!("[Email]\npassword = {misplaced}\nsmtp_server = u:{misplaced}@mail\n"),
            format!(
                "[API]\npublic_url = https://u:{misplaced}@host\ntrusted_proxies = {misplaced}\n"
            ),
            format!("[API]\ntls_cert = config.ini\ntls_key = config.ini\n; {misplaced}\n"),
            "[Email]\nsmtp_server = localhost\n".to_owned(),
        ] {
            std::fs::write(folder.path().join("config.ini"), &config).unwrap();
            for words in [
                &["vigint-server", "check-config"][..],
                &["vigint-server", "serve"],
                &["vigint-admin", "list"],
            ] {
                let more = [
                    ("SPARSE_AI_API_KEY", hosting.as_str()),
                    ("SPARSE_AI_BASE_URL", "https://sparse.example.com"),
                ];
                assert!(
                    !self.run_in(folder.path(), words, &more),
                    "{words:?} {config}"
                );
            }
        }
    }

    fn end(mut self) {
        let folders: [PathBuf; 2] = [self.server_folder.path().into(), self.shop.path().into()];
        for folder in folders {
            self.transcript
                .note_files(&folder, &[".env", "cameras.toml"]);
        }
        // The day was as busy as it should be.
        let log = self.transcript.said_by("server.log");
        for seen in [
            "unusual use of a key",
            "an admin request was refused",
            "DEBUG",
        ] {
            assert!(log.contains(seen), "{seen} is not in the log");
        }
        assert!(log.len() > 10_000);
        let leaks = self.transcript.leaks(&self.canaries);
        assert!(
            leaks.is_empty(),
            "{} leaks:\n{}",
            leaks.len(),
            leaks.join("\n")
        );
    }
}

struct Request<'a> {
    method: &'a str,
    path: &'a str,
    headers: &'a [(&'a str, &'a str)],
    body: &'a [u8],
}

impl<'a> Request<'a> {
    fn get(path: &'a str, headers: &'a [(&'a str, &'a str)]) -> Self {
        Self {
            method: "GET",
            path,
            headers,
            body: b"",
        }
    }
}

/// Says this to the server, and gives what it answers until it closes the connection.
fn speak(address: &str, said: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // It may have heard enough before all was said.
    let _ = stream.write_all(said.as_bytes());
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer
}
