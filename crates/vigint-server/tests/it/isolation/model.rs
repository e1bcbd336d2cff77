//! What one tenant must find when it looks: its cameras' buffers to the byte, its incidents, and what it is charged.
//! Nothing here knows of any other tenant.

use std::collections::BTreeMap;

use vigint_core::incident::{ClipState, Triage};
use vigint_core::money::MicroEuros;
use vigint_core::text::MAX_TEXT_CHARS;
use vigint_core::wire::{IncidentInfo, SourceInfo, UsageResponse};

use super::pictures::Sight;

/// What a server is told to charge for one of each: amounts that no other sum of them gives by chance.
pub(super) const PRICE_FRAME: i64 = 3;
pub(super) const PRICE_SCREEN: i64 = 10_007;
pub(super) const PRICE_CONFIRM: i64 = 20_011;
pub(super) const PRICE_ALERT: i64 = 5_009;

/// Frames a ring keeps of one camera: ten seconds of ten.
const RING: usize = 100;

/// A frame that was taken in.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) bytes: usize,
    /// The number it was sent with.
    pub(super) count: i64,
    pub(super) sight: Sight,
    pub(super) comment: String,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Camera {
    pub(super) name: Option<String>,
    /// By when they were taken, in tenths of a second.
    pub(super) frames: BTreeMap<i64, Kept>,
}

impl Camera {
    pub(super) fn newest(&self) -> Option<(&i64, &Kept)> {
        self.frames.last_key_value()
    }

    pub(super) fn take(&mut self, tenth: i64, frame: Kept, name: Option<String>) {
        self.frames.insert(tenth, frame);
        while self.frames.len() > RING {
            self.frames.pop_first();
        }
        if name.is_some() {
            self.name = name;
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Incident {
    pub(super) id: String,
    pub(super) source: String,
    pub(super) source_name: Option<String>,
    pub(super) status: Triage,
    pub(super) description: String,
    pub(super) occurrences: i64,
    pub(super) note: Option<String>,
    /// Whether it was raised by hand: what is judged does not join it.
    pub(super) is_manual: bool,
    /// Whether there were frames to make one of.
    pub(super) has_film: bool,
    /// The path of its film with its token, once it was told.
    pub(super) link: Option<String>,
    /// The film, once it was seen.
    pub(super) film: Option<Vec<u8>>,
}

impl Incident {
    /// An alarm by hand joined it. No two have the same words.
    pub(super) fn report(&mut self, words: &str) {
        let longer = match &self.note {
            Some(note) => format!("{note}\n{words}"),
            None => words.to_owned(),
        };
        if longer.chars().count() <= MAX_TEXT_CHARS {
            self.note = Some(longer);
        }
    }

    /// One that nobody has looked at yet.
    pub(super) fn new(
        id: String,
        source: String,
        source_name: Option<String>,
        description: String,
        link: Option<String>,
    ) -> Self {
        Self {
            id,
            source,
            source_name,
            status: Triage::New,
            description,
            occurrences: 1,
            note: None,
            is_manual: false,
            has_film: true,
            link,
            film: None,
        }
    }
}

/// Which requests are counted together.
pub(super) type Line = (&'static str, &'static str, u16);

#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) cameras: BTreeMap<String, Camera>,
    /// All that can be in the list; the last of a camera is still open.
    pub(super) incidents: Vec<Incident>,
    /// The descriptions of those the second look vetoed. Analyses do not tell their ids.
    pub(super) vetoed: Vec<String>,
    /// Where a page of its list ended.
    pub(super) cursor: Option<String>,
    /// Requests of each key.
    counted: [BTreeMap<Line, i64>; 2],
    pub(super) charged: i64,
    /// Requests that were broken off: counted or not.
    pub(super) broken_off: i64,
}

impl Model {
    pub(super) fn count(&mut self, key: usize, line: Line) {
        *self.counted[key].entry(line).or_default() += 1;
    }

    pub(super) fn open_incident(&mut self, source: &str) -> Option<&mut Incident> {
        self.incidents
            .iter_mut()
            .rfind(|incident| incident.source == source)
    }

    pub(super) fn incident(&mut self, id: &str) -> Option<&mut Incident> {
        self.incidents.iter_mut().find(|incident| incident.id == id)
    }

    /// Frames of this camera.
    pub(super) fn frames(&self, source: &str) -> usize {
        self.cameras
            .get(source)
            .map_or(0, |camera| camera.frames.len())
    }

    /// Holds the list of sources against what was sent.
    pub(super) fn check_sources(&self, shown: &[SourceInfo]) -> Result<(), String> {
        same("sources", &shown.len(), &self.cameras.len())?;
        for (source, (id, camera)) in shown.iter().zip(&self.cameras) {
            same("source_id", &source.source_id, id)?;
            same("source_name", &source.source_name, &camera.name)?;
            same("frames", &source.frames, &camera.frames.len())?;
            let bytes: usize = camera.frames.values().map(|frame| frame.bytes).sum();
            same("bytes", &source.bytes, &bytes)?;
            let span = |(oldest, newest)| newest - oldest;
            let tenths = camera.frames.first_key_value().map(|(tenth, _)| *tenth);
            let tenths = tenths
                .zip(camera.newest().map(|(tenth, _)| *tenth))
                .map(span);
            let shown = source.oldest_at.zip(source.newest_at);
            let shown = shown.map(|(oldest, newest)| newest.millis_since(oldest) / 100);
            same("oldest_at to newest_at", &shown, &tenths)?;
        }
        Ok(())
    }

    /// Holds one incident against what is known of it.
    pub(super) fn check_incident(&self, shown: &IncidentInfo) -> Result<(), String> {
        let id = shown.id.to_string();
        let Some(known) = self.incidents.iter().find(|known| known.id == id) else {
            return Err(format!("an incident that never was: {shown:?}"));
        };
        same("source_id", &shown.source_id, &known.source)?;
        same("source_name", &shown.source_name, &known.source_name)?;
        same("status", &shown.status, &known.status)?;
        same("description", &shown.description, &known.description)?;
        same("occurrences", &shown.occurrences, &known.occurrences)?;
        same("note", &shown.note, &known.note)?;
        let link = shown.video_url.as_deref().map(path_of);
        same("has a video_url", &link.is_some(), &known.has_film)?;
        if known.link.is_some() {
            same("video_url", &link, &known.link.as_deref())?;
        }
        let state = shown.clip.as_ref().map(|clip| clip.state);
        let is_possible = match state {
            None => !known.has_film,
            Some(ClipState::Pending) => known.has_film && known.film.is_none(),
            Some(ClipState::Ready) => known.has_film,
            Some(_) => false,
        };
        is_possible
            .then_some(())
            .ok_or(format!("the clip is {state:?} of {known:?}"))
    }

    /// Keeps the links that an answer tells.
    pub(super) fn learn_links(&mut self, shown: &[IncidentInfo]) {
        for incident in shown {
            let link = incident
                .video_url
                .as_deref()
                .map(|url| path_of(url).to_owned());
            if let Some(known) = self.incident(&incident.id.to_string()) {
                known.link = link;
            }
        }
    }

    /// Holds a whole list against all that is known and wanted.
    pub(super) fn check_list(
        &self,
        shown: &[IncidentInfo],
        is_wanted: impl Fn(&Incident) -> bool,
    ) -> Result<(), String> {
        shown
            .iter()
            .try_for_each(|incident| self.check_incident(incident))?;
        let mut listed: Vec<_> = shown
            .iter()
            .map(|incident| incident.id.to_string())
            .collect();
        let wanted = self.incidents.iter().filter(|incident| is_wanted(incident));
        let mut wanted: Vec<_> = wanted.map(|incident| incident.id.clone()).collect();
        listed.sort_unstable();
        wanted.sort_unstable();
        same("incidents", &listed, &wanted)
    }

    pub(super) fn check_vetoed(&self, shown: &[IncidentInfo]) -> Result<(), String> {
        let mut listed: Vec<_> = shown.iter().map(|incident| &incident.description).collect();
        let mut wanted: Vec<_> = self.vetoed.iter().collect();
        listed.sort_unstable();
        wanted.sort_unstable();
        same("vetoed incidents", &listed, &wanted)
    }

    /// Holds the usage of one key, or of both, against what was sent with it.
    pub(super) fn check_usage(
        &self,
        shown: &UsageResponse,
        key: Option<usize>,
    ) -> Result<(), String> {
        let mut wanted: BTreeMap<(&str, &str, i32), i64> = BTreeMap::new();
        for (index, lines) in self.counted.iter().enumerate() {
            for ((path, method, status), requests) in
                lines.iter().filter(|_| key.is_none_or(|k| k == index))
            {
                *wanted
                    .entry((path, method, i32::from(*status)))
                    .or_default() += requests;
            }
        }
        let sum: i64 = wanted.values().sum();
        let possible = sum..=sum + self.broken_off;
        if !possible.contains(&shown.usage_count) {
            return Err(format!(
                "usage_count is {}, not {possible:?}",
                shown.usage_count
            ));
        }
        if key.is_none() {
            let shown: MicroEuros = format!("{:.6}", shown.total_cost)
                .parse()
                .map_err(|_| "total_cost")?;
            same("total_cost", &shown, &MicroEuros(self.charged))?;
        }
        if shown.next_cursor.is_some() || self.broken_off > 0 {
            return Ok(());
        }
        let mut listed: BTreeMap<(&str, &str, i32), i64> = BTreeMap::new();
        for row in &shown.usage {
            *listed
                .entry((&row.endpoint, &row.method, row.status_code))
                .or_default() += row.requests;
        }
        same("usage", &listed, &wanted)
    }
}

/// The same, or what was shown and what was wanted.
pub(super) fn same<T: PartialEq + std::fmt::Debug>(
    what: &str,
    shown: &T,
    wanted: &T,
) -> Result<(), String> {
    if shown == wanted {
        return Ok(());
    }
    Err(format!("{what} is {shown:?}, not {wanted:?}"))
}

/// A link without the server's address.
pub(super) fn path_of(url: &str) -> &str {
    url.find("/video/").map_or(url, |at| &url[at..])
}
