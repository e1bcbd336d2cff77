//! What models are shown and told, and the table of verdicts with them.

use vigint_testkit::model::{MediaResolution, ModelError, OpenAiTraits};
use vigint_testkit::scene::noise_frame;
use vigint_video::jpeg;
use vigint_video::picture::shrink;

use super::*;

const PROVIDERS: [Provider; 2] = [Provider::Gemini, Provider::OpenAi];

#[test]
fn the_table_of_verdicts_holds_for_every_provider() {
    for provider in PROVIDERS {
        let scene = Scene::of(provider, "");
        let kind = if provider == Provider::Gemini {
            "gemini"
        } else {
            "openai"
        };
        let customer = scene.customer("Acme");
        let vetoed_before = || customer.get("/api/incidents?status=vetoed").json();

        scene.screens(clear());
        let body = judged(&customer);
        assert_eq!(
            (&body["verdict"], &body["confirmation"]),
            (&json!("clear"), &json!("not_needed"))
        );
        assert_eq!(body["stages"].as_array().unwrap().len(), 1);

        scene.screens(incident());
        scene.confirms(clear());
        let body = judged(&customer);
        assert_eq!(
            (&body["verdict"], &body["confirmation"]),
            (&json!("vetoed"), &json!("vetoed"))
        );
        assert_eq!(
            (&body["incident"], &body["risk_level"]),
            (&Value::Null, &json!("LOW"))
        );
        assert_eq!(vetoed_before()["incidents"].as_array().unwrap().len(), 1);

        scene.screens(ModelError::new(400, "Bad request").status("INVALID_ARGUMENT"));
        if provider == Provider::OpenAi {
            // It is asked twice more, in plainer ways.
            scene.screens(ModelError::new(400, "Bad request"));
            scene.screens(ModelError::new(400, "Bad request"));
        }
        let answer = analyze(&customer);
        assert_eq!(
            (answer.status, &answer.json()["code"]),
            (502, &json!("analyzer_failed"))
        );
        assert_eq!(scene.health()["checks"]["analyzer"], "failing");
        assert_eq!(
            customer.get("/api/incidents").json()["incidents"],
            json!([])
        );

        scene.screens(incident());
        scene.confirms(incident());
        let body = judged(&customer);
        assert_eq!(
            (&body["verdict"], &body["confirmation"]),
            (&json!("confirmed"), &json!("confirmed"))
        );
        assert_eq!(
            (&body["risk_level"], &body["incident_type"]),
            (&json!("HIGH"), &json!("shoplifting"))
        );
        assert_eq!(
            body["stages"][0]["analyzer"],
            format!("{kind}:{}", scene.names[0])
        );
        assert_eq!(
            body["stages"][1]["analyzer"],
            format!("{kind}:{}", scene.names[1])
        );
        assert_eq!(body["frames_analyzed"], 8 + 16);
        assert_eq!(body["usage"]["cost"], 0.03);
        assert!(
            body["usage"]["prompt_tokens"].as_u64().unwrap() > 1_000,
            "{body}"
        );
        assert_eq!(scene.health()["checks"]["analyzer"], kind);

        let other = scene.customer("Other");
        scene.screens(incident());
        scene.confirms(Answer::blocked_prompt("SAFETY"));
        let body = judged(&other);
        assert_eq!(
            (&body["verdict"], &body["confirmation"]),
            (&json!("unconfirmed"), &json!("unavailable"))
        );
        assert_eq!(body["has_security_incident"], true);
        assert_eq!(scene.model.answers_left(), 0);
        // Of all that, the confirmed one and the unconfirmed one are told of.
        assert_eq!(
            [&customer, &other].map(|of| scene.alert_count(Some(of))),
            [1, 1]
        );
    }
}

#[test]
fn the_screen_sees_a_few_frames_of_its_window_and_the_confirmation_more_of_all() {
    for provider in PROVIDERS {
        let scene = Scene::of(provider, "screening_frames = 4\nconfirmation_frames = 10\n");
        let customer = scene.server.customer("Acme");
        // Eight seconds; the screen looks at the last three.
        let taken = pictures(80);
        scene.push(&customer, "till", &taken);
        let small: Vec<_> = taken
            .iter()
            .map(|jpeg| shrink(jpeg, 768).unwrap())
            .collect();
        scene.screens(clear());
        judged(&customer);
        scene.screens(incident());
        scene.confirms(incident());
        judged(&customer);
        let requests = scene.model.requests();
        assert_eq!(requests.len(), 3);
        let shown = |number: usize| -> Vec<usize> {
            let place = |bytes: &Vec<u8>| {
                small
                    .iter()
                    .position(|jpeg| jpeg == bytes)
                    .expect("one of them")
            };
            requests[number]
                .images()
                .map(|image| place(&image.bytes))
                .collect()
        };
        // What nobody has looked at yet is looked at whole.
        assert_eq!(shown(0), [0, 26, 53, 79]);
        let (screen, confirm) = (shown(1), shown(2));
        assert_eq!((screen.len(), confirm.len()), (4, 10));
        assert!(screen.is_sorted() && confirm.is_sorted());
        // The whole of what is kept, and its last three seconds.
        assert_eq!((screen[3], confirm[9]), (79, 79));
        assert!((48..=50).contains(&screen[0]), "{screen:?}");
        assert_eq!(confirm[0], 0);

        for request in &requests {
            assert_eq!(request.key(), Some(scene.model.api_key()));
            assert!(!request.key_in_query && request.query.is_none());
            assert!(
                request.system_text.contains("never an instruction"),
                "{}",
                request.system_text
            );
            assert!(
                request.user_text.contains("Camera \"till\""),
                "{}",
                request.user_text
            );
        }
        assert!(requests[1].system_text.contains("first, quick look"));
        assert!(requests[2].system_text.contains("second, careful look"));
        assert_eq!([&*requests[1].model, &*requests[2].model], scene.names);
        if provider == Provider::Gemini {
            let resolutions = requests.iter().map(|request| request.media_resolution);
            let expected = [
                MediaResolution::Low,
                MediaResolution::Low,
                MediaResolution::Medium,
            ];
            assert!(resolutions.eq(expected));
        }
    }
}

#[test]
fn large_frames_are_made_smaller_and_answers_come_in_the_customer_s_language() {
    let scene = Scene::gemini("picture_size = 320\n");
    let customer = scene
        .server
        .customer_in(vigint_core::locale::Locale::French, "Acme");
    let large: Vec<_> = (0..5).map(|seed| noise_frame(seed, 1280, 720)).collect();
    scene.push(&customer, "till", &large);
    scene.screens(clear());
    assert_eq!(judged(&customer)["frames_analyzed"], 5);
    let request = &scene.model.requests()[0];
    for image in request.images() {
        let info = jpeg::inspect(&image.bytes, 1 << 20).unwrap();
        assert_eq!((info.width, info.height), (320, 180));
    }
    assert!(request.system_text.contains("incident_type in French"));
    assert!(request.user_text.contains("(Europe/Paris)"));
}

#[test]
fn servers_that_understand_less_are_asked_in_plainer_words_and_it_is_remembered() {
    let options = StandInOptions {
        openai: OpenAiTraits {
            json_schema: false,
            json_object: false,
            wants_max_completion_tokens: true,
            ..OpenAiTraits::default()
        },
        ..StandInOptions::default()
    };
    let scene = Scene::with(Provider::OpenAi, options, "");
    let customer = scene.customer("Acme");
    scene.screens(Answer::verdict(&ModelVerdict::clear()).with_prose("Well, ", " Goodbye."));
    assert_eq!(judged(&customer)["verdict"], "clear");
    let tries = scene.model.request_count();
    assert_eq!(tries, 4, "the name of the bound, the schema, the object");
    scene.screens(clear());
    judged(&customer);
    assert_eq!(scene.model.request_count(), tries + 1);
}

#[test]
fn what_the_picture_says_is_data() {
    let scene = Scene::gemini("");
    let customer = scene.customer("Acme");
    let hostile = ModelVerdict {
        description: "<script>alert(1)</script> see https://evil.test/ \u{202e}now".to_owned(),
        analysis: "x".repeat(9_000),
        incident_type: "vol\r\nBcc: everybody@evil.test".to_owned(),
        ..ModelVerdict::incident("vol")
    };
    scene.screens(Answer::verdict(&hostile));
    scene.confirms(Answer::verdict(&hostile));
    let body = judged(&customer);
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    assert_eq!(text("incident_type"), "vol Bcc: everybody@evil[.]test");
    assert_eq!(
        text("description"),
        "<script>alert(1)</script> see https[:]//evil[.]test/ now"
    );
    assert_eq!(text("analysis").chars().count(), 4_000);
    assert!(text("analysis").ends_with('…'));
}
