use super::*;
use crate::model::{Answer, ModelError, ModelVerdict, Provider, Selector, StandInOptions};

#[test]
fn each_model_has_its_own_script() {
    let model = ModelStandIn::start().unwrap();
    model.script(SCREEN, [Answer::verdict(&ModelVerdict::incident("vol"))]);
    model.script(
        CONFIRM,
        [ModelError::overloaded().into(), Answer::text("second try")],
    );
    assert_eq!(model.answers_left(), 3);
    assert_eq!(ask_gemini(&model, CONFIRM, &gemini_request()).status, 503);
    let screened = gemini_text(&ask_gemini(&model, SCREEN, &gemini_request()).json());
    assert!(
        screened.contains("\"incident_detected\":true"),
        "{screened}"
    );
    let confirmed = ask_gemini(&model, CONFIRM, &gemini_request()).json();
    assert_eq!(gemini_text(&confirmed), "second try");
    assert_eq!(model.answers_left(), 0);
    let models: Vec<_> = model
        .requests()
        .iter()
        .map(|request| request.model.clone())
        .collect();
    assert_eq!(models, [CONFIRM, SCREEN, CONFIRM]);
}

#[test]
fn what_was_scripted_first_is_used_first() {
    let model = ModelStandIn::start().unwrap();
    model.script(Provider::OpenAi, [Answer::text("not for Gemini")]);
    model.script(Selector::Any, [Answer::text("any")]);
    model.script(SCREEN, [Answer::text("screen")]);
    model.decide(|request| Answer::text(format!("{} images", request.image_count())));
    let texts =
        [(); 3].map(|()| gemini_text(&ask_gemini(&model, SCREEN, &gemini_request()).json()));
    assert_eq!(texts, ["any", "screen", "2 images"]);
    assert_eq!(model.answers_left(), 1);
}

#[test]
fn the_list_of_models_has_its_own_script() {
    let model = ModelStandIn::start().unwrap();
    model.script(Selector::Any, [Answer::text("for a model")]);
    model.script(Selector::ModelList, [ModelError::service_disabled()]);
    let url = format!("{}/v1beta/models", model.base_url());
    let key = [("x-goog-api-key", model.api_key())];
    let statuses = [(); 2].map(|()| ask(&agent(), &url, &key, None).unwrap().status);
    assert_eq!(statuses, [403, 200]);
    assert_eq!(model.answers_left(), 1);
}

#[test]
fn many_at_once_are_each_answered_once() {
    let model = ModelStandIn::start().unwrap();
    let texts = (0..40).map(|number| Answer::text(number.to_string()));
    model.script(SCREEN, texts);
    let body = gemini_request();
    let ask_five = || {
        (0..5)
            .map(|_| gemini_text(&ask_gemini(&model, SCREEN, &body).json()))
            .collect::<Vec<_>>()
    };
    let mut got: Vec<u32> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(ask_five)).collect();
        let texts = threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap());
        texts.map(|text| text.parse().unwrap()).collect()
    });
    got.sort_unstable();
    assert_eq!(got, (0..40).collect::<Vec<_>>());
    assert_eq!(model.request_count(), 40);
}

#[test]
fn only_the_newest_requests_are_kept_beyond_the_limit() {
    let body = gemini_request();
    let model = ModelStandIn::start_with(StandInOptions {
        kept_bytes: 7 * body.to_string().len(),
        ..StandInOptions::default()
    })
    .unwrap();
    for _ in 0..5 {
        ask_gemini(&model, SCREEN, &body);
    }
    assert_eq!(model.requests().len(), 2);
    assert_eq!(model.request_count(), 5);
    assert!(model.wait_for_requests(5, PATIENCE));
}

#[test]
#[should_panic(expected = "a thread of the model stand-in panicked")]
fn a_decision_that_panics_fails_the_test() {
    let model = ModelStandIn::start().unwrap();
    model.decide(|_| panic!("the test does not expect to be asked"));
    assert!(try_gemini(&model, SCREEN, &gemini_request()).is_err());
}

#[test]
#[should_panic(expected = "only an answer of a model")]
fn an_error_cannot_be_fenced() {
    let _ = Answer::from(ModelError::internal()).fenced();
}
