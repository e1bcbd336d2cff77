//! https as callers meet it: who gets in, who is told what, and what an operator is told of wrong files.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use reqwest::tls::Version;
use vigint_testkit::programs::{self, ServerProcess};

use crate::authority::{Authority, GOOD_YEARS, write_private};

const ADMIN_KEY: &str = "an-operator-key-for-the-tests-7";
/// A connection that has not ended by then hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server with a certificate for `localhost`, and where it is by that name.
fn server(folder: &Path, authority: &Authority) -> (ServerProcess, String) {
    let (lines, _) = authority.equip(folder);
    let config = format!("[API]\n{lines}[Admin]\napi_key = {ADMIN_KEY}\n");
    write_private(&folder.join("config.ini"), &config);
    let server = ServerProcess::start(folder, &[]);
    let url = server.url().replace("127.0.0.1", "localhost");
    assert!(url.starts_with("https://localhost:"), "{url}");
    (server, url)
}

fn program(name: &str, folder: &Path, words: &[&str]) -> Output {
    let mut command = programs::command(&programs::path(name), folder);
    command.args(words).env("VIGINT_ADMIN_KEY", ADMIN_KEY);
    command.output().unwrap()
}

fn admin(folder: &Path, words: &[&str]) -> (Option<i32>, String) {
    let output = program("vigint-admin", folder, words);
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

fn address_of(url: &str) -> &str {
    url.split_once("://").unwrap().1
}

/// What comes back for these bytes until the other end has had enough.
fn answer_to(url: &str, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address_of(url)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(bytes).unwrap();
    let mut said = Vec::new();
    match stream.read_to_end(&mut said) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
    }
    said
}

#[tokio::test]
async fn who_trusts_the_authority_gets_in_by_tls_1_2_and_1_3_and_nobody_else() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let (authority, stranger) = (Authority::new(), Authority::new());
    let (server, url) = server(folder.path(), &authority);
    let health = async |authority: &Authority, version: Version| {
        #[allow(
            clippy::disallowed_methods,
            reason = "a caller of this test alone, which trusts one authority"
        )]
        let builder = reqwest::Client::builder();
        let pem = reqwest::Certificate::from_pem(authority.pem().as_bytes()).unwrap();
        let client = builder
            .tls_certs_only([pem])
            .tls_version_min(version)
            .tls_version_max(version)
            .no_proxy()
            .timeout(PATIENCE)
            .build()
            .unwrap();
        let answer = client.get(format!("{url}/api/health")).send().await;
        answer.map(|answer| answer.status().as_u16())
    };
    for version in [Version::TLS_1_2, Version::TLS_1_3] {
        assert_eq!(health(&authority, version).await.unwrap(), 200);
        let refused = health(&stranger, version).await.unwrap_err();
        assert!(
            format!("{refused:?}").contains("InvalidCertificate"),
            "{refused:?}"
        );
    }
    assert!(server.stop().success());
}

#[test]
fn older_versions_of_tls_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let (server, _) = server(folder.path(), &Authority::new());
    // A hello of TLS 1.1 (RFC 4346, 7.4.1.2): version 3.2, no session, two suites, no compression.
    let mut hello = vec![0x03, 0x02];
    hello.extend([7; 32]);
    hello.extend([0, 0, 4, 0xc0, 0x13, 0x00, 0x2f, 1, 0]);
    // Without signature_algorithms it would be refused for that.
    hello.extend([0, 8, 0, 13, 0, 4, 0, 2, 4, 3]);
    let length = u8::try_from(hello.len()).unwrap();
    let record = [
        &[0x16, 0x03, 0x01, 0, length + 4, 1, 0, 0, length],
        &hello[..],
    ]
    .concat();
    let said = answer_to(server.url(), &record);
    // An alert (21), fatal (2), protocol_version (70).
    assert_eq!((said[0], &said[5..7]), (21, &[2, 70][..]), "{said:?}");
}

#[test]
fn the_operators_program_takes_the_authority_it_is_given_and_says_when_it_trusts_none() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, url) = server(folder.path(), &Authority::new());
    let folder = folder.path();
    let (code, said) = admin(
        folder,
        &["--server-url", &url, "--ca-file", "ca.pem", "list"],
    );
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = admin(folder, &["--server-url", &url, "list"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("its certificate is not trusted") && said.contains("--ca-file"),
        "{said}"
    );
    let by_address = url.replace("localhost", "127.0.0.1");
    let (code, said) = admin(
        folder,
        &["--server-url", &by_address, "--ca-file", "ca.pem", "list"],
    );
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("its certificate is for another name"),
        "{said}"
    );
    assert!(!said.contains(ADMIN_KEY), "{said}");
    for (file, reason) in [
        ("nowhere.pem", "No such file"),
        ("config.ini", "there is no certificate in it"),
    ] {
        let (code, said) = admin(folder, &["--server-url", &url, "--ca-file", file, "list"]);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(file) && said.contains(reason), "{said}");
    }
}

#[test]
fn the_customers_program_says_that_the_certificate_is_not_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, url) = server(folder.path(), &Authority::new());
    let key = "vgt_a-key-of-an-earlier-vigint";
    let words = ["check", "--api-url", &url, "--api-key", key];
    let output = program("vigint-client", folder.path(), &words);
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.to_lowercase().contains("certificate"), "{said}");
    assert!(!said.contains(key), "{said}");
}

#[test]
fn http_to_https_and_https_to_http_end_at_once_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let (server, url) = server(folder.path(), &Authority::new());
    let plain_folder = tempfile::tempdir().unwrap();
    write_private(
        &plain_folder.path().join("config.ini"),
        &format!("[Admin]\napi_key = {ADMIN_KEY}\n"),
    );
    let plain = ServerProcess::start(plain_folder.path(), &[]);

    let said = answer_to(server.url(), b"GET /api/health HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(!said.starts_with(b"HTTP"), "{said:?}");
    let hello = [&[0x16, 0x03, 0x01, 0x00, 0xc8, 0x01][..], &[7; 200]].concat();
    let said = answer_to(plain.url(), &hello);
    assert!(
        said.is_empty() || said.starts_with(b"HTTP/1.1 400"),
        "{said:?}"
    );

    for (url, reason) in [
        (url.replace("https", "http"), "perhaps it speaks https"),
        (
            plain.url().replace("http", "https"),
            "perhaps it speaks plain http",
        ),
    ] {
        let (code, said) = admin(folder.path(), &["--server-url", &url, "list"]);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(reason), "{said}");
    }
    assert!(server.stop().success() && plain.stop().success());
}

#[test]
fn who_connects_and_says_nothing_is_let_go() {
    let folder = tempfile::tempdir().unwrap();
    let (server, _) = server(folder.path(), &Authority::new());
    assert!(answer_to(server.url(), b"").is_empty());
}

/// What the server says of these lines of `[API]`, asked by `check-config` and by `serve`, which does not start.
fn refused(folder: &Path, lines: &str) -> String {
    write_private(&folder.join("config.ini"), &format!("[API]\n{lines}"));
    let said = |words: &[&str]| {
        let output = program("vigint-server", folder, words);
        assert_eq!(output.status.code(), Some(1), "{words:?} {lines}");
        String::from_utf8(output.stderr).unwrap()
    };
    let checked = said(&["check-config"]);
    let served = said(&["serve", "--host", "127.0.0.1", "--port", "0"]);
    let reason = checked.lines().last().unwrap().trim();
    assert!(served.contains(reason), "{served}\n{checked}");
    assert!(!folder.join("vigint-data").exists(), "nothing is made");
    reason.to_owned()
}

#[test]
fn each_wrong_file_is_named_with_what_is_wrong_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| write_private(&folder.path().join(name), text);
    let authority = Authority::new();
    let (cert, key) = authority.sign(&["localhost"], GOOD_YEARS);
    let (other_cert, other_key) = authority.sign(&["localhost"], GOOD_YEARS);
    write("cert.pem", &cert);
    write("key.pem", &key);
    write("other-key.pem", &other_key);
    write("wrong-order.pem", &[authority.pem(), cert.clone()].concat());
    write("words.txt", "correct horse battery staple\n");
    write("cut.pem", &cert[..cert.len() / 2]);
    write("cut-key.pem", &key[..key.len() / 2]);
    write("empty.pem", "");
    let garbage = "-----BEGIN CERTIFICATE-----\nMAMBAf8=\n-----END CERTIFICATE-----\n";
    write("garbage.pem", garbage);
    write(
        "garbage-key.pem",
        &garbage.replace("CERTIFICATE", "PRIVATE KEY"),
    );
    write("odd.pem", &garbage.replace("MAMBAf8=", "correct*horse"));
    write(
        "encrypted.pem",
        &key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"),
    );
    write(
        "encrypted-rsa.pem",
        &key.replace(
            "BEGIN PRIVATE KEY-----\n",
            "BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n",
        )
        .replace("END PRIVATE", "END RSA PRIVATE"),
    );
    write("both.pem", &[key.clone(), other_cert].concat());
    std::fs::create_dir(folder.path().join("folder")).unwrap();

    for (cert, key, named, wrong) in [
        ("gone.pem", "key.pem", "tls_cert = gone.pem", "No such file"),
        ("cert.pem", "gone.pem", "tls_key = gone.pem", "No such file"),
        (
            "folder",
            "key.pem",
            "tls_cert = folder",
            "it cannot be read",
        ),
        (
            "words.txt",
            "key.pem",
            "tls_cert = words.txt",
            "it is no PEM file",
        ),
        (
            "cert.pem",
            "words.txt",
            "tls_key = words.txt",
            "it is no PEM file",
        ),
        (
            "empty.pem",
            "key.pem",
            "tls_cert = empty.pem",
            "it is no PEM file",
        ),
        (
            "cut.pem",
            "key.pem",
            "tls_cert = cut.pem",
            "its PEM is broken",
        ),
        (
            "cert.pem",
            "cut-key.pem",
            "tls_key = cut-key.pem",
            "its PEM is broken",
        ),
        (
            "odd.pem",
            "key.pem",
            "tls_cert = odd.pem",
            "its PEM is broken",
        ),
        (
            "garbage.pem",
            "key.pem",
            "tls_cert = garbage.pem",
            "its first certificate cannot be read",
        ),
        (
            "cert.pem",
            "garbage-key.pem",
            "tls_key = garbage-key.pem",
            "it cannot be used",
        ),
        (
            "key.pem",
            "cert.pem",
            "tls_cert = key.pem",
            "have tls_cert and tls_key been exchanged?",
        ),
        (
            "cert.pem",
            "cert.pem",
            "tls_key = cert.pem",
            "have tls_cert and tls_key been exchanged?",
        ),
        (
            "cert.pem",
            "other-key.pem",
            "tls_key = other-key.pem",
            "does not belong to the first certificate in cert.pem",
        ),
        (
            "wrong-order.pem",
            "key.pem",
            "tls_key = key.pem",
            "does not belong to the first certificate in wrong-order.pem",
        ),
        (
            "both.pem",
            "both.pem",
            "tls_key = both.pem",
            "does not belong to the first certificate",
        ),
        (
            "cert.pem",
            "encrypted.pem",
            "tls_key = encrypted.pem",
            "openssl pkey",
        ),
        (
            "cert.pem",
            "encrypted-rsa.pem",
            "tls_key = encrypted-rsa.pem",
            "openssl pkey",
        ),
    ] {
        let said = refused(
            folder.path(),
            &format!("tls_cert = {cert}\ntls_key = {key}\n"),
        );
        assert!(
            said.starts_with(&format!("[API] {named}: ")) && said.contains(wrong),
            "{cert} {key}: {said}"
        );
        for secret in ["horse", key.get(40..60).unwrap_or("correct")] {
            assert!(!said.contains(secret), "{said}");
        }
    }
    for (lines, missing) in [
        (
            "tls_cert = cert.pem\n",
            "config.ini: [API] tls_key must be given when tls_cert is",
        ),
        (
            "tls_key = key.pem\n",
            "config.ini: [API] tls_cert must be given when tls_key is",
        ),
    ] {
        assert_eq!(refused(folder.path(), lines), missing);
    }
}

#[test]
fn what_callers_will_not_like_is_warned_of_and_served_all_the_same() {
    let authority = Authority::new();
    let of = |names: &[&str], years| authority.sign(names, years);
    for ((cert, key), public_url, warning) in [
        (
            of(&["localhost"], (2020, 2021)),
            "",
            "it expired at 2021-01-01",
        ),
        (
            of(&["localhost"], (2090, 2091)),
            "",
            "it is valid only from 2090-01-01",
        ),
        (
            (authority.pem(), authority.key_pem()),
            "",
            "it is an authority's own certificate",
        ),
        (
            of(&["localhost"], GOOD_YEARS),
            "public_url = https://vigint.example.com\n",
            "it is not for vigint.example.com, the name in public_url",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        write_private(&folder.path().join("cert.pem"), &cert);
        write_private(&folder.path().join("key.pem"), &key);
        let config = format!("[API]\ntls_cert = cert.pem\ntls_key = key.pem\n{public_url}");
        write_private(&folder.path().join("config.ini"), &config);
        let whole = format!("[API] tls_cert = cert.pem: {warning}");
        let checked = program("vigint-server", folder.path(), &["check-config"]);
        let said = String::from_utf8(checked.stderr).unwrap();
        assert!(checked.status.success(), "{said}");
        assert!(said.contains(&format!("warning: {whole}")), "{said}");
        let server = ServerProcess::start(folder.path(), &[]);
        assert!(server.log().contains(&whole), "{}", server.log());
    }
}

#[test]
fn a_good_certificate_is_not_warned_of_and_a_key_open_to_all_is() {
    let folder = tempfile::tempdir().unwrap();
    let (lines, _) = Authority::new().equip(folder.path());
    let config = format!("[API]\n{lines}public_url = https://localhost:8443\n");
    write_private(&folder.path().join("config.ini"), &config);
    let checked = || {
        let output = program("vigint-server", folder.path(), &["check-config"]);
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(checked(), "");
    let key = folder.path().join("key.pem");
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(key, open).unwrap();
    assert_eq!(
        checked(),
        "warning: [API] tls_key = key.pem: every user of this machine can read it: chmod 600 key.pem\n"
    );
}
