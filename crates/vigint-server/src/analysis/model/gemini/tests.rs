//! What Gemini is sent, and every shape of answer and error that its documents and its users know.

use bytes::Bytes;
use serde_json::json;
use vigint_core::verdict::RiskLevel;

use super::*;

const VERDICT: &str = r#"{"description":"d","analysis":"a","incident_detected":true,"incident_type":"vol","risk_level":"HIGH","confidence":0.8}"#;

fn reply(status: u16, body: &[u8]) -> Reading {
    read(&Reply {
        status,
        retry_after: None,
        body,
    })
}

fn answer(body: &Value) -> Reading {
    reply(200, body.to_string().as_bytes())
}

/// An answer with one candidate.
fn candidate(candidate: Value) -> Value {
    json!({
        "candidates": [candidate],
        "usageMetadata": {"promptTokenCount": 2310, "candidatesTokenCount": 96, "thoughtsTokenCount": 210,
            "totalTokenCount": 2616, "serviceTier": "standard",
            "promptTokensDetails": [{"modality": "IMAGE"}]},
        "modelVersion": "gemini-3.5-flash-lite", "responseId": "Xy9aB"
    })
}

fn parts(parts: Value) -> Value {
    candidate(
        json!({"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}),
    )
}

fn count(prompt: Option<u64>, completion: Option<u64>) -> TokenCount {
    TokenCount {
        model: Some("gemini-3.5-flash-lite".to_owned()),
        prompt,
        completion,
    }
}

#[test]
fn a_verdict_is_read_from_all_parts_but_thoughts() {
    let (head, tail) = VERDICT.split_at(40);
    for parts_of in [
        json!([{"text": VERDICT}]),
        json!([{"text": "{\"incident_detected\":false}", "thought": true}, {"text": VERDICT, "thoughtSignature": "EpwC"}]),
        json!([{"text": head}, {"text": tail}]),
        json!([{"inlineData": {}}, {"text": format!("```json\n{VERDICT}\n```\nDone.")}]),
        json!([{"text": null}, {"text": VERDICT}]),
    ] {
        let reading = answer(&parts(parts_of.clone()));
        let verdict = reading.verdict.expect("readable");
        assert!(verdict.incident_detected, "{parts_of}");
        assert_eq!(verdict.risk_level, RiskLevel::High);
        // Thoughts are paid like text.
        assert_eq!(reading.count, Some(count(Some(2310), Some(306))));
    }
}

#[test]
fn what_holds_no_verdict_is_never_clear() {
    for no_verdict in [
        json!({}),
        json!({"candidates": []}),
        json!({"candidates": null}),
        candidate(json!({})),
        candidate(json!({"content": {}, "finishReason": "STOP"})),
        candidate(json!({"content": {"parts": []}, "finishReason": "STOP"})),
        candidate(json!({"content": {"parts": "x"}, "finishReason": "STOP"})),
        parts(json!([{}])),
        parts(json!([{"text": "{}"}])),
        parts(json!([{"text": VERDICT.replace("true", "\"false\"")}])),
        parts(json!([{"text": VERDICT, "thought": true}])),
        candidate(json!({"content": {"parts": [{"text": VERDICT}]}, "finishReason": "OTHER"})),
        candidate(json!({"finishReason": "MALFORMED_FUNCTION_CALL"})),
        candidate(json!({"finishReason": "UNEXPECTED_TOOL_CALL"})),
        json!("text"),
        json!([]),
    ] {
        let reading = answer(&no_verdict);
        assert!(
            matches!(reading.verdict, Err(Fault::NoVerdict(_))),
            "{no_verdict}: {reading:?}"
        );
    }
    for no_json in [
        &b""[..],
        b"<html>captive portal</html>",
        b"{\"candidates\":[",
    ] {
        let reading = reply(200, no_json);
        assert!(matches!(reading.verdict, Err(Fault::NoVerdict(_))));
        assert_eq!(
            reading.count,
            Some(TokenCount::default()),
            "unknown, not zero"
        );
    }
}

#[test]
fn a_truncated_answer_is_truncated_whether_text_is_there_or_not() {
    for content in [json!({}), json!({"parts": [{"text": VERDICT}]})] {
        let body = candidate(json!({"content": content, "finishReason": "MAX_TOKENS"}));
        assert_eq!(answer(&body).verdict, Err(Fault::Truncated));
    }
}

#[test]
fn what_is_blocked_has_no_verdict_though_text_is_there() {
    for reason in [
        "SAFETY",
        "PROHIBITED_CONTENT",
        "BLOCKLIST",
        "SPII",
        "RECITATION",
        "LANGUAGE",
        "IMAGE_SAFETY",
        "SOMETHING_NEW",
    ] {
        let body =
            candidate(json!({"content": {"parts": [{"text": VERDICT}]}, "finishReason": reason}));
        let reading = answer(&body);
        assert!(
            matches!(&reading.verdict, Err(Fault::Blocked(why)) if why.contains(reason)),
            "{reading:?}"
        );
    }
    for reason in [
        "SAFETY",
        "OTHER",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "NEW_ONE",
    ] {
        let body = json!({
            "promptFeedback": {"blockReason": reason, "safetyRatings": [{"category": "x", "blocked": true}]},
            "usageMetadata": {"promptTokenCount": 2310, "totalTokenCount": 2310},
            "modelVersion": "gemini-3.5-flash-lite"
        });
        let reading = answer(&body);
        assert!(matches!(&reading.verdict, Err(Fault::Blocked(why)) if why.contains(reason)));
        assert_eq!(reading.count, Some(count(Some(2310), Some(0))));
    }
}

#[test]
fn counters_that_are_missing_are_unknown() {
    let counted = |usage: Value| {
        let mut body = parts(json!([{"text": VERDICT}]));
        body["usageMetadata"] = usage;
        let count = answer(&body).count.expect("it took part");
        (count.prompt, count.completion)
    };
    assert_eq!(counted(Value::Null), (None, None));
    assert_eq!(counted(json!({"promptTokenCount": 5})), (Some(5), None));
    assert_eq!(counted(json!({"candidatesTokenCount": 5})), (None, Some(5)));
    assert_eq!(
        counted(json!({"promptTokenCount": 5, "thoughtsTokenCount": 3, "totalTokenCount": 12})),
        (Some(5), Some(7))
    );
    assert_eq!(
        counted(json!({"promptTokenCount": 5, "thoughtsTokenCount": 3})),
        (Some(5), None)
    );
    assert_eq!(
        counted(json!({"promptTokenCount": -5, "totalTokenCount": "9"})),
        (None, None)
    );
    let mut unnamed = parts(json!([{"text": VERDICT}]));
    unnamed["modelVersion"] = Value::Null;
    assert_eq!(answer(&unnamed).count.and_then(|count| count.model), None);
}

fn error(code: u16, status: &str, details: Value) -> Value {
    json!({"error": {"code": code, "status": status, "message": "Words that change.", "details": details}})
}

fn fault(status: u16, body: &Value) -> Fault {
    let reading = reply(status, body.to_string().as_bytes());
    assert_eq!(reading.count, None, "a refused call costs nothing");
    reading.verdict.expect_err("an error")
}

fn delay(seconds: &str) -> Value {
    json!([
        {"@type": "type.googleapis.com/google.rpc.Help", "links": []},
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": seconds}
    ])
}

type Expected<'a> = &'a dyn Fn(&Fault) -> bool;

#[test]
fn errors_are_told_apart_by_status_and_code() {
    let key =
        json!([{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]);
    let quota = |id: &str| json!([{"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": id, "quotaValue": "15"}]}]);
    let is_shut = |fault: &Fault| matches!(fault, Fault::ShutOut { .. });
    let is_refused = |fault: &Fault| matches!(fault, Fault::Refused(_));
    let is_rate = |fault: &Fault| matches!(fault, Fault::Rate { .. });
    let is_trouble = |fault: &Fault| matches!(fault, Fault::Trouble { .. });
    let is_large = |fault: &Fault| matches!(fault, Fault::TooLarge(_));
    let none = || json!(null);
    let table: [(u16, Value, Expected<'_>); 15] = [
        (400, error(400, "INVALID_ARGUMENT", none()), &is_refused),
        (400, error(400, "INVALID_ARGUMENT", key), &is_shut),
        (400, error(400, "FAILED_PRECONDITION", none()), &is_shut),
        (402, error(402, "RESOURCE_EXHAUSTED", none()), &is_shut),
        (
            403,
            error(
                403,
                "PERMISSION_DENIED",
                json!([{"reason": "SERVICE_DISABLED"}]),
            ),
            &is_shut,
        ),
        (404, error(404, "NOT_FOUND", none()), &is_shut),
        (413, json!({}), &is_large),
        (429, error(429, "RESOURCE_EXHAUSTED", none()), &is_rate),
        (
            429,
            error(
                429,
                "RESOURCE_EXHAUSTED",
                quota("GenerateRequestsPerMinutePerProject"),
            ),
            &is_rate,
        ),
        (
            429,
            error(
                429,
                "RESOURCE_EXHAUSTED",
                quota("GenerateRequestsPerDayPerProject"),
            ),
            &is_shut,
        ),
        (
            429,
            json!({"error": {"code": 429, "message": "Quota exceeded, limit: 0, model: x"}}),
            &is_shut,
        ),
        (500, error(500, "INTERNAL", none()), &is_trouble),
        (503, error(503, "UNAVAILABLE", none()), &is_trouble),
        (
            504,
            json!([error(504, "DEADLINE_EXCEEDED", none())]),
            &is_trouble,
        ),
        (200, error(503, "UNAVAILABLE", none()), &is_trouble),
    ];
    for (status, body, is_expected) in table {
        let fault = fault(status, &body);
        assert!(is_expected(&fault), "{status} {body}: {fault:?}");
    }
    for (status, body) in [(502, "<html>Bad gateway</html>"), (503, ""), (499, "x")] {
        let reading = reply(status, body.as_bytes());
        assert!(
            matches!(reading.verdict, Err(Fault::Trouble { .. })),
            "{reading:?}"
        );
    }
    assert!(matches!(reply(302, b"").verdict, Err(Fault::Refused(_))));
}

#[test]
fn the_provider_s_delay_is_kept_also_inside_an_array() {
    let wait = |body: &Value, retry_after| {
        let reading = read(&Reply {
            status: 429,
            retry_after,
            body: body.to_string().as_bytes(),
        });
        match reading.verdict {
            Err(Fault::Rate { retry_after, .. }) => retry_after.map(|wait| wait.as_millis()),
            other => panic!("{other:?}"),
        }
    };
    let delayed = |text| error(429, "RESOURCE_EXHAUSTED", delay(text));
    assert_eq!(wait(&delayed("21s"), None), Some(21_000));
    assert_eq!(wait(&json!([delayed("34.4s")]), Some("99")), Some(34_400));
    assert_eq!(wait(&delayed("soon"), Some("7")), Some(7_000));
    assert_eq!(wait(&json!({}), None), None);
}

fn sent(model: &str) -> (Outgoing, Value) {
    let base = "https://models.example/base/".parse().unwrap();
    let gemini = Gemini::new(base, &Secret::new("the-key-of-42"));
    let pictures = [Bytes::from_static(b"one"), Bytes::from_static(b"two")];
    let outgoing = gemini.request(&Ask {
        model,
        system: "Be.",
        task: "Look.",
        pictures: &pictures,
        resolution: Resolution::Low,
        max_output_tokens: 1024,
        dialect: Dialect::default(),
    });
    let body = serde_json::from_slice(&outgoing.body).unwrap();
    (outgoing, body)
}

#[test]
fn a_request_has_the_key_in_its_header_and_the_pictures_in_order() {
    let (outgoing, body) = sent("gemini-3.5-flash-lite");
    assert_eq!(
        outgoing.url,
        "https://models.example/base/v1beta/models/gemini-3.5-flash-lite:generateContent"
    );
    assert_eq!(outgoing.headers[&KEY_HEADER], "the-key-of-42");
    assert!(!format!("{:?}", outgoing.headers).contains("the-key-of-42"));
    assert_eq!(
        body["systemInstruction"],
        json!({"parts": [{"text": "Be."}]})
    );
    let data = |data: &str| json!({"inlineData": {"mimeType": "image/jpeg", "data": data}});
    assert_eq!(
        body["contents"],
        json!([{"role": "user", "parts": [{"text": "Look."}, data("b25l"), data("dHdv")]}])
    );
    let config = &body["generationConfig"];
    assert_eq!(config["responseMimeType"], "application/json");
    assert_eq!(config["mediaResolution"], "MEDIA_RESOLUTION_LOW");
    assert_eq!(config["maxOutputTokens"], 1024);
    assert_eq!(config["responseSchema"]["type"], "OBJECT");
    assert_eq!(body["safetySettings"].as_array().unwrap().len(), 4);
    for left_out in [
        "candidateCount",
        "temperature",
        "topP",
        "topK",
        "responseJsonSchema",
    ] {
        assert_eq!(config[left_out], Value::Null);
    }
}

#[test]
fn thinking_is_asked_for_in_the_words_of_the_model_s_generation() {
    let thinking = |model| sent(model).1["generationConfig"]["thinkingConfig"].clone();
    assert_eq!(
        thinking("gemini-3.8-flash"),
        json!({"thinkingLevel": "low"})
    );
    assert_eq!(
        thinking("gemini-2.5-flash-lite"),
        json!({"thinkingBudget": 512})
    );
    assert_eq!(thinking("gemma-4"), Value::Null);
}

#[test]
fn a_model_s_name_cannot_leave_its_place_in_the_path() {
    let (outgoing, _) = sent("../../x?key=1#");
    assert_eq!(
        outgoing.url,
        "https://models.example/base/v1beta/models/..%2F..%2Fx%3Fkey=1%23:generateContent"
    );
}
