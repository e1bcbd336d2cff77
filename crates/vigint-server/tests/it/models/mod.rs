//! Analyses by models: the server against a stand-in of the services that run them.

mod budgets;
mod crowds;
mod doubts;
mod faults;
mod looks;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use vigint_core::clock::{Clock as _, ManualClock};
use vigint_testkit::model::{Answer, ModelStandIn, ModelVerdict, Provider, StandInOptions};
use vigint_testkit::programs;

use crate::fixture::{Customer, OPERATOR, Options, TestServer, now, pictures};

/// Longer than anything takes that comes at all.
const PATIENCE: Duration = Duration::from_secs(60);
/// The models of both looks.
const GEMINI: [&str; 2] = ["gemini-3.5-flash-lite", "gemini-3.8-flash"];
const OPENAI: [&str; 2] = ["small", "large"];

/// A server that asks a stand-in, and a clock to turn.
struct Scene {
    server: TestServer,
    model: ModelStandIn,
    clock: Arc<ManualClock>,
    /// The models of the screen and of the confirmation.
    names: [&'static str; 2],
}

impl Scene {
    fn gemini(config: &str) -> Self {
        Self::with(Provider::Gemini, StandInOptions::default(), config)
    }

    /// A server that asks this provider; `config` goes on in `[AI]`.
    fn of(provider: Provider, config: &str) -> Self {
        Self::with(provider, StandInOptions::default(), config)
    }

    fn with(provider: Provider, mut options: StandInOptions, config: &str) -> Self {
        options.openai_models = OPENAI.map(str::to_owned).to_vec();
        let model = ModelStandIn::start_with(options).unwrap();
        let (names, ai) = match provider {
            Provider::Gemini => (
                GEMINI,
                format!(
                    "provider = auto\ngemini_api_key = {}\ngemini_base_url = {}\n",
                    model.api_key(),
                    model.base_url()
                ),
            ),
            Provider::OpenAi => (
                OPENAI,
                format!(
                    "provider = openai\nopenai_api_key = {}\nopenai_base_url = {}\n\
                     screening_model = {}\nconfirmation_model = {}\n",
                    model.api_key(),
                    model.openai_base_url(),
                    OPENAI[0],
                    OPENAI[1]
                ),
            ),
        };
        let clock = Arc::new(ManualClock::new(now()));
        let theirs = Arc::clone(&clock);
        let server = TestServer::with(Options {
            config: format!("[AI]\nmotion_gate = false\n{ai}{config}"),
            change: Box::new(move |parts| parts.clock = theirs),
        });
        Self {
            server,
            model,
            clock,
            names,
        }
    }

    /// What the screen answers next.
    fn screens(&self, answer: impl Into<Answer>) {
        self.model.script(self.names[0], [answer.into()]);
    }

    /// What the confirmation answers next.
    fn confirms(&self, answer: impl Into<Answer>) {
        self.model.script(self.names[1], [answer.into()]);
    }

    /// A customer of whose camera some pictures are there.
    fn customer(&self, name: &str) -> Customer {
        let customer = self.server.customer(name);
        self.push(&customer, "till", &pictures(30));
        customer
    }

    /// Pictures of this source, the last one now by the server's clock.
    fn push(&self, customer: &Customer, source: &str, jpegs: &[Vec<u8>]) {
        customer.push_all_at(source, jpegs, self.clock.now());
    }

    /// How many mails there are to or about a client, or in all, sent or not.
    fn alert_count(&self, customer: Option<&Customer>) -> usize {
        let query = vigint_db::alerts::OutboxQuery {
            client_id: customer.map(|customer| customer.id),
            ..vigint_db::alerts::OutboxQuery::default()
        };
        let list = |conn: &mut _| vigint_db::alerts::list(conn, &OPERATOR, &query);
        self.server.db().read(list).unwrap().alerts.len()
    }

    fn health(&self) -> Value {
        self.server.request("GET", "/api/health", &[], b"").json()
    }
}

fn incident() -> Answer {
    Answer::verdict(&ModelVerdict::incident("shoplifting"))
}

fn clear() -> Answer {
    Answer::verdict(&ModelVerdict::clear())
}

fn analyze(customer: &Customer) -> crate::fixture::Answer {
    analyze_source(customer, "till")
}

fn analyze_source(customer: &Customer, source: &str) -> crate::fixture::Answer {
    customer.post("/api/video/analyze", &json!({"source_id": source}))
}

/// Analyses, and expects a judgement.
fn judged(customer: &Customer) -> Value {
    let answer = analyze(customer);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// Waits until something is there.
fn wait_for<T>(found: impl Fn() -> Option<T>) -> T {
    programs::wait_for(PATIENCE, found).expect("it comes")
}
