//! Providers that fail: what the caller hears, what is asked again, and what is not.

use vigint_db::usage::UsageQuery;
use vigint_testkit::model::ModelError;

use super::*;

#[test]
fn no_readable_verdict_is_an_error_and_never_clear() {
    let scene = Scene::gemini("");
    let customer = scene.customer("Acme");
    let unreadable = [
        Answer::empty_object(),
        Answer::empty_body(),
        Answer::html(200),
        Answer::without_text(),
        Answer::text("Nothing to see here."),
        Answer::text(
            ModelVerdict::clear()
                .to_json()
                .replace("false", "\"false\""),
        ),
        Answer::text(ModelVerdict::clear().to_json().replace("LOW", "NONE")),
        Answer::verdict(&ModelVerdict::clear()).truncated(),
        Answer::verdict(&ModelVerdict::clear()).finish("MALFORMED_FUNCTION_CALL"),
        Answer::flood(3 << 20),
    ];
    for (number, answer) in unreadable.into_iter().enumerate() {
        let before = scene.model.request_count();
        scene.screens(answer.clone());
        scene.screens(answer);
        let answered = analyze(&customer);
        assert_eq!(answered.status, 502, "{number}: {}", answered.text());
        assert_eq!(answered.json()["code"], "analyzer_failed");
        assert_eq!(
            scene.model.request_count() - before,
            2,
            "{number}: one more try"
        );
    }
    let blocked = [
        Answer::verdict(&ModelVerdict::clear()).blocked(),
        Answer::verdict(&ModelVerdict::clear()).finish("SOMETHING_NEW"),
        Answer::blocked_prompt("PROHIBITED_CONTENT"),
    ];
    for answer in blocked {
        let before = scene.model.request_count();
        scene.screens(answer);
        assert_eq!(analyze(&customer).status, 502);
        assert_eq!(
            scene.model.request_count() - before,
            1,
            "not repeated unchanged"
        );
    }
    assert_eq!(
        customer.get("/api/incidents").json()["incidents"],
        json!([])
    );
}

#[test]
fn a_second_try_with_more_room_may_have_the_verdict() {
    let scene = Scene::gemini("");
    let customer = scene.customer("Acme");
    scene.screens(Answer::without_text().truncated());
    scene.screens(clear());
    assert_eq!(judged(&customer)["verdict"], "clear");
    let bounds: Vec<_> = scene
        .model
        .requests()
        .iter()
        .map(|request| request.json["generationConfig"]["maxOutputTokens"].clone())
        .collect();
    assert_eq!(bounds, [json!(1_024), json!(4_096)]);
}

#[test]
fn trouble_that_passes_is_waited_out_within_the_time_of_the_look() {
    let scene = Scene::gemini("");
    let customer = scene.customer("Acme");
    for trouble in [
        Answer::from(ModelError::overloaded()),
        ModelError::internal().into(),
        ModelError::retry_after("0").into(),
        Answer::dropped(),
        clear().cut_half_way(),
        Answer::html(502),
    ] {
        scene.screens(trouble);
        scene.screens(clear());
        assert_eq!(judged(&customer)["verdict"], "clear");
    }
    assert_eq!(scene.model.answers_left(), 0);
}

#[test]
fn the_provider_s_own_delay_becomes_ours() {
    for (error, seconds) in [
        (ModelError::rate_limited_for("21s"), "21"),
        (ModelError::rate_limited_for("34.4s"), "35"),
        (ModelError::retry_after("40"), "40"),
    ] {
        let scene = Scene::gemini("");
        let customer = scene.customer("Acme");
        scene.screens(error);
        let answer = analyze(&customer);
        assert_eq!(
            (answer.status, answer.header("retry-after")),
            (503, seconds)
        );
        assert_eq!(answer.json()["code"], "analyzer_unavailable");
        assert_eq!(scene.model.request_count(), 1);
    }
}

#[test]
fn a_model_that_hangs_costs_the_time_of_one_look_and_not_more() {
    let scene = Scene::gemini("timeout_seconds = 4\n");
    let customer = scene.customer("Acme");
    scene.screens(Answer::hang());
    let answer = analyze(&customer);
    assert_eq!(answer.status, 502, "{}", answer.text());
    assert_eq!(scene.health()["checks"]["analyzer"], "failing");
    // It was sent and may have been worked on: what it cost is unknown, and not nothing.
    assert_eq!(uses(&scene, &customer), [(502, None, None)]);
}

#[test]
fn a_provider_that_is_not_there_is_unavailable() {
    let mut scene = Scene::gemini("timeout_seconds = 4\n");
    let customer = scene.customer("Acme");
    // Its port is free from now on.
    let idle = ModelStandIn::start().unwrap();
    drop(std::mem::replace(&mut scene.model, idle));
    let answer = analyze(&customer);
    assert_eq!(
        (answer.status, &answer.json()["code"]),
        (503, &json!("analyzer_unavailable"))
    );
    assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
}

#[test]
fn a_refused_key_is_probed_after_five_seconds_and_longer_each_time() {
    let scene = Scene::gemini("");
    let customer = scene.customer("Acme");
    scene.screens(ModelError::invalid_key());
    let asked_for = |retry_after: &str| {
        scene.push(&customer, "till", &pictures(5));
        let answer = analyze(&customer);
        assert_eq!(
            (answer.status, answer.header("retry-after")),
            (503, retry_after)
        );
        scene.model.request_count()
    };
    assert_eq!(asked_for("5"), 1);
    assert_eq!(asked_for("5"), 1, "nobody is asked");
    assert_eq!(scene.health()["checks"]["analyzer"], "failing");
    scene.clock.advance(Duration::from_secs(5));
    scene.screens(ModelError::service_disabled());
    assert_eq!(asked_for("10"), 2, "one probe");
    assert_eq!(asked_for("10"), 2);
    scene.clock.advance(Duration::from_secs(10));
    scene.screens(clear());
    scene.push(&customer, "till", &pictures(5));
    assert_eq!(judged(&customer)["verdict"], "clear");
    assert_eq!(scene.health()["checks"]["analyzer"], "gemini");
    assert_eq!(scene.health()["status"], "healthy");
}

#[test]
fn a_quota_of_the_day_shuts_the_provider_out_too() {
    for error in [
        ModelError::daily_quota(),
        ModelError::limit_zero(),
        ModelError::credit_used_up(),
        ModelError::model_not_found("gemini-3.5-flash-lite"),
    ] {
        let scene = Scene::gemini("");
        let customer = scene.customer("Acme");
        scene.screens(error);
        assert_eq!(analyze(&customer).status, 503);
        assert_eq!(analyze(&customer).status, 503);
        assert_eq!(scene.model.request_count(), 1);
    }
}

/// Status, tokens in and the provider's cost in micro-euros of all analyses of a client, oldest first.
fn uses(scene: &Scene, customer: &Customer) -> Vec<(i32, Option<i64>, Option<i64>)> {
    let query = UsageQuery {
        limit: 1_000,
        ..UsageQuery::default()
    };
    let list = |conn: &mut _| vigint_db::usage::list(conn, &customer.tenant, &query);
    let mut page = scene.server.db().read(list).unwrap();
    page.rows
        .retain(|entry| entry.endpoint == "/api/video/analyze");
    let uses = page.rows.into_iter().rev().map(|entry| {
        let cost = entry.provider_cost.map(|cost| cost.0);
        (entry.status_code, entry.prompt_tokens, cost)
    });
    uses.collect()
}

#[test]
fn what_a_failed_analysis_cost_is_written_down_and_not_charged_to_the_customer() {
    let scene = Scene::gemini("");
    let customer = scene.customer("Acme");
    scene.screens(
        Answer::text("no")
            .with_usage(json!({"promptTokenCount": 1_000, "candidatesTokenCount": 100})),
    );
    scene.screens(
        Answer::text("no")
            .with_usage(json!({"promptTokenCount": 2_000, "candidatesTokenCount": 200})),
    );
    assert_eq!(analyze(&customer).status, 502);
    // 3,000 at 0.30 and 300 at 2.50 a million.
    assert_eq!(
        uses(&scene, &customer),
        [(502, Some(3_000), Some(900 + 750))]
    );
    let usage = customer.get("/api/usage").json();
    let row = &usage["usage"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["endpoint"] == "/api/video/analyze");
    assert_eq!(row.expect("it is there")["cost"], 0.0);
    assert_eq!(row.expect("it is there")["requests"], 1);
}

#[test]
fn unknown_counts_and_unknown_models_are_unknown_and_not_free() {
    let scene = Scene::gemini("");
    let customer = scene.customer("Acme");
    scene.screens(clear().without_usage());
    judged(&customer);
    scene.screens(
        clear()
            .by_model("gemini-9-new")
            .with_usage(json!({"promptTokenCount": 7, "candidatesTokenCount": 1})),
    );
    judged(&customer);
    // The price is that of the model that answered.
    scene.screens(
        clear()
            .by_model("gemini-3.8-flash")
            .with_usage(json!({"promptTokenCount": 1_000_000, "candidatesTokenCount": 0})),
    );
    judged(&customer);
    assert_eq!(
        uses(&scene, &customer),
        [
            (200, None, None),
            (200, Some(7), None),
            (200, Some(1_000_000), Some(1_500_000))
        ]
    );
}

#[test]
fn who_answered_in_the_screen_s_place_is_named() {
    let scene = Scene::gemini("");
    let customer = scene.customer("Acme");
    for _ in 0..2 {
        scene.screens(ModelError::retry_after("0"));
    }
    scene.confirms(clear());
    let body = judged(&customer);
    assert_eq!(
        body["stages"][0]["analyzer"],
        format!("gemini:{}", GEMINI[1])
    );
    assert_eq!(body["stages"].as_array().unwrap().len(), 1);
}

#[test]
fn what_a_model_cost_is_written_down_as_soon_as_the_database_takes_it() {
    let scene = Scene::gemini("");
    let customer = scene.customer("Acme");
    scene.server.sql(
        "CREATE TRIGGER no_usage BEFORE INSERT ON api_usage BEGIN SELECT RAISE(ABORT, 'no'); END",
    );
    let counted = |answer: Answer| {
        answer.with_usage(json!({"promptTokenCount": 1_000_000, "candidatesTokenCount": 0}))
    };
    scene.screens(counted(clear()));
    assert_eq!(analyze(&customer).status, 500);
    scene.screens(counted(clear()).blocked());
    assert_eq!(analyze(&customer).status, 502);
    assert_eq!(uses(&scene, &customer), []);
    scene.server.sql("DROP TRIGGER no_usage");
    let costs = wait_for(|| {
        let uses = uses(&scene, &customer);
        let costs: Vec<_> = uses.into_iter().filter(|row| row.2.is_some()).collect();
        (costs.len() == 2).then_some(costs)
    });
    let cost = Some(300_000);
    assert_eq!(
        costs,
        [(200, Some(1_000_000), cost), (502, Some(1_000_000), cost)]
    );
}
