use super::*;
use crate::model::{Answer, ErrorShape, ModelVerdict, OpenAiTraits, Provider, StandInOptions};

fn server(openai: OpenAiTraits) -> ModelStandIn {
    let options = StandInOptions {
        openai,
        ..StandInOptions::default()
    };
    ModelStandIn::start_with(options).unwrap()
}

#[test]
fn a_request_is_answered_and_kept_with_all_that_it_shows() {
    let model = ModelStandIn::start().unwrap();
    model.always(Answer::verdict(&ModelVerdict::incident("vol")).thinking("Hm, a bottle"));
    let sent = openai_request();
    let answer = ask_openai(&model, &sent);
    assert_eq!(answer.status, 200);
    let answer = answer.json();
    assert_eq!(answer["object"], "chat.completion");
    assert_eq!(answer["model"], LOCAL);
    let choice = &answer["choices"][0];
    assert_eq!(choice["finish_reason"], "stop");
    assert_eq!(choice["message"]["role"], "assistant");
    assert_eq!(choice["message"]["reasoning"], "Hm, a bottle");
    assert_eq!(choice["message"]["refusal"], Value::Null);
    let text = ModelVerdict::incident("vol").to_json();
    assert_eq!(choice["message"]["content"], text);

    // Texts of 28 and 24 characters, one picture of low detail.
    let prompt = 7 + 6 + 85;
    let completion = text.len().div_ceil(4) + 3;
    assert_eq!(answer["usage"]["prompt_tokens"], prompt);
    assert_eq!(answer["usage"]["completion_tokens"], completion);
    assert_eq!(answer["usage"]["total_tokens"], prompt + completion);

    let kept = &model.requests()[0];
    assert_eq!(
        (kept.provider, kept.model.as_str()),
        (Provider::OpenAi, LOCAL)
    );
    assert_eq!(kept.key(), Some(model.api_key()));
    assert_eq!(kept.json, sent);
    assert_eq!(kept.system_text, "You watch a security camera.");
    assert_eq!(kept.user_text, "Camera: Till 2. 1 frame.");
    assert_eq!(kept.media[0].bytes, still_frame());
    assert_eq!(kept.media[0].detail.as_deref(), Some("low"));
}

#[test]
fn an_answer_takes_the_forms_that_servers_give_it() {
    let model = ModelStandIn::start().unwrap();
    let verdict = Answer::verdict(&ModelVerdict::clear());
    let plain = ModelVerdict::clear().to_json();
    let choice = |answer: Answer| {
        model.script(LOCAL, [answer]);
        ask_openai(&model, &openai_request()).json()["choices"][0].clone()
    };
    let misplaced = choice(verdict.clone().in_reasoning_content());
    assert_eq!(misplaced["message"]["content"], "");
    assert_eq!(misplaced["message"]["reasoning_content"], plain);

    let cut = choice(Answer::without_text().truncated());
    assert_eq!(
        (&cut["finish_reason"], &cut["message"]["content"]),
        (&json!("length"), &Value::Null)
    );
    assert_eq!(
        choice(verdict.clone().blocked())["finish_reason"],
        "content_filter"
    );
    assert_eq!(choice(verdict.clone().finish(""))["finish_reason"], "");
    assert_eq!(
        choice(verdict.clone().unfinished())["finish_reason"],
        Value::Null
    );

    let filtered = choice(Answer::blocked_prompt("SAFETY"));
    assert_eq!(filtered["finish_reason"], "content_filter");
    assert_eq!(filtered["message"]["content"], Value::Null);
    assert_eq!(choice(Answer::refusal("No."))["message"]["refusal"], "No.");

    model.script(LOCAL, [verdict.without_usage()]);
    assert_eq!(
        ask_openai(&model, &openai_request()).json().get("usage"),
        None
    );
}

#[test]
fn a_server_refuses_what_it_cannot_do() {
    let all = OpenAiTraits::default();
    let status = |openai: OpenAiTraits, format: &str| {
        let mut body = openai_request();
        if format != "json_schema" {
            body["response_format"] = json!({"type": format});
        }
        ask_openai(&server(openai), &body).status
    };
    let no_schema = OpenAiTraits {
        json_schema: false,
        ..all
    };
    let lm_studio = OpenAiTraits {
        json_object: false,
        ..all
    };
    assert_eq!(
        ["json_schema", "json_object", "text"].map(|f| status(all, f)),
        [200; 3]
    );
    assert_eq!(
        ["json_schema", "json_object"].map(|f| status(no_schema, f)),
        [400, 200]
    );
    assert_eq!(
        ["json_schema", "json_object"].map(|f| status(lm_studio, f)),
        [200, 400]
    );

    let newer = server(OpenAiTraits {
        wants_max_completion_tokens: true,
        ..all
    });
    let refused = ask_openai(&newer, &openai_request());
    assert_eq!(refused.status, 400);
    assert_eq!(refused.json()["error"]["param"], "max_tokens");
    let mut body = openai_request();
    let limit = body.as_object_mut().unwrap().remove("max_tokens").unwrap();
    body["max_completion_tokens"] = limit;
    assert_eq!(ask_openai(&newer, &body).status, 200);

    let blind = server(OpenAiTraits {
        vision: false,
        ..all
    });
    let refused = ask_openai(&blind, &openai_request());
    assert_eq!(refused.status, 400);
    let said = refused.json()["error"].as_str().unwrap().to_owned();
    assert!(
        said.starts_with("Model does not support images. "),
        "{said}"
    );
}

#[test]
fn a_broken_request_is_refused_and_uses_up_no_answer() {
    let model = ModelStandIn::start().unwrap();
    model.script(LOCAL, [Answer::text("kept for a good request")]);
    let refused = |change: &dyn Fn(&mut Value), status: u16, word: &str| {
        let mut body = openai_request();
        change(&mut body);
        let answer = ask_openai(&model, &body);
        let message = answer.json()["error"]["message"]
            .as_str()
            .unwrap()
            .to_owned();
        assert_eq!(answer.status, status, "{message}");
        assert!(message.contains(word), "{message}");
    };
    refused(
        &|body| body["model"] = json!("llava"),
        404,
        "'llava' not found",
    );
    refused(&|body| body["messages"] = json!([]), 400, "messages");
    refused(&|body| body["stream"] = json!(true), 400, "stream");
    let url = |url: &'static str| {
        move |body: &mut Value| body["messages"][1]["content"][1]["image_url"]["url"] = json!(url)
    };
    refused(&url("https://example.com/a.jpg"), 400, "Base64");
    refused(&url("data:image/jpeg;base64,R0lGODlh"), 400, "no JPEG");
    let schema = |body: &mut Value| {
        body["response_format"]["json_schema"]["schema"]["required"] = json!(["description"]);
    };
    refused(&schema, 400, "'required'");

    let answer = ask_openai(&model, &openai_request()).json();
    assert_eq!(
        answer["choices"][0]["message"]["content"],
        "kept for a good request"
    );
}

#[test]
fn a_key_is_asked_for_unless_the_server_is_local() {
    let hosted = server(OpenAiTraits {
        error_shape: ErrorShape::Flat,
        ..OpenAiTraits::default()
    });
    let local = server(OpenAiTraits {
        needs_key: false,
        ..OpenAiTraits::default()
    });
    let body = openai_request().to_string();
    let send = |model: &ModelStandIn, headers: &[(&str, &str)]| {
        let url = format!("{}/chat/completions", model.openai_base_url());
        ask(&agent(), &url, headers, Some(body.as_bytes())).unwrap()
    };
    for headers in [&[][..], &[("Authorization", "Bearer wrong")]] {
        let refused = send(&hosted, headers);
        assert_eq!(refused.status, 401);
        assert_eq!(
            (&refused.json()["object"], &refused.json()["code"]),
            (&json!("error"), &json!(401))
        );
        assert_eq!(send(&local, headers).status, 200);
    }
}

#[test]
fn the_models_are_listed() {
    let model = ModelStandIn::start().unwrap();
    let url = format!("{}/models", model.openai_base_url());
    let key = format!("Bearer {}", model.api_key());
    let list = ask(&agent(), &url, &[("Authorization", &key)], None)
        .unwrap()
        .json();
    assert_eq!(
        (&list["object"], &list["data"][0]["id"]),
        (&json!("list"), &json!(LOCAL))
    );
}
