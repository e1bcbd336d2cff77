//! What needs no key: films behind their links, and how the server is.

use super::incidents::film;
use super::{Prepared, Scene, refused, status_alone};

const LINK_REFUSED: &str =
    r#"{"error":"This link is not valid or has expired","code":"link_refused"}"#;

pub(super) fn show(scene: &mut Scene<'_>, method: &'static str) -> Prepared {
    let linked = |model: &super::Model| -> Vec<(String, String)> {
        let links = model.incidents.iter();
        links
            .filter_map(|i| Some((i.id.clone(), i.link.clone()?)))
            .collect()
    };
    let own = scene.dice.pick_any(&linked(scene.model)).cloned();
    let others = scene.dice.pick_any(&linked(scene.others)).cloned();
    let (refusal, way) = (scene.dice.below(3), scene.dice.below(2));
    let refusal_of = |path: String| {
        let check = if method == "HEAD" {
            status_alone(403)
        } else {
            refused(403, LINK_REFUSED)
        };
        scene.public(method, path, None, check)
    };
    match (own, others) {
        // One's own film by another's token, or another's by one's own.
        (Some((_, own)), Some((_, others))) if refusal == 0 => {
            let (from, to) = if way == 0 {
                (own, others)
            } else {
                (others, own)
            };
            let (path, _) = from.split_once('?').unwrap();
            let (_, token) = to.split_once('?').unwrap();
            refusal_of(format!("{path}?{token}"))
        }
        (Some((incident, link)), _) => {
            let me = scene.me.number;
            scene.public(method, link, Some(me), film(me, incident, method))
        }
        _ => {
            let token = "0".repeat(64);
            refusal_of(format!(
                "/video/0190aaaa-0000-4000-8000-000000000000?expires=4102444800&token={token}"
            ))
        }
    }
}

pub(super) fn health(scene: &mut Scene<'_>, method: &'static str, path: &'static str) -> Prepared {
    scene.public(method, path.to_owned(), None, status_alone(200))
}
