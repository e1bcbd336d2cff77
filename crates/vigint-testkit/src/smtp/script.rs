//! What the server does at which moment.

/// A moment in a session, and how often it counts.
#[derive(Clone, Debug)]
pub struct When {
    moment: Moment,
    /// How many more times; none: for ever.
    left: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    Greeting,
    Command(String),
    Recipient(String),
    /// The final dot.
    Message,
}

impl When {
    fn at(moment: Moment) -> Self {
        Self { moment, left: None }
    }

    /// A client has connected (and TLS from the first byte is set up).
    #[must_use]
    pub fn greeting() -> Self {
        Self::at(Moment::Greeting)
    }

    /// This command comes: `EHLO`, `STARTTLS`, `AUTH`, `MAIL`, `RCPT`, `DATA`, `RSET`, `NOOP` or `QUIT`. `AUTH` counts
    /// when the login is complete, right or wrong.
    #[must_use]
    pub fn command(verb: &str) -> Self {
        Self::at(Moment::Command(verb.to_ascii_uppercase()))
    }

    /// This recipient is named.
    #[must_use]
    pub fn recipient(address: &str) -> Self {
        Self::at(Moment::Recipient(address.to_owned()))
    }

    /// The mail's final dot has come.
    #[must_use]
    pub fn message() -> Self {
        Self::at(Moment::Message)
    }

    /// Only the first so many times.
    #[must_use]
    pub fn first(mut self, times: usize) -> Self {
        self.left = Some(times);
        self
    }
}

/// What the server does then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Says this, and nothing else comes of it, but for TLS when it is a 220 to STARTTLS. Lines are parted by `\n`.
    Reply(String),
    /// Says this and closes the connection, as with 421.
    ReplyAndClose(String),
    /// Says nothing any more, until the client has gone.
    Hang,
    /// Closes the connection.
    Close,
    /// Keeps the mail and closes the connection, so that the client never hears of it. Elsewhere than at the final
    /// dot the same as `Close`.
    AcceptAndClose,
}

impl Deed {
    /// Says this, such as `451 4.3.0 later`.
    #[must_use]
    pub fn reply(text: &str) -> Self {
        Self::Reply(text.to_owned())
    }
}

#[derive(Debug, Default)]
pub(super) struct Script(Vec<(When, Deed)>);

impl Script {
    pub(super) fn add(&mut self, when: When, deed: Deed) {
        self.0.push((when, deed));
    }

    /// What to do now, if anything out of the ordinary.
    pub(super) fn take(&mut self, moment: &Moment) -> Option<Deed> {
        let (when, deed) =
            (self.0.iter_mut()).find(|(when, _)| when.moment == *moment && when.left != Some(0))?;
        when.left = when.left.map(|left| left - 1);
        Some(deed.clone())
    }
}
