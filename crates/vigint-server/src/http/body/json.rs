//! JSON bodies, and what is wrong with them.

use serde::Deserialize;
use serde::de::IgnoredAny;
use vigint_core::wire::Object;

use crate::http::error::{ApiError, Code, invalid};

/// The body as JSON; no body at all is `T::default()`.
pub(in crate::http) fn parse_json<'a, T: Deserialize<'a> + Default>(
    body: &'a [u8],
) -> Result<T, ApiError> {
    if body.trim_ascii().is_empty() || body.trim_ascii() == b"null" {
        return Ok(T::default());
    }
    parse_required_json(body)
}

/// The body as a JSON object.
pub(in crate::http) fn parse_required_json<'a, T: Deserialize<'a>>(
    body: &'a [u8],
) -> Result<T, ApiError> {
    match serde_json::from_slice(body) {
        Ok(Object(value)) => Ok(value),
        Err(error) => Err(explain::<T>(body, error)),
    }
}

/// What is wrong with a body: 400 when it is no JSON, 422 and the field's name when a value in it is not accepted.
fn explain<'a, T: Deserialize<'a>>(body: &'a [u8], error: serde_json::Error) -> ApiError {
    // A wrong value is met before what may be broken after it.
    let broken = if error.is_data() {
        serde_json::from_slice::<IgnoredAny>(body).err()
    } else {
        Some(error)
    };
    if let Some(error) = broken {
        let place = format!("line {}, column {}", error.line(), error.column());
        let message = format!("The body is not valid JSON ({place})");
        return ApiError::saying(Code::Malformed, message);
    }
    // Read once more, for the path that the fast way does not keep.
    let mut again = serde_json::Deserializer::from_slice(body);
    match serde_path_to_error::deserialize::<_, Object<T>>(&mut again) {
        Err(error) => {
            let path = error.path().to_string();
            not_accepted(&path, &error.into_inner().to_string())
        }
        Ok(_) => ApiError::new(Code::Malformed),
    }
}

/// What serde calls by the name of a Rust type.
fn in_words(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        other => other,
    }
}

/// Takes from serde's message what is safe to say and leaves the value itself, which may be anything.
fn not_accepted(path: &str, message: &str) -> ApiError {
    let is_whole_body = path == ".";
    let field = message.split('`').nth(1).unwrap_or_default();
    let why = if message.starts_with("missing field") {
        format!("`{field}` is missing")
    } else if message.starts_with("duplicate field") {
        format!("`{field}` stands twice")
    } else {
        let expected = message
            .rsplit_once(", expected ")
            .map(|(_, rest)| rest.rsplit_once(" at line ").map_or(rest, |(what, _)| what));
        match expected {
            Some(expected) if is_whole_body => {
                let message = format!("The body must be {expected}");
                return ApiError::saying(Code::Malformed, message);
            }
            Some(expected) => format!("must be {}", in_words(expected)),
            None => "the value is not accepted".to_owned(),
        }
    };
    if is_whole_body {
        ApiError::saying(Code::InvalidField, why)
    } else {
        invalid(path, &why)
    }
}

#[cfg(test)]
mod tests {
    use vigint_core::wire::{AlertRequest, BatchRequest, FrameRequest};

    use super::*;

    fn said<'a, T: Deserialize<'a>>(body: &'a str) -> (u16, String) {
        let error = parse_required_json::<T>(body.as_bytes()).err().unwrap();
        let status = actix_web::ResponseError::status_code(&error).as_u16();
        (status, error.to_string())
    }

    #[test]
    fn a_value_that_is_not_accepted_is_named() {
        for (body, message) in [
            (r#"{}"#, "`frame_data` is missing"),
            (r#"{"frame_data":5}"#, "frame_data: must be a string"),
            (
                r#"{"frame_data":"","source_id":5}"#,
                "source_id: must be a string",
            ),
            (
                r#"{"frame_data":"","frame_count":"7"}"#,
                "frame_count: must be a whole number",
            ),
            (
                r#"{"frame_data":"","frame_count":true}"#,
                "frame_count: must be a whole number",
            ),
            (
                r#"{"frame_data":"","frame_data":""}"#,
                "`frame_data` stands twice",
            ),
        ] {
            assert_eq!(
                said::<FrameRequest<'_>>(body),
                (422, message.to_owned()),
                "{body}"
            );
        }
        for at in [r#""yesterday""#, r#""""#, "5", r#""2026-11-24T21:57:44""#] {
            let body = format!(r#"{{"frame_data":"","captured_at":{at}}}"#);
            let expected =
                "captured_at: must be a time with its offset, such as 2026-11-22T15:40:00Z";
            assert_eq!(
                said::<FrameRequest<'_>>(&body),
                (422, expected.to_owned()),
                "{at}"
            );
        }
    }

    #[test]
    fn a_value_in_a_batch_is_named_with_its_frame() {
        for (frame, message) in [
            ("{}", "frames[1]: `frame_data` is missing"),
            ("[\"/9j/\"]", "frames[1]: must be an object"),
            (
                r#"{"frame_data":"","captured_at":5}"#,
                "frames[1].captured_at: must be a time with its offset, such as 2026-11-22T15:40:00Z",
            ),
        ] {
            let body = format!(r#"{{"frames":[{{"frame_data":""}},{frame}]}}"#);
            assert_eq!(
                said::<BatchRequest<'_>>(&body),
                (422, message.to_owned()),
                "{frame}"
            );
        }
    }

    #[test]
    fn what_is_no_json_object_is_malformed() {
        for body in [
            "{",
            r#"{"source_id":5,"#,
            r#"{"analysis":"x"} {}"#,
            r#"["x","vol","HIGH"]"#,
            r#""x""#,
            "5",
        ] {
            let (status, message) = said::<AlertRequest>(body);
            assert_eq!(status, 400, "{body}: {message}");
        }
        assert_eq!(
            said::<AlertRequest>(r#"["x","vol","HIGH"]"#).1,
            "The body must be an object"
        );
    }

    #[test]
    fn the_value_itself_is_never_said_again() {
        let body = r#"{"frame_data":"","captured_at":"a secret, expected nowhere"}"#;
        let (_, message) = said::<FrameRequest<'_>>(body);
        assert!(!message.contains("secret"), "{message}");
    }
}
