//! https: whom the program trusts, and what it says of those it does not.

use vigint_client::SecureVideoAnalyzer;

use crate::authority::Authority;
use crate::program::{Folder, Ran, run};
use crate::scripted_server::{Reply, ScriptedServer};

/// A server at localhost with this certificate, and a folder whose `.env` names it and holds the authority's file.
async fn equipped(authority: &Authority, name: &str, days: std::ops::Range<i64>) -> Equipped {
    let server = ScriptedServer::start_tls(authority.acceptor(name, days), Reply::of_vigint).await;
    let folder = Folder::new();
    let url = format!("https://localhost:{}", server.address.port());
    folder.write(
        ".env",
        &format!("VIGINT_API_KEY=a-key-of-16-chars\nVIGINT_SERVER_URL={url}\n"),
    );
    folder.write("ca.pem", &authority.pem());
    Equipped {
        server,
        folder,
        url,
    }
}

struct Equipped {
    server: ScriptedServer,
    folder: Folder,
    url: String,
}

impl Equipped {
    async fn run(&self, args: &[&str]) -> Ran {
        run(&mut self.folder.client(args)).await
    }
}

#[tokio::test]
async fn an_authority_of_ones_own_is_trusted_when_it_is_named_and_only_then() {
    let authority = Authority::new();
    let equipped = equipped(&authority, "localhost", -1..90).await;
    let ran = equipped.run(&["usage"]).await;
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(
        ran.stderr.contains("its certificate is not trusted"),
        "{ran:?}"
    );
    assert!(ran.stderr.contains("--ca-file"), "{ran:?}");
    assert!(equipped.server.requests().is_empty());

    let ran = equipped.run(&["usage", "--ca-file", "ca.pem"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let mut client = equipped.folder.client(&["usage"]);
    let ran = run(client.env("VIGINT_CA_FILE", "ca.pem")).await;
    assert_eq!(ran.code, 0, "{ran:?}");

    // Another authority's certificate is no help.
    equipped.folder.write("other.pem", &Authority::new().pem());
    let ran = equipped.run(&["usage", "--ca-file", "other.pem"]).await;
    assert_eq!(ran.code, 4, "{ran:?}");

    let library = SecureVideoAnalyzer::builder()
        .api_base_url(&equipped.url)
        .api_key("a-key-of-16-chars")
        .ca_certificates(authority.pem())
        .build()
        .unwrap();
    library.whoami().await.unwrap();
}

#[tokio::test]
async fn the_authority_may_be_named_in_the_env_file() {
    let equipped = equipped(&Authority::new(), "localhost", -1..90).await;
    let env = std::fs::read_to_string(equipped.folder.path().join(".env")).unwrap();
    equipped
        .folder
        .write(".env", &format!("{env}VIGINT_CA_FILE=ca.pem\n"));
    let ran = equipped.run(&["usage"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    // A flag goes before it.
    let ran = equipped.run(&["usage", "--ca-file", "gone.pem"]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
}

#[tokio::test]
async fn a_file_that_names_no_authority_is_refused_with_the_reason() {
    let authority = Authority::new();
    let folder = Folder::new();
    folder.write("key.pem", &authority.key_pem());
    folder.write("empty.pem", "");
    folder.write("text.pem", "hello");
    for (file, said) in [
        ("gone.pem", "there is no such file"),
        ("empty.pem", "it is empty"),
        ("text.pem", "it is no PEM file"),
        ("key.pem", "it holds a private key and no certificate"),
    ] {
        let args = ["--api-key", "a-key-of-16-chars", "--ca-file", file];
        for command in ["usage", "check"] {
            let ran = run(&mut folder.client(&[&args[..], &[command]].concat())).await;
            assert_eq!(ran.code, 2, "{file}: {ran:?}");
            assert!(ran.printed().contains(said), "{file}: {ran:?}");
            assert!(ran.printed().contains(file), "{file}: {ran:?}");
        }
    }
}

#[tokio::test]
async fn a_certificate_that_is_over_too_early_or_of_another_name_is_told_with_the_cure() {
    for (name, days, said, cure) in [
        ("localhost", -9..-2, "has expired", "must renew it"),
        ("localhost", 2..9, "is not valid yet", "clock"),
        ("elsewhere.example", -1..9, "is for another name", "address"),
    ] {
        let equipped = equipped(&Authority::new(), name, days).await;
        let ran = equipped.run(&["usage", "--ca-file", "ca.pem"]).await;
        assert_eq!(ran.code, 4, "{ran:?}");
        assert!(
            ran.stderr.contains(said) && ran.stderr.contains(cure),
            "{said}: {ran:?}"
        );
    }
}

#[tokio::test]
async fn the_wrong_one_of_http_and_https_is_told() {
    let equipped = equipped(&Authority::new(), "localhost", -1..90).await;
    let plain = equipped.url.replace("https", "http");
    let ran = equipped.run(&["usage", "--api-url", &plain]).await;
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.stderr.contains("perhaps it speaks https"), "{ran:?}");

    let server = ScriptedServer::start(Reply::of_vigint).await;
    let secure = server.url().replace("http", "https");
    let ran = equipped.run(&["usage", "--api-url", &secure]).await;
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(
        ran.stderr.contains("perhaps it speaks plain http"),
        "{ran:?}"
    );
}
