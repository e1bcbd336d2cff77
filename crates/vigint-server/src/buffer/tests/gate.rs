//! Which frames the gate looks at, what a bad one costs, and when the gate is open.

use futures_util::FutureExt as _;

use vigint_video::motion::MotionState;

use super::super::{Frame, GateCounts, gate_is_open};
use super::*;

/// Pushes a picture that many milliseconds after the start, and waits until the gate has judged it.
async fn judged(room: &Room, tenant: &Tenant, camera: &SourceId, at: i64, jpeg: &[u8]) {
    room.clock.set(time(at));
    room.rings
        .push(tenant, camera, taken_at(time(at), jpeg))
        .unwrap();
    room.rings.settled(tenant, camera).await;
}

fn frames(room: &Room, tenant: &Tenant, camera: &SourceId) -> Vec<Arc<Frame>> {
    room.rings.snapshot(tenant, camera).unwrap().frames
}

fn is_open(room: &Room, tenant: &Tenant, camera: &SourceId) -> bool {
    gate_is_open(&frames(room, tenant, camera))
}

/// Three quiet seconds at five frames a second.
async fn quiet_seconds(room: &Room, tenant: &Tenant, camera: &SourceId) {
    quiet_seconds_from(room, tenant, camera, 0).await;
}

async fn quiet_seconds_from(room: &Room, tenant: &Tenant, camera: &SourceId, from: i64) {
    for number in 0..=15 {
        judged(room, tenant, camera, from + number * 200, EMPTY).await;
    }
}

#[tokio::test]
async fn the_gate_is_open_while_it_starts_shut_when_quiet_and_open_when_something_moves() {
    let room = room();
    let (one, camera) = (tenant(1), source("a"));
    judged(&room, &one, &camera, 0, EMPTY).await;
    assert!(is_open(&room, &one, &camera), "starting");
    quiet_seconds(&room, &one, &camera).await;
    assert!(!is_open(&room, &one, &camera), "quiet");
    for number in 0..10_u8 {
        let at = 3_200 + i64::from(number) * 200;
        judged(&room, &one, &camera, at, &figure_at(10 + number * 12)).await;
    }
    assert!(is_open(&room, &one, &camera), "moving");
    assert!(gate_is_open(&[]), "nothing is known of no frame");
}

#[tokio::test]
async fn frames_seen_while_the_detector_learned_do_not_open_the_gate_afterwards() {
    let room = room();
    let (one, camera) = (tenant(1), source("a"));
    // Somebody is there from the first picture on, and gone when the detector has learned.
    judged(&room, &one, &camera, 0, &figure_at(40)).await;
    assert!(is_open(&room, &one, &camera), "starting");
    quiet_seconds_from(&room, &one, &camera, 200).await;
    let frames = frames(&room, &one, &camera);
    let states: Vec<_> = frames
        .iter()
        .map(|frame| frame.motion.get().unwrap().state)
        .collect();
    let learned = states
        .iter()
        .position(|state| *state != MotionState::Starting)
        .unwrap();
    assert!(
        learned > 0 && frames[learned].at <= time(1_000),
        "{states:?}"
    );
    assert!(!gate_is_open(&frames), "{states:?}");
}

#[tokio::test]
async fn a_covered_camera_is_told_and_does_not_open_the_gate() {
    let room = room();
    let (one, camera) = (tenant(1), source("a"));
    for (at, jpeg) in
        (0..35).map(|number| (number * 200, if number < 15 { STRIPES } else { COVERED }))
    {
        judged(&room, &one, &camera, at, jpeg).await;
    }
    let frames = frames(&room, &one, &camera);
    let states: Vec<_> = frames
        .iter()
        .map(|frame| frame.motion.get().unwrap().state)
        .collect();
    assert!(states.contains(&MotionState::SceneChanged), "{states:?}");
    assert!(!gate_is_open(&frames[frames.len() - 10..]), "{states:?}");
}

#[tokio::test]
async fn what_moved_within_the_window_keeps_the_gate_open_after_it_went() {
    let room = room();
    let (one, camera) = (tenant(1), source("a"));
    quiet_seconds(&room, &one, &camera).await;
    let walk = (0..6_u8).map(|step| figure_at(10 + step * 12).to_vec());
    let gone = std::iter::repeat_n(EMPTY.to_vec(), 24);
    for (number, picture) in (16..).zip(walk.chain(gone)) {
        judged(&room, &one, &camera, number * 200, &picture).await;
    }
    let frames = frames(&room, &one, &camera);
    let newest = frames.last().unwrap().motion.get().unwrap();
    assert_eq!(newest.state, MotionState::Quiet);
    assert!(gate_is_open(&frames));
    assert!(!gate_is_open(&frames[frames.len() - 5..]));
}

#[tokio::test]
async fn a_hostile_picture_hurts_only_itself() {
    let gate = GateSettings {
        workers: 1,
        ..GateSettings::default()
    };
    let room = room_with(bounds(), gate);
    let (bad, good, camera) = (tenant(1), tenant(2), source("a"));
    for (number, jpeg) in [EMPTY, PANICS, UNREADABLE, EMPTY].into_iter().enumerate() {
        let at = i64::try_from(number).unwrap() * 200;
        judged(&room, &bad, &camera, at, jpeg).await;
        judged(&room, &good, &camera, at, EMPTY).await;
    }
    let was_judged = |tenant: &Tenant| -> Vec<bool> {
        let frames = frames(&room, tenant, &camera);
        frames
            .iter()
            .map(|frame| frame.motion.get().is_some())
            .collect()
    };
    assert_eq!(was_judged(&bad), [true, false, false, true]);
    assert_eq!(was_judged(&good), [true; 4]);
    let counts = room.rings.totals().gate;
    assert_eq!(
        counts,
        GateCounts {
            judged: 6,
            skipped: 0,
            failed: 2
        }
    );
}

#[tokio::test]
async fn a_picture_that_could_not_be_judged_leaves_the_gate_open() {
    let room = room();
    let (one, camera) = (tenant(1), source("a"));
    quiet_seconds(&room, &one, &camera).await;
    judged(&room, &one, &camera, 3_200, UNREADABLE).await;
    judged(&room, &one, &camera, 3_400, EMPTY).await;
    assert!(is_open(&room, &one, &camera));
}

#[tokio::test]
async fn when_the_threads_are_behind_frames_are_skipped_and_ingest_does_not_wait() {
    let gate = GateSettings {
        workers: 1,
        queue_frames: 1,
        ..GateSettings::default()
    };
    let room = room_with(bounds(), gate);
    let one = tenant(1);
    let push = |name: &str, jpeg: &[u8]| {
        room.rings
            .push(&one, &source(name), incoming(jpeg))
            .unwrap();
    };
    push("held", HELD);
    room.reached.recv().unwrap();
    push("older", EMPTY);
    push("newer", EMPTY);
    assert_eq!(room.rings.totals().gate.skipped, 1);
    let settled = |name: &str| {
        let source = source(name);
        room.rings.settled(&one, &source).now_or_never().is_some()
    };
    assert!(settled("older"), "nobody waits for a look that was skipped");
    assert!(!settled("newer"));

    room.let_go.send(()).unwrap();
    room.rings.settled(&one, &source("newer")).await;
    assert_eq!(
        room.rings.totals().gate,
        GateCounts {
            judged: 2,
            skipped: 1,
            failed: 0
        }
    );
    let skipped = &frames(&room, &one, &source("older"))[0];
    assert!(skipped.motion.get().is_none());
    assert!(is_open(&room, &one, &source("older")));
}

#[tokio::test]
async fn a_frame_that_left_its_ring_while_it_waited_is_skipped_and_nobody_waits_for_it() {
    let bounds = RingSettings {
        max_bytes_per_client: 600,
        ..bounds()
    };
    let gate = GateSettings {
        workers: 1,
        ..GateSettings::default()
    };
    let room = room_with(bounds, gate);
    let (one, camera) = (tenant(1), source("a"));
    room.rings
        .push(&tenant(2), &camera, incoming(HELD))
        .unwrap();
    room.reached.recv().unwrap();
    for at in [0, 200, 400] {
        let frame = taken_at(time(at), EMPTY);
        room.rings.push(&one, &camera, frame).unwrap();
    }
    room.let_go.send(()).unwrap();
    room.rings.settled(&one, &camera).await;
    let counts = GateCounts {
        judged: 3,
        skipped: 1,
        failed: 0,
    };
    assert_eq!(room.rings.totals().gate, counts);
}

#[tokio::test]
async fn a_busy_client_makes_room_at_the_gate_for_another() {
    let gate = GateSettings {
        workers: 1,
        queue_frames: 4,
        ..GateSettings::default()
    };
    let room = room_with(bounds(), gate);
    let (busy, other, camera) = (tenant(1), tenant(2), source("a"));
    room.rings
        .push(&busy, &camera, taken_at(time(0), HELD))
        .unwrap();
    room.reached.recv().unwrap();
    for number in 1..=4 {
        room.clock.set(time(number * 200));
        room.rings
            .push(&busy, &camera, taken_at(time(number * 200), EMPTY))
            .unwrap();
    }
    assert_eq!(room.rings.totals().gate.skipped, 0);
    room.rings.push(&other, &camera, incoming(EMPTY)).unwrap();
    assert_eq!(room.rings.totals().gate.skipped, 1);
    room.let_go.send(()).unwrap();
    room.rings.settled(&busy, &camera).await;
    room.rings.settled(&other, &camera).await;
    assert!(frames(&room, &other, &camera)[0].motion.get().is_some());
    let seen = |frame: &Arc<Frame>| frame.motion.get().is_some();
    let looked_at: Vec<bool> = frames(&room, &busy, &camera).iter().map(seen).collect();
    assert_eq!(
        looked_at,
        [true, false, true, true, true],
        "the oldest went"
    );
}

#[tokio::test]
async fn the_gate_looks_at_five_frames_a_second_of_a_source() {
    for (camera_fps, looks) in [(5, 50), (8, 50), (10, 50), (15, 50), (30, 50), (4, 40)] {
        let room = room();
        let (one, camera) = (tenant(1), source("a"));
        for number in 0..10 * camera_fps {
            judged(&room, &one, &camera, number * 1_000 / camera_fps, EMPTY).await;
        }
        let counts = room.rings.totals().gate;
        assert_eq!(
            counts,
            GateCounts {
                judged: looks,
                ..GateCounts::default()
            },
            "{camera_fps} fps"
        );
        let kept = frames(&room, &one, &camera);
        let known = u64::try_from(
            kept.iter()
                .filter(|frame| frame.motion.get().is_some())
                .count(),
        );
        assert_eq!(
            known,
            Ok(looks),
            "{camera_fps} fps: thinning lost what the gate saw"
        );
        assert!(!gate_is_open(&kept[kept.len() / 2..]), "{camera_fps} fps");
    }
}

#[tokio::test]
async fn jitter_makes_the_gate_look_neither_more_often_nor_less() {
    let room = room();
    let (one, camera) = (tenant(1), source("a"));
    for (number, jitter) in (0..50).zip([0, 15, -15, 8, -12].into_iter().cycle()) {
        judged(&room, &one, &camera, 1_000 + number * 200 + jitter, EMPTY).await;
    }
    assert_eq!(room.rings.totals().gate.judged, 50);
}

#[tokio::test]
async fn a_frame_out_of_order_does_not_move_the_gate() {
    let room = room();
    let (one, camera) = (tenant(1), source("a"));
    quiet_seconds(&room, &one, &camera).await;
    let before = room.rings.totals().gate;
    for at in [2_900, 2_500, 500] {
        room.rings
            .push(&one, &camera, taken_at(time(at), &figure_at(40)))
            .unwrap();
    }
    room.rings.settled(&one, &camera).await;
    assert_eq!(room.rings.totals().gate, before);
    assert!(!is_open(&room, &one, &camera));
}

#[tokio::test]
async fn another_picture_of_the_newest_time_leaves_the_gate_open_and_the_same_one_does_not() {
    let room = room();
    let (one, camera) = (tenant(1), source("a"));
    quiet_seconds(&room, &one, &camera).await;
    // The gate does not look at this one: the last it looked at is a tenth of a second old.
    judged(&room, &one, &camera, 3_100, EMPTY).await;
    judged(&room, &one, &camera, 3_100, EMPTY).await;
    assert!(!is_open(&room, &one, &camera), "an upload tried again");
    judged(&room, &one, &camera, 3_100, &figure_at(40)).await;
    assert!(is_open(&room, &one, &camera), "nobody looked at this one");
}

#[tokio::test]
async fn a_picture_that_takes_the_place_of_a_moving_one_does_not_shut_the_gate() {
    let room = room();
    let (one, camera) = (tenant(1), source("a"));
    quiet_seconds(&room, &one, &camera).await;
    judged(&room, &one, &camera, 3_200, &figure_at(40)).await;
    judged(&room, &one, &camera, 3_400, EMPTY).await;
    let looked_at = frames(&room, &one, &camera)[16].at;
    room.rings
        .push(&one, &camera, taken_at(looked_at, b"another"))
        .unwrap();
    assert!(gate_is_open(&frames(&room, &one, &camera)[10..17]));
}

#[tokio::test]
async fn the_detector_starts_anew_when_the_cameras_clock_was_set_back() {
    let room = room();
    let (one, camera) = (tenant(1), source("a"));
    quiet_seconds(&room, &one, &camera).await;
    for number in 0..60 {
        let at = time(number * 100 - 3_600_000);
        room.rings.push(&one, &camera, taken_at(at, EMPTY)).unwrap();
        room.rings.settled(&one, &camera).await;
        if number == 19 {
            assert!(is_open(&room, &one, &camera), "starting");
        }
    }
    assert!(!is_open(&room, &one, &camera));
    assert_eq!(frames(&room, &one, &camera).len(), 41);
}

#[tokio::test]
async fn nobody_waits_for_a_source_that_is_not_there_or_has_gone() {
    let room = room();
    let (one, camera) = (tenant(1), source("a"));
    room.rings.settled(&one, &camera).await;
    room.rings.push(&one, &camera, incoming(EMPTY)).unwrap();
    room.rings.drop_client(ClientId(1));
    room.rings.settled(&one, &camera).await;
}

#[test]
fn the_threads_end_with_the_rings() {
    let room = room();
    let other_handle = room.rings.clone();
    drop(room.rings);
    assert!(Arc::strong_count(&room.decoder) > 1);
    drop(other_handle);
    assert_eq!(Arc::strong_count(&room.decoder), 1);
}

#[tokio::test]
async fn a_clock_set_back_a_little_leaves_the_gate_open() {
    let room = room();
    let (one, camera) = (tenant(1), source("a"));
    quiet_seconds(&room, &one, &camera).await;
    assert!(!is_open(&room, &one, &camera));
    // Three seconds back: what comes now stands among what was judged before.
    for number in 0..15 {
        let at = 3_200 + number * 200;
        room.clock.set(time(at));
        let behind = taken_at(time(at - 3_100), EMPTY);
        room.rings.push(&one, &camera, behind).unwrap();
    }
    room.rings.settled(&one, &camera).await;
    assert!(is_open(&room, &one, &camera), "nobody has looked at them");
}
