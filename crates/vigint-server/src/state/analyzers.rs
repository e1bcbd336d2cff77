//! Who judges, by the settings. A new provider is one more line in [`connection`].

use std::sync::Arc;

use vigint_config::{Ai, Loaded, Provider as Choice};

use super::{BuildError, Parts, threads};
use crate::analysis::model::{
    AddressError, Connection, Gemini, LookOptions, ModelAnalyzer, ModelOptions, OpenAi,
};
use crate::analysis::{Analyzer, MotionAnalyzer, MotionShares};
use crate::http_client::is_loopback;
use crate::usage::is_priced;

/// What an operator should know of the settings of `[AI]`: a sentence each, with the key.
pub(super) fn warnings(loaded: &Loaded) -> Vec<String> {
    let ai = &loaded.settings.ai;
    let chosen = ai.chosen_provider();
    // Who chose motion by name expects no model, whatever keys lie about in the environment.
    let is_idle = ai.provider == Choice::Auto && chosen == Choice::Motion;
    let idle_key = (is_idle && loaded.origins.is_changed("AI", "openai_api_key")).then(|| {
        "[AI] openai_api_key is set, and provider = auto does not use it: write provider = openai, with its models"
            .to_owned()
    });
    let models = [&ai.screening_model, &ai.confirmation_model];
    let is_counted = chosen != Choice::Motion && ai.monthly_budget.is_some();
    let unpriced = models
        .into_iter()
        .filter(|model| is_counted && !is_priced(model, &ai.model_prices))
        .map(|model| {
            format!("[AI] monthly_budget cannot count what {model} costs: give its price in model_prices")
        });
    idle_key
        .into_iter()
        .chain(unpriced)
        .chain(readable_on_the_way(ai))
        .collect()
}

/// Pictures and the key that travel where others can read them.
fn readable_on_the_way(ai: &Ai) -> Option<String> {
    let Connection { base, setting, .. } = connection(ai)?.ok()?;
    (base.scheme() == "http" && !is_loopback(&base)).then(|| {
        format!(
            "[AI] {setting} is plain http to another machine: whoever is between can read the pictures and the key; use https"
        )
    })
}

/// Who judges.
pub(super) struct Analyzers {
    pub(super) analyzer: Arc<dyn Analyzer>,
    /// Who judges when nothing is left to pay it with; none when it costs nothing.
    pub(super) unpaid: Option<Arc<dyn Analyzer>>,
}

pub(super) fn analyzers(parts: &Parts) -> Result<Analyzers, BuildError> {
    if let Some(analyzer) = &parts.analyzer {
        return Ok(Analyzers {
            analyzer: Arc::clone(analyzer),
            unpaid: None,
        });
    }
    let motion: Arc<dyn Analyzer> = Arc::new(motion(parts));
    Ok(match model(parts)? {
        Some(model) => Analyzers {
            analyzer: Arc::new(model),
            unpaid: Some(motion),
        },
        None => Analyzers {
            analyzer: motion,
            unpaid: None,
        },
    })
}

fn motion(parts: &Parts) -> MotionAnalyzer {
    let video = &parts.settings.video_analysis;
    let shares = MotionShares {
        screen: video.motion_screen_share,
        confirm: video.motion_confirm_share,
    };
    let decoder = Arc::clone(&parts.grey_decoder);
    MotionAnalyzer::new(shares, decoder, threads::background_threads())
}

/// The model that was chosen; none when motion judges.
fn model(parts: &Parts) -> Result<Option<ModelAnalyzer>, BuildError> {
    let ai = &parts.settings.ai;
    let Some(connection) = connection(ai).transpose()? else {
        return Ok(None);
    };
    let keys = [&ai.gemini_api_key, &ai.openai_api_key];
    let analyzer = ModelAnalyzer::new(ModelOptions {
        provider: connection.provider,
        is_loopback: is_loopback(&connection.base),
        screen: LookOptions {
            model: ai.screening_model.clone(),
            frames: ai.screening_frames,
            resolution: ai.screening_resolution,
        },
        confirm: LookOptions {
            model: ai.confirmation_model.clone(),
            frames: ai.confirmation_frames,
            resolution: ai.confirmation_resolution,
        },
        picture_size: ai.picture_size,
        threads: threads::background_threads(),
        secrets: keys
            .into_iter()
            .flatten()
            .map(|key| key.reveal().to_owned())
            .collect(),
        clock: Arc::clone(&parts.clock),
        random: Arc::clone(&parts.random),
    })?;
    Ok(Some(analyzer))
}

/// Who runs the models; none when motion judges.
fn connection(ai: &Ai) -> Option<Result<Connection, AddressError>> {
    Some(match ai.chosen_provider() {
        Choice::Gemini => Gemini::connect(ai),
        Choice::OpenAi => OpenAi::connect(ai),
        Choice::Auto | Choice::Motion => return None,
    })
}
