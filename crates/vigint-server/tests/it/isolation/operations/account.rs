//! One's own account: who one is, one's keys, cameras and usage.

use vigint_core::wire::{
    ApiKeyInfo, ClientInfo, ClientResponse, KeysResponse, SourcesResponse, UsageResponse,
    WhoamiResponse,
};

use super::{DENIED, NOT_FOUND, Prepared, Scene, answered, refused, same};
use crate::isolation::connection::Answer;
use crate::isolation::model::Model;
use crate::isolation::tenants::{Key, Tenant};

/// What an answer may say of a client.
struct Known {
    client: (vigint_core::ids::ClientId, String, String),
    keys: Vec<(vigint_core::ids::KeyId, String, String)>,
}

impl Known {
    fn of(tenant: &Tenant) -> Self {
        let key = |key: &Key| (key.id, key.name.clone(), key.prefix.clone());
        Self {
            client: (tenant.id, tenant.name.clone(), tenant.email.clone()),
            keys: tenant.keys.iter().map(key).collect(),
        }
    }

    fn check_client(&self, shown: &ClientInfo) -> Result<(), String> {
        same(
            "the client",
            &(shown.id, shown.name.clone(), shown.email.clone()),
            &self.client,
        )
    }

    fn check_keys(
        shown: &[ApiKeyInfo],
        wanted: &[(vigint_core::ids::KeyId, String, String)],
    ) -> Result<(), String> {
        let key = |key: &ApiKeyInfo| (key.id, key.name.clone(), key.prefix.clone());
        let mut shown: Vec<_> = shown.iter().map(key).collect();
        shown.sort_unstable();
        same("the keys", &shown.as_slice(), &wanted)
    }
}

pub(super) fn whoami(scene: &mut Scene<'_>) -> Prepared {
    let known = Known::of(scene.me);
    let mut prepared = scene.signed("GET", "/api/whoami".to_owned(), refused(0, ""));
    let key = known.keys[prepared.key.unwrap()].clone();
    prepared.check = Box::new(move |answer, _| {
        answered(answer, 200)?;
        let shown: WhoamiResponse = answer.json()?;
        known.check_client(&shown.client)?;
        Ok(Known::check_keys(&[shown.api_key], &[key])?)
    });
    prepared
}

pub(super) fn client(scene: &mut Scene<'_>) -> Prepared {
    let path = match scene.of_client("/api/clients/{client_id}") {
        Ok(path) => path,
        Err(refused) => return *refused,
    };
    let known = Known::of(scene.me);
    let check = move |answer: &Answer, _: &mut Model| {
        answered(answer, 200)?;
        Ok(known.check_client(&answer.json::<ClientResponse>()?.client)?)
    };
    scene.signed("GET", path, Box::new(check))
}

pub(super) fn keys(scene: &mut Scene<'_>) -> Prepared {
    let path = match scene.of_client("/api/clients/{client_id}/keys") {
        Ok(path) => path,
        Err(refused) => return *refused,
    };
    let known = Known::of(scene.me);
    let check = move |answer: &Answer, _: &mut Model| {
        answered(answer, 200)?;
        let shown: KeysResponse = answer.json()?;
        same("client_id", &shown.client_id, &known.client.0)?;
        Ok(Known::check_keys(&shown.api_keys, &known.keys)?)
    };
    scene.signed("GET", path, Box::new(check))
}

pub(super) fn usage(scene: &mut Scene<'_>) -> Prepared {
    usage_at(scene, "/api/usage")
}

pub(super) fn client_usage(scene: &mut Scene<'_>) -> Prepared {
    match scene.of_client("/api/clients/{client_id}/usage") {
        Ok(path) => usage_at(scene, &path),
        Err(refused) => *refused,
    }
}

fn usage_at(scene: &mut Scene<'_>, path: &str) -> Prepared {
    let (which, key) = (scene.dice.below(4), scene.dice.below(2));
    let name = scene.me.name.clone();
    let ids = [scene.me.keys[0].id, scene.me.keys[1].id];
    let (query, asked) = match which {
        0 => (format!("?key_id={}", scene.other.keys[key].id), None),
        1 => (format!("?key_id={}", ids[key]), Some(key)),
        _ => (String::new(), None),
    };
    let mut prepared = scene.signed("GET", format!("{path}{query}"), refused(0, ""));
    let shown_with = ids[prepared.key.unwrap()];
    prepared.check = Box::new(move |answer, model| {
        answered(answer, 200)?;
        let shown: UsageResponse = answer.json()?;
        same("client_name", &shown.client_name, &name)?;
        same("api_key_id", &shown.api_key_id, &shown_with)?;
        if which == 0 {
            // Another's key: nothing of it, and nothing of one's own either.
            same("usage", &(shown.usage_count, shown.usage.len()), &(0, 0))?;
            return Ok(same("total_cost", &shown.total_cost, &0.0)?);
        }
        Ok(model.check_usage(&shown, asked)?)
    });
    prepared
}

pub(super) fn sources(scene: &mut Scene<'_>) -> Prepared {
    let path = match scene.of_client("/api/clients/{client_id}/sources") {
        Ok(path) => path,
        Err(refused) => return *refused,
    };
    let id = scene.me.id;
    let check = move |answer: &Answer, model: &mut Model| {
        answered(answer, 200)?;
        let shown: SourcesResponse = answer.json()?;
        same("client_id", &shown.client_id, &id)?;
        Ok(model.check_sources(&shown.sources)?)
    };
    scene.signed("GET", path, Box::new(check))
}

pub(super) fn clear_source(scene: &mut Scene<'_>) -> Prepared {
    let path =
        |client: &Tenant, source: &str| format!("/api/clients/{}/sources/{source}", client.id);
    match scene.dice.below(4) {
        // Of another client, and another's camera by one's own path.
        0 => {
            let source = scene.dice.pick(&scene.other.sources).clone();
            scene.signed("DELETE", path(scene.other, &source), refused(403, DENIED))
        }
        1 => {
            let source = scene.others_source();
            scene.signed("DELETE", path(scene.me, &source), refused(404, NOT_FOUND))
        }
        _ => {
            let source = scene.source();
            let path = path(scene.me, &source);
            if !scene.model.cameras.contains_key(&source) {
                return scene.signed("DELETE", path, refused(404, NOT_FOUND));
            }
            let check = move |answer: &Answer, model: &mut Model| {
                model.cameras.remove(&source);
                answered(answer, 204)
            };
            scene.signed("DELETE", path, Box::new(check))
        }
    }
}
