//! Pictures that say whose they are: in a comment, which whoever judges them can read, and by their size, which
//! the film that is made of them has too. No two tenants' pictures have the same size.

use std::time::Duration;

use futures_util::future::BoxFuture;
use vigint_core::verdict::{RiskLevel, Stage};
use vigint_server::analysis::{Analyzer, AnalyzerError, Look, Opinion};
use vigint_testkit::scene::noise_frame;

use super::oracle::Number;

const NARROWEST: usize = 32;
const WIDTHS: usize = 16;

/// What is to be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// Nothing.
    Quiet,
    /// An incident.
    Theft,
    /// What looks like one at first.
    Shadow,
}

impl Sight {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Theft => "theft",
            Self::Shadow => "shadow",
        }
    }
}

/// The picture of a tenant, without its comment.
pub(super) fn blank(tenant: Number) -> Vec<u8> {
    let (width, height) = size(tenant);
    let side = |pixels: usize| u16::try_from(pixels).unwrap();
    noise_frame(u64::try_from(tenant).unwrap(), side(width), side(height))
}

/// The same with a comment (ITU-T T.81, B.2.4.5).
pub(super) fn with_comment(blank: &[u8], comment: &str) -> Vec<u8> {
    let length = u16::try_from(comment.len() + 2).unwrap().to_be_bytes();
    [
        &blank[..2],
        &[0xff, 0xfe],
        &length,
        comment.as_bytes(),
        &blank[2..],
    ]
    .concat()
}

/// What [`with_comment`] wrote.
pub(super) fn comment_of(jpeg: &[u8]) -> &str {
    assert_eq!(jpeg[2..4], [0xff, 0xfe], "the picture is one of ours");
    let length = usize::from(u16::from_be_bytes([jpeg[4], jpeg[5]]));
    std::str::from_utf8(&jpeg[6..4 + length]).unwrap()
}

/// Both even, as a film's are.
fn size(tenant: Number) -> (usize, usize) {
    (
        NARROWEST + 2 * (tenant % WIDTHS),
        NARROWEST + 2 * (tenant / WIDTHS),
    )
}

/// Whose pictures a film shows, by the size in its sample entry (ISO/IEC 14496-12, 12.1.3).
pub(super) fn owner_of_film(mp4: &[u8]) -> Option<Number> {
    let entry = mp4.windows(4).position(|kind| kind == b"avc1")? + 4;
    let at = |offset: usize| {
        let bytes = mp4.get(entry + offset..entry + offset + 2)?;
        Some(usize::from(u16::from_be_bytes([bytes[0], bytes[1]])))
    };
    let (width, height) = (
        at(24)?.checked_sub(NARROWEST)?,
        at(26)?.checked_sub(NARROWEST)?,
    );
    Some(width / 2 + WIDTHS * (height / 2))
}

/// Judges by the comment of the newest picture, and tells whose pictures it was shown.
pub(super) struct ReadsComments;

impl ReadsComments {
    pub(super) fn opinion(stage: Stage, look: &Look) -> Opinion {
        let comments: Vec<_> = look
            .frames
            .iter()
            .map(|frame| comment_of(&frame.jpeg))
            .collect();
        let newest = comments.last().copied().unwrap_or_default();
        let sight = newest.rsplit(' ').next().unwrap_or_default();
        let mut whose: Vec<_> = comments
            .iter()
            .filter_map(|c| c.split(' ').next())
            .collect();
        whose.sort_unstable();
        whose.dedup();
        Opinion {
            saw_incident: match stage {
                Stage::Screen => sight != Sight::Quiet.name(),
                Stage::Confirm => sight == Sight::Theft.name(),
            },
            incident_type: format!("{sight} {newest}"),
            risk_level: RiskLevel::High,
            description: Self::description(newest),
            analysis: Self::analysis(stage, &look.camera, &whose.join(" ")),
            frames_analyzed: look.frames.len(),
            analyzer: "comments".to_owned(),
        }
    }

    pub(super) fn description(newest: &str) -> String {
        format!("The newest picture says {newest}")
    }

    pub(super) fn analysis(stage: Stage, camera: &str, whose: &str) -> String {
        format!("{stage} of {camera}, all pictures of {whose}")
    }
}

impl Analyzer for ReadsComments {
    fn kind(&self) -> &'static str {
        "motion"
    }

    fn label(&self, _: Stage) -> String {
        "comments".to_owned()
    }

    fn look<'a>(
        &'a self,
        stage: Stage,
        look: &'a Look,
        _: Duration,
    ) -> BoxFuture<'a, Result<Opinion, AnalyzerError>> {
        Box::pin(std::future::ready(Ok(Self::opinion(stage, look))))
    }
}
