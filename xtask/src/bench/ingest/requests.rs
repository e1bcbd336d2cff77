//! HTTP requests, made before anything is measured.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use vigint_core::clock::{Clock as _, SystemClock};

use super::Customer;

/// All bytes of one request.
pub(super) type Request = Vec<u8>;

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
    let coded = STANDARD.encode(jpeg);
    let body =
        format!("{{\"frame_data\":\"{coded}\",\"frame_count\":1,\"source_id\":\"default\"}}");
    let kind = "application/json";
    Target {
        vigint: each(customers, |customer| {
            post("/api/video/buffer", kind, &customer.key, body.as_bytes())
        }),
        bare: each(customers, |customer| {
            post("/json", kind, &customer.key, body.as_bytes())
        }),
    }
}

/// Frames as they are.
pub(super) fn raw(customers: &[Customer], jpeg: &[u8]) -> Target {
    let path = "/api/video/buffer?source_id=default&frame_count=1";
    Target {
        vigint: each(customers, |customer| {
            post(path, "image/jpeg", &customer.key, jpeg)
        }),
        bare: each(customers, |customer| {
            post("/raw", "image/jpeg", &customer.key, jpeg)
        }),
    }
}

/// A whole window of one client's camera, ending now; no two pictures are the same bytes.
pub(super) fn window(customer: &Customer, pictures: &[Vec<u8>]) -> Vec<Request> {
    let end = SystemClock::new().now();
    let frames = (0..WINDOW_FRAMES).zip(pictures.iter().cycle());
    let request = |(number, picture): (u16, &Vec<u8>)| {
        let at = end.plus_millis(FRAME_STEP_MS * (i64::from(number) - i64::from(WINDOW_FRAMES)));
        let path =
            format!("/api/video/buffer?source_id=default&frame_count={number}&captured_at={at}");
        post(
            &path,
            "image/jpeg",
            &customer.key,
            &remarked(picture, number),
        )
    };
    frames.map(request).collect()
}

/// The picture with a comment of two bytes in it (ITU-T T.81, B.2.4.5), right behind its start.
fn remarked(jpeg: &[u8], remark: u16) -> Vec<u8> {
    let (start, rest) = jpeg.split_at(2.min(jpeg.len()));
    [start, &[0xff, 0xfe, 0, 4], &remark.to_be_bytes(), rest].concat()
}

fn each(customers: &[Customer], request: impl Fn(&Customer) -> Request) -> Vec<Request> {
    customers.iter().map(request).collect()
}

fn post(path: &str, kind: &str, key: &str, body: &[u8]) -> Request {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_of_different_pictures_that_end_now() {
        let customer = Customer {
            id: "1".into(),
            key: "k".into(),
        };
        let window = window(&customer, &[vec![0xff, 0xd8, 0xff, 0xd9]]);
        assert_eq!(window.len(), 105);
        assert!(
            window
                .iter()
                .all(|request| request.ends_with(&[0xff, 0xd9]))
        );
        let bodies: std::collections::BTreeSet<_> = window
            .iter()
            .map(|request| &request[request.len() - 10..])
            .collect();
        assert_eq!(bodies.len(), 105);
    }
}
