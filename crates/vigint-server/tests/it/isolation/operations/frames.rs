//! Frames on their way in, and analyses of them.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use vigint_core::clock::UtcTime;
use vigint_core::verdict::{Stage, Verdict};
use vigint_core::wire::{AnalysisResponse, BatchResponse, BufferResponse};

use super::{Prepared, Scene, answered, same};
use crate::isolation::connection::Answer;
use crate::isolation::model::{
    Camera, Incident, Kept, Model, PRICE_CONFIRM, PRICE_FRAME, PRICE_SCREEN, path_of,
};
use crate::isolation::oracle::Wrong;
use crate::isolation::pictures::{ReadsComments, Sight, with_comment};

/// The last tenth of a second that a camera's frames are from: no more than 5 s ahead of the server's clock.
const LAST_TENTH: i64 = 140;
/// Where the first one lies before that clock.
const FIRST_MILLIS: i64 = -9_000;

/// A frame to be sent.
struct Sent {
    source: String,
    jpeg: Vec<u8>,
    count: i64,
    at: UtcTime,
    name: Option<String>,
}

impl Sent {
    /// The next frame of a camera, or, at the end of its time, another picture in an older one's place; it is
    /// taken into `cameras` as the server should.
    fn draw(scene: &mut Scene<'_>, index: usize, cameras: &mut BTreeMap<String, Camera>) -> Self {
        let source = scene.source();
        let known = scene
            .model
            .cameras
            .get(&source)
            .cloned()
            .unwrap_or_default();
        let camera = cameras.entry(source.clone()).or_insert(known);
        let tenth = match camera.newest() {
            None => 0,
            Some((newest, _)) if *newest < LAST_TENTH => newest + 1,
            Some((newest, _)) => newest - 1 - i64::try_from(scene.dice.below(50)).unwrap(),
        };
        let sight = match scene.dice.below(20) {
            0..4 => Sight::Theft,
            4..7 => Sight::Shadow,
            _ => Sight::Quiet,
        };
        let count = i64::try_from(scene.operation * 100 + index).unwrap();
        let comment = format!(
            "{} {source} {count} {}",
            scene.me.camera_mark(&source),
            sight.name()
        );
        let jpeg = with_comment(&scene.me.blank, &comment);
        let name = (!scene.dice.once_in(4)).then(|| format!("Camera {}", scene.word()));
        let kept = Kept {
            bytes: jpeg.len(),
            count,
            sight,
            comment,
        };
        camera.take(tenth, kept, name.clone());
        let at = scene.start.plus_millis(FIRST_MILLIS + 100 * tenth);
        Self {
            source,
            jpeg,
            count,
            at,
            name,
        }
    }

    fn json(&self) -> Value {
        json!({
            "frame_data": STANDARD.encode(&self.jpeg),
            "source_id": self.source,
            "source_name": self.name,
            "frame_count": self.count,
            "captured_at": self.at,
        })
    }

    fn query(&self) -> String {
        let name = self
            .name
            .as_ref()
            .map(|name| format!("&source_name={}", name.replace(' ', "%20")));
        let (source, count, at) = (&self.source, self.count, self.at);
        format!(
            "source_id={source}&frame_count={count}&captured_at={at}{}",
            name.unwrap_or_default()
        )
    }
}

fn keep(model: &mut Model, cameras: BTreeMap<String, Camera>, frames: i64) {
    model.cameras.extend(cameras);
    model.charged += frames * PRICE_FRAME;
}

pub(super) fn push(scene: &mut Scene<'_>) -> Prepared {
    let path = "/api/video/buffer".to_owned();
    if scene.dice.once_in(20) {
        let no_picture =
            json!({"frame_data": STANDARD.encode(scene.word()), "source_id": scene.word()});
        let check = |answer: &_, _: &mut _| answered(answer, 422);
        return scene
            .signed("POST", path, Box::new(check))
            .with_json(&no_picture);
    }
    let mut cameras = BTreeMap::new();
    let sent = Sent::draw(scene, 0, &mut cameras);
    let (source, count) = (sent.source.clone(), sent.count);
    let size = cameras[&source].frames.len();
    let check = move |answer: &Answer, model: &mut Model| {
        answered(answer, 200)?;
        let shown: BufferResponse = answer.json()?;
        same("frame_count", &shown.frame_count, &count)?;
        same("source_id", &shown.source_id, &source)?;
        same("buffer_size", &shown.buffer_size, &size)?;
        keep(model, cameras, 1);
        Ok(())
    };
    let mut prepared = scene.signed("POST", path, Box::new(check));
    if scene.dice.once_in(3) {
        return prepared.with_json(&sent.json());
    }
    prepared.request.path += &format!("?{}", sent.query());
    prepared.request.content_type = "image/jpeg";
    prepared.request.body = sent.jpeg;
    prepared
}

pub(super) fn push_batch(scene: &mut Scene<'_>) -> Prepared {
    let mut cameras = BTreeMap::new();
    let count = 1 + scene.dice.below(6);
    let sent: Vec<_> = (0..count)
        .map(|index| Sent::draw(scene, index, &mut cameras))
        .collect();
    let frames: Vec<_> = sent.iter().map(Sent::json).collect();
    let size: usize = cameras.values().map(|camera| camera.frames.len()).sum();
    let check = move |answer: &Answer, model: &mut Model| {
        answered(answer, 200)?;
        let shown: BatchResponse = answer.json()?;
        same("frames_added", &shown.frames_added, &count)?;
        same("buffer_size", &shown.buffer_size, &size)?;
        keep(model, cameras, i64::try_from(count).unwrap());
        Ok(())
    };
    let path = "/api/video/buffer/batch".to_owned();
    let is_raw = scene.dice.once_in(2);
    let mut prepared = scene.signed("POST", path, Box::new(check));
    if !is_raw {
        return prepared.with_json(&json!({"frames": frames}));
    }
    prepared.request.content_type = "multipart/mixed; boundary=a.b";
    prepared.request.body = raw_batch(&sent);
    prepared
}

fn raw_batch(frames: &[Sent]) -> Vec<u8> {
    let part = |frame: &Sent| {
        let (said, length) = (frame.query(), frame.jpeg.len());
        let head = format!(
            "--a.b\r\nContent-Type: image/jpeg\r\nContent-Length: {length}\r\nVigint-Frame: {said}\r\n\r\n"
        );
        [head.as_bytes(), &frame.jpeg, b"\r\n"].concat()
    };
    let parts: Vec<_> = frames.iter().map(part).collect();
    [parts.concat(), b"--a.b--\r\n".to_vec()].concat()
}

pub(super) fn analyze(scene: &mut Scene<'_>) -> Prepared {
    let path = "/api/video/analyze".to_owned();
    let source = if scene.dice.once_in(6) {
        scene.others_source()
    } else {
        scene.source()
    };
    let camera = scene.model.cameras.get(&source);
    let newest = camera.and_then(|camera| Some((camera.newest()?.1.clone(), camera.name.clone())));
    let body = json!({"source_id": source});
    let Some((newest, name)) = newest else {
        let check = |answer: &_, _: &mut _| answered(answer, 409);
        return scene.signed("POST", path, Box::new(check)).with_json(&body);
    };
    let (email, whose) = (scene.me.email.clone(), scene.me.camera_mark(&source));
    let check = move |answer: &Answer, model: &mut Model| {
        answered(answer, 200)?;
        let shown: AnalysisResponse = answer.json()?;
        let camera = name.as_deref().unwrap_or(&source);
        same("source_id", &shown.source_id, &source)?;
        same("frame_count", &shown.frame_count, &newest.count)?;
        same("client_email", &shown.client_email, &email)?;
        same(
            "description",
            &shown.description,
            &ReadsComments::description(&newest.comment),
        )?;
        same(
            "analysis",
            &shown.analysis,
            &ReadsComments::analysis(Stage::Screen, camera, &whose),
        )?;
        model.charged += PRICE_SCREEN
            + if newest.sight == Sight::Quiet {
                0
            } else {
                PRICE_CONFIRM
            };
        concluded(&shown, &newest, source, name, model)
    };
    scene.signed("POST", path, Box::new(check)).with_json(&body)
}

/// Holds the verdict and its incident against what was to be seen.
fn concluded(
    shown: &AnalysisResponse,
    newest: &Kept,
    source: String,
    source_name: Option<String>,
    model: &mut Model,
) -> Result<(), Wrong> {
    let verdict = match newest.sight {
        Sight::Quiet => Verdict::Clear,
        Sight::Theft => Verdict::Confirmed,
        Sight::Shadow => Verdict::Vetoed,
    };
    same("verdict", &shown.verdict, &verdict)?;
    same(
        "has an incident",
        &shown.incident.is_some(),
        &(verdict == Verdict::Confirmed),
    )?;
    if verdict == Verdict::Vetoed {
        model.vetoed.push(shown.description.clone());
    }
    let Some(incident) = &shown.incident else {
        return Ok(());
    };
    let (id, link) = (
        incident.id.to_string(),
        incident
            .video_url
            .as_deref()
            .map(|url| path_of(url).to_owned()),
    );
    match model.open_incident(&source).filter(|open| !open.is_manual) {
        Some(open) => {
            same("is_new", &incident.is_new, &false)?;
            same("the incident", &id, &open.id)?;
            same("has a video_url", &link.is_some(), &open.has_film)?;
            open.occurrences += 1;
            open.link = link;
        }
        None => {
            same("is_new", &incident.is_new, &true)?;
            same("has a video_url", &link.is_some(), &true)?;
            model.incidents.push(Incident::new(
                id,
                source,
                source_name,
                shown.description.clone(),
                link,
            ));
        }
    }
    Ok(())
}
