//! The server's settings: what may be set, where a value comes from, and whether it makes sense.
//!
//! One file a section; each declares its keys once (`definition.rs`), and from that come the struct, the
//! names that are known, `check-config` and `config.ini.example`. Order: built-in default < config.ini <
//! environment < flag. Every problem is reported, not only the first, and no message shows a secret.
//!
//! It owns the process's environment: nothing else reads it. It must not know what the settings are for:
//! it opens no database, no socket and no certificate.

mod admin;
mod ai;
mod alerts;
mod api;
mod billing;
mod clips;
mod database;
mod defaults;
mod definition;
mod email;
mod example;
mod file;
mod ini;
mod layers;
mod limits;
mod load;
mod logging;
mod masking;
mod memory;
mod model_prices;
mod origins;
mod parse;
mod problems;
mod rules;
mod secrets;
mod shell_user;
mod sparse_ai;
mod video_analysis;

#[cfg(test)]
mod tests;

pub use admin::Admin;
pub use ai::{Ai, Provider, Resolution};
pub use alerts::Alerts;
pub use api::Api;
pub use billing::Billing;
pub use clips::Clips;
pub use database::{Database, DatabaseAddress};
pub use email::{Email, Security};
pub use example::example;
pub use limits::Limits;
pub use load::{LoadFrom, Loaded, Overrides};
pub use logging::{Format, Logging};
pub use model_prices::{ModelPrice, ModelPrices};
pub use origins::Origins;
pub use problems::{ConfigError, Problem, Problems};
pub use sparse_ai::SparseAi;
pub use video_analysis::VideoAnalysis;

use definition::Section;
use origins::Reader;

/// Everything an operator may set, read and checked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `[API]`
    pub api: Api,
    /// `[Database]`
    pub database: Database,
    /// `[Admin]`
    pub admin: Admin,
    /// `[AI]`
    pub ai: Ai,
    /// `[VideoAnalysis]`
    pub video_analysis: VideoAnalysis,
    /// `[Email]`
    pub email: Email,
    /// `[Alerts]`
    pub alerts: Alerts,
    /// `[Clips]`
    pub clips: Clips,
    /// `[SparseAI]`
    pub sparse_ai: SparseAi,
    /// `[Billing]`
    pub billing: Billing,
    /// `[Limits]`
    pub limits: Limits,
    /// `[Logging]`
    pub logging: Logging,
}

/// Every section, in the order in which it is shown.
const SECTIONS: [&Section; 12] = [
    &Api::SECTION,
    &Database::SECTION,
    &Admin::SECTION,
    &Ai::SECTION,
    &VideoAnalysis::SECTION,
    &Email::SECTION,
    &Alerts::SECTION,
    &Clips::SECTION,
    &SparseAi::SECTION,
    &Billing::SECTION,
    &Limits::SECTION,
    &Logging::SECTION,
];

impl Settings {
    /// Finds, reads and checks the settings.
    ///
    /// # Errors
    /// [`ConfigError`]: the file cannot be read, or all that is wrong with the settings.
    pub fn load(from: &LoadFrom) -> Result<Loaded, ConfigError> {
        load::load(from)
    }

    /// Reads every section; a value with a problem counts as its default, so that the rest is checked too.
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let api = Api::read(reader);
        let database = Database::read(reader);
        let admin = Admin::read(reader);
        let ai = Ai::read(reader);
        let video_analysis = VideoAnalysis::read(reader);
        let email = Email::read(reader);
        let alerts = Alerts::read(reader);
        let clips = Clips::read(reader);
        let sparse_ai = SparseAi::read(reader);
        let billing = Billing::read(reader);
        let limits = Limits::read(reader);
        let logging = Logging::read(reader);
        Some(Self {
            api: api?,
            database: database?,
            admin: admin?,
            ai: ai?,
            video_analysis: video_analysis?,
            email: email?,
            alerts: alerts?,
            clips: clips?,
            sparse_ai: sparse_ai?,
            billing: billing?,
            limits: limits?,
            logging: logging?,
        })
    }
}
