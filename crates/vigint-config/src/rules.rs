//! What settings must be to one another. A rule is silent about values that have a problem of their own.

use std::net::IpAddr;

use url::Url;
use vigint_core::key::Secret;

use super::Settings;
use super::ai::Provider;
use super::email::Security;
use super::origins::Origins;
use super::problems::Problems;

type Key = (&'static str, &'static str);

/// Adds what does not go together.
pub(super) fn check(settings: &Settings, origins: &Origins, problems: &mut Problems) {
    let mut rules = Rules { origins, problems };
    rules.of_api(settings);
    rules.of_ai(settings);
    rules.of_video_analysis(settings);
    rules.of_email(settings);
    rules.of_sparse_ai(settings);
}

struct Rules<'a> {
    origins: &'a Origins,
    problems: &'a mut Problems,
}

impl Rules<'_> {
    /// Notes `message` about the first of `keys` unless the rule holds.
    fn require(&mut self, holds: bool, keys: &[Key], message: &str) {
        let known = |(section, key): &Key| self.problems.is_about(section, key);
        let Some(first) = keys.first().filter(|_| !holds && !keys.iter().any(known)) else {
            return;
        };
        let place = if self.origins.is_given(first.0, first.1) {
            self.origins.of(first.0, first.1).unwrap_or_default()
        } else {
            &self.origins.file
        };
        self.problems.add_key(place, *first, message);
    }

    fn of_api(&mut self, settings: &Settings) {
        let api = &settings.api;
        self.require(
            settings.email.smtp_server.is_none() || self.origins.is_given("API", "public_url"),
            &[("API", "public_url"), ("Email", "smtp_server")],
            "must be given when [Email] smtp_server is: the links in mails begin with it (environment VIGINT_PUBLIC_URL)",
        );
        self.require(
            api.tls_cert.is_none() || api.tls_key.is_some(),
            &[("API", "tls_key"), ("API", "tls_cert")],
            "must be given when tls_cert is",
        );
        self.require(
            api.tls_key.is_none() || api.tls_cert.is_some(),
            &[("API", "tls_cert"), ("API", "tls_key")],
            "must be given when tls_key is",
        );
        let shared = |other: &Option<Secret>| {
            let admin_key = settings.admin.api_key.as_ref();
            admin_key.is_some() && other.as_ref() == admin_key
        };
        self.require(
            !shared(&api.secret_key) && !shared(&api.previous_secret_key),
            &[
                ("Admin", "api_key"),
                ("API", "secret_key"),
                ("API", "previous_secret_key"),
            ],
            "must not be [API] secret_key again: each has its own purpose",
        );
    }

    fn of_ai(&mut self, settings: &Settings) {
        let ai = &settings.ai;
        self.require(
            ai.provider != Provider::Gemini || ai.gemini_api_key.is_some(),
            &[("AI", "gemini_api_key"), ("AI", "provider")],
            "must be given when provider is gemini (environment GOOGLE_API_KEY)",
        );
        let openai = ai.provider == Provider::OpenAi;
        self.require(
            !openai
                || ai.openai_api_key.is_some()
                || self.origins.is_given("AI", "openai_base_url"),
            &[
                ("AI", "openai_base_url"),
                ("AI", "openai_api_key"),
                ("AI", "provider"),
            ],
            "or openai_api_key must be given when provider is openai",
        );
        for key in ["screening_model", "confirmation_model"] {
            self.require(
                !openai || self.origins.is_given("AI", key),
                &[("AI", key), ("AI", "provider")],
                "must be given when provider is openai",
            );
        }
    }

    fn of_video_analysis(&mut self, settings: &Settings) {
        let video = &settings.video_analysis;
        self.require(
            video.short_buffer_duration <= video.long_buffer_duration,
            &[
                ("VideoAnalysis", "short_buffer_duration"),
                ("VideoAnalysis", "long_buffer_duration"),
            ],
            &format!(
                "must not be more than long_buffer_duration, which is {}",
                video.long_buffer_duration.as_secs_f64()
            ),
        );
        self.require(
            video.max_frame_bytes <= video.max_inflight_bytes,
            &[
                ("VideoAnalysis", "max_inflight_bytes"),
                ("VideoAnalysis", "max_frame_bytes"),
            ],
            &format!(
                "must not be less than max_frame_bytes, which is {} bytes",
                video.max_frame_bytes
            ),
        );
    }

    fn of_sparse_ai(&mut self, settings: &Settings) {
        let sparse_ai = &settings.sparse_ai;
        self.require(
            sparse_ai.api_key.is_none() || sparse_ai.base_url.is_some(),
            &[("SparseAI", "base_url"), ("SparseAI", "api_key")],
            "must be given when api_key is",
        );
        self.require(
            sparse_ai.base_url.as_deref().is_none_or(is_private),
            &[("SparseAI", "base_url")],
            "must be https unless it is on this machine: clips and the key would travel where others can read them",
        );
    }

    fn of_email(&mut self, settings: &Settings) {
        let email = &settings.email;
        let server = email.smtp_server.as_deref();
        self.require(
            email.security != Security::None || server.is_none_or(is_loopback),
            &[("Email", "security"), ("Email", "smtp_server")],
            "= none: is allowed only towards this machine (localhost, 127.0.0.1, ::1); use starttls or tls",
        );
        self.require(
            email.username.is_none() || email.password.is_some(),
            &[("Email", "password"), ("Email", "username")],
            "must be given when username is (environment EMAIL_PASSWORD)",
        );
        self.require(
            email.password.is_none() || email.username.is_some(),
            &[("Email", "username"), ("Email", "password")],
            "must be given when password is (environment EMAIL_USERNAME)",
        );
        let has_sender = self.origins.is_given("Email", "from_email")
            || email.from_email.email.domain() != "localhost";
        self.require(
            server.is_none() || has_sender,
            &[("Email", "from_email"), ("Email", "smtp_server"), ("Email", "username")],
            "must be given when smtp_server is and username is no mail address (environment EMAIL_FROM)",
        );
    }
}

/// Whether nobody between can read what goes there.
fn is_private(address: &str) -> bool {
    let Ok(url) = Url::parse(address) else {
        return false;
    };
    url.scheme() == "https" || url.host_str().is_some_and(is_loopback)
}

fn is_loopback(host: &str) -> bool {
    let address = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}
