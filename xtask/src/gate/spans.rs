//! What was said, as spans of time: a table for people, JSON for programs.

use serde_json::{Value, json};
use vigint_testkit::battery::{Said, Span, State, spans};

/// What a span is called in the table, and which frames belong to it.
type Kind = (&'static str, fn(&Said) -> bool);

const KINDS: [Kind; 4] = [
    ("on", |said| said.on),
    ("present", |said| said.state == State::Present),
    ("scene changed", |said| said.state == State::SceneChanged),
    ("frozen", |said| said.state == State::Frozen),
];

/// The spans in order of time, a line each, under a header.
pub(super) fn table(said: &[Said]) -> Vec<String> {
    let mut rows: Vec<(Span, &str)> = Vec::new();
    for (name, is_so) in KINDS {
        rows.extend(spans(said, is_so).into_iter().map(|span| (span, name)));
    }
    rows.sort_by(|(a, _), (b, _)| a.0.total_cmp(&b.0));
    let mut lines = vec![match ready(said) {
        Some(at) => format!("ready after {at:.3} s"),
        None => "never ready".to_owned(),
    }];
    if rows.is_empty() {
        lines.push("nothing moves".to_owned());
        return lines;
    }
    lines.push(format!(
        "{:<14}{:>10}{:>10}{:>10}",
        "", "from", "to", "seconds"
    ));
    lines.extend(rows.iter().map(|((start, end), name)| {
        format!("{name:<14}{start:>10.3}{end:>10.3}{:>10.3}", end - start)
    }));
    lines
}

/// The last line of the output: seconds of the film, to the millisecond.
pub(super) fn json(said: &[Said]) -> Value {
    let listed = |is_so: fn(&Said) -> bool| -> Vec<[f64; 2]> {
        let spans = spans(said, is_so);
        spans
            .iter()
            .map(|span| [rounded(span.0), rounded(span.1)])
            .collect()
    };
    json!({
        "ready": ready(said).map(rounded),
        "on": listed(|said| said.on),
        "present": listed(|said| said.state == State::Present),
        "scene_changed": listed(|said| said.state == State::SceneChanged),
    })
}

/// The time of the first frame of which the gate had something to say.
fn ready(said: &[Said]) -> Option<f64> {
    let first = said.iter().find(|said| said.state != State::Starting);
    first.map(|said| said.at)
}

fn rounded(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(states: &[(bool, State)]) -> Vec<Said> {
        let frames = (0_u32..).zip(states);
        frames
            .map(|(frame, (on, state))| Said {
                at: f64::from(frame) / 3.0,
                on: *on,
                state: *state,
            })
            .collect()
    }

    #[test]
    fn a_span_ends_with_the_first_frame_that_is_no_longer_so_or_with_the_film() {
        let said = said(&[
            (false, State::Starting),
            (false, State::Quiet),
            (true, State::Moving),
            (true, State::Present),
            (false, State::Present),
            (false, State::Quiet),
            (false, State::SceneChanged),
            (true, State::Moving),
            (true, State::Moving),
        ]);
        assert_eq!(
            json(&said).to_string(),
            r#"{"on":[[0.667,1.333],[2.333,2.667]],"present":[[1.0,1.667]],"ready":0.333,"scene_changed":[[2.0,2.333]]}"#
        );
        assert_eq!(
            table(&said),
            [
                "ready after 0.333 s",
                "                    from        to   seconds",
                "on                 0.667     1.333     0.667",
                "present            1.000     1.667     0.667",
                "scene changed      2.000     2.333     0.333",
                "on                 2.333     2.667     0.333",
            ]
        );
    }

    #[test]
    fn a_film_that_ends_at_once_has_no_spans() {
        let said = said(&[(false, State::Starting)]);
        let expected = r#"{"on":[],"present":[],"ready":null,"scene_changed":[]}"#;
        assert_eq!(json(&said).to_string(), expected);
        assert_eq!(table(&said), ["never ready", "nothing moves"]);
    }
}
