//! Whose is it? Every word of an answer that belongs to one tenant is held against who asked.
//!
//! What a tenant sends carries its number. What the server makes (ids, tokens of links) belongs to the tenant that
//! is told of it first; whoever is told of it second has been given something foreign. It must not know what the
//! routes mean.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use super::connection::Answer;

/// Which tenant of the walk.
pub(super) type Number = usize;

/// A word that only this tenant sends: `mk-<tenant>-<which>`.
pub(super) fn mark(tenant: Number, which: u64) -> String {
    format!("mk-{tenant:04x}-{:08x}", which & 0xffff_ffff)
}

/// What is wrong with an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It holds what is another tenant's.
    Foreign { owner: Number, word: String },
    /// It is not what the contract and the tenant's own history ask for.
    Unexpected(String),
}

impl From<String> for Wrong {
    fn from(what: String) -> Self {
        Self::Unexpected(what)
    }
}

#[derive(Default)]
pub(super) struct Oracle {
    /// Ids and tokens, by whom they were first told to; and what is known from the start.
    owners: Mutex<HashMap<String, Number>>,
    request_ids: Mutex<HashSet<String>>,
    /// Keys and their hashes: in no answer at all.
    secrets: HashSet<String>,
}

impl Oracle {
    /// `owned`: words and whose they are. `secrets`: what nobody is ever told.
    pub(super) fn new(owned: Vec<(String, Number)>, secrets: HashSet<String>) -> Self {
        Self {
            owners: Mutex::new(owned.into_iter().collect()),
            request_ids: Mutex::default(),
            secrets,
        }
    }

    /// Looks at all of an answer to `asker`; none: who shows no key may be told nothing of anybody.
    pub(super) fn judge(&self, asker: Option<Number>, answer: &Answer) -> Result<(), Wrong> {
        let id = answer.header("x-request-id").to_owned();
        if !is_uuid(&id) {
            return Err(format!("the request id is {id:?}").into());
        }
        if !self.request_ids.lock().unwrap().insert(id.clone()) {
            return Err(format!("the request id {id} was another answer's already").into());
        }
        let head = words(&answer.head).filter(|word| *word != id);
        self.look_at(asker, head)?;
        self.look_at(asker, words(&answer.body))
    }

    /// The same of a text that was not an answer: a mail.
    pub(super) fn judge_text(&self, reader: Number, text: &str) -> Result<(), Wrong> {
        self.look_at(Some(reader), words(text.as_bytes()))
    }

    fn look_at<'a>(
        &self,
        asker: Option<Number>,
        words: impl Iterator<Item = &'a str>,
    ) -> Result<(), Wrong> {
        for word in words {
            if self.secrets.contains(word) || (word.starts_with("vgt_") && word.len() > 8) {
                return Err(format!("a secret is told: {word}").into());
            }
            let owner = match owner_by_mark(word) {
                Some(owner) => Some(owner),
                None => self.owner_by_name(asker, word)?,
            };
            if let Some(owner) = owner
                && Some(owner) != asker
            {
                let word = word.to_owned();
                return Err(Wrong::Foreign { owner, word });
            }
        }
        Ok(())
    }

    /// The owner of an id, a token or the beginning of a key; who is told of one that nobody has heard of owns it.
    fn owner_by_name(&self, asker: Option<Number>, word: &str) -> Result<Option<Number>, Wrong> {
        let is_key = word.starts_with("vgt_");
        if !is_key && !is_uuid(word) && !is_token(word) {
            return Ok(None);
        }
        let mut owners = self.owners.lock().unwrap();
        match (owners.get(word), asker) {
            (Some(owner), _) => Ok(Some(*owner)),
            (None, Some(asker)) if !is_key => {
                owners.insert(word.to_owned(), asker);
                Ok(Some(asker))
            }
            (None, _) => Err(format!("{word} is nobody's").into()),
        }
    }
}

/// Runs of letters, digits, `-` and `_`.
fn words(bytes: &[u8]) -> impl Iterator<Item = &str> {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    bytes
        .split(move |byte| !is_letter(byte))
        // A mark is no shorter, even where a key's beginning is all of it.
        .filter(|word| word.len() >= 8)
        .filter_map(|word| std::str::from_utf8(word).ok())
}

/// `mk-`, four digits and `-`, anywhere in a word.
fn owner_by_mark(word: &str) -> Option<Number> {
    let at = word.find("mk-")?;
    let digits = word.get(at + 3..at + 7)?;
    (word.as_bytes().get(at + 7) == Some(&b'-'))
        .then(|| Number::from_str_radix(digits, 16).ok())
        .flatten()
}

fn is_uuid(word: &str) -> bool {
    word.len() == 36
        && word.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn is_token(word: &str) -> bool {
    word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[test]
fn what_is_anothers_is_found_wherever_it_stands() {
    let owned = vec![("vgt_abcd".to_owned(), 1)];
    let oracle = Oracle::new(owned, HashSet::from(["mk-0001-a-key".to_owned()]));
    let (uuid, token) = ("0190aaaa-0000-4000-8000-00000000000f", "5".repeat(64));
    let foreign = |text: &str, asker| {
        let verdict = oracle.judge_text(asker, text);
        matches!(verdict, Err(Wrong::Foreign { .. }))
    };
    let own = format!(
        r#"{{"name":"{}","url":"/video/{uuid}?token={token}"}}"#,
        mark(1, 7)
    );
    assert!(!foreign(&own, 1));
    assert!(foreign(&own, 2));
    for word in [mark(1, 9), uuid.to_owned(), token, "vgt_abcd".to_owned()] {
        assert!(foreign(&format!("<b>{word}</b>"), 2), "{word}");
        assert!(foreign(&format!("x-{}", mark(1, 0)), 2));
    }
    assert!(
        oracle.judge_text(1, "vgt_abcde").is_err(),
        "more than a key's beginning"
    );
    assert!(
        oracle.judge_text(1, "\"mk-0001-a-key\"").is_err(),
        "a secret"
    );
}
