//! One client, from the greeting to its end.

use std::io;
use std::mem;
use std::sync::Arc;

use tokio::net::TcpStream;

use super::record::{ReceivedMail, SeenCommand};
use super::script::{Deed, Moment};
use super::wire::Wire;
use super::{Offers, Shared, login};

/// No mail of a test is longer.
const LONGEST_MAIL: usize = 64 << 20;

/// Serves one connection to its end.
pub(super) async fn serve(stream: TcpStream, number: usize, shared: &Shared) -> io::Result<()> {
    let wire = Wire::new(stream);
    let wire = match shared.options.offers {
        Offers::Tls => wire.upgrade(&shared.acceptor).await?,
        Offers::StartTls | Offers::NoTls => wire,
    };
    let mut session = Session {
        shared,
        number,
        wire,
        login: None,
        from: None,
        to: Vec::new(),
    };
    let mut next = session
        .settle(&Moment::Greeting, "220 mail.test ESMTP")
        .await?;
    loop {
        match next {
            Next::Go => {}
            Next::StartTls => session = session.under_tls().await?,
            Next::Close => return session.wire.close().await,
        }
        let line = session.wire.line().await?;
        if line.is_empty() {
            return Ok(());
        }
        next = session.command(&String::from_utf8_lossy(&line)).await?;
    }
}

enum Next {
    Go,
    StartTls,
    Close,
}

struct Session<'a> {
    shared: &'a Shared,
    number: usize,
    wire: Wire,
    login: Option<String>,
    from: Option<String>,
    to: Vec<String>,
}

impl Session<'_> {
    /// Does what is scripted for now; none when nothing is.
    async fn scripted(&mut self, moment: &Moment) -> io::Result<Option<Next>> {
        let deed = self.shared.script().take(moment);
        match deed {
            None => Ok(None),
            Some(deed) => self.act(deed).await.map(Some),
        }
    }

    async fn act(&mut self, deed: Deed) -> io::Result<Next> {
        match deed {
            Deed::Reply(text) => self.say(&text).await,
            Deed::ReplyAndClose(text) => {
                self.wire.say(&text).await?;
                Ok(Next::Close)
            }
            Deed::Close | Deed::AcceptAndClose => Ok(Next::Close),
            Deed::Hang => {
                while !self.wire.line().await?.is_empty() {}
                Ok(Next::Close)
            }
        }
    }

    /// What is scripted, or this reply.
    async fn settle(&mut self, moment: &Moment, reply: &str) -> io::Result<Next> {
        if let Some(next) = self.scripted(moment).await? {
            return Ok(next);
        }
        self.say(reply).await
    }

    async fn say(&mut self, reply: &str) -> io::Result<Next> {
        self.wire.say(reply).await?;
        Ok(Next::Go)
    }

    /// Under TLS all begins anew (RFC 3207 §4.2).
    async fn under_tls(self) -> io::Result<Self> {
        Ok(Self {
            wire: self.wire.upgrade(&self.shared.acceptor).await?,
            login: None,
            from: None,
            to: Vec::new(),
            ..self
        })
    }

    async fn command(&mut self, line: &str) -> io::Result<Next> {
        let line = line.trim_end();
        let (verb, argument) = line.split_once(' ').unwrap_or((line, ""));
        let verb = verb.to_ascii_uppercase();
        self.shared.note(|record| {
            record.commands.push(SeenCommand {
                connection: self.number,
                verb: verb.clone(),
                line: line.to_owned(),
                over_tls: self.wire.is_tls(),
            });
        });
        // A login is judged when it is complete; a recipient may have a script of its own.
        if verb != "AUTH" {
            if verb == "RCPT" {
                let recipient = Moment::Recipient(path(argument).to_owned());
                if let Some(next) = self.scripted(&recipient).await? {
                    return Ok(next);
                }
            }
            let deed = self.shared.script().take(&Moment::Command(verb.clone()));
            if let Some(deed) = deed {
                // Who says that TLS may begin begins it.
                let begins_tls = verb == "STARTTLS"
                    && matches!(&deed, Deed::Reply(text) if text.starts_with("220"));
                let next = self.act(deed).await?;
                return Ok(if begins_tls { Next::StartTls } else { next });
            }
        }
        match verb.as_str() {
            "EHLO" | "HELO" => self.hello().await,
            "STARTTLS" if self.offers_starttls() => {
                self.wire.say("220 2.0.0 go ahead").await?;
                Ok(Next::StartTls)
            }
            "AUTH" => self.auth(argument).await,
            "MAIL" => self.mail(argument).await,
            "RCPT" if self.from.is_none() => self.say("503 5.5.1 MAIL first").await,
            "RCPT" => {
                self.to.push(path(argument).to_owned());
                self.say("250 2.1.5 ok").await
            }
            "DATA" if self.to.is_empty() => self.say("503 5.5.1 RCPT first").await,
            "DATA" => self.data().await,
            "RSET" => {
                self.from = None;
                self.to.clear();
                self.say("250 2.0.0 ok").await
            }
            "NOOP" => self.say("250 2.0.0 ok").await,
            "QUIT" => {
                self.wire.say("221 2.0.0 bye").await?;
                Ok(Next::Close)
            }
            _ => self.say("500 5.5.2 not known").await,
        }
    }

    fn offers_starttls(&self) -> bool {
        self.shared.options.offers == Offers::StartTls && !self.wire.is_tls()
    }

    async fn hello(&mut self) -> io::Result<Next> {
        let options = &self.shared.options;
        let mut lines = vec!["mail.test", "8BITMIME", "ENHANCEDSTATUSCODES"];
        if self.offers_starttls() {
            lines.push("STARTTLS");
        }
        let mechanisms = format!("AUTH {}", options.mechanisms.join(" "));
        if options.login.is_some() {
            lines.push(&mechanisms);
        }
        let last = lines.len() - 1;
        let reply = lines.iter().enumerate().map(|(at, line)| {
            let dash = if at == last { ' ' } else { '-' };
            format!("250{dash}{line}")
        });
        let reply: Vec<_> = reply.collect();
        self.say(&reply.join("\n")).await
    }

    async fn auth(&mut self, argument: &str) -> io::Result<Next> {
        let options = &self.shared.options;
        let (mechanism, initial) = match argument.split_once(' ') {
            Some((mechanism, initial)) => (mechanism, Some(initial)),
            None => (argument, None),
        };
        let mechanism = mechanism.to_ascii_uppercase();
        let Some(right) =
            (options.login.as_ref()).filter(|_| options.mechanisms.contains(&mechanism.as_str()))
        else {
            return self.say("504 5.5.4 no such way to log in").await;
        };
        let given = login::read(&mut self.wire, &mechanism, initial).await?;
        if let Some(next) = self.scripted(&Moment::Command("AUTH".to_owned())).await? {
            return Ok(next);
        }
        if given.as_ref() == Some(right) {
            self.login = given.map(|(name, _)| name);
            self.say("235 2.7.0 welcome").await
        } else {
            self.say("535 5.7.8 wrong name or password").await
        }
    }

    async fn mail(&mut self, argument: &str) -> io::Result<Next> {
        if self.shared.options.demands_login && self.login.is_none() {
            return self.say("530 5.7.0 log in first").await;
        }
        self.from = Some(path(argument).to_owned());
        self.to.clear();
        self.say("250 2.1.0 ok").await
    }

    async fn data(&mut self) -> io::Result<Next> {
        self.wire.say("354 go on, a dot at the end").await?;
        let mut raw = Vec::new();
        loop {
            let line = self.wire.line().await?;
            match line.strip_prefix(b".") {
                _ if line.is_empty() => return Ok(Next::Close),
                Some(b"\r\n") => break,
                // A dot at the beginning was doubled by the sender.
                Some(rest) => raw.extend_from_slice(rest),
                None => raw.extend_from_slice(&line),
            }
            if raw.len() > LONGEST_MAIL {
                return Err(io::Error::other("a mail too long"));
            }
        }
        let mail = ReceivedMail {
            connection: self.number,
            from: self.from.take().unwrap_or_default(),
            to: mem::take(&mut self.to),
            raw,
            over_tls: self.wire.is_tls(),
            login: self.login.clone(),
        };
        let deed = self.shared.script().take(&Moment::Message);
        let is_kept = matches!(deed, None | Some(Deed::AcceptAndClose));
        if is_kept {
            self.shared.note(|record| record.mails.push(Arc::new(mail)));
        }
        match deed {
            None => self.say("250 2.0.0 kept").await,
            Some(deed) => self.act(deed).await,
        }
    }
}

/// What stands between the angle brackets of `FROM:<a@b.example> SIZE=1`.
fn path(argument: &str) -> &str {
    let inside = argument
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'));
    inside.map_or("", |(path, _)| path)
}
