//! Alarms, incidents and their films.

use serde_json::json;
use vigint_core::incident::Triage;
use vigint_core::wire::{AlertResponse, AlertStatus, IncidentInfo, IncidentsResponse};

use super::{Check, NOT_FOUND, Prepared, Scene, answered, refused, same, status_alone};
use crate::isolation::connection::Answer;
use crate::isolation::model::{Incident, Model, PRICE_ALERT};
use crate::isolation::oracle::{Number, Wrong};
use crate::isolation::pictures::owner_of_film;

const NOBODYS: &str = "0190aaaa-0000-4000-8000-000000000000";
const TRIAGES: [Triage; 4] = [
    Triage::New,
    Triage::Acknowledged,
    Triage::Dismissed,
    Triage::Resolved,
];

pub(super) fn raise_alarm(scene: &mut Scene<'_>) -> Prepared {
    let path = "/api/video/alert".to_owned();
    let source = scene.source();
    if scene.dice.once_in(12) {
        let body = json!({"analysis": " ", "incident_type": scene.word(), "source_id": source});
        return scene
            .signed("POST", path, status_alone(422))
            .with_json(&body);
    }
    let description = format!("Somebody shouts {}", scene.word());
    let analysis = format!("{description}\nand runs {}", scene.word());
    let body = json!({"analysis": analysis, "incident_type": scene.word(), "source_id": source});
    let has_film = scene.model.frames(&source) > 0;
    let name = scene
        .model
        .cameras
        .get(&source)
        .and_then(|camera| camera.name.clone());
    let email = scene.me.email.clone();
    let check = move |answer: &Answer, model: &mut Model| {
        answered(answer, 200)?;
        let shown: AlertResponse = answer.json()?;
        same("to", &shown.to, &email)?;
        model.charged += PRICE_ALERT;
        let id = shown.incident_id.to_string();
        same(
            "has a mail",
            &shown.alert_id.is_some(),
            &(shown.status == AlertStatus::Queued),
        )?;
        match model.open_incident(&source) {
            Some(open) => {
                same("status", &shown.status, &AlertStatus::Merged)?;
                same("the incident", &id, &open.id)?;
                open.occurrences += 1;
                open.report(&analysis);
            }
            None => {
                same("status", &shown.status, &AlertStatus::Queued)?;
                let mut incident = Incident::new(id, source, name, description, None);
                incident.is_manual = true;
                incident.has_film = has_film;
                model.incidents.push(incident);
            }
        }
        Ok(())
    };
    scene.signed("POST", path, Box::new(check)).with_json(&body)
}

pub(super) fn list(scene: &mut Scene<'_>) -> Prepared {
    list_at(scene, "/api/incidents")
}

pub(super) fn list_of_client(scene: &mut Scene<'_>) -> Prepared {
    match scene.of_client("/api/clients/{client_id}/incidents") {
        Ok(path) => list_at(scene, &path),
        Err(refused) => *refused,
    }
}

fn list_at(scene: &mut Scene<'_>, path: &str) -> Prepared {
    match scene.dice.below(7) {
        0 => all_that(scene, path, "status=vetoed".to_owned(), None),
        1 => {
            let triage = *scene.dice.pick(&TRIAGES);
            let is_wanted = move |incident: &Incident| incident.status == triage;
            all_that(
                scene,
                path,
                format!("status={triage}"),
                Some(Box::new(is_wanted)),
            )
        }
        2 => {
            let source = if scene.dice.once_in(2) {
                scene.source()
            } else {
                scene.others_source()
            };
            let query = format!("source_id={source}");
            let is_wanted = move |incident: &Incident| incident.source == source;
            all_that(scene, path, query, Some(Box::new(is_wanted)))
        }
        3 => one_page(scene, path),
        4 if scene.others.cursor.is_some() => {
            // Where another's page ended is a place in time, and no more.
            let cursor = scene.others.cursor.clone().unwrap();
            let check = |answer: &Answer, model: &mut Model| {
                answered(answer, 200)?;
                let shown: IncidentsResponse = answer.json()?;
                let mut shown = shown.incidents.iter();
                Ok(shown.try_for_each(|incident| model.check_incident(incident))?)
            };
            scene.signed(
                "GET",
                format!("{path}?limit=200&cursor={cursor}"),
                Box::new(check),
            )
        }
        _ => all_that(scene, path, String::new(), Some(Box::new(|_| true))),
    }
}

type Wanted = Box<dyn Fn(&Incident) -> bool>;

/// All on one page: those wanted, or (none) those vetoed.
fn all_that(scene: &mut Scene<'_>, path: &str, query: String, wanted: Option<Wanted>) -> Prepared {
    let check = move |answer: &Answer, model: &mut Model| {
        answered(answer, 200)?;
        let shown: IncidentsResponse = answer.json()?;
        match wanted {
            // The rest of them stands on another page.
            _ if shown.next_cursor.is_some() => same("the page", &shown.incidents.len(), &200)?,
            Some(is_wanted) => {
                model.check_list(&shown.incidents, is_wanted)?;
                model.learn_links(&shown.incidents);
            }
            None => model.check_vetoed(&shown.incidents)?,
        }
        Ok(())
    };
    scene.signed("GET", format!("{path}?limit=200&{query}"), Box::new(check))
}

fn one_page(scene: &mut Scene<'_>, path: &str) -> Prepared {
    let check = |answer: &Answer, model: &mut Model| {
        answered(answer, 200)?;
        let shown: IncidentsResponse = answer.json()?;
        let all = model.incidents.len();
        same("incidents on the page", &shown.incidents.len(), &all.min(1))?;
        same("has more", &shown.next_cursor.is_some(), &(all > 1))?;
        model.cursor = shown.next_cursor;
        Ok(shown
            .incidents
            .iter()
            .try_for_each(|incident| model.check_incident(incident))?)
    };
    scene.signed("GET", format!("{path}?limit=1"), Box::new(check))
}

/// One of one's own incidents; or, now and then, the path of one that is not.
fn reach(scene: &mut Scene<'_>) -> Result<Incident, String> {
    if scene.dice.once_in(3) {
        let others = scene.dice.pick_any(&scene.others.incidents);
        return Err(others.map_or(NOBODYS.to_owned(), |incident| incident.id.clone()));
    }
    scene
        .dice
        .pick_any(&scene.model.incidents)
        .cloned()
        .ok_or(NOBODYS.to_owned())
}

fn shown_as_known(answer: &Answer, model: &mut Model) -> Result<(), Wrong> {
    answered(answer, 200)?;
    let shown: IncidentInfo = answer.json()?;
    model.check_incident(&shown)?;
    model.learn_links(&[shown]);
    Ok(())
}

pub(super) fn show(scene: &mut Scene<'_>) -> Prepared {
    match reach(scene) {
        Ok(own) => scene.signed(
            "GET",
            format!("/api/incidents/{}", own.id),
            Box::new(shown_as_known),
        ),
        Err(id) => scene.signed(
            "GET",
            format!("/api/incidents/{id}"),
            refused(404, NOT_FOUND),
        ),
    }
}

pub(super) fn triage(scene: &mut Scene<'_>) -> Prepared {
    let status = *scene.dice.pick(&TRIAGES[1..]);
    let note = (!scene.dice.once_in(3)).then(|| format!("Looked at {}", scene.word()));
    let body = json!({"status": status, "note": note});
    let own = match reach(scene) {
        Ok(own) => own,
        Err(id) => {
            let path = format!("/api/incidents/{id}");
            return scene
                .signed("PATCH", path, refused(404, NOT_FOUND))
                .with_json(&body);
        }
    };
    let path = format!("/api/incidents/{}", own.id);
    let check = move |answer: &Answer, model: &mut Model| {
        let known = model.incident(&own.id).unwrap();
        known.status = status;
        known.note = note.or(known.note.take());
        shown_as_known(answer, model)
    };
    scene
        .signed("PATCH", path, Box::new(check))
        .with_json(&body)
}

pub(super) fn clip(scene: &mut Scene<'_>, method: &'static str) -> Prepared {
    let not_found = if method == "HEAD" {
        status_alone(404)
    } else {
        refused(404, NOT_FOUND)
    };
    match reach(scene) {
        Err(id) => scene.signed(method, format!("/api/incidents/{id}/clip"), not_found),
        Ok(own) => {
            let path = format!("/api/incidents/{}/clip", own.id);
            let check = if own.has_film {
                film(scene.me.number, own.id, method)
            } else {
                status_alone(404)
            };
            scene.signed(method, path, check)
        }
    }
}

/// The film of this incident of one's own, always the same, or that it is being made.
pub(in crate::isolation) fn film(owner: Number, incident: String, method: &'static str) -> Check {
    Box::new(move |answer, model| {
        let known = model.incident(&incident).unwrap();
        if answer.status == 202 && known.film.is_none() {
            return Ok(());
        }
        answered(answer, 200)?;
        if method == "HEAD" {
            return Ok(());
        }
        match owner_of_film(&answer.body) {
            Some(shown) if shown == owner => {}
            Some(owner) => {
                return Err(Wrong::Foreign {
                    owner,
                    word: "a film".to_owned(),
                });
            }
            None => return Err(format!("no film: {} bytes", answer.body.len()).into()),
        }
        let film = known.film.get_or_insert_with(|| answer.body.clone());
        Ok(same("it is the same film", &(*film == answer.body), &true)?)
    })
}
