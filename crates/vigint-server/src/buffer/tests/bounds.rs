//! Whose frames they are, how many there may be, and who gives when there are too many.

use std::collections::BTreeSet;

use proptest::prelude::*;
use vigint_core::wire::BufferStatus;

use super::super::ring::FRAME_OVERHEAD_BYTES;
use super::super::{BatchError, BufferError, NoFrames, Totals};
use super::*;

/// What one frame with a JPEG of 1,000 bytes counts.
const FRAME: usize = 1_000 + FRAME_OVERHEAD_BYTES;

fn picture() -> IncomingFrame {
    incoming(&[0; 1_000])
}

/// How many frames each of these sources holds.
fn frames_of(room: &Room, tenant: &Tenant) -> Vec<(String, usize)> {
    let sources = room.rings.sources(tenant);
    sources
        .iter()
        .map(|source| (source.source_id.to_string(), source.frames))
        .collect()
}

#[test]
fn two_hundred_tenants_see_only_their_own_frames() {
    let room = room();
    let camera = source("default");
    for round in 0..10 {
        room.clock.advance(Duration::from_millis(200));
        for number in 0..200 {
            let jpeg = format!("{round} of {number}");
            room.rings
                .push(&tenant(number), &camera, incoming(jpeg.as_bytes()))
                .unwrap();
        }
    }
    for number in 0..200 {
        let seen = room.rings.snapshot(&tenant(number), &camera).unwrap();
        let expected: Vec<String> = (0..10)
            .map(|round| format!("{round} of {number}"))
            .collect();
        assert!(
            seen.frames
                .iter()
                .map(|frame| &*frame.jpeg)
                .eq(expected.iter().map(String::as_bytes))
        );
    }
    assert_eq!(
        room.rings.snapshot(&tenant(200), &camera).unwrap_err(),
        NoFrames(camera.clone())
    );
    assert_eq!(room.rings.sources(&tenant(200)), []);
    assert!(!room.rings.clear_source(&tenant(200), &camera));
    assert_eq!(
        (room.rings.totals().sources, room.rings.totals().frames),
        (200, 2_000)
    );
}

#[test]
fn a_snapshot_copies_no_picture() {
    let room = room();
    let camera = source("default");
    room.rings.push(&tenant(1), &camera, picture()).unwrap();
    let first = room.rings.snapshot(&tenant(1), &camera).unwrap();
    let second = room.rings.snapshot(&tenant(1), &camera).unwrap();
    assert!(Arc::ptr_eq(&first.frames[0], &second.frames[0]));
}

#[test]
fn a_source_too_many_is_refused_until_one_is_emptied() {
    let bounds = RingSettings {
        max_sources_per_client: 2,
        ..bounds()
    };
    let room = room_with(bounds, GateSettings::default());
    let one = tenant(1);
    let pushed = room.rings.push(&one, &source("a"), picture()).unwrap();
    assert!(pushed.is_new_source);
    room.rings.push(&one, &source("b"), picture()).unwrap();
    let refused = room.rings.push(&one, &source("c"), picture());
    assert_eq!(refused, Err(BufferError::TooManySources { max: 2 }));
    let pushed = room.rings.push(&one, &source("b"), picture()).unwrap();
    assert_eq!((pushed.buffer_size, pushed.is_new_source), (2, false));
    assert!(room.rings.push(&tenant(2), &source("c"), picture()).is_ok());

    assert!(room.rings.clear_source(&one, &source("a")));
    assert!(!room.rings.clear_source(&one, &source("a")));
    assert!(room.rings.push(&one, &source("c"), picture()).is_ok());
}

#[test]
fn a_batch_with_a_source_too_many_leaves_nothing_behind() {
    let bounds = RingSettings {
        max_sources_per_client: 2,
        ..bounds()
    };
    let room = room_with(bounds, GateSettings::default());
    let one = tenant(1);
    let batch = |names: &[&str]| names.iter().map(|name| (source(name), picture())).collect();
    let refused = room
        .rings
        .push_batch(&one, batch(&["a", "a", "b", "c", "a"]));
    let error = BufferError::TooManySources { max: 2 };
    assert_eq!(refused, Err(BatchError { index: 3, error }));
    assert_eq!(room.rings.totals(), Totals::default());

    let pushed = room
        .rings
        .push_batch(&one, batch(&["a", "b", "a"]))
        .unwrap();
    assert_eq!(pushed.status, BufferStatus::Buffered);
    assert_eq!((pushed.frames_added, pushed.buffer_size), (3, 3));
    assert_eq!(pushed.new_sources, [source("a"), source("b")]);
    let pushed = room.rings.push_batch(&one, batch(&["a"])).unwrap();
    assert_eq!((pushed.frames_added, pushed.buffer_size), (1, 3));
    assert_eq!(pushed.new_sources, []);
}

#[test]
fn a_batch_is_late_only_when_all_of_it_is() {
    let room = room();
    let (one, camera) = (tenant(1), source("a"));
    room.rings.push(&one, &camera, picture()).unwrap();
    let late = || (camera.clone(), taken_at(time(-60_000), EMPTY));
    let pushed = room.rings.push_batch(&one, vec![late(), late()]).unwrap();
    assert_eq!(
        (pushed.status, pushed.frames_added, pushed.buffer_size),
        (BufferStatus::Late, 0, 1)
    );
    let good = (camera.clone(), taken_at(time(-500), EMPTY));
    let pushed = room.rings.push_batch(&one, vec![late(), good]).unwrap();
    assert_eq!(
        (pushed.status, pushed.frames_added, pushed.buffer_size),
        (BufferStatus::Buffered, 1, 2)
    );
}

#[test]
fn within_a_client_the_biggest_source_gives_its_oldest_frames() {
    let bounds = RingSettings {
        max_bytes_per_client: 7 * FRAME,
        ..bounds()
    };
    let room = room_with(bounds, GateSettings::default());
    let one = tenant(1);
    let push = |name: &str| {
        room.rings
            .push(&one, &source(name), picture())
            .unwrap()
            .buffer_size
    };
    for _ in 0..5 {
        push("big");
    }
    assert_eq!([push("small"), push("small"), push("small")], [1, 2, 3]);
    assert_eq!(
        frames_of(&room, &one),
        [("big".to_owned(), 4), ("small".to_owned(), 3)]
    );
    assert_eq!(push("small"), 3, "among equals the one that pushes gives");
    let seen = room.rings.snapshot(&one, &source("big")).unwrap();
    assert_eq!(seen.frames[0].at, time(1), "the oldest went");
}

#[test]
fn over_all_the_biggest_client_gives_and_a_small_one_keeps_its_frames() {
    let bounds = RingSettings {
        max_bytes_total: 12 * FRAME,
        ..bounds()
    };
    let room = room_with(bounds, GateSettings::default());
    let (big, small, late) = (tenant(1), tenant(2), tenant(3));
    for number in 0..7 {
        room.rings
            .push(&big, &source(&format!("camera-{number}")), picture())
            .unwrap();
    }
    for _ in 0..3 {
        room.rings.push(&small, &source("a"), picture()).unwrap();
    }
    let held = |tenant: &Tenant| {
        frames_of(&room, tenant)
            .iter()
            .map(|(_, frames)| frames)
            .sum()
    };
    let held = |expected: [usize; 3]| {
        let now: [usize; 3] = [held(&big), held(&small), held(&late)];
        assert_eq!(now, expected);
    };
    for expected in [
        [7, 3, 1],
        [7, 3, 2],
        [6, 3, 3],
        [5, 3, 4],
        [5, 3, 4],
        [5, 3, 4],
    ] {
        room.rings.push(&late, &source("a"), picture()).unwrap();
        held(expected);
    }
    for _ in 0..20 {
        room.rings
            .push(&big, &source("camera-0"), picture())
            .unwrap();
    }
    // Who holds as much as anybody pushes out its own frames.
    held([5, 3, 4]);
    assert_eq!(room.rings.totals().bytes, 12 * FRAME);
}

#[test]
fn a_frame_larger_than_its_bound_is_let_go_and_breaks_nothing() {
    let bounds = RingSettings {
        max_bytes_per_client: 999,
        ..bounds()
    };
    let room = room_with(bounds, GateSettings::default());
    let pushed = room
        .rings
        .push(&tenant(1), &source("a"), picture())
        .unwrap();
    assert_eq!(pushed.buffer_size, 0);
    assert!(room.rings.snapshot(&tenant(1), &source("a")).is_err());
    assert_eq!(room.rings.totals().bytes, 0);
}

#[test]
fn a_dropped_client_leaves_no_picture_in_memory_not_even_at_the_gate() {
    let gate = GateSettings {
        workers: 1,
        ..GateSettings::default()
    };
    let room = room_with(bounds(), gate);
    room.rings
        .push(&tenant(1), &source("a"), incoming(HELD))
        .unwrap();
    room.reached.recv().unwrap();
    room.rings
        .push(&tenant(2), &source("a"), picture())
        .unwrap();
    room.rings
        .push(&tenant(3), &source("a"), picture())
        .unwrap();
    let waiting = Arc::downgrade(
        &room
            .rings
            .snapshot(&tenant(2), &source("a"))
            .unwrap()
            .frames[0],
    );

    room.rings.drop_client(ClientId(2));
    assert!(waiting.upgrade().is_none());
    assert_eq!(room.rings.sources(&tenant(2)), []);
    assert_eq!(
        (room.rings.totals().sources, room.rings.totals().frames),
        (2, 2)
    );
    assert!(
        room.rings
            .push(&tenant(2), &source("a"), picture())
            .unwrap()
            .is_new_source
    );
    drop(room.let_go);
}

#[test]
fn a_source_silent_for_ten_minutes_leaves_memory() {
    let room = room();
    room.rings
        .push(&tenant(1), &source("a"), picture())
        .unwrap();
    room.rings
        .push(&tenant(2), &source("a"), picture())
        .unwrap();
    room.clock.advance(Duration::from_secs(599));
    room.rings
        .push(&tenant(1), &source("b"), picture())
        .unwrap();
    assert_eq!(room.rings.expire_silent(), 0);
    room.clock.advance(Duration::from_secs(1));
    assert_eq!(room.rings.expire_silent(), 2);
    assert_eq!(room.rings.clients(), [ClientId(1)]);
    assert_eq!(frames_of(&room, &tenant(1)), [("b".to_owned(), 1)]);
    assert_eq!(room.rings.totals().bytes, FRAME);
    assert!(
        room.rings
            .push(&tenant(2), &source("a"), picture())
            .unwrap()
            .is_new_source
    );
}

/// Something that happens to the rings.
#[derive(Clone, Debug)]
enum Step {
    Push {
        client: i64,
        source: u8,
        size: usize,
        back_ms: i64,
    },
    Batch {
        client: i64,
        sources: Vec<u8>,
    },
    Clear {
        client: i64,
        source: u8,
    },
    Drop {
        client: i64,
    },
    Wait {
        seconds: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let client = 0..4_i64;
    let source = 0..4_u8;
    prop_oneof![
        12 => (client.clone(), source.clone(), 0..3_000_usize, 0..12_000_i64).prop_map(
            |(client, source, size, back_ms)| Step::Push { client, source, size, back_ms }
        ),
        2 => (client.clone(), prop::collection::vec(source.clone(), 0..6))
            .prop_map(|(client, sources)| Step::Batch { client, sources }),
        1 => (client.clone(), source).prop_map(|(client, source)| Step::Clear { client, source }),
        1 => client.prop_map(|client| Step::Drop { client }),
        3 => (0..400_u64).prop_map(|seconds| Step::Wait { seconds }),
    ]
}

fn take(room: &Room, step: Step) {
    let camera = |number: u8| source(&format!("camera-{number}"));
    match step {
        Step::Push {
            client,
            source,
            size,
            back_ms,
        } => {
            room.clock.advance(Duration::from_millis(40));
            let at = vigint_core::clock::Clock::now(&*room.clock).plus_millis(-back_ms);
            let _ = room.rings.push(
                &tenant(client),
                &camera(source),
                taken_at(at, &vec![0; size]),
            );
        }
        Step::Batch { client, sources } => {
            let frames = sources
                .into_iter()
                .map(|source| (camera(source), picture()));
            let _ = room.rings.push_batch(&tenant(client), frames.collect());
        }
        Step::Clear { client, source } => {
            room.rings.clear_source(&tenant(client), &camera(source));
        }
        Step::Drop { client } => room.rings.drop_client(ClientId(client)),
        Step::Wait { seconds } => {
            room.clock.advance(Duration::from_secs(seconds));
            room.rings.expire_silent();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_happens_the_accounts_are_the_sum_over_the_rings(
        steps in prop::collection::vec(step(), 1..200),
    ) {
        let bounds = RingSettings {
            max_sources_per_client: 3,
            max_bytes_per_client: 15_000,
            max_bytes_total: 30_000,
            ..bounds()
        };
        let room = room_with(bounds, GateSettings::default());
        for step in steps {
            take(&room, step);
            let mut sum = Totals::default();
            for client in 0..4 {
                let sources = room.rings.sources(&tenant(client));
                let held = sources.iter().map(|s| s.bytes + s.frames * FRAME_OVERHEAD_BYTES);
                let held: usize = held.sum();
                prop_assert!(held <= 15_000);
                prop_assert!(sources.len() <= 3);
                for status in &sources {
                    let frames = room.rings.snapshot(&tenant(client), &status.source_id);
                    let frames = frames.map(|seen| seen.frames).unwrap_or_default();
                    let bytes: usize = frames.iter().map(|frame| frame.jpeg.len()).sum();
                    prop_assert!(frames.is_empty() || bytes == status.bytes);
                }
                sum.sources += sources.len();
                sum.frames += sources.iter().map(|source| source.frames).sum::<usize>();
                sum.bytes += held;
            }
            let totals = room.rings.totals();
            sum.gate = totals.gate;
            prop_assert_eq!(totals, sum);
            prop_assert!(sum.bytes <= 30_000);
        }
    }
}

#[test]
fn tenants_pushing_at_once_keep_the_accounts_right() {
    let bounds = RingSettings {
        max_bytes_total: 50 * FRAME,
        ..bounds()
    };
    let room = room_with(bounds, GateSettings::default());
    std::thread::scope(|scope| {
        for number in 0..8 {
            let rings = &room.rings;
            scope.spawn(move || {
                for round in 0..300_u32 {
                    let camera = source(&format!("camera-{}", round % 3));
                    rings.push(&tenant(number % 4), &camera, picture()).unwrap();
                    if round % 50 == 49 {
                        rings.drop_client(ClientId(number % 4));
                        rings.expire_silent();
                    }
                }
            });
        }
    });
    let totals = room.rings.totals();
    assert!(totals.bytes <= 50 * FRAME);
    assert_eq!(totals.bytes, totals.frames * FRAME);
    let names: BTreeSet<_> = (0..4)
        .flat_map(|number| frames_of(&room, &tenant(number)))
        .collect();
    assert!(names.len() <= 12 * 10);
}
