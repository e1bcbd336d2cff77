//! What models may cost in a month: who judges when it is spent, and who is told.

use vigint_core::money::MicroEuros;
use vigint_db::clients::ClientRow;
use vigint_testkit::mailbox::{Mail, mails};

use super::*;

/// A look that costs a euro: 0.30 a million tokens.
fn dear(answer: Answer) -> Answer {
    answer.with_usage(json!({"promptTokenCount": 3_333_333, "candidatesTokenCount": 0}))
}

fn cap(scene: &Scene, customer: &Customer, most: i64) -> ClientRow {
    let changes = vigint_core::client::ClientChanges {
        monthly_budget: Some(Some(MicroEuros(most))),
        ..vigint_core::client::ClientChanges::default()
    };
    let change = |conn: &mut _| {
        vigint_db::clients::update(conn, &customer.tenant, &changes, scene.clock.now())
    };
    scene.server.db().write(change).unwrap().unwrap()
}

/// Mails about budgets, by their subjects.
fn told(scene: &Scene) -> Vec<(String, String)> {
    let outbox = scene.server.folder().join("outbox");
    let all = mails(&outbox)
        .into_iter()
        .map(|path| Mail::read(&path).unwrap());
    let mut told: Vec<_> = all
        .filter(|mail| mail.subject.contains("budget"))
        .map(|mail| (mail.to.clone(), mail.subject))
        .collect();
    told.sort();
    told
}

#[test]
fn a_client_s_budget_that_is_spent_leaves_it_to_motion_and_is_told_at_80_and_100_percent() {
    let scene = Scene::gemini("[Admin]\nnotify_email = boss@vigint.example\n");
    let (customer, other) = (scene.customer("Acme"), scene.customer("Other"));
    cap(&scene, &customer, 5_000_000);
    for _ in 0..5 {
        scene.screens(dear(clear()));
        assert_eq!(judged(&customer)["skipped"], Value::Null);
    }
    let asked = scene.model.request_count();
    let body = judged(&customer);
    assert_eq!(body["skipped"], "budget");
    assert_eq!(body["stages"][0]["analyzer"], "motion");
    assert_eq!(scene.model.request_count(), asked);
    // Nobody else's.
    scene.screens(clear());
    assert_eq!(judged(&other)["skipped"], Value::Null);
    let expected = [
        (
            "acme@shop.example",
            "[Vigint] 80% of this month's AI budget is spent",
        ),
        (
            "acme@shop.example",
            "[Vigint] This month's AI budget is spent",
        ),
        (
            "boss@vigint.example",
            "[Vigint] Acme : 80 % du budget IA du mois sont dépensés",
        ),
        (
            "boss@vigint.example",
            "[Vigint] Acme : le budget IA du mois est épuisé",
        ),
    ];
    let expected = expected.map(|(to, subject)| (to.to_owned(), subject.to_owned()));
    wait_for(|| (told(&scene).len() >= 4).then_some(()));
    judged(&customer);
    assert_eq!(told(&scene), expected);
    // Each once: what a job has not written to the folder yet is there all the same.
    assert_eq!(scene.alert_count(Some(&customer)), expected.len());

    // Raised, it goes on; a new month begins anew.
    cap(&scene, &customer, 50_000_000);
    scene.screens(dear(clear()));
    assert_eq!(judged(&customer)["skipped"], Value::Null);
    cap(&scene, &customer, 1_000_000);
    assert_eq!(judged(&customer)["skipped"], "budget");
    scene.clock.advance(Duration::from_secs(31 * 24 * 3600));
    scene.push(&customer, "till", &pictures(5));
    scene.screens(clear());
    assert_eq!(judged(&customer)["skipped"], Value::Null);
}

#[test]
fn the_budget_over_all_stops_everybody() {
    let scene = Scene::gemini("monthly_budget = 2\n[Admin]\nnotify_email = boss@vigint.example\n");
    let (customer, other) = (scene.customer("Acme"), scene.customer("Other"));
    for customer in [&customer, &other] {
        scene.screens(dear(clear()));
        assert_eq!(judged(customer)["skipped"], Value::Null);
    }
    for customer in [&customer, &other] {
        assert_eq!(judged(customer)["skipped"], "budget");
    }
    let subject = "[Vigint] Tous les clients : le budget IA du mois est épuisé";
    let expected = vec![("boss@vigint.example".to_owned(), subject.to_owned())];
    wait_for(|| (told(&scene).len() == 1).then_some(()));
    assert_eq!(told(&scene), expected);
    assert_eq!(scene.alert_count(None), 1);
}

#[test]
fn a_budget_that_ends_between_the_looks_leaves_the_incident_unconfirmed() {
    let scene = Scene::gemini("timeout_seconds = 25\n");
    let customer = scene.customer("Acme");
    scene.push(&customer, "door", &pictures(5));
    cap(&scene, &customer, 1_000_000);
    // By another analysis, while this one's screen is asked.
    let gate = scene.model.hold();
    scene.screens(incident().behind(&gate));
    let body = std::thread::scope(|scope| {
        let asked = scope.spawn(|| judged(&customer));
        assert!(scene.model.wait_for_requests(1, PATIENCE));
        scene.screens(dear(clear()));
        assert_eq!(analyze_source(&customer, "door").status, 200);
        gate.release();
        asked.join().unwrap()
    });
    assert_eq!(
        (&body["verdict"], &body["skipped"]),
        (&json!("unconfirmed"), &json!("budget"))
    );
    assert_eq!(
        scene.health()["checks"]["analyzer"],
        "gemini",
        "it did not fail"
    );
    // Once there is more it is tried again, at all of its pictures.
    let asked_so_far = scene.model.request_count();
    scene.confirms(incident());
    scene.clock.advance(Duration::from_secs(5));
    let id = body["incident"]["id"].as_str().unwrap();
    let path = format!("/api/incidents/{id}");
    assert_eq!(customer.get(&path).json()["confirmation"], "unavailable");
    cap(&scene, &customer, 5_000_000);
    wait_for(|| {
        scene.clock.advance(Duration::from_secs(5));
        (customer.get(&path).json()["confirmation"] == "confirmed").then_some(())
    });
    let request = scene.model.requests()[asked_so_far].clone();
    assert_eq!(request.image_count(), 16);
}

#[test]
fn a_budget_that_ends_with_a_first_try_pays_for_no_second() {
    let scene = Scene::gemini("monthly_budget = 1\n");
    let customer = scene.customer("Acme");
    scene.screens(dear(Answer::text("no verdict")));
    let body = judged(&customer);
    assert_eq!(body["skipped"], "budget");
    assert_eq!(body["stages"][0]["analyzer"], "motion");
    assert_eq!(scene.model.request_count(), 1);
}
