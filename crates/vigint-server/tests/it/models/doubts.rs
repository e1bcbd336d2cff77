//! Incidents that could not be confirmed at once: the confirmation is tried again, and the incident updated.

use vigint_testkit::mailbox::{Mail, mails};
use vigint_testkit::model::ModelError;

use super::*;

/// Trouble that is over in a minute: too long for one look.
fn trouble() -> Answer {
    ModelError::rate_limited_for("60s").into()
}

/// An incident whose confirmation failed.
fn in_doubt(scene: &Scene, customer: &Customer) -> String {
    unconfirmed(scene, customer, trouble())
}

/// An incident whose confirmation brought this.
fn unconfirmed(scene: &Scene, customer: &Customer, why: Answer) -> String {
    scene.screens(incident());
    scene.confirms(why);
    let body = judged(customer);
    assert_eq!(body["verdict"], "unconfirmed");
    body["incident"]["id"].as_str().unwrap().to_owned()
}

fn incident_of(customer: &Customer, id: &str) -> Value {
    customer.get(&format!("/api/incidents/{id}")).json()
}

#[test]
fn the_mail_of_an_unconfirmed_incident_says_so() {
    let scene = Scene::gemini("");
    let customer = scene.customer("Acme");
    in_doubt(&scene, &customer);
    let outbox = scene.server.folder().join("outbox");
    // By a clock that stands: it is not due to be tried again.
    let mail = wait_for(|| mails(&outbox).pop());
    let mail = Mail::read(&mail).unwrap();
    assert_eq!(mail.to, "acme@shop.example");
    assert!(
        mail.text
            .contains("Unconfirmed: the second look could not be made."),
        "{}",
        mail.text
    );
}

#[test]
fn of_several_detections_each_has_to_be_looked_at_again_for_a_late_no() {
    let scene = Scene::gemini("timeout_seconds = 25\n");
    let customer = scene.customer("Acme");
    let id = in_doubt(&scene, &customer);
    assert_eq!(in_doubt(&scene, &customer), id, "it goes on");
    let asked = scene.model.request_count();
    let gate = scene.model.hold();
    scene.confirms(clear());
    scene.confirms(clear().behind(&gate));
    scene.clock.advance(Duration::from_secs(5));
    assert!(scene.model.wait_for_requests(asked + 2, PATIENCE));
    assert_eq!(incident_of(&customer, &id)["confirmation"], "unavailable");
    gate.release();
    wait_for(|| (incident_of(&customer, &id)["confirmation"] == "vetoed").then_some(()));
    assert_eq!(scene.model.request_count(), asked + 2);
}

#[test]
fn a_late_no_says_nothing_of_a_detection_that_could_not_be_looked_at_again() {
    let scene = Scene::gemini("");
    let customer = scene.customer("Acme");
    let id = unconfirmed(&scene, &customer, Answer::blocked_prompt("SAFETY"));
    assert_eq!(in_doubt(&scene, &customer), id);
    let asked = scene.model.request_count();
    scene.confirms(clear());
    scene.clock.advance(Duration::from_secs(5));
    assert!(scene.model.wait_for_requests(asked + 1, PATIENCE));
    // The next one's is settled: what the first answer changed is written, too.
    let other = scene.customer("Other");
    let later = in_doubt(&scene, &other);
    scene.confirms(clear());
    wait_for(|| {
        scene.clock.advance(Duration::from_secs(5));
        (incident_of(&other, &later)["confirmation"] == "vetoed").then_some(())
    });
    assert_eq!(incident_of(&customer, &id)["confirmation"], "unavailable");
    assert_eq!(scene.model.request_count(), asked + 4);
}

#[test]
fn a_late_yes_confirms_the_incident_and_is_charged() {
    let scene = Scene::gemini("");
    let customer = scene.customer("Acme");
    let id = in_doubt(&scene, &customer);
    assert_eq!(incident_of(&customer, &id)["confirmation"], "unavailable");
    let asked = scene.model.request_count();
    // Once more in vain, then with success.
    scene.confirms(trouble());
    scene.confirms(Answer::verdict(&ModelVerdict::incident("theft by two")));
    scene.clock.advance(Duration::from_secs(5));
    assert!(scene.model.wait_for_requests(asked + 1, PATIENCE));
    let settled = wait_for(|| {
        scene.clock.advance(Duration::from_secs(1));
        let incident = incident_of(&customer, &id);
        (incident["confirmation"] != "unavailable").then_some(incident)
    });
    assert_eq!(settled["confirmation"], "confirmed");
    assert_eq!(settled["incident_type"], "theft by two");
    assert!(
        settled["detailed_analysis"]
            .as_str()
            .unwrap()
            .contains("bottle")
    );
    assert_eq!(scene.model.request_count(), asked + 2);
    assert_eq!(scene.alert_count(Some(&customer)), 1, "no second mail");
    let request = scene.model.requests()[asked + 1].clone();
    assert_eq!(request.image_count(), 16);
    // The look at 0.01 and the late look at 0.02, one request.
    let usage = customer.get("/api/usage").json();
    let rows = usage["usage"].as_array().unwrap();
    let of_analyses = rows
        .iter()
        .filter(|row| row["endpoint"] == "/api/video/analyze");
    let sums = of_analyses.fold((0, 0.0), |(requests, cost), row| {
        (
            requests + row["requests"].as_i64().unwrap(),
            cost + row["cost"].as_f64().unwrap(),
        )
    });
    assert_eq!(sums.0, 1);
    assert!((sums.1 - 0.03).abs() < 1e-9, "{sums:?}");
}

#[test]
fn a_late_no_is_said_and_the_incident_stays_where_its_owner_was_told_to_look() {
    let scene = Scene::gemini("");
    let customer = scene.customer("Acme");
    let id = in_doubt(&scene, &customer);
    scene.confirms(clear());
    scene.clock.advance(Duration::from_secs(5));
    let settled = wait_for(|| {
        let incident = incident_of(&customer, &id);
        (incident["confirmation"] == "vetoed").then_some(incident)
    });
    assert_eq!(
        (&settled["status"], &settled["risk_level"]),
        (&json!("new"), &json!("LOW"))
    );
    let listed = customer.get("/api/incidents").json();
    assert_eq!(listed["incidents"][0]["id"], json!(id));
}

#[test]
fn nobody_is_asked_any_more_about_a_suspended_client() {
    let scene = Scene::gemini("");
    let (customer, other) = (scene.customer("Acme"), scene.customer("Other"));
    in_doubt(&scene, &customer);
    let id = in_doubt(&scene, &other);
    let suspend = |conn: &mut _| {
        let suspended = vigint_db::clients::ClientStatus::Suspended;
        vigint_db::clients::set_status(conn, &customer.tenant, suspended, now())
    };
    scene.server.db().write(suspend).unwrap();
    let asked = scene.model.request_count();
    scene.confirms(clear());
    scene.clock.advance(Duration::from_secs(5));
    wait_for(|| (incident_of(&other, &id)["confirmation"] == "vetoed").then_some(()));
    assert_eq!(
        scene.model.request_count(),
        asked + 1,
        "about the other's alone"
    );
}

#[test]
fn nobody_is_asked_again_about_what_the_provider_will_not_judge() {
    let scene = Scene::gemini("");
    let (customer, later, other) = (
        scene.customer("Acme"),
        scene.customer("Later"),
        scene.customer("Other"),
    );
    let blocked = unconfirmed(&scene, &customer, Answer::blocked_prompt("SAFETY"));
    let refused = in_doubt(&scene, &later);
    let asked = scene.model.request_count();
    scene.confirms(ModelError::new(400, "no").status("INVALID_ARGUMENT"));
    scene.clock.advance(Duration::from_secs(5));
    assert!(scene.model.wait_for_requests(asked + 1, PATIENCE));
    let settled = in_doubt(&scene, &other);
    scene.confirms(clear());
    wait_for(|| {
        scene.clock.advance(Duration::from_secs(60));
        (incident_of(&other, &settled)["confirmation"] == "vetoed").then_some(())
    });
    // The one in vain, and the two looks and the confirmation of the last.
    assert_eq!(scene.model.request_count(), asked + 4);
    assert_eq!(scene.model.answers_left(), 0);
    for (customer, id) in [(&customer, &blocked), (&later, &refused)] {
        assert_eq!(incident_of(customer, id)["confirmation"], "unavailable");
    }
}

#[test]
fn one_that_hangs_keeps_nobody_else_in_doubt() {
    let scene = Scene::gemini("timeout_seconds = 25\n");
    let (customer, other) = (scene.customer("Acme"), scene.customer("Other"));
    let (held, free) = (in_doubt(&scene, &customer), in_doubt(&scene, &other));
    let asked = scene.model.request_count();
    let gate = scene.model.hold();
    scene.confirms(incident().behind(&gate));
    scene.confirms(clear());
    scene.clock.advance(Duration::from_secs(5));
    assert!(scene.model.wait_for_requests(asked + 2, PATIENCE));
    // Which of the two was asked about first is open.
    let any_is = |state: &str| {
        let both = [(&customer, &held), (&other, &free)];
        let mut states = both.map(|(whose, id)| incident_of(whose, id)).into_iter();
        states
            .any(|incident| incident["confirmation"] == state)
            .then_some(())
    };
    wait_for(|| any_is("vetoed"));
    gate.release();
    wait_for(|| any_is("confirmed"));
}

#[test]
fn a_shut_breaker_of_the_confirmation_shows_though_screens_work() {
    let scene = Scene::gemini("");
    let customer = scene.customer("Acme");
    let id = unconfirmed(&scene, &customer, ModelError::daily_quota().into());
    scene.screens(clear());
    assert_eq!(judged(&customer)["verdict"], "clear");
    assert_eq!(scene.health()["checks"]["analyzer"], "failing");
    // The probe is the confirmation that is tried again.
    scene.confirms(incident());
    scene.clock.advance(Duration::from_secs(5));
    wait_for(|| (incident_of(&customer, &id)["confirmation"] == "confirmed").then_some(()));
    assert_eq!(scene.health()["checks"]["analyzer"], "gemini");
}
