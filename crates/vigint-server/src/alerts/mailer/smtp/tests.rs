//! Against a real server on loopback.

use tempfile::TempDir;
use vigint_core::clock::{ManualClock, SystemClock, UtcTime};
use vigint_testkit::smtp::{self as mail_server, Deed, Offers, SmtpServer, When};

use super::super::Fate;
use super::*;

/// Long enough for a machine busy with other tests.
const LONG: Duration = Duration::from_secs(60);
/// For what hangs: nothing else ends it.
const SHORT: Duration = Duration::from_secs(3);
const STOPPED: Fate = Fate::ChannelStopped {
    pause: Duration::from_secs(60),
};
const PASSWORD: &str = "geheim-1";

/// A mail server, and what reaches it.
struct Way {
    server: SmtpServer,
    smtp: Smtp,
    _folder: TempDir,
}

/// What is set up, and by default fits together: STARTTLS, a login, a certificate that is trusted.
struct Setup {
    options: mail_server::SmtpOptions,
    security: Security,
    login: Option<(&'static str, &'static str)>,
    is_trusted: bool,
    /// Of a command.
    limit: Duration,
    /// Of the mail itself.
    message_limit: Duration,
    clock: Arc<dyn Clock>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            options: mail_server::SmtpOptions::default().demanding("alerts", PASSWORD),
            security: Security::StartTls,
            login: Some(("alerts", PASSWORD)),
            is_trusted: true,
            limit: LONG,
            message_limit: LONG,
            clock: Arc::new(SystemClock::new()),
        }
    }
}

impl Setup {
    fn of(offers: Offers, security: Security) -> Self {
        let mut setup = Self {
            security,
            ..Self::default()
        };
        setup.options.offers = offers;
        setup
    }

    async fn start(self) -> Way {
        let server = SmtpServer::start(self.options).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let ca_file = folder.path().join("ca.pem");
        std::fs::write(&ca_file, server.ca_pem()).unwrap();
        let smtp = Smtp::new(SmtpOptions {
            host: server.host().to_owned(),
            port: server.port(),
            security: self.security,
            ca_file: self.is_trusted.then_some(ca_file),
            login: self.login.map(|(username, password)| Login {
                username: username.to_owned(),
                password: Secret::new(password),
            }),
            limits: SmtpLimits {
                command: self.limit,
                message: self.message_limit,
                reuse: self.limit / 3,
                ..SmtpLimits::default()
            },
            clock: self.clock,
        });
        Way {
            server,
            smtp: smtp.unwrap(),
            _folder: folder,
        }
    }
}

fn mail(id: &str) -> Message {
    mail_to(id, "owner@b.example")
}

fn mail_to(id: &str, recipient: &str) -> Message {
    Message::builder()
        .from("Vigint <alerts@example.com>".parse().unwrap())
        .to(recipient.parse().unwrap())
        .subject("A subject")
        .message_id(Some(format!("<{id}@example.com>")))
        .body("Line one\r\n.a dot".to_owned())
        .unwrap()
}

/// What of the error an operator reads, and what becomes of the mail.
async fn failure(way: &Way, id: &str) -> (String, Fate) {
    let error = way.smtp.send(&mail(id)).await.unwrap_err();
    assert!(!format!("{error:?} {error}").contains(PASSWORD), "{error}");
    (error.to_string(), error.fate())
}

#[tokio::test]
async fn a_mail_goes_out_logged_in_under_tls_however_tls_begins() {
    for (offers, security) in [
        (Offers::StartTls, Security::StartTls),
        (Offers::Tls, Security::Tls),
    ] {
        let way = Setup::of(offers, security).start().await;
        let accepted = way.smtp.send(&mail("1")).await.unwrap();
        assert_eq!(accepted, "250 2.0.0 kept");
        let mails = way.server.mails();
        assert_eq!(mails.len(), 1);
        let got = &mails[0];
        assert!(got.over_tls);
        assert_eq!(got.login.as_deref(), Some("alerts"));
        assert_eq!(got.from, "alerts@example.com");
        assert_eq!(got.to, ["owner@b.example"]);
        assert_eq!(got.message_id().unwrap(), "<1@example.com>");
        assert_eq!(got.text(), "Line one\r\n.a dot\r\n");
        for seen in way.server.commands() {
            let may_be_read = matches!(seen.verb.as_str(), "EHLO" | "STARTTLS");
            assert!(seen.over_tls || may_be_read, "{seen:?}");
        }
    }
}

#[tokio::test]
async fn a_server_that_knows_only_login_is_logged_in_to() {
    let mut setup = Setup::default();
    setup.options.mechanisms = vec!["LOGIN"];
    let way = setup.start().await;
    way.smtp.send(&mail("1")).await.unwrap();
    assert_eq!(way.server.mails()[0].login.as_deref(), Some("alerts"));
}

#[tokio::test]
async fn to_this_machine_a_mail_goes_without_tls_with_and_without_a_login() {
    let way = Setup::of(Offers::NoTls, Security::None).start().await;
    way.smtp.send(&mail("1")).await.unwrap();
    assert_eq!(way.server.mails()[0].login.as_deref(), Some("alerts"));

    let open = Setup {
        options: mail_server::SmtpOptions::offering(Offers::NoTls),
        login: None,
        ..Setup::of(Offers::NoTls, Security::None)
    };
    let way = open.start().await;
    way.smtp.send(&mail("1")).await.unwrap();
    assert_eq!(way.server.mails()[0].login, None);
    assert_eq!(way.server.count("AUTH"), 0);
}

#[tokio::test]
async fn a_server_without_tls_gets_no_login_and_no_mail() {
    let way = Setup::of(Offers::NoTls, Security::StartTls).start().await;
    let (said, fate) = failure(&way, "1").await;
    assert_eq!(fate, STOPPED);
    assert!(
        said.contains("offers no STARTTLS; nothing was sent"),
        "{said}"
    );
    let seen = way.server.commands();
    assert!(seen.iter().all(|seen| seen.verb == "EHLO"), "{seen:?}");
}

#[tokio::test]
async fn answers_put_in_before_tls_by_somebody_between_are_not_believed() {
    let way = Setup::default().start().await;
    let forged =
        "250-mail.test\n250 AUTH PLAIN\n235 ok\n250 ok\n250 ok\n354 go on\n250 2.0.0 forged";
    let reply = format!("220 2.0.0 go ahead\n{forged}");
    (way.server).script(When::command("STARTTLS").first(1), Deed::reply(&reply));
    let (said, fate) = failure(&way, "1").await;
    assert_eq!(fate, Fate::TryAgain);
    assert!(said.contains("setting up TLS"), "{said}");
    assert_eq!((way.server.count("AUTH"), way.server.mails().len()), (0, 0));
    way.smtp.send(&mail("1")).await.unwrap();
    assert_eq!(way.server.mails().len(), 1);
}

#[tokio::test]
async fn a_certificate_that_is_not_believed_stops_the_way_and_has_its_cure() {
    let mut of_another = Setup::default();
    of_another.options.certificate_names = vec!["mail.example.com".to_owned()];
    let mut over = Setup::default();
    over.options.certificate_is_over = true;
    let unknown = Setup {
        is_trusted: false,
        ..Setup::default()
    };
    let from_first_byte = Setup {
        is_trusted: false,
        ..Setup::of(Offers::Tls, Security::Tls)
    };
    for (setup, cure) in [
        (of_another, "check that [Email] smtp_server is the name"),
        (over, "to renew its certificate"),
        (unknown, "name that in [Email] ca_file"),
        (from_first_byte, "name that in [Email] ca_file"),
    ] {
        let way = setup.start().await;
        let (said, fate) = failure(&way, "1").await;
        assert_eq!(fate, STOPPED, "{said}");
        assert!(
            said.contains("certificate") && said.contains(cure),
            "{said}"
        );
        assert_eq!((way.server.count("AUTH"), way.server.mails().len()), (0, 0));
    }
}

#[tokio::test]
async fn each_refusal_has_its_fate_and_the_servers_words() {
    let quota = Fate::ChannelStopped {
        pause: Duration::from_secs(3600),
    };
    for (when, reply, fate, said) in [
        (
            When::command("MAIL"),
            "451 4.3.0 later",
            Fate::TryAgain,
            "does not take the sender now: 451 4.3.0 later",
        ),
        (
            When::command("RCPT"),
            "550 5.1.1 no such user",
            Fate::GiveUp,
            "refused the recipient: 550 5.1.1 no such user",
        ),
        (
            When::recipient("owner@b.example"),
            "450 4.2.0 greylisted",
            Fate::TryAgain,
            "recipient now: 450 4.2.0 greylisted",
        ),
        (
            When::command("DATA"),
            "554 5.5.1 no",
            Fate::GiveUp,
            "refused the mail: 554 5.5.1 no",
        ),
        (
            When::message(),
            "550 5.7.1 spam",
            Fate::GiveUp,
            "refused the mail: 550 5.7.1 spam",
        ),
        (
            When::command("RCPT"),
            "554 5.7.1 <owner@b.example>: Relay access denied",
            Fate::ChannelSeemsStopped {
                pause: Duration::from_secs(60),
            },
            "Relay access denied; ask whoever runs the mail server",
        ),
        (
            When::command("RCPT"),
            // As cPanel says it.
            "550-Verification failed for <alerts@example.com>\r\n550-The mail server could not deliver mail to \
             alerts@example.com. The account or domain may not exist, they may be blacklisted, or missing the proper \
             dns entries.\r\n550 Sender verify failed",
            Fate::ChannelSeemsStopped {
                pause: Duration::from_secs(60),
            },
            "refused the recipient: 550 Verification failed for <alerts@example.com> The mail server",
        ),
        (
            When::message(),
            "452 4.3.1 full",
            Fate::TryAgain,
            "mail now: 452 4.3.1 full",
        ),
        (
            When::message(),
            "550 5.4.5 daily quota exceeded",
            quota,
            "550 5.4.5 daily quota exceeded; mails go on",
        ),
        (
            When::command("AUTH"),
            "535 5.7.8 wrong",
            STOPPED,
            "refused the login: 535 5.7.8 wrong; check [Email] username and password",
        ),
        (
            When::command("AUTH"),
            "454 4.7.0 later",
            Fate::TryAgain,
            "does not take the login now: 454",
        ),
        (
            When::command("MAIL"),
            "530 5.7.0 log in",
            STOPPED,
            "refused the sender: 530 5.7.0 log in; check [Email] username",
        ),
        (
            When::command("STARTTLS"),
            "454 4.7.0 later",
            Fate::TryAgain,
            "to set up TLS now: 454",
        ),
        (
            When::greeting(),
            "554 5.7.1 listed",
            STOPPED,
            "refused the connection: 554 5.7.1 listed",
        ),
        (
            When::command("EHLO"),
            "421 4.3.2 busy",
            Fate::TryAgain,
            "does not take the connection now: 421 4.3.2 busy",
        ),
        (
            When::command("RCPT"),
            "354 what",
            Fate::TryAgain,
            "an answer out of place: 354 what",
        ),
        (
            When::message(),
            "354 what",
            Fate::TryAgain,
            "an answer out of place: 354 what",
        ),
        (
            When::command("DATA"),
            "250 what",
            Fate::TryAgain,
            "an answer out of place: 250 what",
        ),
        (
            When::command("MAIL"),
            "what?",
            Fate::TryAgain,
            "naming the sender",
        ),
    ] {
        let way = Setup::default().start().await;
        way.server.script(when, Deed::reply(reply));
        let (text, found) = failure(&way, "1").await;
        assert_eq!(found, fate, "{reply}: {text}");
        assert!(
            text.starts_with(&format!("localhost:{}", way.server.port())),
            "{text}"
        );
        assert!(text.contains(said), "{text}");
        assert_eq!(way.server.mails().len(), 0, "{reply}");
    }
}

#[tokio::test]
async fn a_wrong_password_stops_the_way_and_is_not_told() {
    let setup = Setup {
        login: Some(("alerts", "geheim-1-but-wrong")),
        ..Setup::default()
    };
    let way = setup.start().await;
    let (said, fate) = failure(&way, "1").await;
    assert_eq!(fate, STOPPED);
    assert!(said.contains("535 5.7.8 wrong name or password"), "{said}");

    // Some servers repeat what they were told.
    let token = STANDARD.encode("\0alerts\0geheim-1-but-wrong");
    let reply = format!("535 5.7.8 AUTH PLAIN {token} or geheim-1-but-wrong not known");
    way.server
        .script(When::command("AUTH"), Deed::reply(&reply));
    let (said, _) = failure(&way, "2").await;
    assert!(
        said.contains("535 5.7.8 AUTH PLAIN *** or *** not known"),
        "{said}"
    );
}

#[tokio::test]
async fn a_server_that_offers_no_login_we_know_stops_the_way() {
    let mut setup = Setup::default();
    setup.options.mechanisms = vec!["CRAM-MD5"];
    let way = setup.start().await;
    let (said, fate) = failure(&way, "1").await;
    assert_eq!(fate, STOPPED);
    assert!(
        said.contains("offers no login by name and password"),
        "{said}"
    );
    assert_eq!(way.server.count("AUTH"), 0);
}

#[tokio::test]
async fn whoever_hangs_is_left_after_the_limit_of_that_step() {
    let mut sends = Vec::new();
    let (of_command, of_message) = ((SHORT, LONG), (LONG, SHORT));
    for (when, doing, (limit, message_limit)) in [
        (When::greeting(), "connecting", of_command),
        (When::command("EHLO"), "connecting", of_command),
        (When::command("STARTTLS"), "setting up TLS", of_command),
        (When::command("AUTH"), "logging in", of_command),
        (When::command("MAIL"), "naming the sender", of_command),
        (When::command("RCPT"), "naming the recipient", of_command),
        (When::command("DATA"), "announcing the mail", of_command),
        (
            When::message(),
            "waiting for the mail to be taken",
            of_message,
        ),
    ] {
        let setup = Setup {
            limit,
            message_limit,
            ..Setup::default()
        };
        let way = setup.start().await;
        way.server.script(when, Deed::Hang);
        sends.push(tokio::spawn(async move {
            let (said, fate) = failure(&way, "1").await;
            assert_eq!(fate, Fate::TryAgain, "{said}");
            let expected = format!("{doing}: no answer within {SHORT:?}");
            assert!(said.contains(&expected), "{said}");
        }));
    }
    for send in sends {
        send.await.unwrap();
    }
}

#[tokio::test]
async fn after_one_that_hung_the_next_mail_has_a_connection_of_its_own() {
    let setup = Setup {
        message_limit: SHORT,
        ..Setup::default()
    };
    let way = setup.start().await;
    way.server.script(When::message().first(1), Deed::Hang);
    let (_, fate) = failure(&way, "1").await;
    assert_eq!(fate, Fate::TryAgain);
    way.smtp.send(&mail("2")).await.unwrap();
    assert_eq!(way.server.connections(), 2);
    assert_eq!(
        way.server.mails()[0].message_id().unwrap(),
        "<2@example.com>"
    );
}

#[tokio::test]
async fn a_connection_is_used_again_also_after_a_mail_was_refused() {
    let way = Setup::default().start().await;
    way.smtp.send(&mail("1")).await.unwrap();
    way.smtp.send(&mail("2")).await.unwrap();
    way.server.script(
        When::recipient("gone@b.example"),
        Deed::reply("550 5.1.1 gone"),
    );
    let gone = way
        .smtp
        .send(&mail_to("3", "gone@b.example"))
        .await
        .unwrap_err();
    assert_eq!(gone.fate(), Fate::GiveUp);
    way.smtp.send(&mail("4")).await.unwrap();
    assert_eq!((way.server.connections(), way.server.count("AUTH")), (1, 1));
    let ids: Vec<_> = way
        .server
        .mails()
        .iter()
        .map(|mail| mail.message_id().unwrap())
        .collect();
    assert_eq!(
        ids,
        ["<1@example.com>", "<2@example.com>", "<4@example.com>"]
    );
}

#[tokio::test]
async fn one_that_was_closed_or_hangs_or_waited_too_long_is_not_used_again() {
    // Closed by the server: as after an idle time of its own.
    let way = Setup::default().start().await;
    way.smtp.send(&mail("1")).await.unwrap();
    way.server.script(
        When::command("RSET").first(1),
        Deed::ReplyAndClose("421 4.4.2 idle".to_owned()),
    );
    way.smtp.send(&mail("2")).await.unwrap();
    assert_eq!((way.server.connections(), way.server.mails().len()), (2, 2));

    let setup = Setup {
        limit: SHORT,
        ..Setup::default()
    };
    let way = setup.start().await;
    way.smtp.send(&mail("1")).await.unwrap();
    way.server
        .script(When::command("RSET").first(1), Deed::Hang);
    way.smtp.send(&mail("2")).await.unwrap();
    assert_eq!((way.server.connections(), way.server.mails().len()), (2, 2));

    let clock = Arc::new(ManualClock::new(UtcTime::UNIX_EPOCH));
    let setup = Setup {
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        ..Setup::default()
    };
    let way = setup.start().await;
    way.smtp.send(&mail("1")).await.unwrap();
    clock.advance(Duration::from_secs(61));
    way.smtp.send(&mail("2")).await.unwrap();
    assert_eq!((way.server.connections(), way.server.count("RSET")), (2, 0));
}

#[tokio::test]
async fn mails_at_once_go_over_several_connections() {
    let way = Setup::default().start().await;
    let ids: Vec<_> = (0..6).map(|id| id.to_string()).collect();
    let sends = ids.iter().map(|id| {
        let (smtp, mail) = (way.smtp.clone(), mail(id));
        tokio::spawn(async move { smtp.send(&mail).await })
    });
    let sends: Vec<_> = sends.collect();
    for send in sends {
        send.await.unwrap().unwrap();
    }
    let mut got: Vec<_> = way
        .server
        .mails()
        .iter()
        .map(|mail| mail.message_id().unwrap())
        .collect();
    got.sort();
    assert_eq!(got.len(), 6);
    got.dedup();
    assert_eq!(got.len(), 6);
}

#[tokio::test]
async fn an_answer_lost_after_the_final_dot_is_tried_again_with_the_same_message_id() {
    let way = Setup::default().start().await;
    way.server
        .script(When::message().first(1), Deed::AcceptAndClose);
    let (said, fate) = failure(&way, "1").await;
    assert_eq!(fate, Fate::TryAgain, "{said}");
    assert!(said.contains("waiting for the mail to be taken"), "{said}");
    way.smtp.send(&mail("1")).await.unwrap();
    let ids: Vec<_> = way
        .server
        .mails()
        .iter()
        .map(|mail| mail.message_id().unwrap())
        .collect();
    assert_eq!(ids, ["<1@example.com>", "<1@example.com>"]);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_tried_again() {
    let way = Setup::default().start().await;
    let port = way.server.port();
    drop(way.server);
    let smtp = way.smtp;
    // The port is closed once the server's task has ended.
    let error = loop {
        match smtp.send(&mail("1")).await {
            Err(error) if error.to_string().contains("refused") => break error,
            _ => tokio::task::yield_now().await,
        }
    };
    assert_eq!(error.fate(), Fate::TryAgain);
    let said = error.to_string();
    assert!(
        said.starts_with(&format!("localhost:{port}, connecting: Connection refused")),
        "{said}"
    );
    assert!(
        said.contains("check [Email] smtp_server, smtp_port"),
        "{said}"
    );
}

#[tokio::test]
async fn an_address_beyond_ascii_needs_a_server_that_takes_such() {
    let way = Setup::default().start().await;
    let error = way
        .smtp
        .send(&mail_to("1", "é@b.example"))
        .await
        .unwrap_err();
    assert_eq!(error.fate(), Fate::GiveUp);
    assert!(
        error.to_string().contains("takes no address beyond ASCII"),
        "{error}"
    );
    assert_eq!(way.server.count("MAIL"), 0);
}

#[tokio::test]
async fn a_sender_beyond_ascii_stops_the_way_that_takes_none() {
    let way = Setup::default().start().await;
    let mail = Message::builder()
        .from("Vigint <é@example.com>".parse().unwrap())
        .to("owner@b.example".parse().unwrap())
        .body(String::new())
        .unwrap();
    let error = way.smtp.send(&mail).await.unwrap_err();
    assert_eq!(error.fate(), STOPPED);
    let said = error.to_string();
    assert!(
        said.contains("SMTPUTF8") && said.contains("[Email] from_email"),
        "{said}"
    );
    assert_eq!(way.server.count("MAIL"), 0);
}

#[test]
fn a_file_of_authorities_that_is_none_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let options = || SmtpOptions {
        host: "m.example".to_owned(),
        port: 587,
        security: Security::StartTls,
        ca_file: Some(file.clone()),
        login: None,
        limits: SmtpLimits::default(),
        clock: Arc::new(SystemClock::new()),
    };
    let refused = || Smtp::new(options()).unwrap_err().to_string();
    let place = format!("[Email] ca_file = {}: ", file.display());
    assert!(refused().starts_with(&format!("{place}it cannot be read: No such file")));
    for (text, why) in [
        ("", "it holds no certificate"),
        (
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
            "it holds no certificate",
        ),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "a certificate in it is damaged",
        ),
        (
            "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
            "a certificate in it is damaged",
        ),
    ] {
        std::fs::write(&file, text).unwrap();
        let said = refused();
        assert!(said.starts_with(&format!("{place}{why}")), "{text}: {said}");
    }
}

#[test]
fn nothing_of_the_login_is_printed() {
    let smtp = Smtp::new(SmtpOptions {
        host: "[::1]".to_owned(),
        port: 587,
        security: Security::StartTls,
        ca_file: None,
        login: Some(Login {
            username: "alerts".to_owned(),
            password: Secret::new(PASSWORD),
        }),
        limits: SmtpLimits::default(),
        clock: Arc::new(SystemClock::new()),
    });
    let smtp = smtp.unwrap();
    assert!(!format!("{smtp:?}").contains(PASSWORD));
    assert_eq!(smtp.0.host, "::1");
}
