//! A clips service on a folder and a database of its own, for the tests of this room.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tempfile::TempDir;
use vigint_core::clock::UtcTime;
use vigint_core::ids::{ClientId, IncidentId, SourceId};
use vigint_core::incident::{IncidentStatus, Triage};
use vigint_core::key::ApiKey;
use vigint_core::locale::Locale;
use vigint_core::random::SystemRandom;
use vigint_core::verdict::{Confirmation, RiskLevel};
use vigint_db::clients::NewClient;
use vigint_db::clips::{ClipRow, NewClip};
use vigint_db::incidents::IncidentRow;
use vigint_db::keys::{KeyRow, NewKey};
use vigint_db::{Db, DbError, Operator, Tenant};
use vigint_testkit::scene::noise_frame;
use vigint_video::clip::{ClipEncoder, ClipSettings, H264ClipEncoder};

use super::{ClipStore, Clips, ClipsFolder, ClipsOptions, FreeSpace, KeepError, StorageKey};
use crate::buffer::{Frame, IncomingFrame};
use crate::database::Database;
use crate::vitals::Vital;

pub(crate) static TEST: Operator = Operator::named("test");

/// When the tests' time begins.
pub(crate) const START: UtcTime = UtcTime::UNIX_EPOCH;

/// How long the tests' clips are kept.
pub(crate) const RETENTION: Duration = Duration::from_secs(3600);

/// A disk with as much room as the test says; at first without end.
pub(crate) struct PretendedDisk(pub(crate) AtomicU64);

impl FreeSpace for PretendedDisk {
    fn free_bytes(&self, _: &Path) -> io::Result<u64> {
        Ok(self.0.load(Ordering::Relaxed))
    }
}

/// A client with one key.
pub(crate) struct Customer {
    pub(crate) tenant: Tenant,
    pub(crate) key: KeyRow,
}

impl Customer {
    pub(crate) fn id(&self) -> ClientId {
        self.tenant.client_id()
    }
}

/// The service and what it stands on.
pub(crate) struct Fixture {
    pub(crate) clips: Clips,
    pub(crate) db: Db,
    pub(crate) disk: Arc<PretendedDisk>,
    pub(crate) vital: Arc<Vital>,
    pub(crate) folder: TempDir,
}

impl Fixture {
    /// A client's clips may take so many bytes.
    pub(crate) fn new(max_bytes_per_client: u64) -> Self {
        let encoder = H264ClipEncoder::new(ClipSettings::default());
        Self::with_encoder(max_bytes_per_client, Arc::new(encoder))
    }

    pub(crate) fn with_encoder(max_bytes_per_client: u64, encoder: Arc<dyn ClipEncoder>) -> Self {
        Self::build(max_bytes_per_client, encoder, |_, store| store)
    }

    /// With a folder that is marked as the database's.
    pub(crate) fn marked() -> Self {
        let encoder = H264ClipEncoder::new(ClipSettings::default());
        Self::build(u64::MAX, Arc::new(encoder), |db, store| {
            let (store, operator) = (&store, &TEST);
            let folder = ClipsFolder {
                db,
                store,
                operator,
            };
            folder.claim(&SystemRandom, START).unwrap()
        })
    }

    fn build(
        max_bytes_per_client: u64,
        encoder: Arc<dyn ClipEncoder>,
        mark: impl FnOnce(&Db, ClipStore) -> ClipStore,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:///{}/vigint.db", folder.path().display());
        let db = Db::open(&url.parse().unwrap(), 3).unwrap();
        db.migrate().unwrap();
        let disk = Arc::new(PretendedDisk(AtomicU64::new(u64::MAX)));
        let vital = Arc::new(Vital::default());
        let free_space: Arc<dyn FreeSpace> = Arc::clone(&disk) as _;
        let clips = Clips::new(ClipsOptions {
            store: mark(
                &db,
                ClipStore::open(&folder.path().join("clips"), 1 << 24).unwrap(),
            ),
            encoder,
            database: Database::new(db.clone(), 1).unwrap(),
            retention: RETENTION,
            max_bytes_per_client,
            still_before_end: Duration::ZERO,
            free_space,
            random: Arc::new(SystemRandom),
            vital: Arc::clone(&vital),
            metrics: Arc::default(),
        });
        Self {
            clips,
            db,
            disk,
            vital,
            folder,
        }
    }

    pub(crate) fn customer(&self, name: &str) -> Customer {
        let new = NewClient {
            name: name.to_owned(),
            email: format!("{name}@shop.example"),
            locale: Locale::French,
            time_zone: "Europe/Paris".to_owned(),
        };
        let made = self.db.write(|conn| {
            let client = vigint_db::clients::create(conn, &TEST, &new, START)?;
            let tenant = Tenant::by_operator(&TEST, client.id);
            let key = ApiKey::generate(&SystemRandom);
            let new_key = NewKey {
                hash: key.hash(),
                prefix: key.shown_prefix().to_owned(),
                name: "till".to_owned(),
                expires_at: None,
            };
            let key = vigint_db::keys::create(conn, &tenant, &new_key, START)?;
            Ok::<_, DbError>(Customer { tenant, key })
        });
        made.unwrap()
    }

    /// Keeps frames of so many bytes together, and the incident and clip they belong to, made so many seconds after
    /// the start.
    pub(crate) async fn keep(
        &self,
        customer: &Customer,
        bytes: usize,
        seconds: i64,
    ) -> Result<StorageKey, KeepError> {
        // Magic, head and end take 32 bytes beside the picture.
        let jpeg = Bytes::from(vec![0; bytes.checked_sub(32).unwrap()]);
        self.keep_jpegs(customer, &[jpeg], seconds).await
    }

    /// The same with pictures.
    pub(crate) async fn keep_pictures(&self, customer: &Customer, count: u64) -> StorageKey {
        let jpegs: Vec<Bytes> = (0..count)
            .map(|seed| noise_frame(seed, 160, 96).into())
            .collect();
        self.keep_jpegs(customer, &jpegs, 0).await.unwrap()
    }

    async fn keep_jpegs(
        &self,
        customer: &Customer,
        jpegs: &[Bytes],
        seconds: i64,
    ) -> Result<StorageKey, KeepError> {
        let (id, key) = self.clips.new_key(&customer.tenant);
        let frames = jpegs.iter().zip(0..).map(|(jpeg, number)| {
            let at = START.plus_millis(number * 100);
            let incoming = IncomingFrame {
                jpeg: jpeg.clone(),
                width: 160,
                height: 96,
                frame_count: number,
                captured_at: None,
                source_name: None,
            };
            Arc::new(Frame::new(incoming, at, at))
        });
        self.clips.keep_frames(key, frames.collect()).await?;
        let now = START.plus_millis(seconds * 1000);
        let incident = incident(customer, now);
        let clip = NewClip {
            id,
            incident_id: incident.id,
            storage_key: key.to_string(),
            expires_at: self.clips.expiry(now),
            created_at: now,
        };
        let written = self.db.write(|conn| {
            vigint_db::incidents::insert(conn, &customer.tenant, &incident)?;
            vigint_db::clips::insert(conn, &customer.tenant, &clip)
        });
        written.unwrap();
        Ok(key)
    }

    /// Makes the film of a kept clip and writes it down.
    pub(crate) async fn make(&self, customer: &Customer, key: StorageKey) {
        let made = self.clips.make_film(key).await.unwrap();
        let is_ready = self
            .db
            .write(|conn| vigint_db::clips::mark_ready(conn, &customer.tenant, key.clip(), &made));
        assert!(is_ready.unwrap());
        self.clips.remove_frames(key).await.unwrap();
    }

    pub(crate) fn row(&self, customer: &Customer, key: StorageKey) -> ClipRow {
        let row = self
            .db
            .read(|conn| vigint_db::clips::get(conn, &customer.tenant, key.clip()));
        row.unwrap().unwrap()
    }

    /// The endings of a clip's files, in order.
    pub(crate) fn files(&self, key: StorageKey) -> Vec<String> {
        let folder = self.folder.path().join(format!("clips/{}", key.client()));
        let name = format!("{}.", key.clip());
        let Ok(entries) = std::fs::read_dir(folder) else {
            return Vec::new();
        };
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut endings: Vec<String> = names
            .filter_map(|file| Some(file.strip_prefix(&name)?.to_owned()))
            .collect();
        endings.sort();
        endings
    }
}

fn incident(customer: &Customer, now: UtcTime) -> IncidentRow {
    let id = IncidentId::generate(&SystemRandom);
    // A source of its own: each may have one open incident.
    let source: SourceId = format!("cam-{id}").parse().unwrap();
    IncidentRow {
        id,
        client_id: customer.id(),
        api_key_id: customer.key.id,
        source_id: source,
        source_name: None,
        status: IncidentStatus::Closed,
        triage: Triage::New,
        incident_type: "theft".to_owned(),
        risk_level: RiskLevel::High,
        description: "d".to_owned(),
        analysis: "a".to_owned(),
        detailed_analysis: None,
        confirmation: Confirmation::Confirmed,
        is_manual: false,
        occurrences: 1,
        frame_count: 1,
        first_seen_at: now,
        last_seen_at: now,
        detected_at: now,
        note: None,
        created_at: now,
        updated_at: now,
    }
}
