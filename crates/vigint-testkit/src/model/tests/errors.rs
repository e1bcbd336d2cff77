use super::*;
use crate::model::{Answer, ModelError};

/// An error as a model of Gemini answers it.
fn gemini(error: ModelError) -> Got {
    let model = ModelStandIn::start().unwrap();
    model.always(error);
    ask_gemini(&model, SCREEN, &gemini_request())
}

/// The detail of this type.
#[track_caller]
fn detail(answer: &Got, kind: &str) -> Value {
    let kind = format!("type.googleapis.com/google.rpc.{kind}");
    let body = answer.json();
    let details = body["error"]["details"].as_array().unwrap();
    details
        .iter()
        .find(|detail| detail["@type"] == kind)
        .unwrap()
        .clone()
}

#[test]
fn the_errors_of_the_reference_have_their_statuses() {
    let errors = [
        (ModelError::invalid_key(), 400, "INVALID_ARGUMENT"),
        (
            ModelError::location_not_allowed(),
            400,
            "FAILED_PRECONDITION",
        ),
        (ModelError::credit_used_up(), 402, "RESOURCE_EXHAUSTED"),
        (ModelError::service_disabled(), 403, "PERMISSION_DENIED"),
        (ModelError::model_not_found("gemini-1"), 404, "NOT_FOUND"),
        (ModelError::rate_limited(), 429, "RESOURCE_EXHAUSTED"),
        (ModelError::new(499, "gone"), 499, "CANCELLED"),
        (ModelError::internal(), 500, "INTERNAL"),
        (ModelError::overloaded(), 503, "UNAVAILABLE"),
        (ModelError::deadline_exceeded(), 504, "DEADLINE_EXCEEDED"),
    ];
    for (error, http, status) in errors {
        let answer = gemini(error);
        let error = answer.json()["error"].clone();
        assert_eq!(answer.status, http);
        assert_eq!(
            (&error["code"], &error["status"]),
            (&json!(http), &json!(status))
        );
    }
    let large = gemini(ModelError::too_large());
    assert_eq!(
        (large.status, large.json()["error"].get("status")),
        (413, None)
    );
}

#[test]
fn a_limited_rate_says_how_long_or_does_not() {
    let detailed = gemini(ModelError::rate_limited_for("34.4s"));
    assert_eq!(detail(&detailed, "RetryInfo")["retryDelay"], "34.4s");
    let quota = detail(&detailed, "QuotaFailure")["violations"][0]["quotaId"].clone();
    assert!(quota.as_str().unwrap().contains("PerMinute"), "{quota}");

    let bare = gemini(ModelError::rate_limited());
    assert_eq!(bare.json()["error"].get("details"), None);
    let header = gemini(ModelError::retry_after("7"));
    assert_eq!(header.header("retry-after"), "7");
    assert_eq!(header.json()["error"].get("details"), None);

    let quota = detail(&gemini(ModelError::daily_quota()), "QuotaFailure");
    assert!(
        quota["violations"][0]["quotaId"]
            .as_str()
            .unwrap()
            .contains("PerDay")
    );
    let zero = gemini(ModelError::limit_zero()).json()["error"]["message"].clone();
    assert!(zero.as_str().unwrap().contains("limit: 0"), "{zero}");
}

#[test]
fn an_error_comes_in_an_array_and_with_the_key_in_it() {
    let model = ModelStandIn::start().unwrap();
    model.script(
        SCREEN,
        [
            ModelError::overloaded().in_array(),
            ModelError::internal().echoing_key(),
        ],
    );
    let first = ask_gemini(&model, SCREEN, &gemini_request());
    assert_eq!(first.status, 503);
    assert_eq!(first.json()[0]["error"]["status"], "UNAVAILABLE");
    let second = ask_gemini(&model, SCREEN, &gemini_request());
    let debug = detail(&second, "DebugInfo")["detail"].clone();
    assert!(debug.as_str().unwrap().contains(model.api_key()), "{debug}");
}

#[test]
fn bodies_that_are_no_answer_come_as_they_are() {
    let model = ModelStandIn::start().unwrap();
    let answers = [
        Answer::empty_object(),
        Answer::empty_body(),
        Answer::html(200),
        Answer::html(502),
        Answer::raw(418, "{\"a\":1}").header("X-Short", "stout"),
    ];
    model.script(SCREEN, answers);
    let [object, empty, page, bad_gateway, teapot] =
        std::array::from_fn(|_| ask_gemini(&model, SCREEN, &gemini_request()));
    assert_eq!((object.status, &*object.bytes), (200, &b"{}"[..]));
    assert_eq!((empty.status, &*empty.bytes), (200, &b""[..]));
    assert_eq!((page.status, bad_gateway.status), (200, 502));
    assert_eq!(page.header("content-type"), "text/html; charset=UTF-8");
    assert!(page.bytes.starts_with(b"<!DOCTYPE html>"));
    assert_eq!((teapot.status, teapot.header("x-short")), (418, "stout"));
    assert_eq!(
        teapot.header("content-type"),
        "application/json; charset=UTF-8"
    );
}

#[test]
fn openai_has_its_own_status_for_a_key() {
    let model = ModelStandIn::start().unwrap();
    model.script(
        LOCAL,
        [ModelError::invalid_key(), ModelError::loading_model()],
    );
    let key = ask_openai(&model, &openai_request());
    assert_eq!(
        (key.status, &key.json()["error"]["code"]),
        (401, &json!("invalid_api_key"))
    );
    let loading = ask_openai(&model, &openai_request());
    assert_eq!(
        (loading.status, &loading.json()["error"]["code"]),
        (503, &json!(503))
    );
}
