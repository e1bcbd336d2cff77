//! From the queue to a motion gate instead of the server.

use vigint_video::motion::{MotionSample, MotionState};

use super::{RunError, Session};
use crate::capture::Camera;
use crate::event::Event;
use crate::gate::{MotionGate, MotionLook};

impl<C: Camera> Session<C> {
    /// Reads the source to its end, or until it is stopped, and has a gate look at its pictures. Nothing is sent.
    pub(crate) async fn watch(
        self,
        gate: &mut dyn MotionGate,
        on_look: &mut (dyn FnMut(MotionLook<'_>) + Send),
    ) -> Result<(), RunError> {
        let look = async {
            self.look_at_all(gate, on_look).await;
            Ok(())
        };
        tokio::try_join!(self.capture(), look)?;
        Ok(())
    }

    async fn look_at_all(
        &self,
        gate: &mut dyn MotionGate,
        on_look: &mut (dyn FnMut(MotionLook<'_>) + Send),
    ) {
        let mut first_at = None;
        let mut told = None;
        let mut complaint = String::new();
        while let Some(frame) = self.queue.pop().await {
            let Some(at) = frame.captured_at else {
                continue;
            };
            let sample = match gate.look(at, &frame.jpeg) {
                Ok(sample) => sample,
                Err(error) => {
                    let message = format!("a picture cannot be decoded: {error}");
                    if message != complaint {
                        self.tell_error("bad_picture", &message);
                        complaint = message;
                    }
                    continue;
                }
            };
            complaint.clear();
            let is_news = told.replace(word(&sample)) != Some(word(&sample));
            if is_news {
                (self.around.events)(Event::motion(at, self.source.id.clone(), &sample));
            }
            on_look(MotionLook {
                at,
                first_at: *first_at.get_or_insert(at),
                sample: &sample,
                is_news,
            });
        }
    }
}

/// What must change for there to be news.
fn word(sample: &MotionSample) -> (MotionState, bool) {
    (sample.state, sample.on)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use vigint_core::clock::UtcTime;
    use vigint_video::grey::DecodeError;
    use vigint_video::motion::{MotionDetector, MotionScratch, MotionSettings};

    use super::super::tests::{Rig, ScriptedCamera};
    use super::*;
    use crate::scripted_server::Reply;

    /// Says "starting" each time, but of the pictures 3 and 4 that they are broken.
    #[derive(Default)]
    struct ScriptedGate {
        asked: Vec<UtcTime>,
    }

    impl MotionGate for ScriptedGate {
        fn look(&mut self, at: UtcTime, _: &Bytes) -> Result<MotionSample, DecodeError> {
            self.asked.push(at);
            if (3..=4).contains(&self.asked.len()) {
                return Err(DecodeError::Refused("torn".to_owned()));
            }
            let plane = vigint_video::grey::GreyPlane::new(160, 90, vec![7; 160 * 90]).unwrap();
            let mut detector = MotionDetector::new(MotionSettings::default());
            Ok(detector.push(at, &plane, &mut MotionScratch::default()))
        }
    }

    fn names(rig: &Rig) -> Vec<&'static str> {
        let events = rig.events.lock().unwrap();
        let name = |event: &Event| match event {
            Event::SourceOpened { .. } => "opened",
            Event::Motion { .. } => "motion",
            Event::Error { .. } => "error",
            _ => "other",
        };
        events.iter().map(name).collect()
    }

    #[tokio::test]
    async fn every_picture_of_a_film_is_shown_in_order_and_only_news_are_told() {
        let rig = Rig::new(Reply::of_vigint).await;
        let mut camera = ScriptedCamera::showing(&[30]);
        camera.is_film = true;
        let mut gate = ScriptedGate::default();
        let (mut looks, mut news) = (Vec::new(), 0);
        let session = rig.session("film.mp4", &camera);
        let mut on_look = |look: MotionLook<'_>| {
            looks.push(look.at.millis_since(look.first_at));
            news += usize::from(look.is_news);
        };
        session.watch(&mut gate, &mut on_look).await.unwrap();
        assert_eq!(gate.asked.len(), 30);
        assert!(gate.asked.is_sorted());
        assert_eq!((looks.len(), looks[27], news), (28, 2_900, 1));
        assert_eq!(
            names(&rig),
            ["opened", "motion", "error"],
            "two alike are told once"
        );
        assert!(rig.server.requests().is_empty(), "nothing is sent");
    }

    #[tokio::test]
    async fn a_stop_ends_a_camera_that_shows_nothing_any_more() {
        let rig = Rig::new(Reply::of_vigint).await;
        let camera = ScriptedCamera::showing(&[5]);
        let mut gate = ScriptedGate::default();
        let session = rig.session("rtsp://cam/1", &camera);
        let stop = rig.stop.clone();
        let mut looks = 0;
        let mut on_look = |_: MotionLook<'_>| {
            looks += 1;
            if looks == 3 {
                stop.cancel();
            }
        };
        let watched = session.watch(&mut gate, &mut on_look);
        let watched = tokio::time::timeout(crate::scripted_server::PATIENCE, watched).await;
        watched.expect("it goes on").unwrap();
    }
}
