//! Settings as an operator writes them, right and wrong, read by the real programs. What a value must be is
//! tested in `vigint-config`; here: that the programs say it, alike, and do nothing else.

use std::path::Path;
use std::process::Output;

use vigint_testkit::programs::{self, ServerProcess};

/// Runs a program in this folder with these variables alone.
fn run(folder: &Path, words: &[&str], environment: &[(&str, &str)]) -> Output {
    let (name, words) = words.split_first().unwrap();
    let mut command = programs::command(&programs::path(name), folder);
    command.args(words).envs(environment.iter().copied());
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn folder_with(config: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.ini"), config).unwrap();
    folder
}

/// What all that read this config.ini say is wrong with it, a line each. None may start, or make anything.
fn refused(config: &str, environment: &[(&str, &str)]) -> Vec<String> {
    let folder = folder_with(config);
    let said = [
        &["vigint-server", "check-config"][..],
        &["vigint-server", "serve", "--host", "127.0.0.1"],
        &["vigint-server", "migrate"],
        &["vigint-admin", "list"],
        &[
            "vigint-admin",
            "create",
            "--name",
            "A",
            "--email",
            "a@b.example",
        ],
    ]
    .map(|words| {
        let output = run(folder.path(), words, environment);
        assert_eq!(output.status.code(), Some(1), "{words:?}: {output:?}");
        assert_eq!(text(&output.stdout), "", "{words:?}");
        let said = text(&output.stderr).to_owned();
        let program = words[0];
        let said = said.strip_prefix(&format!("{program}: ")).unwrap();
        // An admin may have to revoke a key now.
        let way_on = "To work without it all the same, name the database";
        assert_eq!(said.contains(way_on), program == "vigint-admin", "{said}");
        let lines = said.lines().filter(|line| !line.starts_with(way_on));
        lines.map(|line| format!("{line}\n")).collect::<String>()
    });
    assert!(said.iter().all(|other| *other == said[0]), "{said:#?}");
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 1, "nothing is made");
    let lines = said[0]
        .strip_prefix("the configuration is not right:\n")
        .unwrap();
    lines.lines().map(|line| line.trim().to_owned()).collect()
}

#[test]
fn each_mistake_is_named_with_file_line_section_key_and_the_nearest_name() {
    for (config, said) in [
        (
            "[Databse]\ndatabase_url = sqlite:///x.db\n",
            "config.ini:1: [Databse] is no section; the nearest known name is [Database]",
        ),
        (
            "[API]\nhost = 127.0.0.1\nprot = 5002\n",
            "config.ini:3: [API] prot is no key of this section; the nearest known name is 'port'",
        ),
        (
            "[API]\ndatabase_url = sqlite:///x.db\n",
            "config.ini:2: [API] database_url is no key of this section; the nearest known name is 'public_url'; [Database] has a key of that name",
        ),
        (
            "[API]\nport = 1\n\n[api]\nPORT = 1\n",
            "config.ini:5: [API] port is given twice, first on line 2: keep one",
        ),
        (
            "[Database]\ndatabase_url = ${VIGINT_DB}\n",
            "config.ini:2: [Database] database_url asks for the environment variable VIGINT_DB, which is not set or empty",
        ),
        (
            "[API]\nport = 70000\n",
            "config.ini:2: [API] port = 70000: must be a number from 0 to 65535",
        ),
        (
            "[API]\nport: 5002\n",
            "config.ini:2: must be [Section], key = value, or a comment that begins with ; or #",
        ),
        (
            "port = 5002\n",
            "config.ini:1: 'port' stands before any section: write [Section] above it",
        ),
        (
            "[Logging]\nlevel = lots\n",
            "config.ini:2: [Logging] level = lots: must be one of off, error, warn, info, debug, trace, or directives such as info,actix_web=debug",
        ),
        (
            "[API]\ntls_cert = cert.pem\n",
            "config.ini: [API] tls_key must be given when tls_cert is",
        ),
    ] {
        let lines = refused(config, &[]);
        assert_eq!(lines, [said]);
    }
}

#[test]
fn all_mistakes_are_told_at_once_those_of_the_environment_too() {
    let lines = refused(
        "[API]\nport = x\nprot = 1\n[Limits]\nburst = 0\n",
        &[("EMAIL_SMTP_PORT", "smtp")],
    );
    assert_eq!(
        lines,
        [
            "config.ini:3: [API] prot is no key of this section; the nearest known name is 'port'",
            "config.ini:2: [API] port = x: must be a number from 0 to 65535",
            "environment EMAIL_SMTP_PORT: [Email] smtp_port = smtp: must be a number from 1 to 65535",
            "config.ini:5: [Limits] burst = 0: must be a number from 1 to 1000000",
        ]
    );
}

#[test]
fn a_secret_in_a_wrong_place_is_not_repeated() {
    let secret = "5f1c0a9be27d4438b6e1d0c2f3a49587";
    for (config, place) in [
        (
            format!("[API]\nsecret_kee = {secret}\n"),
            "config.ini:2: [API] secret_kee is no key",
        ),
        (
            format!("[Secrets]\nsecret_key = {secret}\n"),
            "config.ini:1: [Secrets] is no section",
        ),
        (
            format!("[API]\nport = {secret}\n"),
            "config.ini:2: [API] port = ***: must be a number",
        ),
        (
            format!("[API]\ntrusted_proxies = 10.0.0.1, {secret}\n"),
            "config.ini:2: [API] trusted_proxies = 10.0.0.1, ***: '***' is neither",
        ),
        // On a line of its own, as the earlier Vigint's config.ini allowed.
        (
            format!("[API]\nsecret_key =\n  {secret}==\n"),
            "config.ini:3: [API] *** is no key",
        ),
        (
            format!("[API]\nsecret_key\n  {secret}\n"),
            "config.ini:2: must be [Section]",
        ),
        (
            format!("{secret}=\n"),
            "config.ini:1: '***' stands before any section",
        ),
        (format!("[{secret}]\n"), "config.ini:1: [***] is no section"),
        (
            format!("[API]\nsecret_key = ${{{secret}}}\n"),
            "config.ini:2: [API] secret_key asks for the environment variable ***,",
        ),
        (
            format!("[Admin]\napi_key = {}\n", &secret[..20]),
            "config.ini:2: [Admin] api_key = (set): is too short",
        ),
        (
            format!("[Database]\ndatabase_url = postgre://v:{secret}@db/v\n"),
            "config.ini:2: [Database] database_url = postgre://v:***@db/v: must be",
        ),
        (
            format!("[AI]\nprovider = AIza{secret}\n"),
            "config.ini:2: [AI] provider = ***: must be one of",
        ),
    ] {
        let lines = refused(&config, &[]);
        assert!(lines[0].starts_with(place), "{lines:?}");
        for line in lines {
            assert!(!line.contains(&secret[..20]), "{line}");
        }
    }
}

/// The line of `check-config` that shows this key.
fn shown(folder: &Path, key: &str, words: &[&str], environment: &[(&str, &str)]) -> String {
    let words = [&["vigint-server", "check-config"], words].concat();
    let output = run(folder, &words, environment);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let shown = text(&output.stdout);
    let line = shown
        .lines()
        .find(|line| line.starts_with(&format!("{key} = ")));
    line.unwrap_or_else(|| panic!("no {key} in {shown}"))
        .to_owned()
}

#[test]
fn a_flag_goes_before_the_environment_before_the_file_before_the_default() {
    let folder = folder_with("[api]\nPort = 6001\n");
    let empty = tempfile::tempdir().unwrap();
    let port = |folder: &Path, words: &[&str], environment: &[(&str, &str)]| {
        shown(folder, "port", words, environment)
    };
    let environment = [("PORT", "6002")];
    assert_eq!(port(empty.path(), &[], &[]), "port = 5002  (default)");
    assert_eq!(port(folder.path(), &[], &[]), "port = 6001  (config.ini:2)");
    assert_eq!(
        port(folder.path(), &[], &environment),
        "port = 6002  (environment PORT)"
    );
    assert_eq!(
        port(folder.path(), &["--port", "6003"], &environment),
        "port = 6003  (flag --port)"
    );
}

#[test]
fn the_file_is_that_of_the_flag_then_of_the_environment_then_of_the_folder() {
    let folder = folder_with("[API]\nport = 1\n");
    std::fs::write(folder.path().join("b.ini"), "[API]\nport = 2\n").unwrap();
    std::fs::write(folder.path().join("c.ini"), "[API]\nport = 3\n").unwrap();
    let b = [("VIGINT_CONFIG_PATH", "b.ini")];
    let port = |words: &[&str], environment: &[(&str, &str)]| {
        shown(folder.path(), "port", words, environment)
    };
    assert_eq!(port(&[], &[]), "port = 1  (config.ini:2)");
    assert_eq!(port(&[], &b), "port = 2  (b.ini:2)");
    assert_eq!(port(&["--config", "c.ini"], &b), "port = 3  (c.ini:2)");
    for (words, environment, named_by) in [
        (&["--config", "nope.ini"][..], &[][..], "named by --config"),
        (
            &[],
            &[("VIGINT_CONFIG_PATH", "nope.ini")],
            "named by VIGINT_CONFIG_PATH",
        ),
    ] {
        for program in [
            &["vigint-server", "check-config"],
            &["vigint-admin", "list"],
        ] {
            let output = run(folder.path(), &[&program[..], words].concat(), environment);
            assert_eq!(output.status.code(), Some(1));
            let said = format!(
                "{}: cannot read the configuration nope.ini, {named_by}: No such file or directory (os error 2)\n",
                program[0]
            );
            assert_eq!(text(&output.stderr), said);
        }
    }
}

#[test]
fn percent_and_backslash_are_ordinary_and_a_whole_value_may_be_a_variable() {
    let folder = folder_with(
        "[Email]\nusername = 50%%s\\n${X}\npassword = ${MAIL_PW}\noutbox_directory = a%20b\\c\n",
    );
    let environment = [("MAIL_PW", "geheim%\\")];
    for (key, line) in [
        ("username", "username = 50%%s\\n${X}  (config.ini:2)"),
        ("password", "password = (set)  (config.ini:3 ${MAIL_PW})"),
        (
            "outbox_directory",
            "outbox_directory = a%20b\\c  (config.ini:4)",
        ),
    ] {
        assert_eq!(shown(folder.path(), key, &[], &environment), line);
    }
}

#[test]
fn check_config_shows_where_each_value_is_from_and_no_secret() {
    let folder = folder_with("[API]\nprevious_secret_key = ${OLD}\n");
    let environment = [
        ("SECRET_KEY", "canary0-5f1c0a9be27d4438b6e1d0c2f3a4"),
        ("OLD", "canary1-5f1c0a9be27d4438b6e1d0c2f3a4"),
        ("VIGINT_ADMIN_KEY", "canary2-5f1c0a9be27d4438b6e1"),
        ("EMAIL_USERNAME", "alerts@example.com"),
        ("EMAIL_PASSWORD", "canary3"),
        ("OPENAI_API_KEY", "canary4"),
        ("DATABASE_URL", "postgresql://vigint:canary5@db/vigint"),
    ];
    let output = run(
        folder.path(),
        &["vigint-server", "check-config"],
        &environment,
    );
    assert!(output.status.success(), "{output:?}");
    let shown = text(&output.stdout);
    for line in [
        "secret_key = (set)  (environment SECRET_KEY)",
        "previous_secret_key = (set)  (config.ini:2 ${OLD})",
        "api_key = (set)  (environment VIGINT_ADMIN_KEY)",
        "username = alerts@example.com  (environment EMAIL_USERNAME)",
        "password = (set)  (environment EMAIL_PASSWORD)",
        "gemini_api_key = (none)  (default)",
        "openai_api_key = (set)  (environment OPENAI_API_KEY)",
        "database_url = postgresql://vigint:***@db/vigint  (environment DATABASE_URL)",
    ] {
        assert!(
            shown.lines().any(|shown| shown == line),
            "{line} in\n{shown}"
        );
    }
    assert!(!format!("{output:?}").contains("canary"), "{shown}");
    // Every key of the example is shown.
    let example = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config.ini.example"),
    );
    let mut keys = 0;
    for line in example
        .unwrap()
        .lines()
        .filter_map(|line| line.strip_prefix(';'))
    {
        let key = line.split(" =").next().unwrap();
        assert!(shown.contains(&format!("\n{key} = ")), "{key}");
        keys += 1;
    }
    assert!(keys > 60, "{keys}");
}

#[test]
fn relative_files_are_from_the_working_directory_and_four_slashes_from_the_root() {
    let elsewhere = tempfile::tempdir().unwrap();
    let root = elsewhere.path().join("data/vigint.db");
    let config = "[Clips]\ndirectory = my-clips\n[Email]\noutbox_directory = my-mails\n";
    for (url, made) in [
        ("sqlite:///data/vigint.db".to_owned(), None),
        (format!("sqlite:///{}", root.display()), Some(root.clone())),
    ] {
        let folder = tempfile::tempdir().unwrap();
        // The file is named from elsewhere: what is in it is still from the working directory.
        let etc = tempfile::tempdir().unwrap();
        let file = etc.path().join("vigint.ini");
        std::fs::write(&file, format!("{config}[Database]\ndatabase_url = {url}\n")).unwrap();
        let server = ServerProcess::start(folder.path(), &["--config", file.to_str().unwrap()]);
        assert!(server.stop().success());
        let made = made.unwrap_or_else(|| folder.path().join("data/vigint.db"));
        for path in [
            made,
            folder.path().join("my-clips"),
            folder.path().join("my-mails"),
        ] {
            assert!(path.exists(), "{}", path.display());
        }
        assert_eq!(std::fs::read_dir(etc.path()).unwrap().count(), 1);
    }
}
