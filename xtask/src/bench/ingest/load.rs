//! The load: a few connections kept open, each sending request behind request and reading every answer.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail};
use vigint_core::clock::{Clock as _, SystemClock};

use super::requests::Request;

/// Answers a second.
pub(super) type Rate = f64;

/// No answer takes this long.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);
/// No answer of these routes is longer.
const MOST_ANSWER_BYTES: usize = 64 * 1024;

/// Sends over so many connections for so long; each goes through all requests, and each begins elsewhere.
pub(super) fn run(
    url: &str,
    requests: &[Request],
    connections: u8,
    span: Duration,
) -> anyhow::Result<Rate> {
    let stop = AtomicBool::new(false);
    let clock = SystemClock::new();
    let stride = requests.len() / usize::from(connections);
    std::thread::scope(|scope| {
        let senders: Vec<_> = (0..connections)
            .map(|number| {
                let requests = requests.iter().cycle().skip(usize::from(number) * stride);
                let stop = &stop;
                scope.spawn(move || {
                    let mut connection = Connection::open(url)?;
                    let mut answered = 0_u32;
                    for request in requests {
                        if stop.load(Ordering::Relaxed) {
                            break;
                        }
                        // No two connections send the same picture.
                        let picture = answered * u32::from(connections) + u32::from(number);
                        connection.send(request, picture)?;
                        answered += 1;
                    }
                    anyhow::Ok(answered)
                })
            })
            .collect();
        while let Some(rest) = span
            .checked_sub(clock.elapsed())
            .filter(|rest| !rest.is_zero())
        {
            std::thread::park_timeout(rest);
        }
        stop.store(true, Ordering::Relaxed);
        let mut answered = 0.0;
        for sender in senders {
            let count = sender
                .join()
                .map_err(|_| anyhow::anyhow!("a sender panicked"))?;
            answered += f64::from(count?);
        }
        Ok(answered / clock.elapsed().as_secs_f64())
    })
}

/// Sends these once, in their order, over one connection.
pub(super) fn send_all(url: &str, requests: &[Request]) -> anyhow::Result<()> {
    let mut connection = Connection::open(url)?;
    requests
        .iter()
        .zip(0..)
        .try_for_each(|(request, picture)| connection.send(request, picture))
}

/// One connection, kept open (RFC 9112).
struct Connection {
    stream: TcpStream,
    reader: BufReader<TcpStream>,
    line: String,
}

impl Connection {
    fn open(url: &str) -> anyhow::Result<Self> {
        let address = url
            .strip_prefix("http://")
            .context("only plain http is measured")?;
        let stream =
            TcpStream::connect(address).with_context(|| format!("cannot connect to {url}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_LIMIT))?;
        stream.set_write_timeout(Some(ANSWER_LIMIT))?;
        let reader = BufReader::new(stream.try_clone()?);
        Ok(Self {
            stream,
            reader,
            line: String::new(),
        })
    }

    /// Sends one request with this picture and reads its answer, which has to be a 200.
    fn send(&mut self, request: &Request, picture: u32) -> anyhow::Result<()> {
        request
            .send(picture, &mut self.stream)
            .context("the server broke off")?;
        let status = self.read_line()?;
        let is_good = status.split(' ').nth(1) == Some("200");
        let mut length = 0_usize;
        loop {
            let line = self.read_line()?;
            if line.is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value
                    .trim()
                    .parse()
                    .context("the answer's length is no number")?;
            }
        }
        let mut body = vec![0; length.min(MOST_ANSWER_BYTES)];
        self.reader.read_exact(&mut body)?;
        if !is_good {
            bail!(
                "the server answers `{status}`: {}",
                String::from_utf8_lossy(&body)
            );
        }
        Ok(())
    }

    fn read_line(&mut self) -> anyhow::Result<String> {
        self.line.clear();
        let read = self.reader.read_line(&mut self.line).context("no answer")?;
        if read == 0 {
            bail!("the server closed the connection");
        }
        Ok(self.line.trim_end().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::net::TcpListener;

    use super::super::{Customer, requests};
    use super::*;

    /// A server that answers the first connection with these bytes, again and again.
    fn answering(answer: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut bytes = [0; 4096];
            while stream.read(&mut bytes).is_ok_and(|read| read > 0) {
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        url
    }

    fn requests() -> Vec<Request> {
        let customers = ["1", "2"].map(|id| Customer {
            id: id.into(),
            key: "k".into(),
        });
        requests::raw(&customers, &[0xff, 0xd8, 0xff, 0xd9]).vigint
    }

    #[test]
    fn answers_are_read_to_their_end() {
        let url = answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nhello");
        send_all(&url, &requests()).unwrap();
    }

    #[test]
    fn a_refusal_fails_with_what_the_server_said() {
        let url = answering("HTTP/1.1 429 Too Many Requests\r\ncontent-length: 4\r\n\r\nslow");
        let error = run(&url, &requests(), 1, Duration::from_millis(20)).unwrap_err();
        assert!(error.to_string().contains("429") && error.to_string().contains("slow"));
    }
}
