//! Films hosted by Sparse AI, by a clock that the test turns; when it does not take them, by this server.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use vigint_core::clock::{Clock as _, ManualClock};
use vigint_core::incident::{ClipState, HostingState};
use vigint_db::clips::{ClipRow, Hosting};
use vigint_testkit::hosting::{HostingAnswer, HostingStandIn};
use vigint_testkit::mailbox::{Mail, mails};
use vigint_testkit::programs::wait_for;

use crate::fixture::{Customer, FixedAnalyzer, OPERATOR, Options, TestServer, now, pictures, send};

const PATIENCE: Duration = Duration::from_secs(60);

struct Shop {
    server: TestServer,
    clock: Arc<ManualClock>,
    service: HostingStandIn,
    customer: Customer,
}

impl Shop {
    fn open(answers: impl IntoIterator<Item = HostingAnswer>) -> Self {
        let service = HostingStandIn::start().unwrap();
        service.script(answers);
        let key = service.api_key().to_owned();
        Self::with_key(service, &key)
    }

    fn with_key(service: HostingStandIn, key: &str) -> Self {
        let clock = Arc::new(ManualClock::new(now()));
        let config = format!(
            "[API]\nmetrics_listen = 127.0.0.1:0\n[SparseAI]\napi_key = {key}\nbase_url = {}\n\
             default_expiration_hours = 1\n",
            service.base_url()
        );
        let options = FixedAnalyzer::options(&config, Ok(true), Ok(true));
        let (change, its) = (options.change, Arc::clone(&clock));
        let server = TestServer::with(Options {
            change: Box::new(move |parts| {
                change(parts);
                parts.clock = its;
            }),
            ..options
        });
        let customer = server.customer("Acme");
        Self {
            server,
            clock,
            service,
            customer,
        }
    }

    /// An incident with some frames; its id.
    fn detect(&self, source: &str) -> String {
        self.customer
            .push_all_at(source, &pictures(5), self.clock.now());
        let answer = self
            .customer
            .post("/api/video/analyze", &json!({"source_id": source}));
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["incident"]["id"].as_str().unwrap().to_owned()
    }

    fn show(&self, incident: &str) -> Value {
        self.customer
            .get(&format!("/api/incidents/{incident}"))
            .json()
    }

    fn clip(&self, incident: &str) -> ClipRow {
        let (tenant, incident) = (self.customer.tenant.clone(), incident.parse().unwrap());
        let clip = self
            .server
            .db()
            .read(|conn| vigint_db::clips::of_incident(conn, &tenant, incident));
        clip.unwrap().unwrap()
    }

    /// Waits until the way of the incident's film is such.
    fn until(&self, incident: &str, such: impl Fn(&Hosting) -> bool) -> Hosting {
        wait_for(PATIENCE, || self.clip(incident).hosting.filter(&such))
            .unwrap_or_else(|| panic!("{:?}", self.clip(incident)))
    }

    fn mail(&self) -> Mail {
        let outbox = self.server.folder().join("outbox");
        wait_for(PATIENCE, || (!mails(&outbox).is_empty()).then_some(())).expect("no mail came");
        let [mail] = mails(&outbox).try_into().expect("one mail");
        Mail::read(&mail).unwrap()
    }

    /// The mail says that the service has not taken the video, and has our own link, as the API shows it.
    fn mailed_our_link(&self, incident: &str) -> String {
        let mail = self.mail();
        let words = "The hosting service has not taken the video";
        assert!(mail.text.contains(words), "{}", mail.text);
        let url = self.show(incident)["video_url"].clone();
        let url = url.as_str().unwrap().to_owned();
        assert!(mail.text.contains(&url), "{}", mail.text);
        url
    }

    fn health(&self) -> Value {
        self.server.request("GET", "/api/health", &[], b"").json()
    }
}

fn get(url: &str) -> Vec<u8> {
    ureq::get(url)
        .call()
        .unwrap()
        .into_body()
        .read_to_vec()
        .unwrap()
}

#[test]
fn a_film_that_is_hosted_is_mailed_under_its_private_link_there() {
    let shop = Shop::open([]);
    assert_eq!(shop.health()["checks"]["hosting"], "sparse_ai");
    let incident = shop.detect("till");
    let mail = shop.mail();
    let clip = shop.clip(&incident);
    let link = format!(
        "{}/watch/{}?token=private-{}",
        shop.service.base_url(),
        clip.id,
        clip.id
    );
    assert!(mail.text.contains(&link), "{}", mail.text);
    assert!(
        mail.text.contains("The video is hosted by Sparse AI."),
        "{}",
        mail.text
    );
    assert_eq!(shop.show(&incident)["video_url"], link);
    assert_eq!(
        shop.customer.get("/api/incidents").json()["incidents"][0]["video_url"],
        link
    );
    let [upload] = shop.service.uploads().try_into().unwrap();
    assert_eq!(upload.refused, None);
    let hash = hex::encode(Sha256::digest(&upload.video));
    assert_eq!(upload.metadata["file_hash"], hash);
    assert_eq!(clip.sha256, Some(hash));
    assert_eq!(get(&link), upload.video);
    // What is kept here is kept, and shown once the link there is over.
    let kept = shop
        .customer
        .get(&format!("/api/incidents/{incident}/clip"));
    assert_eq!((kept.status, &kept.body), (200, &upload.video));
    let metrics = send(
        &format!("http://{}", shop.server.open_metrics()),
        "GET",
        "/metrics",
        &[],
        b"",
    );
    assert!(
        metrics
            .text()
            .contains("vigint_uploads_total{outcome=\"hosted\"} 1"),
        "{}",
        metrics.text()
    );
    assert!(
        metrics
            .text()
            .contains("vigint_failing{part=\"hosting\"} 0")
    );
    shop.clock.advance(Duration::from_secs(3600));
    let ours = shop.show(&incident)["video_url"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(get(&ours), upload.video);
    assert_ne!(ours, link);
}

#[test]
fn a_service_that_stays_down_is_tried_three_times_and_the_mail_has_our_link() {
    let down = [
        HostingAnswer::Status(503),
        HostingAnswer::Close,
        HostingAnswer::Status(500),
    ];
    let shop = Shop::open(down);
    let incident = shop.detect("till");
    for (attempts, words) in [(1, "answered 503"), (2, "could not be reached")] {
        let failed = |way: &Hosting| {
            way.last_error
                .as_ref()
                .is_some_and(|why| why.contains(words))
        };
        let way = shop.until(&incident, failed);
        assert_eq!((way.state, way.attempts), (HostingState::Pending, attempts));
        assert_eq!(shop.health()["checks"]["hosting"], "failing");
        shop.clock.advance(Duration::from_secs(4));
    }
    let way = shop.until(&incident, |way| way.state == HostingState::Failed);
    assert_eq!(way.attempts, 3);
    assert!(way.last_error.unwrap().contains("answered 500"));
    let url = shop.mailed_our_link(&incident);
    // Each try sent the whole film anew.
    let uploads = shop.service.uploads();
    assert_eq!(uploads.len(), 3);
    let film = get(&url);
    assert!(
        uploads
            .iter()
            .all(|upload| upload.refused.is_none() && upload.video == film)
    );
}

#[test]
fn a_key_that_the_service_refuses_is_tried_once_and_shown() {
    let shop = Shop::with_key(HostingStandIn::start().unwrap(), "wrong");
    let incident = shop.detect("till");
    let way = shop.until(&incident, |way| way.state == HostingState::Failed);
    assert!(way.last_error.unwrap().contains("mend [SparseAI] api_key"));
    assert!(shop.mail().text.contains("has not taken the video"));
    assert_eq!(shop.service.uploads().len(), 1);
    let health = shop.health();
    assert_eq!(
        (&health["status"], &health["checks"]["hosting"]),
        (&json!("degraded"), &json!("failing"))
    );
}

#[test]
fn a_mail_waits_half_a_minute_for_a_service_that_hangs_and_films_are_made_meanwhile() {
    // Turning the clock ends the lease of the first: it hangs a second time, and nothing else can be handed over.
    let shop = Shop::open([HostingAnswer::Hang, HostingAnswer::Hang]);
    let incident = shop.detect("till");
    assert!(shop.service.wait_for_uploads(1, PATIENCE));
    assert!(mails(&shop.server.folder().join("outbox")).is_empty());
    shop.clock.advance(Duration::from_secs(31));
    shop.mailed_our_link(&incident);
    assert!(shop.service.wait_for_uploads(2, PATIENCE));
    let next = shop.detect("door");
    let made = wait_for(PATIENCE, || {
        (shop.clip(&next).state == ClipState::Ready).then_some(())
    });
    assert!(made.is_some(), "its film waits for the hosting service");
}

#[test]
fn erasing_a_client_breaks_its_upload_off_and_names_what_lies_there() {
    let shop = Shop::open([HostingAnswer::Take, HostingAnswer::Hang]);
    let hosted = shop.detect("till");
    shop.until(&hosted, |way| way.state == HostingState::Hosted);
    shop.clock.advance(Duration::from_secs(900));
    shop.detect("till");
    assert!(shop.service.wait_for_uploads(2, PATIENCE));
    let (clip, tenant) = (shop.clip(&hosted), shop.customer.tenant.clone());
    let at = shop.clock.now();
    let deleted = shop
        .server
        .db()
        .write(|conn| vigint_db::clients::delete(conn, &OPERATOR, &tenant, at));
    let left = deleted.unwrap().unwrap().hosted;
    let left: Vec<_> = (left.into_iter())
        .map(|film| (film.video_id, film.is_certain))
        .collect();
    let begun = shop.service.uploads()[1].video_id();
    assert_eq!(
        left,
        [(format!("sparse-{}", clip.id), true), (begun, false)]
    );
    assert!(
        shop.service.wait_for_hang_ups(1, PATIENCE),
        "the upload goes on"
    );
    let empty = wait_for(PATIENCE, || {
        let clips = shop
            .server
            .folder()
            .join("clips")
            .join(shop.customer.id.to_string());
        (!clips.exists()).then_some(())
    });
    assert!(empty.is_some(), "files are left");
}

#[test]
fn a_service_that_gives_two_clients_one_link_shows_neither_the_others_film() {
    let link = "https://sparse.example.com/mixed-up";
    let same = || HostingAnswer::Link(link.to_owned());
    let shop = Shop::open([same(), same()]);
    let first = shop.detect("till");
    shop.until(&first, |way| way.state == HostingState::Hosted);
    let other = shop.server.customer("Other");
    other.push_all_at("till", &pictures(3), shop.clock.now());
    let answer = other.post("/api/video/analyze", &json!({"source_id": "till"}));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let outbox = shop.server.folder().join("outbox");
    wait_for(PATIENCE, || (mails(&outbox).len() == 2).then_some(())).expect("no second mail");
    let read = |path: &std::path::PathBuf| Mail::read(path).unwrap();
    let to_other: Vec<_> = (mails(&outbox).iter().map(read))
        .filter(|mail| mail.to == "other@shop.example")
        .collect();
    assert!(
        to_other[0].text.contains("has not taken the video"),
        "{}",
        to_other[0].text
    );
    let shown = other.get("/api/incidents").json()["incidents"][0]["video_url"].clone();
    assert_ne!(shown, link);
    assert!(to_other[0].text.contains(shown.as_str().unwrap()));
    assert_eq!(shop.show(&first)["video_url"], link);
}
