//! The rings and their gate as the rest of the server sees them.

mod bounds;
mod gate;
mod time;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use vigint_core::clock::{ManualClock, UtcTime};
use vigint_core::ids::{ClientId, SourceId};
use vigint_db::{Operator, Tenant};
use vigint_video::grey::{DecodeError, GreyDecoder, GreyMemory, GreyPlane};

use super::ring::tests::{incoming, time};
use super::{Gate, GateSettings, IncomingFrame, RingSettings, Rings};

/// Pictures for [`Pencil`].
const EMPTY: &[u8] = b"empty";
const UNREADABLE: &[u8] = b"unreadable";
const PANICS: &[u8] = b"panics";
const HELD: &[u8] = b"held";
/// A scene full of edges, and a hand over the lens.
const STRIPES: &[u8] = b"stripes";
const COVERED: &[u8] = b"covered";

/// A decoder that draws what the bytes name. At [`HELD`] it says so and waits until it is let go.
struct Pencil {
    reached: Sender<()>,
    let_go: Mutex<Receiver<()>>,
}

impl GreyDecoder for Pencil {
    fn decode(
        &self,
        jpeg: &[u8],
        plane: &mut GreyPlane,
        _: &mut GreyMemory,
    ) -> Result<(), DecodeError> {
        match jpeg {
            PANICS => panic!("a hostile picture"),
            UNREADABLE => return Err(DecodeError::Refused("not a picture".to_owned())),
            HELD => {
                self.reached.send(()).unwrap();
                // An error says that the test is over.
                let _ = self.let_go.lock().unwrap().recv();
            }
            _ => {}
        }
        // A shelf, and a figure at the place that a moving picture names.
        let figure = jpeg.strip_prefix(b"at").map(|place| usize::from(place[0]));
        let pixel = |index: usize| {
            let (x, y) = (index % 160, index / 160);
            match jpeg {
                STRIPES => return if x / 8 % 2 == 0 { 60 } else { 180 },
                COVERED => return 20,
                _ => {}
            }
            let is_figure =
                figure.is_some_and(|at| (at..at + 16).contains(&x) && (20..70).contains(&y));
            if is_figure {
                220
            } else {
                60 + u8::try_from(x / 20 * 10 + y / 30 * 5).unwrap()
            }
        };
        *plane = GreyPlane::new(160, 90, (0..160 * 90).map(pixel).collect()).unwrap();
        Ok(())
    }
}

/// A figure at this place, in pixels from the left.
fn figure_at(place: u8) -> [u8; 3] {
    [b'a', b't', place]
}

/// Rings with a clock to turn and a decoder to hold.
struct Room {
    /// First, so that a test that fails lets the decoder go before it waits for its thread.
    let_go: Sender<()>,
    reached: Receiver<()>,
    rings: Rings,
    clock: Arc<ManualClock>,
    decoder: Arc<Pencil>,
}

fn bounds() -> RingSettings {
    RingSettings {
        short_window: Duration::from_secs(3),
        long_window: Duration::from_secs(10),
        fps: 10,
        max_sources_per_client: 64,
        max_bytes_per_client: 1 << 30,
        max_bytes_total: 1 << 30,
    }
}

fn room() -> Room {
    room_with(bounds(), GateSettings::default())
}

fn room_with(bounds: RingSettings, gate: GateSettings) -> Room {
    let (says_reached, reached) = mpsc::channel();
    let (let_go, waits) = mpsc::channel();
    let decoder = Arc::new(Pencil {
        reached: says_reached,
        let_go: Mutex::new(waits),
    });
    let clock = Arc::new(ManualClock::new(time(0)));
    let gate = Gate::start(gate, Arc::clone(&decoder) as Arc<dyn GreyDecoder>).unwrap();
    Room {
        rings: Rings::new(bounds, Arc::clone(&clock) as _, gate),
        clock,
        decoder,
        reached,
        let_go,
    }
}

fn tenant(number: i64) -> Tenant {
    Tenant::by_operator(&Operator::named("tests of the rings"), ClientId(number))
}

fn source(name: &str) -> SourceId {
    name.parse().unwrap()
}

/// A frame taken then.
fn taken_at(captured_at: UtcTime, jpeg: &[u8]) -> IncomingFrame {
    IncomingFrame {
        captured_at: Some(captured_at),
        ..incoming(jpeg)
    }
}
