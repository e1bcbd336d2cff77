use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

use super::*;

const SOON: Duration = Duration::from_secs(30);

/// A client that says one line after the other.
struct Client(BufReader<TcpStream>);

impl Client {
    async fn connect(server: &SmtpServer) -> Self {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port())).await;
        Self(BufReader::new(stream.unwrap()))
    }

    /// The next whole reply, its lines joined; empty when the connection was closed.
    async fn reply(&mut self) -> String {
        let mut reply = String::new();
        loop {
            let mut line = String::new();
            let read = self.0.read_line(&mut line).await.unwrap_or(0);
            reply += &line;
            if read == 0 || line.get(3..4) != Some("-") {
                return reply;
            }
        }
    }

    async fn say(&mut self, line: &str) -> String {
        let line = format!("{line}\r\n");
        self.0.get_mut().write_all(line.as_bytes()).await.unwrap();
        self.reply().await
    }

    /// As far as the message; the reply to it.
    async fn mail(&mut self, to: &str, message: &str) -> String {
        assert!(self.say("MAIL FROM:<v@a.example>").await.starts_with("250"));
        assert!(
            self.say(&format!("RCPT TO:<{to}>"))
                .await
                .starts_with("250")
        );
        assert!(self.say("DATA").await.starts_with("354"));
        self.say(&format!("{message}\r\n.")).await
    }
}

async fn plain_server() -> SmtpServer {
    SmtpServer::start(SmtpOptions::offering(Offers::NoTls))
        .await
        .unwrap()
}

#[tokio::test]
async fn a_mail_is_kept_as_it_was_written_with_its_envelope() {
    let server = plain_server().await;
    let mut client = Client::connect(&server).await;
    assert!(client.reply().await.starts_with("220 "));
    assert!(!client.say("EHLO me").await.contains("STARTTLS"));
    let message = "Message-ID: <1@a>\r\nSubject: =?utf-8?B?w6k=?=\r\n folded\r\n\r\n..one dot\r\n...two\r\nend";
    assert!(client.mail("b@b.example", message).await.starts_with("250"));
    assert!(client.say("QUIT").await.starts_with("221"));
    assert_eq!(client.reply().await, "", "the connection is closed");
    let mails = server.until(SOON, |mails| mails.len() == 1).await;
    let mail = &mails[0];
    assert_eq!(
        (mail.from.as_str(), &*mail.to),
        ("v@a.example", &["b@b.example".to_owned()][..])
    );
    assert!(mail.raw.ends_with(b"\r\n\r\n.one dot\r\n..two\r\nend\r\n"));
    assert_eq!(mail.message_id().unwrap(), "<1@a>");
    assert_eq!(mail.subject(), "é folded");
    assert!(!mail.over_tls && mail.login.is_none());
}

#[tokio::test]
async fn each_moment_can_be_scripted_and_the_first_that_fits_goes_first() {
    let server = plain_server().await;
    server.script(
        When::greeting().first(1),
        Deed::ReplyAndClose("421 4.3.2 busy".to_owned()),
    );
    server.script(
        When::command("mail").first(1),
        Deed::reply("451 4.3.0 later"),
    );
    server.script(
        When::recipient("gone@b.example"),
        Deed::reply("550 5.1.1 gone"),
    );
    server.script(When::message().first(1), Deed::AcceptAndClose);
    let mut refused = Client::connect(&server).await;
    assert!(refused.reply().await.starts_with("421"));
    assert_eq!(refused.reply().await, "");

    let mut client = Client::connect(&server).await;
    client.reply().await;
    assert!(
        client
            .say("MAIL FROM:<v@a.example>")
            .await
            .starts_with("451")
    );
    assert!(client.say("RCPT TO:<b@b.example>").await.starts_with("503"));
    assert!(
        client
            .say("MAIL FROM:<v@a.example>")
            .await
            .starts_with("250")
    );
    assert!(
        client
            .say("RCPT TO:<gone@b.example>")
            .await
            .starts_with("550")
    );
    assert_eq!(client.mail("b@b.example", "Subject: 1\r\n\r\nx").await, "");
    assert_eq!(server.mails().len(), 1, "kept all the same");
    assert_eq!(server.connections(), 2);

    server.forget_script();
    let mut client = Client::connect(&server).await;
    assert!(client.reply().await.starts_with("220"));
    client.say("MAIL FROM:<v@a.example>").await;
    assert!(
        client
            .say("RCPT TO:<gone@b.example>")
            .await
            .starts_with("250")
    );
}

#[tokio::test]
async fn several_clients_are_served_at_once_though_one_is_kept_waiting() {
    let server = plain_server().await;
    server.script(When::command("EHLO").first(1), Deed::Hang);
    let mut waiting = Client::connect(&server).await;
    waiting.reply().await;
    waiting
        .0
        .get_mut()
        .write_all(b"EHLO slow\r\n")
        .await
        .unwrap();
    server.until_commands(SOON, |seen| seen.len() == 1).await;
    let mut others = [
        Client::connect(&server).await,
        Client::connect(&server).await,
    ];
    for client in &mut others {
        client.reply().await;
        assert!(client.say("EHLO quick").await.starts_with("250"));
    }
    assert_eq!(server.count("EHLO"), 3);
    drop(server);
    assert_eq!(waiting.reply().await, "", "ends with the server");
}

#[tokio::test]
async fn a_login_is_read_by_either_mechanism_and_a_wrong_one_refused() {
    let options = SmtpOptions::offering(Offers::NoTls).demanding("u", "p");
    let server = SmtpServer::start(options).await.unwrap();
    let mut client = Client::connect(&server).await;
    client.reply().await;
    assert!(client.say("EHLO me").await.contains("AUTH PLAIN LOGIN"));
    assert!(
        client
            .say("MAIL FROM:<v@a.example>")
            .await
            .starts_with("530")
    );
    assert!(client.say("AUTH PLAIN AHUAeA==").await.starts_with("535"));
    assert_eq!(client.say("AUTH LOGIN").await, "334 VXNlcm5hbWU6\r\n");
    assert_eq!(client.say("dQ==").await, "334 UGFzc3dvcmQ6\r\n");
    assert!(client.say("cA==").await.starts_with("235"));
    assert!(
        client
            .mail("b@b.example", "Subject: x\r\n\r\n")
            .await
            .starts_with("250")
    );
    assert_eq!(server.mails()[0].login.as_deref(), Some("u"));

    let mut client = Client::connect(&server).await;
    client.reply().await;
    assert_eq!(client.say("AUTH PLAIN").await, "334 \r\n");
    assert!(client.say("AHUAcA==").await.starts_with("235"));
    let seen = server.commands();
    assert!(
        seen.iter().all(|command| command.line != "cA=="),
        "{seen:?}"
    );
}
