//! Clips behind their links: private, exact, and made to be played.

use std::time::Duration;

use serde_json::json;
use vigint_testkit::programs::wait_for;

use crate::fixture::{Answer, Customer, FixedAnalyzer, TestServer, pictures};

/// A ready clip's link, without the server's address.
fn ready_clip(customer: &Customer) -> String {
    customer.push_all("till", &pictures(20));
    let body = customer
        .post("/api/video/analyze", &json!({"source_id": "till"}))
        .json();
    let id = body["incident"]["id"].as_str().unwrap().to_owned();
    let state = || {
        let clip = customer.get(&format!("/api/incidents/{id}")).json()["clip"].clone();
        (clip["state"] == "ready").then_some(())
    };
    wait_for(Duration::from_secs(30), state).expect("the clip is made");
    let url = body["incident"]["video_url"].as_str().unwrap();
    url[url.find("/video/").unwrap()..].to_owned()
}

fn get(server: &TestServer, path: &str, headers: &[(&str, &str)]) -> Answer {
    server.request("GET", path, headers, b"")
}

fn assert_private(answer: &Answer) {
    assert_eq!(answer.header("cache-control"), "private, no-store");
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    assert_eq!(answer.header("x-robots-tag"), "noindex");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
}

#[test]
fn a_link_plays_whole_and_in_parts_and_may_not_be_kept() {
    let server = FixedAnalyzer::server(Ok(true), Ok(true));
    let link = ready_clip(&server.customer("Acme"));
    let whole = get(&server, &link, &[]);
    assert_eq!(whole.status, 200);
    assert_eq!(whole.header("content-type"), "video/mp4");
    assert_eq!(whole.header("accept-ranges"), "bytes");
    assert_private(&whole);
    assert_eq!(&whole.body[4..8], b"ftyp");
    let moov = whole.body.windows(4).position(|at| at == b"moov").unwrap();
    let mdat = whole.body.windows(4).position(|at| at == b"mdat").unwrap();
    assert!(moov < mdat, "the index comes first: playing starts at once");

    let size = whole.body.len();
    let first = get(&server, &link, &[("range", "bytes=0-1")]);
    assert_eq!((first.status, &first.body[..]), (206, &whole.body[..2]));
    assert_eq!(first.header("content-range"), format!("bytes 0-1/{size}"));
    let last = get(&server, &link, &[("range", "bytes=-3")]);
    assert_eq!(
        (last.status, &last.body[..]),
        (206, &whole.body[size - 3..])
    );
    let rest = get(&server, &link, &[("range", "bytes=10-")]);
    assert_eq!((rest.status, rest.body.len()), (206, size - 10));
    let beyond = get(&server, &link, &[("range", &format!("bytes={size}-"))]);
    assert_eq!(beyond.status, 416);
    assert_eq!(beyond.header("content-range"), format!("bytes */{size}"));
    assert_eq!(beyond.json()["code"], "range_not_satisfiable");

    let etag = whole.header("etag").to_owned();
    assert!(!etag.is_empty());
    assert_eq!(get(&server, &link, &[("if-none-match", &etag)]).status, 304);
    let other = get(&server, &link, &[("if-match", "\"another\"")]);
    assert_eq!(other.status, 412);
    assert_eq!(other.json()["code"], "precondition_failed");
    let head = server.request("HEAD", &link, &[], b"");
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), size.to_string());
    // Fetching does not consume it.
    assert_eq!(get(&server, &link, &[]).body, whole.body);
}

/// The path with its id in capitals, which is the same UUID.
fn upper_case_id(path: &str) -> String {
    let id = path.strip_prefix("/video/").unwrap();
    format!("/video/{}", id.to_uppercase())
}

#[test]
fn a_link_with_one_thing_changed_is_refused() {
    let server = FixedAnalyzer::server(Ok(true), Ok(true));
    let link = ready_clip(&server.customer("Acme"));
    let last = link.chars().last().unwrap();
    let changed = if last == '0' { '1' } else { '0' };
    let one_digit = format!("{}{changed}", &link[..link.len() - 1]);
    let (path, query) = link.split_once('?').unwrap();
    let (expires, token) = query.split_once('&').unwrap();
    let other = "/video/0190aaaa-0000-4000-8000-000000000000";
    for (link, status) in [
        (one_digit, 403),
        (format!("{path}?{expires}1&{token}"), 403),
        (format!("{path}?expires=1&{token}"), 403),
        (
            format!("{path}?{}&{token}", expires.replace('=', "=0")),
            403,
        ),
        (format!("{}?{query}", upper_case_id(path)), 404),
        (format!("{}?{query}", path.replacen('-', "", 1)), 404),
        (format!("{}?{query}", path.replacen('-', "%2d", 1)), 404),
        (format!("{path}?{expires}"), 401),
        (path.to_owned(), 401),
        (format!("{path}?{expires}&token="), 401),
        (format!("{path}?{query}&{token}"), 403),
        (format!("{path}?{query}&{expires}"), 403),
        (format!("{path}?{}", query.to_uppercase()), 401),
        (format!("{other}?{query}"), 403),
        (format!("/video/not-a-uuid?{query}"), 404),
        (format!("/video/..%2f..%2fetc%2fpasswd?{query}"), 404),
    ] {
        let answer = get(&server, &link, &[]);
        assert_eq!(answer.status, status, "{link}: {}", answer.text());
        assert!(answer.json()["error"].is_string());
        assert_private(&answer);
    }
}

#[test]
fn the_owner_gets_the_clip_with_its_key_and_nobody_else() {
    let server = FixedAnalyzer::server(Ok(true), Ok(true));
    let owner = server.customer("Owner");
    let other = server.customer("Other");
    let link = ready_clip(&owner);
    let list = owner.get("/api/incidents").json();
    let path = format!(
        "/api/incidents/{}/clip",
        list["incidents"][0]["id"].as_str().unwrap()
    );
    let clip = owner.get(&path);
    assert_eq!(
        (clip.status, clip.body),
        (200, get(&server, &link, &[]).body)
    );
    assert_eq!(other.get(&path).status, 404);
}
