//! Incidents that could not be confirmed at once: the confirmation is tried again, and the incident updated.

use vigint_testkit::model::ModelError;

use super::*;

/// An incident whose confirmation failed.
fn in_doubt(scene: &Scene, customer: &Customer) -> String {
    scene.screens(incident());
    scene.confirms(Answer::blocked_prompt("SAFETY"));
    let body = judged(customer);
    assert_eq!(body["verdict"], "unconfirmed");
    body["incident"]["id"].as_str().unwrap().to_owned()
}

fn incident_of(customer: &Customer, id: &str) -> Value {
    customer.get(&format!("/api/incidents/{id}")).json()
}

#[test]
fn a_late_yes_confirms_the_incident_and_is_charged() {
    let scene = Scene::gemini("");
    let customer = scene.customer("Acme");
    let id = in_doubt(&scene, &customer);
    assert_eq!(incident_of(&customer, &id)["confirmation"], "unavailable");
    let asked = scene.model.request_count();
    // Once more in vain, then with success.
    scene.confirms(ModelError::new(400, "no").status("INVALID_ARGUMENT"));
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
