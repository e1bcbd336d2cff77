//! What a server is built from. It must not know how.

use std::sync::Arc;
use std::time::Duration;

use vigint_config::Settings;
use vigint_core::clock::{Clock, SystemClock};
use vigint_core::random::{Random, SystemRandom};
use vigint_video::clip::{ClipEncoder, ClipSettings, H264ClipEncoder};
use vigint_video::grey::{GreyDecoder, JpegGreyDecoder};

use super::BuildError;
use crate::alerts::SmtpLimits;
use crate::analysis::Analyzer;
use crate::clips::{FreeSpace, SystemFreeSpace};

/// The longest a sender may send nothing of its body.
const BODY_PATIENCE: Duration = Duration::from_secs(10);

/// What the server is built from. Tests put their own in the place of some.
pub struct Parts {
    /// Everything an operator may set.
    pub settings: Settings,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where ids and secrets come from.
    pub random: Arc<dyn Random>,
    /// What decodes pictures for the motion gate.
    pub grey_decoder: Arc<dyn GreyDecoder>,
    /// What makes films.
    pub clip_encoder: Arc<dyn ClipEncoder>,
    /// Knows how much room the disk of the clips has.
    pub free_space: Arc<dyn FreeSpace>,
    /// Who judges; none: whom the settings choose.
    pub analyzer: Option<Arc<dyn Analyzer>>,
    /// The longest a sender may send nothing of its body.
    pub body_patience: Duration,
    /// How long a mail server may take.
    pub mail_limits: SmtpLimits,
}

impl Parts {
    /// The parts a real server runs with.
    ///
    /// # Errors
    /// When the settings ask for what this version does not have.
    pub fn of(settings: Settings) -> Result<Self, BuildError> {
        let encoder = H264ClipEncoder::new(ClipSettings {
            bitrate_kbps: settings.clips.bitrate_kbps,
        });
        Ok(Self {
            clock: Arc::new(SystemClock::new()),
            random: Arc::new(SystemRandom),
            analyzer: None,
            grey_decoder: Arc::new(JpegGreyDecoder),
            clip_encoder: Arc::new(encoder),
            free_space: Arc::new(SystemFreeSpace),
            body_patience: BODY_PATIENCE,
            mail_limits: SmtpLimits::default(),
            settings,
        })
    }
}
