//! One import from its first client to its last usage row: what is made, what is left out and why.

mod usage;

use std::collections::{BTreeMap, HashMap, HashSet};

use vigint_core::client::ClientDetails;
use vigint_core::clock::UtcTime;
use vigint_core::ids::{ClientId, KeyId};

use super::convert::{self, Unfit};
use super::place::{KeyToMake, Place};
use super::source::{BEFORE_ALL, OldClient, OldKey, Source};
use super::{ImportError, ImportOptions, ImportReport, Skipped, SkippedKind, Target};
use crate::audit::AuditEntry;

/// What has been met so far. A dry run meets what it would have made nowhere but here.
pub(super) struct Run<'a> {
    source: Source,
    target: Target<'a>,
    options: &'a ImportOptions<'a>,
    /// Usage rows of keys that were not met yet, by the key's id in the earlier database.
    usage_left: BTreeMap<Option<i64>, usize>,
    /// Keys whose usage an earlier import left unfinished, by hash: the key, and how far it came.
    unfinished: HashMap<String, (KeyId, i64)>,
    /// Addresses of clients that were made, as our database compares them.
    emails: HashSet<String>,
    /// Hashes of keys that were made.
    hashes: HashSet<String>,
    /// Keys whose usage is brought in, by id in the earlier database.
    keys: HashMap<i64, Bringing>,
    report: ImportReport,
}

/// A key whose usage is brought in.
struct Bringing {
    /// `None` in a dry run.
    key: Option<KeyId>,
    /// The last usage row that came in or was left out, by id in the earlier database.
    read_to: i64,
}

/// What became of a key of a client that was made.
enum Became {
    Made { key: Option<KeyId>, is_active: bool },
    Refused(String),
}

impl<'a> Run<'a> {
    pub(super) fn new(
        mut source: Source,
        target: Target<'a>,
        options: &'a ImportOptions<'a>,
    ) -> Result<Self, ImportError> {
        let report = ImportReport {
            dry_run: matches!(target, Target::DryRun(_)),
            payment_details_left: source.has_payment_details()?,
            ..ImportReport::default()
        };
        Ok(Self {
            usage_left: source.usage_counts()?,
            unfinished: target.at(|mut place| Ok(place.unfinished()?))?,
            source,
            target,
            options,
            emails: HashSet::new(),
            hashes: HashSet::new(),
            keys: HashMap::new(),
            report,
        })
    }

    pub(super) fn through(mut self) -> Result<ImportReport, ImportError> {
        self.clients()?;
        self.stray_keys()?;
        self.usage()?;
        self.stray_usage();
        Ok(self.report)
    }

    fn clients(&mut self) -> Result<(), ImportError> {
        let mut after = BEFORE_ALL;
        loop {
            let page = self.source.clients(after)?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = last.id;
            for client in &page {
                let keys = self.source.keys_of(client.id)?;
                self.client(client, &keys)?;
            }
        }
    }

    fn client(&mut self, client: &OldClient, keys: &[OldKey]) -> Result<(), ImportError> {
        let (details, created_at, updated_at) = match self.fit(client) {
            Ok(fit) => fit,
            Err(unfit) => {
                self.skip_client(client, keys, unfit.to_string());
                return Ok(());
            }
        };
        let (target, options) = (self.target, self.options);
        let (emails, hashes) = (&mut self.emails, &mut self.hashes);
        let made = target.at(|mut place| {
            let (email, is_taken) = place.look_for_email(&details.email)?;
            if is_taken || !emails.insert(email) {
                return Ok(None);
            }
            let id = place.add_client(&details, created_at, updated_at)?;
            let keys = keys
                .iter()
                .map(|key| match key_to_make(key, options.now) {
                    Ok(new) => make_key(&mut place, hashes, id, new),
                    Err(unfit) => Ok(Became::Refused(unfit.to_string())),
                })
                .collect::<Result<Vec<_>, ImportError>>()?;
            place.audit(&AuditEntry {
                at: options.now,
                actor: options.actor.to_owned(),
                action: "import".to_owned(),
                client_id: id,
                key_id: None,
                detail: format!("client {} of the earlier Vigint", client.id),
            })?;
            Ok(Some(keys))
        })?;
        match made {
            None => self.client_is_here(client, &details, keys),
            Some(became) => {
                self.report.clients += 1;
                for (key, became) in keys.iter().zip(became) {
                    self.note_key(key, became);
                }
            }
        }
        Ok(())
    }

    fn fit(&self, client: &OldClient) -> Result<(ClientDetails, UtcTime, UtcTime), Unfit> {
        let (name, email) = (client.name.as_deref(), client.email.as_deref());
        let details = convert::client(name, email, self.options.default_locale)?;
        let (created_at, updated_at) = convert::times(
            client.created_at.as_deref(),
            client.updated_at.as_deref(),
            self.options.now,
        )?;
        Ok((details, created_at, updated_at))
    }

    fn note_key(&mut self, old: &OldKey, became: Became) {
        match became {
            Became::Made { key, is_active } => {
                self.report.keys += 1;
                self.report.inactive_keys += usize::from(!is_active);
                self.bring(old.id, key, BEFORE_ALL);
            }
            Became::Refused(reason) => self.skip_key(old, reason),
        }
    }

    fn bring(&mut self, old: i64, key: Option<KeyId>, read_to: i64) {
        self.usage_left.remove(&Some(old));
        self.keys.insert(old, Bringing { key, read_to });
    }

    /// Left alone, but for usage that an import of this very key left unfinished.
    fn client_is_here(&mut self, client: &OldClient, details: &ClientDetails, keys: &[OldKey]) {
        let mut others = Vec::new();
        for key in keys {
            let hash = convert::key_hash(key.key_hash.as_deref());
            let unfinished = hash.ok().and_then(|hash| self.unfinished.remove(&hash));
            match unfinished {
                Some((made, read_to)) => {
                    self.report.resumed_keys += 1;
                    self.bring(key.id, Some(made), read_to);
                }
                None => others.push(key),
            }
        }
        let mut reason = format!(
            "a client with the e-mail address {} is here already",
            details.email
        );
        if others.len() < keys.len() {
            reason.push_str("; the usage that an earlier import left unfinished is brought in");
        }
        self.skip_client(client, others, reason);
    }

    fn skip_client<'k>(
        &mut self,
        client: &OldClient,
        keys: impl IntoIterator<Item = &'k OldKey>,
        reason: String,
    ) {
        let (mut count, mut usage_rows) = (0, 0);
        for key in keys {
            count += 1;
            usage_rows += self.usage_of(Some(key.id));
        }
        let name = client.name.as_deref().unwrap_or_default();
        let email = client.email.as_deref().unwrap_or_default();
        self.report.skip(Skipped {
            kind: SkippedKind::Client,
            id: Some(client.id),
            name: format!("{name} <{email}>"),
            reason,
            keys: count,
            usage_rows,
        });
    }

    fn stray_keys(&mut self) -> Result<(), ImportError> {
        for key in self.source.stray_keys()? {
            let reason = match key.client_id {
                Some(client) => format!("it belongs to client {client}, which is not there"),
                None => "it belongs to no client".to_owned(),
            };
            self.skip_key(&key, reason);
        }
        Ok(())
    }

    fn skip_key(&mut self, key: &OldKey, reason: String) {
        let usage_rows = self.usage_of(Some(key.id));
        self.report.skip(Skipped {
            kind: SkippedKind::Key,
            id: Some(key.id),
            name: key.name.as_deref().unwrap_or_default().to_owned(),
            reason,
            keys: 1,
            usage_rows,
        });
    }

    /// How many usage rows name this key, which is met now and not again.
    fn usage_of(&mut self, key: Option<i64>) -> usize {
        self.usage_left.remove(&key).unwrap_or_default()
    }

    /// Usage that names a key that was nowhere.
    fn stray_usage(&mut self) {
        for (key, usage_rows) in std::mem::take(&mut self.usage_left) {
            self.report.skip(Skipped {
                kind: SkippedKind::UsageOfKey,
                id: key,
                name: String::new(),
                reason: match key {
                    Some(_) => "this key is not there".to_owned(),
                    None => "it names no key".to_owned(),
                },
                keys: 0,
                usage_rows,
            });
        }
    }
}

fn key_to_make(key: &OldKey, now: UtcTime) -> Result<KeyToMake, Unfit> {
    let (created_at, updated_at) =
        convert::times(key.created_at.as_deref(), key.updated_at.as_deref(), now)?;
    Ok(KeyToMake {
        hash: convert::key_hash(key.key_hash.as_deref())?,
        name: convert::key_name(key.name.as_deref()),
        is_active: key.is_active,
        created_at,
        updated_at,
    })
}

/// Makes a key unless one with its hash is here, or was made before in this run.
fn make_key(
    place: &mut Place<'_>,
    made: &mut HashSet<String>,
    client: Option<ClientId>,
    new: KeyToMake,
) -> Result<Became, ImportError> {
    if made.contains(&new.hash) || place.has_key(&new.hash)? {
        return Ok(Became::Refused("this key is here already".to_owned()));
    }
    let key = place.add_key(client, &new)?;
    let is_active = new.is_active;
    made.insert(new.hash);
    Ok(Became::Made { key, is_active })
}
