use super::*;
use crate::model::{Answer, Call, ModelVerdict, Provider, StandInOptions};

#[test]
fn a_request_is_answered_and_kept_with_all_that_it_shows() {
    let model = ModelStandIn::start().unwrap();
    model.always(Answer::verdict(&ModelVerdict::incident("vol")));
    let sent = gemini_request();
    let answer = ask_gemini(&model, SCREEN, &sent);
    assert_eq!(answer.status, 200);
    let answer = answer.json();
    let verdict: Value = serde_json::from_str(&gemini_text(&answer)).unwrap();
    assert_eq!(verdict["incident_detected"], true);
    assert_eq!(verdict["incident_type"], "vol");
    assert_eq!(answer["candidates"][0]["finishReason"], "STOP");
    assert_eq!(answer["candidates"][0]["content"]["role"], "model");
    assert_eq!(answer["modelVersion"], SCREEN);

    let [kept] = &*model.requests() else {
        panic!("one request was sent: {:?}", model.requests());
    };
    assert_eq!(
        (kept.provider, kept.call),
        (Provider::Gemini, Call::Generate)
    );
    assert_eq!(
        kept.path,
        format!("/v1beta/models/{SCREEN}:generateContent")
    );
    assert_eq!(kept.model, SCREEN);
    assert_eq!(kept.header("X-Goog-Api-Key"), Some(model.api_key()));
    assert_eq!(kept.body, sent.to_string().as_bytes());
    assert_eq!(kept.json, sent);
    assert_eq!(kept.system_text, "You watch a security camera.");
    assert!(kept.user_text.starts_with("Camera: Till 2."));
    assert_eq!(kept.image_count(), 2);
    assert_eq!(kept.mime_types(), ["image/jpeg", "image/jpeg"]);
    assert_eq!(kept.media[0].bytes, still_frame());
    assert_eq!(kept.refused, None);
    assert!(!kept.key_in_query);
}

#[test]
fn without_a_script_nothing_is_an_incident() {
    let model = ModelStandIn::start().unwrap();
    let answer = ask_gemini(&model, SCREEN, &gemini_request()).json();
    let verdict: Value = serde_json::from_str(&gemini_text(&answer)).unwrap();
    assert_eq!(verdict["incident_detected"], false);
}

#[test]
fn tokens_are_counted_from_the_pictures_and_the_texts() {
    let model = ModelStandIn::start().unwrap();
    model.always(Answer::text("12345678").thinking("1234"));
    let usage = ask_gemini(&model, SCREEN, &gemini_request()).json()["usageMetadata"].clone();
    // Texts of 28 and 50 characters, two pictures.
    let text = 7 + 13;
    assert_eq!(usage["promptTokenCount"], text + 2 * 280);
    assert_eq!(usage["candidatesTokenCount"], 2);
    assert_eq!(usage["thoughtsTokenCount"], 1);
    assert_eq!(usage["totalTokenCount"], text + 2 * 280 + 2 + 1);
    let details =
        json!([{"modality": "TEXT", "tokenCount": text}, {"modality": "IMAGE", "tokenCount": 560}]);
    assert_eq!(usage["promptTokensDetails"], details);

    let mut old = gemini_request();
    old["generationConfig"]["thinkingConfig"] = json!({"thinkingBudget": 0});
    let usage = ask_gemini(&model, "gemini-2.5-flash-lite", &old).json()["usageMetadata"].clone();
    // 640x360 in tiles of 256, and one that needs none.
    assert_eq!(usage["promptTokenCount"], text + 258 * (3 * 2 + 1));
}

#[test]
fn a_movie_is_counted_by_its_length_and_rate() {
    let model = ModelStandIn::start().unwrap();
    let usage = ask_gemini(&model, SCREEN, &movie_request()).json()["usageMetadata"].clone();
    let tokens: Vec<_> = usage["promptTokensDetails"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            (
                entry["modality"].as_str().unwrap(),
                entry["tokenCount"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(tokens[1..], [("VIDEO", 8 * 2 * 90), ("AUDIO", 8 * 32)]);
    let kept = &model.requests()[0];
    assert_eq!(kept.videos().count(), 1);
    assert_eq!(kept.image_count(), 0);
    assert_eq!(kept.media[0].frames_per_second, Some(2.0));
}

#[test]
fn snake_case_is_understood() {
    let model = ModelStandIn::start().unwrap();
    let body = json!({
        "system_instruction": {"parts": [{"text": "Watch."}]},
        "contents": [{"parts": [
            {"text": "Look."},
            {"inline_data": {"mime_type": "image/jpeg", "data": base64(&still_frame())}},
        ]}],
        "generation_config": {"media_resolution": "MEDIA_RESOLUTION_MEDIUM"},
    });
    let answer = ask_gemini(&model, SCREEN, &body);
    assert_eq!(answer.status, 200, "{}", answer.json());
    assert_eq!(
        answer.json()["usageMetadata"]["promptTokenCount"],
        2 + 2 + 560
    );
    assert_eq!(model.requests()[0].system_text, "Watch.");
}

#[test]
fn an_answer_takes_the_forms_that_models_give_it() {
    let model = ModelStandIn::start().unwrap();
    let verdict = Answer::verdict(&ModelVerdict::clear());
    let plain = ModelVerdict::clear().to_json();
    let candidate = |answer: Answer| {
        model.script(SCREEN, [answer]);
        ask_gemini(&model, SCREEN, &gemini_request()).json()
    };
    let fenced = candidate(
        verdict
            .clone()
            .fenced()
            .with_prose("Here it is:", "That is all."),
    );
    let expected = format!("Here it is:\n```json\n{plain}\n```\nThat is all.");
    assert_eq!(gemini_text(&fenced), expected);

    let tagged = candidate(verdict.clone().with_think_tags("Hm."));
    assert_eq!(
        gemini_text(&tagged),
        format!("<think>\nHm.\n</think>\n\n{plain}")
    );

    let thought = candidate(verdict.clone().thinking("A bottle.").split(3));
    let parts = &thought["candidates"][0]["content"]["parts"];
    assert_eq!(parts.as_array().unwrap().len(), 1 + 3);
    assert_eq!(parts[0], json!({"text": "A bottle.", "thought": true}));
    assert!(parts[3]["thoughtSignature"].is_string());
    assert_eq!(gemini_text(&thought), plain);

    assert_eq!(
        gemini_text(&candidate(verdict.clone().in_reasoning_content())),
        ""
    );

    let cut = candidate(Answer::without_text().truncated());
    assert_eq!(cut["candidates"][0]["finishReason"], "MAX_TOKENS");
    assert_eq!(cut["candidates"][0]["content"], json!({"role": "model"}));

    let blocked = candidate(verdict.clone().blocked());
    assert_eq!(blocked["candidates"][0]["finishReason"], "SAFETY");
    assert_eq!(gemini_text(&blocked), plain);

    let new = candidate(verdict.clone().finish("BORED").by_model("gemini-9"));
    assert_eq!(new["candidates"][0]["finishReason"], "BORED");
    assert_eq!(new["modelVersion"], "gemini-9");
    let unfinished = candidate(verdict.clone().unfinished());
    assert_eq!(unfinished["candidates"][0].get("finishReason"), None);

    let prompt = candidate(Answer::blocked_prompt("BLOCKLIST"));
    assert_eq!(prompt["promptFeedback"]["blockReason"], "BLOCKLIST");
    assert_eq!(prompt.get("candidates"), None);
    assert_eq!(prompt["usageMetadata"]["candidatesTokenCount"], 0);

    let refused = candidate(Answer::refusal("I will not."));
    assert_eq!(refused["candidates"][0]["finishMessage"], "I will not.");
    assert_eq!(refused["candidates"][0].get("content"), None);

    assert_eq!(
        candidate(verdict.clone().without_usage()).get("usageMetadata"),
        None
    );
    let partly = candidate(verdict.clone().without_counter("tokenCount"));
    let usage = &partly["usageMetadata"];
    assert_eq!(usage["promptTokensDetails"][0], json!({"modality": "TEXT"}));
    assert!(usage["promptTokenCount"].is_number());
    let given = candidate(verdict.with_usage(json!({"promptTokenCount": "many"})));
    assert_eq!(given["usageMetadata"], json!({"promptTokenCount": "many"}));
}

#[test]
fn the_models_are_listed_in_pages() {
    let model = ModelStandIn::start().unwrap();
    let list = |query: &str| {
        let url = format!("{}/v1beta/models{query}", model.base_url());
        let key = [("x-goog-api-key", model.api_key())];
        ask(&agent(), &url, &key, None).unwrap().json()
    };
    let all = list("");
    let names: Vec<_> = all["models"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["name"].clone())
        .collect();
    assert!(
        names.contains(&json!(format!("models/{SCREEN}"))),
        "{names:?}"
    );
    assert_eq!(all.get("nextPageToken"), None);

    let first = list("?pageSize=4");
    let token = first["nextPageToken"].as_str().unwrap();
    let second = list(&format!("?pageSize=4&pageToken={token}"));
    let paged = [&first, &second].map(|page| page["models"].as_array().unwrap().clone());
    assert_eq!(paged.concat(), *all["models"].as_array().unwrap());
    assert_eq!(second.get("nextPageToken"), None);
    assert_eq!(model.other_requests().len(), 3);
    assert!(model.requests().is_empty());
}

/// Sends a request that has been changed, and returns what the stand-in has against it.
#[track_caller]
fn refusal(change: impl FnOnce(&mut Value)) -> String {
    let model = ModelStandIn::start().unwrap();
    model.script(SCREEN, [Answer::text("kept for a good request")]);
    let mut body = gemini_request();
    change(&mut body);
    let answer = ask_gemini(&model, SCREEN, &body);
    assert_eq!(answer.status, 400, "{}", answer.json());
    let error = answer.json()["error"].clone();
    assert_eq!(
        (&error["code"], &error["status"]),
        (&json!(400), &json!("INVALID_ARGUMENT"))
    );
    assert_eq!(model.requests()[0].refused, Some(400));
    let good = ask_gemini(&model, SCREEN, &gemini_request()).json();
    assert_eq!(gemini_text(&good), "kept for a good request");
    error["message"].as_str().unwrap().to_owned()
}

#[test]
fn what_gemini_refuses_is_refused_and_uses_up_no_answer() {
    let config = |name: &'static str, value: Value| {
        refusal(move |body| body["generationConfig"][name] = value)
    };
    let thinking = |value: Value| config("thinkingConfig", value);
    let both = thinking(json!({"thinkingLevel": "low", "thinkingBudget": 0}));
    assert!(both.contains("only set one"), "{both}");
    assert!(thinking(json!({"thinkingLevel": "deep"})).contains("deep"));
    assert!(config("candidateCount", json!(2)).contains("Multiple candidates"));
    assert!(config("responseJsonSchema", json!({"type": "object"})).contains("Only one of"));
    assert!(config("responseMimeType", json!("text/plain")).contains("application/json"));
    assert!(config("mediaResolution", json!("LOW")).contains("media_resolution"));
    assert!(config("maxTokens", json!(5)).contains("\"maxTokens\""));
    let schema = json!({"type": "OBJECT", "additionalProperties": false});
    assert!(config("responseSchema", schema).contains("additionalProperties"));
    let schema = json!({"type": "OBJECT", "properties": {}, "required": ["x"]});
    assert!(config("responseSchema", schema).contains("not defined: x"));

    let image = |name: &'static str, value: Value| {
        refusal(move |body| body["contents"][0]["parts"][1]["inlineData"][name] = value)
    };
    assert!(image("data", json!("%%%")).contains("Base64"));
    assert!(image("data", json!(base64(b"GIF89a"))).contains("no JPEG"));
    assert!(image("mimeType", json!("video/mp4")).contains("no MP4"));
    assert!(image("mimeType", json!("image/gif")).contains("image/gif"));
    let rate = refusal(|body| {
        *body = movie_request();
        body["contents"][0]["parts"][1]["videoMetadata"]["fps"] = json!(25);
    });
    assert!(rate.contains("fps"), "{rate}");

    assert!(refusal(|body| body["contents"] = json!([])).contains("contents"));
    assert!(
        refusal(|body| body["safetySettings"][0]["threshold"] = json!("NEVER"))
            .contains("threshold")
    );
    assert!(refusal(|body| *body = json!("no object")).contains("Invalid JSON"));
}

#[test]
fn a_level_of_thinking_is_refused_by_models_without_it() {
    let model = ModelStandIn::start().unwrap();
    assert_eq!(
        ask_gemini(&model, "gemini-2.5-flash-lite", &gemini_request()).status,
        400
    );
    let mut minimal = gemini_request();
    minimal["generationConfig"]["thinkingConfig"] = json!({"thinkingLevel": "minimal"});
    assert_eq!(ask_gemini(&model, SCREEN, &minimal).status, 200);
    assert_eq!(ask_gemini(&model, CONFIRM, &minimal).status, 400);
}

#[test]
fn keys_names_and_sizes_are_refused_in_the_right_shape() {
    let model = ModelStandIn::start_with(StandInOptions {
        body_limit: 2_000_000,
        ..StandInOptions::default()
    })
    .unwrap();
    let url = format!(
        "{}/v1beta/models/{SCREEN}:generateContent",
        model.base_url()
    );
    let body = gemini_request().to_string();
    for headers in [
        &[][..],
        &[("x-goog-api-key", "wrong")],
        &[("Authorization", "Bearer x")],
    ] {
        let answer = ask(&agent(), &url, headers, Some(body.as_bytes())).unwrap();
        let error = answer.json()["error"].clone();
        assert_eq!(answer.status, 400);
        assert_eq!(error["status"], "INVALID_ARGUMENT");
        assert_eq!(error["details"][0]["reason"], "API_KEY_INVALID");
    }
    let key = [("x-goog-api-key", model.api_key())];
    let with_key = format!("{url}?key={}", model.api_key());
    let answer = ask(&agent(), &with_key, &key, Some(body.as_bytes())).unwrap();
    assert_eq!(answer.status, 400);
    assert!(model.requests().last().unwrap().key_in_query);

    let unknown = ask_gemini(&model, "gemini-1-ultra", &gemini_request());
    assert_eq!(
        (unknown.status, &unknown.json()["error"]["status"]),
        (404, &json!("NOT_FOUND"))
    );

    let large = vec![b' '; 2_000_001];
    let answer = ask(&agent(), &url, &key, Some(&large)).unwrap();
    assert_eq!(
        (answer.status, &answer.json()["error"]["code"]),
        (413, &json!(413))
    );
    let kept = model.requests().last().unwrap().clone();
    assert_eq!((kept.body.len(), kept.body_length), (0, 2_000_001));

    let statuses: Vec<_> = model.requests().iter().map(|kept| kept.refused).collect();
    assert_eq!(statuses, [400, 400, 400, 400, 404, 413].map(Some));

    let nowhere = format!("{}/v1/completions", model.base_url());
    assert_eq!(
        ask(&agent(), &nowhere, &key, Some(b"{}")).unwrap().status,
        404
    );
    assert_eq!(model.other_requests()[0].call, Call::Unknown);
}
