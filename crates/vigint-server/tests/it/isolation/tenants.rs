//! Who takes part: clients with two keys each (one of our format, one as the earlier Vigint gave out), whose every
//! name, address and camera carries their mark. Some cameras are called the same everywhere, as they are in life.

use std::collections::HashSet;

use vigint_core::clock::{Clock as _, UtcTime};
use vigint_core::ids::{ClientId, KeyId};
use vigint_core::key::ApiKey;
use vigint_core::locale::Locale;
use vigint_core::random::SystemRandom;
use vigint_db::clients::NewClient;
use vigint_db::keys::NewKey;
use vigint_db::{AnyConnection, DbError, Tenant as Proof};

use super::dice::Dice;
use super::oracle::{Number, Oracle, mark};
use super::pictures;
use super::plan::Server;
use crate::fixture::OPERATOR;

pub(super) struct Key {
    pub(super) id: KeyId,
    pub(super) text: String,
    pub(super) prefix: String,
    pub(super) name: String,
}

pub(super) struct Tenant {
    pub(super) number: Number,
    pub(super) id: ClientId,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) keys: [Key; 2],
    /// Its picture, without a comment.
    pub(super) blank: Vec<u8>,
    /// The ids of its cameras.
    pub(super) sources: [String; 4],
}

impl Tenant {
    /// What the comment of every picture of this camera begins with.
    pub(super) fn camera_mark(&self, source: &str) -> String {
        let index = self.sources.iter().position(|found| found == source);
        mark(self.number, u64::try_from(index.unwrap_or(99)).unwrap())
    }
}

/// Everybody, and the oracle that knows them.
pub(super) fn make(server: &Server, count: usize, seed: u64) -> (Vec<Tenant>, Oracle) {
    let now = server.clock.now();
    let mut fresh = fresh_keys();
    let tenants = server.test.db().write(|conn| {
        let mut make = |number| {
            let dice = Dice::new(seed, number);
            make_one(conn, number, dice, &fresh.next().unwrap(), now)
        };
        (0..count)
            .map(&mut make)
            .collect::<Result<Vec<_>, DbError>>()
    });
    let tenants = tenants.unwrap();
    let keys = || {
        tenants
            .iter()
            .flat_map(|t| t.keys.iter().map(|key| (t.number, key)))
    };
    let ours = keys().filter(|(_, key)| key.prefix.starts_with("vgt_"));
    let owned = ours
        .map(|(owner, key)| (key.prefix.clone(), owner))
        .collect();
    let secrets: HashSet<_> = keys()
        .flat_map(|(_, key)| {
            let parsed: ApiKey = key.text.parse().unwrap();
            [key.text.clone(), parsed.hash().to_hex()]
        })
        .collect();
    (tenants, Oracle::new(owned, secrets))
}

/// Keys of our format, no two of which begin alike: their beginning tells whose they are.
fn fresh_keys() -> impl Iterator<Item = ApiKey> {
    let mut taken = HashSet::new();
    std::iter::repeat_with(|| ApiKey::generate(&SystemRandom))
        .filter(move |key| taken.insert(key.shown_prefix().to_owned()))
}

fn make_one(
    conn: &mut AnyConnection,
    number: Number,
    mut dice: Dice,
    fresh: &ApiKey,
    now: UtcTime,
) -> Result<Tenant, DbError> {
    let mut word = || mark(number, dice.next());
    let (name, email) = (
        format!("Shop {}", word()),
        format!("{}@shop.example", word()),
    );
    let client = NewClient {
        name: name.clone(),
        email: email.clone(),
        locale: Locale::English,
        time_zone: "Europe/Paris".to_owned(),
    };
    let client = vigint_db::clients::create(conn, &OPERATOR, &client, now)?;
    let proof = Proof::by_operator(&OPERATOR, client.id);
    let earlier: ApiKey = format!("{}-{}", word(), word()).parse().unwrap();
    let mut key = |key: &ApiKey| {
        let (name, prefix) = (format!("key {}", word()), key.shown_prefix().to_owned());
        let new = NewKey {
            hash: key.hash(),
            prefix: prefix.clone(),
            name: name.clone(),
            expires_at: None,
        };
        let id = vigint_db::keys::create(conn, &proof, &new, now)?.id;
        let text = key.reveal().to_owned();
        Ok::<_, DbError>(Key {
            id,
            text,
            prefix,
            name,
        })
    };
    let keys = [key(fresh)?, key(&earlier)?];
    Ok(Tenant {
        number,
        id: client.id,
        name,
        email,
        keys,
        blank: pictures::blank(number),
        sources: [
            "default".to_owned(),
            "till".to_owned(),
            word(),
            format!("{}_door", word()),
        ],
    })
}
