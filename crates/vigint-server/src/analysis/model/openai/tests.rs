//! What a server of chat completions is sent, and every shape of answer and error that they are known to give.

use bytes::Bytes;
use serde_json::json;

use super::*;

const VERDICT: &str = r#"{"description":"d","analysis":"a","incident_detected":true,"incident_type":"theft","risk_level":"LOW","confidence":1}"#;

fn reply(status: u16, body: &[u8]) -> Reading {
    let reply = Reply {
        status,
        retry_after: Some("7"),
        body,
    };
    read(Dialect::default(), &reply)
}

fn choice(finish_reason: Value, message: Value) -> Value {
    json!({"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "qwen3-vl:8b", "system_fingerprint": null,
        "choices": [{"index": 0, "finish_reason": finish_reason, "message": message, "logprobs": null}],
        "usage": {"prompt_tokens": 900, "completion_tokens": 80, "total_tokens": 980, "prompt_tokens_details": null}})
}

fn said(content: Value) -> Value {
    choice(
        json!("stop"),
        json!({"role": "assistant", "content": content, "reasoning": "hm", "reasoning_content": null, "refusal": null}),
    )
}

fn answer(body: &Value) -> Reading {
    reply(200, body.to_string().as_bytes())
}

#[test]
fn a_verdict_is_read_wherever_servers_put_it() {
    let thought = format!("<think>First {{\"incident_detected\":false}} then…</think>\n{VERDICT}");
    let in_reasoning = |content: Value| {
        choice(
            json!(""),
            json!({"content": content, "reasoning_content": format!("<think>x</think>{VERDICT}")}),
        )
    };
    for body in [
        said(json!(VERDICT)),
        said(json!(format!("\n```json\n{VERDICT}\n```"))),
        said(json!(thought)),
        said(json!([{"type": "text", "text": VERDICT}])),
        in_reasoning(json!("")),
        in_reasoning(Value::Null),
        choice(Value::Null, json!({"content": VERDICT, "refusal": ""})),
        said(json!(format!(
            "I saw {{\"incident_detected\":false}} at first.</think>{VERDICT}"
        ))),
    ] {
        let reading = answer(&body);
        assert!(
            reading.verdict.expect("readable").incident_detected,
            "{body}"
        );
        let count = TokenCount {
            model: Some("qwen3-vl:8b".to_owned()),
            prompt: Some(900),
            completion: Some(80),
        };
        assert_eq!(reading.count, Some(count));
    }
}

#[test]
fn what_holds_no_verdict_is_never_clear() {
    for body in [
        json!({}),
        json!({"choices": []}),
        json!({"choices": null}),
        said(Value::Null),
        said(json!("")),
        said(json!("{}")),
        said(json!("I see nothing.")),
        said(json!(format!("<think>{VERDICT}"))),
        choice(
            json!("stop"),
            json!({"content": "", "reasoning_content": format!("Perhaps {VERDICT}")}),
        ),
        said(json!(VERDICT.replace("true", "\"false\""))),
        said(json!(VERDICT.replace("LOW", "NONE"))),
        choice(json!("tool_calls"), json!({"content": VERDICT})),
        choice(json!("eos"), json!({"content": VERDICT})),
        json!({"choices": [{"message": "x"}], "error": null}),
    ] {
        let reading = answer(&body);
        assert!(
            matches!(reading.verdict, Err(Fault::NoVerdict(_))),
            "{body}: {reading:?}"
        );
    }
    for no_json in [&b""[..], b"<html></html>"] {
        let reading = reply(200, no_json);
        assert!(matches!(reading.verdict, Err(Fault::NoVerdict(_))));
        assert_eq!(
            reading.count,
            Some(TokenCount::default()),
            "unknown, not zero"
        );
    }
    let mut uncounted = said(json!(VERDICT));
    uncounted["usage"] = json!({"prompt_tokens": null});
    let count = answer(&uncounted).count.unwrap();
    assert_eq!((count.prompt, count.completion), (None, None));
}

#[test]
fn cut_off_filtered_and_refused_answers_are_told_apart() {
    let length = choice(json!("length"), json!({"content": VERDICT}));
    assert_eq!(answer(&length).verdict, Err(Fault::Truncated));
    for blocked in [
        choice(json!("content_filter"), json!({"content": VERDICT})),
        choice(
            json!("stop"),
            json!({"content": VERDICT, "refusal": "I cannot help."}),
        ),
        choice(
            json!("stop"),
            json!({"content": VERDICT, "refusal": {"reason": "policy"}}),
        ),
    ] {
        assert!(matches!(answer(&blocked).verdict, Err(Fault::Blocked(_))));
    }
}

fn fault(status: u16, body: Value) -> Fault {
    let reading = reply(status, body.to_string().as_bytes());
    assert_eq!(reading.count, None, "a refused call costs nothing");
    reading.verdict.expect_err("an error")
}

#[test]
fn errors_of_all_four_shapes_are_told_apart_by_status_and_code() {
    let seven = Some(std::time::Duration::from_secs(7));
    let openai = |code: Value, kind: &str| json!({"error": {"message": "words", "type": kind, "param": null, "code": code}});
    for (status, body) in [
        (
            401,
            openai(json!("invalid_api_key"), "invalid_request_error"),
        ),
        (402, json!({})),
        (403, json!("no")),
        (
            404,
            json!({"error": "model 'x' not found, try pulling it first"}),
        ),
        (
            404,
            json!({"object": "error", "message": "no such model", "type": "NotFoundError", "param": null, "code": 404}),
        ),
        (
            429,
            openai(json!("insufficient_quota"), "insufficient_quota"),
        ),
    ] {
        let fault = fault(status, body);
        assert!(
            matches!(&fault, Fault::ShutOut { retry_after, .. } if *retry_after == seven),
            "{fault:?}"
        );
    }
    let rate = fault(429, openai(Value::Null, "rate_limit_error"));
    assert!(matches!(rate, Fault::Rate { retry_after, .. } if retry_after == seven));
    for (status, body) in [
        (
            503,
            json!({"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}),
        ),
        (
            200,
            json!({"error": {"code": 503, "message": "Loading model"}}),
        ),
        (500, json!(null)),
    ] {
        assert!(matches!(fault(status, body), Fault::Trouble { .. }));
    }
    for (status, body) in [
        (413, json!({})),
        (
            400,
            json!({"error": {"code": 400, "type": "exceed_context_size_error", "n_prompt_tokens": 9, "n_ctx": 4}}),
        ),
        (
            400,
            openai(json!("context_length_exceeded"), "invalid_request_error"),
        ),
        (
            400,
            json!({"object": "error", "message": "This model's maximum context length is 8192 tokens.", "type": "BadRequestError", "code": 400}),
        ),
    ] {
        assert!(matches!(fault(status, body), Fault::TooLarge(_)));
    }
}

#[test]
fn what_a_server_does_not_understand_is_asked_for_otherwise_step_by_step() {
    let adapted = |dialect: Dialect, body: &Value| {
        let body = body.to_string();
        let reply = Reply {
            status: 400,
            retry_after: None,
            body: body.as_bytes(),
        };
        match read(dialect, &reply).verdict {
            Err(Fault::Adapt(other)) => Some(other),
            Err(Fault::Refused(_)) => None,
            other => panic!("{other:?}"),
        }
    };
    let begin = Dialect::default();
    let param = |param: &str| json!({"error": {"message": "words", "param": param, "code": "unsupported_parameter"}});
    let plainer = adapted(
        begin,
        &json!({"error": "Model does not support images. or schemas"}),
    )
    .unwrap();
    assert_eq!(plainer.format, AnswerFormat::JsonObject);
    let plainest = adapted(plainer, &json!({})).unwrap();
    assert_eq!(plainest.format, AnswerFormat::Prompt);
    assert_eq!(adapted(plainest, &json!({})), None);
    let renamed = adapted(begin, &param("max_tokens")).unwrap();
    assert!(renamed.says_completion_tokens && renamed.format == AnswerFormat::Schema);
    let unheated = adapted(renamed, &param("temperature")).unwrap();
    assert!(!unheated.takes_temperature && unheated.format == AnswerFormat::Schema);
    let schema = adapted(unheated, &param("max_tokens")).unwrap();
    assert_eq!(
        schema.format,
        AnswerFormat::JsonObject,
        "said before: it is something else"
    );
}

fn sent(key: Option<&Secret>, dialect: Dialect) -> (Outgoing, Value) {
    let openai = OpenAi::new("http://127.0.0.1:11434/v1".parse().unwrap(), key);
    let outgoing = openai.request(&Ask {
        model: "qwen3-vl:8b",
        system: "Be.",
        task: "Look.",
        pictures: &[Bytes::from_static(b"one")],
        resolution: Resolution::Low,
        max_output_tokens: 1024,
        dialect,
    });
    let body = serde_json::from_slice(&outgoing.body).unwrap();
    (outgoing, body)
}

#[test]
fn a_request_has_the_key_in_its_header_and_the_pictures_as_data() {
    let (outgoing, body) = sent(Some(&Secret::new("sk-42")), Dialect::default());
    assert_eq!(outgoing.url, "http://127.0.0.1:11434/v1/chat/completions");
    assert_eq!(outgoing.headers[AUTHORIZATION], "Bearer sk-42");
    assert!(!format!("{:?}", outgoing.headers).contains("sk-42"));
    assert_eq!(body["model"], "qwen3-vl:8b");
    assert_eq!(
        body["messages"][0],
        json!({"role": "system", "content": "Be."})
    );
    let picture = json!({"url": "data:image/jpeg;base64,b25l", "detail": "low"});
    assert_eq!(
        body["messages"][1]["content"],
        json!([{"type": "text", "text": "Look."}, {"type": "image_url", "image_url": picture}])
    );
    let format = &body["response_format"];
    assert_eq!(
        (&format["type"], &format["json_schema"]["strict"]),
        (&json!("json_schema"), &json!(true))
    );
    assert_eq!(
        (&body["max_tokens"], &body["temperature"], &body["stream"]),
        (&json!(1024), &json!(0), &json!(false))
    );
    assert_eq!(
        sent(None, Dialect::default()).0.headers[AUTHORIZATION],
        "Bearer none"
    );
}

#[test]
fn a_request_is_made_as_the_server_understands_it() {
    let (_, body) = sent(
        None,
        Dialect {
            format: AnswerFormat::JsonObject,
            says_completion_tokens: true,
            takes_temperature: false,
        },
    );
    assert_eq!(body["response_format"], json!({"type": "json_object"}));
    assert_eq!(
        (&body["max_tokens"], &body["max_completion_tokens"]),
        (&Value::Null, &json!(1024))
    );
    assert_eq!(body.get("temperature"), None);
    let plain = Dialect {
        format: AnswerFormat::Prompt,
        ..Dialect::default()
    };
    assert_eq!(sent(None, plain).1.get("response_format"), None);
}
