//! The contract of cli-and-config.md, as facts.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use vigint_core::locale::Locale;
use vigint_core::money::MicroEuros;

use super::*;

const STRONG: &str = "5f1c0a9be27d4438b6e1d0c2f3a49587";
const GIBIBYTE: u64 = 1_024 * 1_024 * 1_024;

/// A server about to start in a fresh directory on a machine of 4 GiB.
struct Start {
    dir: tempfile::TempDir,
    from: LoadFrom,
}

impl Start {
    fn fresh() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let from = LoadFrom {
            config_path: None,
            flags: Overrides::default(),
            environment: std::collections::BTreeMap::new(),
            working_dir: dir.path().to_owned(),
            usable_memory: 4 * GIBIBYTE,
        };
        Self { dir, from }
    }

    fn with(ini: &str) -> Self {
        Self::fresh().file("config.ini", ini)
    }

    fn file(self, name: &str, text: &str) -> Self {
        std::fs::write(self.dir.path().join(name), text).unwrap();
        self
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.from
            .environment
            .insert(name.to_owned(), value.to_owned());
        self
    }

    fn loaded(&self) -> Loaded {
        Settings::load(&self.from).unwrap()
    }

    fn settings(&self) -> Settings {
        self.loaded().settings
    }

    /// What is said of wrong settings; paths without the directory.
    fn refused(&self) -> Vec<String> {
        match Settings::load(&self.from).unwrap_err() {
            ConfigError::Invalid(problems) => problems
                .all()
                .iter()
                .map(|problem| self.local(&problem.to_string()))
                .collect(),
            error @ ConfigError::Unreadable { .. } => vec![self.local(&error.to_string())],
        }
    }

    fn origin(&self, section: &str, key: &str) -> String {
        self.local(self.loaded().origins.of(section, key).unwrap())
    }

    fn local(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.dir.path().display()), "")
    }
}

/// The one problem of a config.ini.
fn problem(ini: &str) -> String {
    let mut problems = Start::with(ini).refused();
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems.remove(0)
}

fn accepted(ini: &str) -> Settings {
    Start::with(ini).settings()
}

#[test]
fn without_a_file_every_default_is_that_of_the_table() {
    let s = Start::fresh().settings();
    assert_eq!((s.api.host.as_str(), s.api.port), ("0.0.0.0", 5_002));
    assert_eq!(s.api.public_url, "http://localhost:5002");
    assert!(s.api.secret_key.is_none() && s.api.tls_cert.is_none() && s.api.workers.is_none());
    assert!(s.api.trusted_proxies.is_empty() && s.api.metrics_listen.is_none());
    assert_eq!(&*s.database.database_url, "sqlite:///vigint-data/vigint.db");
    assert_eq!(s.database.pool_size, 10);
    assert!(s.admin.api_key.is_none() && s.admin.notify_email.is_none());
    assert_eq!(s.ai.chosen_provider(), Provider::Motion);
    assert_eq!((s.ai.screening_frames, s.ai.confirmation_frames), (8, 16));
    assert_eq!(s.ai.timeout_seconds, Duration::from_secs(10));
    assert_eq!(s.ai.language, Locale::French);
    assert!(s.ai.motion_gate && s.ai.monthly_budget.is_none());
    let video = &s.video_analysis;
    assert_eq!(video.short_buffer_duration, Duration::from_secs(3));
    assert_eq!(video.long_buffer_duration, Duration::from_secs(10));
    assert_eq!(
        video.frame_limits(),
        vigint_core::frame::FrameLimits::default()
    );
    assert_eq!(video.max_bytes_per_client, 512 << 20);
    assert_eq!(video.max_bytes_total, 1 << 30);
    assert_eq!(video.max_inflight_bytes, 256 << 20);
    assert_eq!(video.inflight_bytes_per_client(), 64 << 20);
    assert_eq!(
        (s.email.smtp_port, s.email.security),
        (587, Security::StartTls)
    );
    assert!(s.email.smtp_server.is_none());
    assert_eq!(s.email.outbox_directory, Path::new("vigint-data/outbox"));
    assert_eq!(s.alerts.cooldown_seconds, Duration::from_secs(60));
    assert_eq!(s.clips.directory, Path::new("vigint-data/clips"));
    assert_eq!(s.clips.retention_hours, Duration::from_hours(48));
    assert_eq!(s.clips.max_bytes_per_client, 20 << 30);
    assert_eq!(s.billing.price_alert, MicroEuros(5_000));
    assert_eq!(s.limits.requests_per_second, 500);
    assert_eq!(
        (s.logging.level.as_str(), s.logging.format),
        ("info", Format::Text)
    );
}

#[test]
fn a_flag_wins_over_the_environment_over_the_file_over_the_default() {
    let mut start = Start::with("[API]\nport = 6001\nhost = 10.0.0.1\n");
    assert_eq!(start.settings().api.port, 6_001);
    assert_eq!(start.origin("API", "port"), "config.ini:2");
    start = start.env("PORT", "6002");
    assert_eq!(start.settings().api.port, 6_002);
    assert_eq!(start.origin("API", "port"), "environment PORT");
    start.from.flags.port = Some(6_003);
    assert_eq!(start.settings().api.port, 6_003);
    assert_eq!(start.origin("API", "port"), "flag --port");
    assert_eq!(start.origin("API", "host"), "config.ini:3");
    start.from.flags.host = Some("::1".to_owned());
    assert_eq!(start.settings().api.host, "::1");
    assert_eq!(start.origin("API", "workers"), "default");
}

#[test]
fn a_value_is_changed_when_somebody_gave_another_than_the_default() {
    let start = Start::with("[Limits]\nburst = 1000\nanalyses_per_minute = 10\n");
    let origins = start.loaded().origins;
    assert!(origins.is_given("Limits", "burst") && !origins.is_changed("Limits", "burst"));
    assert!(origins.is_changed("Limits", "analyses_per_minute"));
    assert!(!origins.is_changed("Limits", "requests_per_second"));
    assert!(!origins.is_changed("Limits", "no_such_key"));
}

#[test]
fn every_variable_of_the_table_is_honoured_and_no_other() {
    let known = [
        ("HOST", "127.0.0.1", "API", "host"),
        ("PORT", "7000", "API", "port"),
        ("SECRET_KEY", STRONG, "API", "secret_key"),
        (
            "VIGINT_PUBLIC_URL",
            "https://v.example.com",
            "API",
            "public_url",
        ),
        (
            "DATABASE_URL",
            "postgresql://db/v",
            "Database",
            "database_url",
        ),
        (
            "VIGINT_ADMIN_KEY",
            "3f9d1c7be27d4438b6e1d0c2f3a",
            "Admin",
            "api_key",
        ),
        ("GOOGLE_API_KEY", "AIzaSyX", "AI", "gemini_api_key"),
        ("OPENAI_API_KEY", "sk-1", "AI", "openai_api_key"),
        (
            "EMAIL_SMTP_SERVER",
            "smtp.example.com",
            "Email",
            "smtp_server",
        ),
        ("EMAIL_SMTP_PORT", "2525", "Email", "smtp_port"),
        ("EMAIL_USERNAME", "u", "Email", "username"),
        ("EMAIL_PASSWORD", "p", "Email", "password"),
        ("EMAIL_FROM", "v@example.com", "Email", "from_email"),
        ("SPARSE_AI_API_KEY", "k", "SparseAI", "api_key"),
        (
            "SPARSE_AI_BASE_URL",
            "https://sparse.example.com/",
            "SparseAI",
            "base_url",
        ),
        ("RUST_LOG", "debug", "Logging", "level"),
    ];
    let start = (known.iter()).fold(Start::fresh(), |start, (name, value, ..)| {
        start.env(name, value)
    });
    for (name, _, section, key) in known {
        assert_eq!(start.origin(section, key), format!("environment {name}"));
    }
    let settings = start.settings();
    assert_eq!(settings.email.smtp_port, 2_525);
    assert_eq!(
        settings.sparse_ai.base_url.as_deref(),
        Some("https://sparse.example.com")
    );

    let defined: BTreeSet<_> = (SECTIONS.iter().flat_map(|section| section.keys))
        .filter_map(|definition| definition.environment)
        .collect();
    assert_eq!(defined, known.iter().map(|(name, ..)| *name).collect());
}

#[test]
fn an_empty_value_is_the_same_as_none() {
    let start = Start::with("[API]\nport =\nsecret_key =\n").env("HOST", "");
    assert_eq!(start.settings().api.port, 5_002);
    assert!(start.settings().api.secret_key.is_none());
    assert_eq!(start.origin("API", "host"), "default");
}

#[test]
fn names_are_known_in_any_case() {
    let start = Start::with("[api]\nPORT = 6001\n[VIDEOANALYSIS]\nAnalysis_FPS = 5\n");
    assert_eq!(start.settings().api.port, 6_001);
    assert_eq!(start.settings().video_analysis.analysis_fps, 5);
}

#[test]
fn an_unknown_key_is_refused_with_file_line_section_and_the_nearest_name() {
    assert_eq!(
        problem("\n[API]\nprot = 1\n"),
        "config.ini:3: [API] prot is no key of this section; the nearest known name is 'port'"
    );
    assert_eq!(
        problem("[API]\ngemini_api_key = AIzaSyX\n"),
        "config.ini:2: [API] gemini_api_key is no key of this section; the nearest known name is 'metrics_listen'; [AI] has a key of that name"
            .replace("metrics_listen", file::nearest("gemini_api_key", Api::SECTION.keys.iter().map(|d| d.key)))
    );
}

#[test]
fn an_unknown_section_is_refused_once_with_the_nearest_name() {
    assert_eq!(
        problem("[Vidoanalysis]\nshort_buffer_duration = 2\nx = 1\n"),
        "config.ini:1: [Vidoanalysis] is no section; the nearest known name is [VideoAnalysis]"
    );
}

#[test]
fn a_key_given_twice_in_any_case_is_refused_with_both_lines() {
    assert_eq!(
        problem("[API]\nport = 1\n[Admin]\n[api]\nPort = 1\n"),
        "config.ini:5: [API] port is given twice, first on line 2: keep one"
    );
}

#[test]
fn a_line_that_is_no_ini_is_refused_without_being_repeated() {
    let text = problem("[API]\nmy password is geheim\n");
    assert!(
        text.starts_with("config.ini:2: must be [Section], key = value"),
        "{text}"
    );
    let text = problem("port = 1\n");
    assert!(
        text.starts_with("config.ini:1: 'port' stands before any section"),
        "{text}"
    );
}

#[test]
fn all_problems_are_reported_at_once() {
    let start = Start::with(
        "[API]\nport = x\nprot = 1\n[Nope]\n[AI]\ntimeout_seconds = 99\nprovider = gemini\n",
    )
    .env("EMAIL_SMTP_PORT", "0");
    let found = start.refused();
    assert_eq!(
        found,
        [
            "config.ini:3: [API] prot is no key of this section; the nearest known name is 'port'",
            "config.ini:4: [Nope] is no section; the nearest known name is [API]",
            "config.ini:2: [API] port = x: must be a number from 0 to 65535",
            "config.ini:6: [AI] timeout_seconds = 99: must be a number of seconds from 0.5 to 25",
            "environment EMAIL_SMTP_PORT: [Email] smtp_port = 0: must be a number from 1 to 65535",
            "config.ini: [AI] gemini_api_key must be given when provider is gemini (environment GOOGLE_API_KEY)",
        ]
    );
}

#[test]
fn percent_backslash_and_comment_signs_in_a_value_are_kept() {
    let settings =
        accepted("[Email]\n; a comment\n# another\nusername = u\npassword = 5%0\\n;x #y\n");
    assert_eq!(settings.email.password.unwrap().reveal(), "5%0\\n;x #y");
}

#[test]
fn a_comment_behind_a_value_is_part_of_it_and_the_error_says_so() {
    assert_eq!(
        problem("[API]\nport = 5002 ; web\n"),
        "config.ini:2: [API] port = 5002 ; web: must be a number from 0 to 65535 (a comment must stand on its own line)"
    );
}

#[test]
fn a_whole_value_in_dollar_braces_is_taken_from_the_environment() {
    let start = Start::with("[Email]\nusername = pre${X}\npassword = ${MAIL_PW}\n")
        .env("MAIL_PW", "a${b}%");
    let email = start.settings().email;
    assert_eq!(email.password.unwrap().reveal(), "a${b}%");
    assert_eq!(email.username.unwrap(), "pre${X}");
    assert_eq!(start.origin("Email", "password"), "config.ini:3 ${MAIL_PW}");
}

#[test]
fn a_missing_variable_is_refused_even_when_another_layer_wins() {
    for start in [
        Start::with("[API]\nport = ${NOPE}\n"),
        Start::with("[API]\nport = ${NOPE}\n").env("PORT", "1"),
        Start::with("[API]\nport = ${NOPE}\n").env("NOPE", ""),
    ] {
        assert_eq!(
            start.refused(),
            [
                "config.ini:2: [API] port asks for the environment variable NOPE, which is not set or empty"
            ]
        );
    }
}

#[test]
fn the_flag_then_the_environment_then_the_working_directory_name_the_file() {
    let mut start = Start::with("[API]\nport = 1\n")
        .file("b.ini", "[API]\nport = 2\n")
        .file("c.ini", "[API]\nport = 3\n");
    assert_eq!(start.settings().api.port, 1);
    start = start.env("VIGINT_CONFIG_PATH", "b.ini");
    assert_eq!(start.settings().api.port, 2);
    start.from.config_path = Some(PathBuf::from("c.ini"));
    assert_eq!(start.settings().api.port, 3);
    assert_eq!(start.origin("API", "port"), "c.ini:2");
}

#[test]
fn a_named_file_that_is_not_there_is_an_error() {
    let start = Start::fresh().env("VIGINT_CONFIG_PATH", "b.ini");
    let error = start.refused().remove(0);
    assert!(
        error.starts_with("cannot read the configuration b.ini, named by VIGINT_CONFIG_PATH: "),
        "{error}"
    );
    let mut start = Start::with("");
    start.from.config_path = Some(PathBuf::from("c.ini"));
    let error = start.refused().remove(0);
    assert!(
        error.starts_with("cannot read the configuration c.ini, named by --config: "),
        "{error}"
    );
}

#[test]
fn sizes_are_read_with_and_without_a_unit() {
    for (text, size) in [
        ("8 MiB", 8 << 20),
        ("512KiB", 512 << 10),
        ("1048576", 1 << 20),
        ("5 mb", 5_000_000),
    ] {
        let ini = format!("[VideoAnalysis]\nmax_frame_bytes = {text}\n");
        assert_eq!(
            accepted(&ini).video_analysis.max_frame_bytes,
            size,
            "{text}"
        );
    }
    for bad in [
        "8 M",
        "1.5 MiB",
        "-1",
        "MiB",
        "25 MiB",
        "99999999999999 TiB",
    ] {
        assert_eq!(
            problem(&format!("[VideoAnalysis]\nmax_frame_bytes = {bad}\n")),
            format!(
                "config.ini:2: [VideoAnalysis] max_frame_bytes = {bad}: must be a size from 1 KiB to 24 MiB, such as 8388608 or 8 MiB"
            )
        );
    }
}

#[test]
fn durations_may_have_fractions() {
    let settings =
        accepted("[Clips]\nretention_hours = 0.5\n[VideoAnalysis]\nshort_buffer_duration = 2.5\n");
    assert_eq!(settings.clips.retention_hours, Duration::from_mins(30));
    assert_eq!(
        settings.video_analysis.short_buffer_duration,
        Duration::from_millis(2_500)
    );
    for bad in ["NaN", "inf", "-1", "3s"] {
        assert_eq!(
            problem(&format!("[Alerts]\ncooldown_seconds = {bad}\n")),
            format!(
                "config.ini:2: [Alerts] cooldown_seconds = {bad}: must be a number of seconds from 0 to 86400"
            )
        );
    }
}

#[test]
fn the_memory_for_all_rings_is_a_quarter_of_what_the_server_may_use() {
    let mut start = Start::fresh();
    start.from.usable_memory = 2 * GIBIBYTE;
    assert_eq!(start.settings().video_analysis.max_bytes_total, 512 << 20);
    start.from.usable_memory = 1;
    assert_eq!(start.settings().video_analysis.max_bytes_total, 16 << 20);
}

#[test]
fn the_public_url_follows_the_port_and_is_normalised() {
    assert_eq!(
        accepted("[API]\nport = 6001\n").api.public_url,
        "http://localhost:6001"
    );
    let tls = accepted("[API]\ntls_cert = c.pem\ntls_key = k.pem\n");
    assert_eq!(tls.api.public_url, "https://localhost:5002");
    for (text, url) in [
        ("https://v.example.com/", "https://v.example.com"),
        (
            "HTTPS://V.example.com:8443/vigint/",
            "https://v.example.com:8443/vigint",
        ),
    ] {
        assert_eq!(
            accepted(&format!("[API]\npublic_url = {text}\n"))
                .api
                .public_url,
            url
        );
    }
    for bad in [
        "ftp://x",
        "v.example.com",
        "https://x/?a=b",
        "https://x/#f",
        "https://",
    ] {
        let text = problem(&format!("[API]\npublic_url = {bad}\n"));
        assert!(
            text.contains("must be an http:// or https:// address"),
            "{text}"
        );
    }
}

#[test]
fn the_public_url_must_be_given_with_a_mail_server() {
    let mail = "[Email]\nsmtp_server = smtp.example.com\nfrom_email = v@example.com\n";
    assert!(
        problem(mail)
            .starts_with("config.ini: [API] public_url must be given when [Email] smtp_server is")
    );
    let start = Start::with(mail).env("VIGINT_PUBLIC_URL", "https://v.example.com");
    assert_eq!(start.settings().api.public_url, "https://v.example.com");
}

#[test]
fn weak_secrets_are_refused_with_the_cure_and_never_shown() {
    for (section, key, weak, why) in [
        ("API", "secret_key", "server-secret-key", "is a sample"),
        (
            "API",
            "secret_key",
            "CHANGE_ME-CHANGE_ME-CHANGE_ME-CHANGE_ME",
            "is a sample",
        ),
        (
            "API",
            "secret_key",
            "your-secret-key-here-please-make-it-long-0000",
            "is a sample",
        ),
        (
            "API",
            "previous_secret_key",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "repeats the same few",
        ),
        (
            "API",
            "secret_key",
            "5f1c0a9be27d4438b6e1d0c2f3a4958",
            "is too short, at least 32 bytes",
        ),
        (
            "Admin",
            "api_key",
            "5f1c0a9be27d4438b6e1d0c",
            "is too short, at least 24 characters",
        ),
        (
            "Admin",
            "api_key",
            "abababababababababababababababab",
            "repeats the same few",
        ),
        (
            "Admin",
            "api_key",
            "your-admin-key-0123456789abcdef",
            "is a sample",
        ),
    ] {
        let text = problem(&format!("[{section}]\n{key} = {weak}\n"));
        let start = format!("config.ini:2: [{section}] {key} = (set): {why}");
        assert!(text.starts_with(&start), "{text}");
        assert!(
            text.contains("openssl rand -hex 32") && !text.contains(weak),
            "{text}"
        );
    }
    let settings = accepted(&format!(
        "[API]\nsecret_key = {STRONG}\n[Admin]\napi_key = 5f1c0a9be27d4438b6e1d0c2\n"
    ));
    assert_eq!(settings.api.secret_key.unwrap().reveal(), STRONG);
}

#[test]
fn the_admin_key_is_its_own_secret() {
    let text = problem(&format!(
        "[API]\nsecret_key = {STRONG}\n[Admin]\napi_key = {STRONG}\n"
    ));
    assert!(
        text.starts_with("config.ini:4: [Admin] api_key must not be [API] secret_key again"),
        "{text}"
    );
}

#[test]
fn plain_mail_is_allowed_only_towards_this_machine() {
    let ini = |server: &str| {
        format!(
            "[API]\npublic_url = https://v.example.com\n[Email]\nsmtp_server = {server}\nsecurity = none\nfrom_email = v@example.com\n"
        )
    };
    for local in ["localhost", "127.0.0.1", "::1", "LOCALHOST"] {
        assert_eq!(accepted(&ini(local)).email.security, Security::None);
    }
    for away in ["smtp.example.com", "10.0.0.1", "localhost.example.com"] {
        let text = problem(&ini(away));
        assert!(
            text.starts_with(
                "config.ini:5: [Email] security = none: is allowed only towards this machine"
            ),
            "{text}"
        );
    }
}

#[test]
fn the_port_of_the_mail_server_follows_its_security() {
    for (security, port) in [("starttls", 587), ("TLS", 465), ("none", 25)] {
        let email = accepted(&format!("[Email]\nsecurity = {security}\n")).email;
        assert_eq!(email.smtp_port, port, "{security}");
    }
    let given = accepted("[Email]\nsecurity = tls\nsmtp_port = 2465\nca_file = ca.pem\n").email;
    assert_eq!(given.smtp_port, 2_465);
    assert_eq!(given.ca_file.as_deref(), Some(Path::new("ca.pem")));
}

#[test]
fn settings_that_need_each_other_come_together() {
    for (ini, said) in [
        (
            "[API]\ntls_cert = c.pem\n",
            "config.ini: [API] tls_key must be given when tls_cert is",
        ),
        (
            "[API]\ntls_key = k.pem\n",
            "config.ini: [API] tls_cert must be given when tls_key is",
        ),
        (
            "[Email]\nusername = u\n",
            "config.ini: [Email] password must be given when username is (environment EMAIL_PASSWORD)",
        ),
        (
            "[Email]\npassword = p\n",
            "config.ini: [Email] username must be given when password is (environment EMAIL_USERNAME)",
        ),
        (
            "[SparseAI]\napi_key = k\n",
            "config.ini: [SparseAI] base_url must be given when api_key is",
        ),
        (
            "[SparseAI]\napi_key = k\nbase_url = http://sparse.example.com\n",
            "config.ini:3: [SparseAI] base_url must be https unless it is on this machine: clips and the key would travel where others can read them",
        ),
        (
            "[VideoAnalysis]\nshort_buffer_duration = 10.5\n",
            "config.ini:2: [VideoAnalysis] short_buffer_duration must not be more than long_buffer_duration, which is 10",
        ),
        (
            "[VideoAnalysis]\nmax_inflight_bytes = 4 MiB\n",
            "config.ini:2: [VideoAnalysis] max_inflight_bytes must not be less than max_frame_bytes, which is 8388608 bytes",
        ),
        (
            "[API]\npublic_url = https://v.example.com\n[Email]\nsmtp_server = localhost\n",
            "config.ini: [Email] from_email must be given when smtp_server is and username is no mail address (environment EMAIL_FROM)",
        ),
    ] {
        assert_eq!(problem(ini), said);
    }
}

#[test]
fn the_sender_is_the_mail_account_unless_given() {
    let account = accepted("[Email]\nusername = alerts@vigint.com\npassword = p\n");
    assert_eq!(account.email.from_email.to_string(), "alerts@vigint.com");
    assert_eq!(
        Start::fresh().settings().email.from_email.to_string(),
        "Vigint <vigint@localhost>"
    );
}

#[test]
fn auto_is_gemini_when_its_key_is_given_and_openai_is_only_by_name() {
    assert_eq!(
        accepted("[AI]\ngemini_api_key = AIzaSyX\n")
            .ai
            .chosen_provider(),
        Provider::Gemini
    );
    assert_eq!(
        accepted("[AI]\nopenai_api_key = sk-1\n")
            .ai
            .chosen_provider(),
        Provider::Motion
    );
    let forced = accepted("[AI]\ngemini_api_key = AIzaSyX\nprovider = Motion\n");
    assert_eq!(forced.ai.chosen_provider(), Provider::Motion);
    let local = "[AI]\nprovider = openai\nopenai_base_url = http://127.0.0.1:11434/v1/\nscreening_model = qwen3-vl:8b\nconfirmation_model = qwen3-vl:8b\n";
    assert_eq!(
        accepted(local).ai.openai_base_url,
        "http://127.0.0.1:11434/v1"
    );
    assert_eq!(
        Start::with("[AI]\nprovider = openai\n").refused(),
        [
            "config.ini: [AI] openai_base_url or openai_api_key must be given when provider is openai",
            "config.ini: [AI] screening_model must be given when provider is openai",
            "config.ini: [AI] confirmation_model must be given when provider is openai",
        ]
    );
}

#[test]
fn prices_of_models_are_read_by_name() {
    let prices = accepted("[AI]\nmodel_prices = qwen3-vl:8b = 0/0, a/b=c=0.30/2.5\n")
        .ai
        .model_prices;
    let price = prices.of("a/b=c").unwrap();
    assert_eq!(
        (price.input, price.output),
        (MicroEuros(300_000), MicroEuros(2_500_000))
    );
    assert_eq!(prices.of("qwen3-vl:8b").unwrap().output, MicroEuros::ZERO);
    assert!(prices.of("gemini-3.8-flash").is_none());
    for bad in [
        "x",
        "x=1",
        "x=1/y",
        "=1/2",
        "x=-1/2",
        "x=1/2,x=1/2",
        "x=1/10001",
    ] {
        let text = problem(&format!("[AI]\nmodel_prices = {bad}\n"));
        assert!(
            text.starts_with(&format!("config.ini:2: [AI] model_prices = {bad}: ")),
            "{text}"
        );
    }
}

#[test]
fn a_budget_of_nothing_is_no_bound() {
    assert_eq!(
        accepted("[AI]\nmonthly_budget = 20\n").ai.monthly_budget,
        Some(MicroEuros(20_000_000))
    );
    assert_eq!(
        accepted("[AI]\nmonthly_budget = 0\n").ai.monthly_budget,
        None
    );
}

#[test]
fn trusted_proxies_are_addresses_and_networks() {
    let proxies = accepted("[API]\ntrusted_proxies = 10.0.0.0/8, ::1 192.168.1.7\n")
        .api
        .trusted_proxies;
    let texts: Vec<_> = proxies.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["10.0.0.0/8", "::1/128", "192.168.1.7/32"]);
    assert_eq!(
        problem("[API]\ntrusted_proxies = 10.0.0.0/33\n"),
        "config.ini:2: [API] trusted_proxies = 10.0.0.0/33: '10.0.0.0/33' is neither an address (10.0.0.7) nor a network (10.0.0.0/8)"
    );
}

#[test]
fn texts_of_other_kinds_are_checked() {
    for (section, key, bad) in [
        ("API", "host", "0.0.0.0:5002"),
        ("API", "metrics_listen", "9090"),
        ("API", "workers", "0"),
        ("Database", "database_url", "sqlit:///x.db"),
        ("Database", "database_url", "mysql://db/v"),
        ("Admin", "notify_email", "nobody"),
        ("AI", "language", "de"),
        ("AI", "provider", "openia"),
        ("AI", "motion_gate", "maybe"),
        ("Email", "security", "ssl"),
        ("Email", "smtp_server", "smtp.example.com:587"),
        ("Email", "from_email", "a@b\u{7}"),
        ("Clips", "bitrate_kbps", "10"),
        ("Billing", "currency", "euro"),
        ("Billing", "price_frame", "-0.01"),
        ("Billing", "price_screen", "0,01"),
        ("Limits", "burst", "0"),
        ("Logging", "level", "inof"),
        ("Logging", "level", "info,hyper=lots"),
        ("Logging", "format", "xml"),
        ("VideoAnalysis", "motion_screen_share", "1.5"),
    ] {
        let text = problem(&format!("[{section}]\n{key} = {bad}\n"));
        assert!(
            text.starts_with(&format!("config.ini:2: [{section}] {key} = ")),
            "{text}"
        );
    }
}

#[test]
fn passwords_in_wrong_addresses_are_struck_out() {
    for ini in [
        "[Database]\ndatabase_url = postgre://u:geheim@db/v\n",
        "[API]\npublic_url = https://u:geheim@x\n",
        "[AI]\nopenai_base_url = https://u:geheim@x/v1\n",
        "[Email]\nsmtp_server = smtp://u:geheim@x\n",
    ] {
        let text = problem(ini);
        assert!(
            text.contains("u:***@") && !text.contains("geheim"),
            "{text}"
        );
    }
}

#[test]
fn no_secret_is_printed_by_check_config_or_debug() {
    let secrets = [
        ("SECRET_KEY", "canary0-5f1c0a9be27d4438b6e1d0c2f3a4"),
        ("VIGINT_ADMIN_KEY", "canary1-5f1c0a9be27d4438b6e1"),
        ("GOOGLE_API_KEY", "canary2"),
        ("OPENAI_API_KEY", "canary3"),
        ("EMAIL_PASSWORD", "canary4"),
        ("EMAIL_USERNAME", "u"),
        ("SPARSE_AI_API_KEY", "canary5"),
        ("SPARSE_AI_BASE_URL", "https://s.example.com"),
        ("DATABASE_URL", "postgresql://u:canary6@db/v"),
        ("OLD", "canary7-5f1c0a9be27d4438b6e1d0c2f3a4"),
    ];
    let start = Start::with("[API]\nprevious_secret_key = ${OLD}\n");
    let start = (secrets.iter()).fold(start, |start, (name, value)| start.env(name, value));
    let loaded = start.loaded();
    for text in [loaded.origins.to_string(), format!("{loaded:?}")] {
        assert!(!text.contains("canary"), "{text}");
    }
    let shown = start.local(&loaded.origins.to_string());
    assert!(
        shown.contains("previous_secret_key = (set)  (config.ini:2 ${OLD})"),
        "{shown}"
    );
    assert!(
        shown.contains("database_url = postgresql://u:***@db/v  (environment DATABASE_URL)"),
        "{shown}"
    );
}

#[test]
fn check_config_shows_every_value_with_its_origin() {
    let mut start = Start::with(&format!(
        "[API]\nsecret_key = {STRONG}\ntrusted_proxies = 10.0.0.0/8\n[Email]\nusername = ${{MAIL_USER}}\n"
    ))
    .env("MAIL_USER", "alerts@vigint.com")
    .env("EMAIL_PASSWORD", "geheim")
    .env("RUST_LOG", "debug");
    start.from.flags.port = Some(6_003);
    let shown = start.loaded().origins.to_string();
    insta::assert_snapshot!(start.local(&shown));
}

#[test]
fn the_example_with_every_key_taken_in_is_the_default() {
    let all: String = (example().lines())
        .map(|line| format!("{}\n", line.strip_prefix(';').unwrap_or(line)))
        .collect();
    let values = |loaded: &Loaded| -> Vec<String> {
        loaded
            .origins
            .values
            .iter()
            .map(|value| value.text.clone())
            .collect()
    };
    let taken = Start::with(&all);
    assert_eq!(values(&taken.loaded()), values(&Start::fresh().loaded()));
    assert!(taken.origin("Limits", "burst").starts_with("config.ini:"));
    assert_eq!(
        values(&Start::with(&example()).loaded()),
        values(&Start::fresh().loaded())
    );
}

#[test]
fn the_committed_example_is_what_the_definitions_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config.ini.example");
    let renew = std::env::vars_os().any(|(name, _)| name == "VIGINT_RENEW_EXAMPLE");
    if renew {
        std::fs::write(&path, example()).unwrap();
    }
    assert!(
        std::fs::read_to_string(&path).is_ok_and(|committed| committed == example()),
        "config.ini.example is stale; renew it with\n  VIGINT_RENEW_EXAMPLE=1 cargo test -p vigint-config committed_example"
    );
}
