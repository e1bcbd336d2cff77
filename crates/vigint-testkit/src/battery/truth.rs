//! What truly happens in a recording, in seconds from its first frame.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// From (included) and to (not), in seconds.
pub type Span = (f64, f64);

/// What truly happens. The spans of each list are in order and do not overlap.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Truth {
    /// Something moves.
    pub moving: Vec<Span>,
    /// Somebody is there, moving or standing.
    pub visits: Vec<Span>,
    /// Whatever is said here is right: edges, or what a gate may take for motion and may leave alone.
    pub ignore: Vec<Span>,
    /// The camera shows another scene, or none: it is to be reported soon after the beginning, and then until
    /// the end.
    pub scene_changed: Vec<Span>,
    /// The same picture comes again and again: the same, after a while.
    pub frozen: Vec<Span>,
}

impl Truth {
    /// Where the shared recordings and their truth lie, beside the repository.
    #[must_use]
    pub fn shared_folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/video")
    }

    /// The truth of a film, from the `truth.json` beside it; `None` when there is none, or not for it.
    ///
    /// # Errors
    /// When the file is there and cannot be read, or is not a JSON object of truths by file name.
    pub fn beside(film: &Path) -> anyhow::Result<Option<Self>> {
        let list = film.with_file_name("truth.json");
        let text = match std::fs::read_to_string(&list) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let mut truths: BTreeMap<String, Self> = serde_json::from_str(&text)
            .map_err(|error| anyhow::anyhow!("{}: {error}", list.display()))?;
        let name = film.file_name().map(|name| name.to_string_lossy());
        Ok(name.and_then(|name| truths.remove(name.as_ref())))
    }

    /// This truth, and `span` is ignored, too.
    #[must_use]
    pub(super) fn ignoring(mut self, span: Span) -> Self {
        self.ignore.push(span);
        self.ignore.sort_by(|a, b| a.0.total_cmp(&b.0));
        self
    }
}

/// The spans in order, with those that overlap or touch made one.
pub(super) fn merged(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut whole: Vec<Span> = Vec::new();
    for span in spans {
        match whole.last_mut() {
            Some(last) if span.0 <= last.1 => last.1 = last.1.max(span.1),
            _ => whole.push(span),
        }
    }
    whole
}

/// How many seconds two spans share.
pub(super) fn shared(a: Span, b: Span) -> f64 {
    (a.1.min(b.1) - a.0.max(b.0)).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_truth_of_a_film_is_read_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let film = folder.path().join("a.mp4");
        assert_eq!(Truth::beside(&film).unwrap(), None);
        let list = folder.path().join("truth.json");
        std::fs::write(&list, r#"{"a.mp4": {"fps": 9.5, "moving": [[1, 2.5]]}}"#).unwrap();
        let truth = Truth::beside(&film).unwrap().unwrap();
        assert_eq!(truth.moving, [(1.0, 2.5)]);
        assert_eq!(truth.visits, []);
        assert_eq!(Truth::beside(&folder.path().join("b.mp4")).unwrap(), None);
        std::fs::write(&list, "[]").unwrap();
        let error = Truth::beside(&film).unwrap_err().to_string();
        assert!(error.contains("truth.json"), "{error}");
    }

    #[test]
    fn spans_that_touch_become_one() {
        let spans = vec![(5.0, 6.0), (0.0, 2.0), (2.0, 3.0), (1.0, 1.5)];
        assert_eq!(merged(spans), [(0.0, 3.0), (5.0, 6.0)]);
    }
}
