//! What of `deploy/nginx.conf` can drift from the server: sizes, time limits, what it logs, whom it lets in.

use std::time::Duration;

use vigint_core::frame::MAX_BATCH_BYTES;

const CONF: &str = include_str!("../../../../deploy/nginx.conf");

/// The longest that an analysis may take (`http-api.md`).
const ANALYSIS: Duration = Duration::from_secs(25);
/// How long the server lets a sender send nothing.
const BODY_PATIENCE: Duration = Duration::from_secs(10);

/// The file without its comments, one directive or brace a line.
fn directives() -> Vec<String> {
    let lines = CONF
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'));
    let text = lines.collect::<Vec<_>>().join(" ");
    let text = text.replace('{', "{;").replace('}', "};");
    let all = text
        .split(';')
        .map(|one| one.split_whitespace().collect::<Vec<_>>().join(" "));
    all.filter(|one| !one.is_empty()).collect()
}

/// The values that a directive is given, wherever it stands.
fn values(name: &str) -> Vec<String> {
    let name = format!("{name} ");
    let all = directives();
    let found = all.iter().filter_map(|one| one.strip_prefix(name.as_str()));
    found.map(str::to_owned).collect()
}

fn seconds(name: &str) -> Vec<Duration> {
    let parse = |value: &String| value.strip_suffix('s').unwrap().parse().unwrap();
    values(name)
        .iter()
        .map(parse)
        .map(Duration::from_secs)
        .collect()
}

/// What stands in the block that begins with these words.
fn block(head: &str) -> Vec<String> {
    let all = directives();
    let begin = format!("{head} {{");
    let at = all
        .iter()
        .position(|one| *one == begin)
        .unwrap_or_else(|| panic!("no {head}"));
    let inside = all[at + 1..].iter().take_while(|one| *one != "}");
    inside.cloned().collect()
}

#[test]
fn bodies_that_the_server_takes_get_through() {
    let sizes = values("client_max_body_size");
    assert_eq!(sizes.len(), 1);
    let mebibytes: usize = sizes[0].strip_suffix('m').unwrap().parse().unwrap();
    assert!(mebibytes << 20 >= MAX_BATCH_BYTES, "{mebibytes}m");
    // The server must see the key before anybody's body has been read.
    assert_eq!(values("proxy_request_buffering"), ["off"]);
    assert_eq!(values("proxy_http_version"), ["1.1"]);
}

#[test]
fn nginx_waits_for_as_long_as_the_server_takes() {
    let read = seconds("proxy_read_timeout");
    assert!(
        !read.is_empty() && read.iter().all(|limit| *limit > ANALYSIS),
        "{read:?}"
    );
    for name in ["client_body_timeout", "proxy_send_timeout"] {
        assert!(seconds(name)[0] > BODY_PATIENCE, "{name}");
    }
    // Between nginx and the server it is nginx that closes an idle connection; the server does after 75 s.
    let kept = block("upstream vigint");
    assert!(
        kept.contains(&"keepalive_timeout 60s".to_owned()),
        "{kept:?}"
    );
}

#[test]
fn its_log_has_no_place_for_a_key_or_a_token() {
    let formats = values("log_format");
    assert_eq!(formats.len(), 1);
    for telltale in [
        "$request ",
        "$request'",
        "$request_uri",
        "$args",
        "$arg_",
        "$query_string",
        "$is_args",
        "$http_",
        "$cookie",
        "$request_body",
        "$vigint_",
        "$upstream_http_location",
    ] {
        assert!(!formats[0].contains(telltale), "{telltale}");
    }
    assert!(formats[0].contains("$uri "));
    let logs = values("access_log");
    assert!(
        logs.len() == 2 && logs.iter().all(|log| log.ends_with(" vigint")),
        "{logs:?}"
    );
    // Lines at `error` repeat the whole request line.
    for log in values("error_log") {
        assert!(log.ends_with(" crit") || log == "/dev/null emerg", "{log}");
    }
    assert!(block("location /video/").contains(&"error_log /dev/null emerg".to_owned()));
}

#[test]
fn the_operators_routes_are_for_an_allow_list() {
    for route in ["location /admin/", "location = /metrics"] {
        let rules = block(route);
        let allowed: Vec<_> = rules
            .iter()
            .filter(|rule| rule.starts_with("allow "))
            .collect();
        assert_eq!(allowed, ["allow 127.0.0.1", "allow ::1"], "{route}");
        assert!(rules.contains(&"deny all".to_owned()), "{route}");
    }
    // Every admin route of the server's table is under one of them.
    for route in vigint_server::http::routes() {
        if route.access == vigint_server::http::Access::Admin {
            let covered = route.path.starts_with("/admin/") || route.path == "/metrics";
            assert!(covered, "{}", route.path);
        }
    }
}

#[test]
fn one_key_goes_to_one_server_and_where_it_came_from_is_appended() {
    assert!(block("upstream vigint").contains(&"hash $vigint_key consistent".to_owned()));
    let headers = values("proxy_set_header");
    assert!(
        headers.contains(&"X-Forwarded-For $proxy_add_x_forwarded_for".to_owned()),
        "{headers:?}"
    );
    assert_eq!(values("ssl_protocols"), ["TLSv1.2 TLSv1.3"]);
    assert_eq!(values("return")[0], "308 https://$server_name$request_uri");
    assert!(values("add_header")[0].starts_with("Strict-Transport-Security "));
}
