//! What a prompt costs in tokens: the table of the reference, §1.4.

use std::time::Duration;

use super::request::{ModelRequest, Provider};

/// How closely Gemini looks at pictures and movies: `generationConfig.mediaResolution`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MediaResolution {
    /// Not said.
    #[default]
    Unset,
    /// `MEDIA_RESOLUTION_LOW`.
    Low,
    /// `MEDIA_RESOLUTION_MEDIUM`.
    Medium,
    /// `MEDIA_RESOLUTION_HIGH`.
    High,
}

impl MediaResolution {
    /// From its name on the wire; `None` for a name that Gemini does not know.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "MEDIA_RESOLUTION_UNSPECIFIED" => Self::Unset,
            "MEDIA_RESOLUTION_LOW" => Self::Low,
            "MEDIA_RESOLUTION_MEDIUM" => Self::Medium,
            "MEDIA_RESOLUTION_HIGH" => Self::High,
            _ => return None,
        })
    }
}

/// Whether a name is of the generation 2.5 or earlier; any other counts like 3.x.
pub(super) fn is_before_gemini_3(model: &str) -> bool {
    model.starts_with("gemini-2") || model.starts_with("gemini-1")
}

/// What one picture of this size in pixels costs. On 3.x the size does not matter, on 2.5 the resolution
/// does not, and pictures beyond 384x384 are cut into tiles.
#[must_use]
pub fn gemini_image_tokens(
    model: &str,
    resolution: MediaResolution,
    (width, height): (u32, u32),
) -> u64 {
    if !is_before_gemini_3(model) {
        return match resolution {
            MediaResolution::Low => 280,
            MediaResolution::Medium => 560,
            MediaResolution::High | MediaResolution::Unset => 1120,
        };
    }
    let tiles = if width.max(height) <= 384 {
        1
    } else {
        // Google's rule: the shorter side is one and a half tiles, a tile 256 to 768 pixels.
        let tile = (width.min(height) * 2 / 3).clamp(256, 768);
        u64::from(width.div_ceil(tile)) * u64::from(height.div_ceil(tile))
    };
    258 * tiles
}

/// What the pictures of a movie cost when `frames_per_second` of them are looked at.
#[must_use]
pub fn gemini_video_tokens(
    model: &str,
    resolution: MediaResolution,
    duration: Duration,
    frames_per_second: f64,
) -> u64 {
    let a_frame = match (is_before_gemini_3(model), resolution) {
        (true, MediaResolution::Low) => 66 + 5,
        (true, _) => 258 + 5,
        // The reference does not say what HIGH costs here; 280 is what Google documents.
        (false, MediaResolution::High) => 280 + 20,
        (false, _) => 70 + 20,
    };
    a_frame * whole(duration.as_secs_f64() * frames_per_second).max(1)
}

/// What the sound of a movie costs: 32 tokens a second, the upper end of what Gemini 3.x takes.
#[must_use]
pub fn gemini_audio_tokens(duration: Duration) -> u64 {
    whole(duration.as_secs_f64() * 32.0)
}

/// What one picture costs OpenAI: 85, and unless the detail is `low` 170 more for each tile of 512 pixels.
/// Other servers count otherwise; their bills are nothing.
#[must_use]
pub fn openai_image_tokens(detail: Option<&str>, (width, height): (u32, u32)) -> u64 {
    if detail == Some("low") {
        return 85;
    }
    85 + 170 * u64::from(width.div_ceil(512)) * u64::from(height.div_ceil(512))
}

/// What a text costs: a token for every four characters.
#[must_use]
pub fn text_tokens(text: &str) -> u64 {
    u64::try_from(text.chars().count().div_ceil(4)).unwrap_or(u64::MAX)
}

/// What a prompt costs, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PromptTokens {
    /// Its instruction and texts.
    pub text: u64,
    /// Its pictures.
    pub image: u64,
    /// The pictures of its movies.
    pub video: u64,
    /// The sound of its movies.
    pub audio: u64,
}

impl PromptTokens {
    /// What a request costs the service it was sent to.
    #[must_use]
    pub fn of(request: &ModelRequest) -> Self {
        let mut tokens = Self {
            text: text_tokens(&request.system_text) + text_tokens(&request.user_text),
            ..Self::default()
        };
        let (model, resolution) = (request.model.as_str(), request.media_resolution);
        for media in &request.media {
            let size = media.size().unwrap_or_default();
            match (request.provider, media.is_video()) {
                (Provider::OpenAi, _) => {
                    tokens.image += openai_image_tokens(media.detail.as_deref(), size);
                }
                (Provider::Gemini, false) => {
                    tokens.image += gemini_image_tokens(model, resolution, size);
                }
                (Provider::Gemini, true) => {
                    let (span, rate) = (media.span(), media.frames_per_second.unwrap_or(1.0));
                    tokens.video += gemini_video_tokens(model, resolution, span, rate);
                    if media.has_sound() {
                        tokens.audio += gemini_audio_tokens(span);
                    }
                }
            }
        }
        tokens
    }

    /// All together.
    #[must_use]
    pub const fn total(self) -> u64 {
        self.text + self.image + self.video + self.audio
    }
}

/// Rounded up; a thousandth of a unit too much is taken for an error of floating point.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count of frames or tokens: `as` ends at 0 and at the greatest number"
)]
fn whole(count: f64) -> u64 {
    (count - 0.001).ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::MediaResolution::{High, Low, Medium, Unset};
    use super::*;

    const NEW: &str = "gemini-3.5-flash-lite";
    const OLD: &str = "gemini-2.5-flash-lite";

    #[test]
    fn a_picture_costs_what_the_reference_says() {
        let new = [Low, Medium, High, Unset].map(|r| gemini_image_tokens(NEW, r, (1280, 720)));
        assert_eq!(new, [280, 560, 1120, 1120]);
        assert_eq!(gemini_image_tokens(OLD, Low, (384, 384)), 258);
        // The example of Google's documentation: tiles of 360 pixels, three by two.
        assert_eq!(gemini_image_tokens(OLD, Unset, (960, 540)), 6 * 258);
        assert_eq!(gemini_image_tokens(OLD, Unset, (385, 100)), 2 * 258);
    }

    #[test]
    fn a_movie_costs_by_its_frames() {
        let ten = Duration::from_secs(10);
        assert_eq!(gemini_video_tokens(NEW, Low, ten, 1.0), 10 * 90);
        assert_eq!(gemini_video_tokens(NEW, Unset, ten, 2.5), 25 * 90);
        assert_eq!(gemini_video_tokens(OLD, Medium, ten, 1.0), 10 * 263);
        assert_eq!(gemini_video_tokens(OLD, Low, ten, 1.0), 10 * 71);
        let odd = Duration::from_millis(10_040);
        assert_eq!(gemini_video_tokens(NEW, Low, odd, 1.0), 11 * 90);
        assert_eq!(gemini_video_tokens(NEW, Low, Duration::ZERO, 1.0), 90);
        assert_eq!(gemini_audio_tokens(ten), 320);
    }

    #[test]
    fn text_costs_by_characters_not_by_bytes() {
        assert_eq!(
            ["", "a", "abcd", "éééé", "abcde"].map(text_tokens),
            [0, 1, 1, 1, 2]
        );
    }

    #[test]
    fn a_picture_costs_openai_by_its_tiles() {
        assert_eq!(openai_image_tokens(Some("low"), (1280, 720)), 85);
        assert_eq!(openai_image_tokens(None, (1280, 720)), 85 + 170 * 6);
    }
}
