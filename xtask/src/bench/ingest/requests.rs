//! HTTP requests, made before anything is measured.

use std::io::{self, IoSlice, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use vigint_core::clock::{Clock as _, SystemClock};

use crate::bench::customer::Customer;

/// One request, whose picture is another one each time it is sent: a camera never sends the same bytes twice, and
/// a server may do less for those that do.
pub(super) struct Request {
    /// Up to where pictures differ, and from there on.
    before: Vec<u8>,
    behind: Vec<u8>,
    coding: Coding,
}

/// How the body holds a picture.
#[derive(Clone, Copy)]
enum Coding {
    Raw,
    Base64,
}

/// Bytes of a picture that make it another one; as many as base64 makes four letters of.
type Mark = [u8; 3];

impl Request {
    /// Sends it with the picture of this number.
    ///
    /// # Errors
    /// What the peer makes of it.
    pub(super) fn send(&self, number: u32, to: &mut impl Write) -> io::Result<()> {
        let [_, mark @ ..] = number.to_be_bytes();
        let coded = STANDARD.encode(mark);
        let mark: &[u8] = match self.coding {
            Coding::Raw => &mark,
            Coding::Base64 => coded.as_bytes(),
        };
        let mut parts = [&self.before[..], mark, &self.behind].map(IoSlice::new);
        let mut rest = &mut parts[..];
        while !rest.is_empty() {
            match to.write_vectored(rest)? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                sent => IoSlice::advance_slices(&mut rest, sent),
            }
        }
        Ok(())
    }
}

/// A picture in two parts, between which a [`Mark`] belongs: a comment of that length (ITU-T T.81, B.2.4.5), right
/// behind its start.
fn parted(jpeg: &[u8]) -> (Vec<u8>, &[u8]) {
    let (start, rest) = jpeg.split_at(2.min(jpeg.len()));
    ([start, &[0xff, 0xfe, 0, 5]].concat(), rest)
}

/// The same bodies for both servers: one request a client.
pub(super) struct Target {
    pub(super) vigint: Vec<Request>,
    pub(super) bare: Vec<Request>,
}

/// Pictures of one long window, as `[VideoAnalysis]` has it by default: 10 s at 10 a second, and a few more.
const WINDOW_FRAMES: u16 = 105;
const FRAME_STEP_MS: i64 = 100;

/// Frames as JSON.
pub(super) fn json(customers: &[Customer], jpeg: &[u8]) -> Target {
    let (start, rest) = parted(jpeg);
    // Six bytes before the mark and three of it: base64 parts there, too.
    let before = format!("{{\"frame_data\":\"{}", STANDARD.encode(start));
    let behind = format!(
        "{}\",\"frame_count\":1,\"source_id\":\"default\"}}",
        STANDARD.encode(rest)
    );
    let post = |path: &str, customer: &Customer| {
        let head = Head {
            path,
            kind: "application/json",
            key: &customer.key,
        };
        head.post(Coding::Base64, before.as_bytes(), behind.as_bytes())
    };
    each(customers, post, ["/api/video/buffer", "/json"])
}

/// Frames as they are.
pub(super) fn raw(customers: &[Customer], jpeg: &[u8]) -> Target {
    let path = "/api/video/buffer?source_id=default&frame_count=1";
    each(
        customers,
        |path, customer| picture(path, customer, jpeg),
        [path, "/raw"],
    )
}

/// A whole window of one client's camera, ending now.
pub(super) fn window(customer: &Customer, pictures: &[Vec<u8>]) -> Vec<Request> {
    let end = SystemClock::new().now();
    let frames = (0..WINDOW_FRAMES).zip(pictures.iter().cycle());
    let request = |(number, jpeg): (u16, &Vec<u8>)| {
        let at = end.plus_millis(FRAME_STEP_MS * (i64::from(number) - i64::from(WINDOW_FRAMES)));
        let path =
            format!("/api/video/buffer?source_id=default&frame_count={number}&captured_at={at}");
        picture(&path, customer, jpeg)
    };
    frames.map(request).collect()
}

fn picture(path: &str, customer: &Customer, jpeg: &[u8]) -> Request {
    let (start, rest) = parted(jpeg);
    let head = Head {
        path,
        kind: "image/jpeg",
        key: &customer.key,
    };
    head.post(Coding::Raw, &start, rest)
}

/// A request of each customer to Vigint and to the bare server.
fn each(
    customers: &[Customer],
    request: impl Fn(&str, &Customer) -> Request,
    [vigint, bare]: [&str; 2],
) -> Target {
    let all = |path: &str| {
        let requests = customers.iter().map(|customer| request(path, customer));
        requests.collect()
    };
    Target {
        vigint: all(vigint),
        bare: all(bare),
    }
}

/// What stands before a body.
struct Head<'a> {
    path: &'a str,
    kind: &'a str,
    key: &'a str,
}

impl Head<'_> {
    /// The request with this body, in two parts with room for a mark between them.
    fn post(&self, coding: Coding, before: &[u8], behind: &[u8]) -> Request {
        let Self { path, kind, key } = self;
        let mark = match coding {
            Coding::Raw => size_of::<Mark>(),
            Coding::Base64 => 4,
        };
        let length = before.len() + mark + behind.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\
             Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
        );
        Request {
            before: [head.as_bytes(), before].concat(),
            behind: behind.to_vec(),
            coding,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JPEG: &[u8] = &[0xff, 0xd8, 0xff, 0xd9];

    fn customer() -> Customer {
        Customer {
            id: "1".into(),
            key: "k".into(),
        }
    }

    fn sent(request: &Request, number: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        request.send(number, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn a_window_is_of_whole_pictures() {
        let window = window(&customer(), &[JPEG.to_vec()]);
        assert_eq!(window.len(), 105);
        for request in &window {
            let bytes = sent(request, 7);
            let body = [0xff, 0xd8, 0xff, 0xfe, 0, 5, 0, 0, 7, 0xff, 0xd9];
            assert!(bytes.ends_with(&body), "{bytes:?}");
            assert!(String::from_utf8_lossy(&bytes).contains("Content-Length: 11\r\n"));
        }
    }

    #[test]
    fn the_same_picture_is_coded_in_json_and_raw() {
        let customers = [customer()];
        let body = |target: &Target| {
            let bytes = sent(&target.vigint[0], 70_000);
            let at = bytes.windows(4).position(|end| end == b"\r\n\r\n").unwrap();
            let head = String::from_utf8(bytes[..at].to_vec()).unwrap();
            let length = head.split_once("Content-Length: ").unwrap().1;
            assert_eq!(length.parse(), Ok(bytes.len() - at - 4));
            bytes[at + 4..].to_vec()
        };
        let json: serde_json::Value =
            serde_json::from_slice(&body(&json(&customers, JPEG))).unwrap();
        let picture = STANDARD
            .decode(json["frame_data"].as_str().unwrap())
            .unwrap();
        assert_eq!(picture, body(&raw(&customers, JPEG)));
    }
}
