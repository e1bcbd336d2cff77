//! Windows, late frames, wrong clocks, and what was looked at.

use vigint_core::wire::{BufferStatus, SourceSeconds};

use super::super::Outcome;
use super::*;

/// The times of a tail, in milliseconds.
fn millis(frames: &[Arc<super::super::Frame>]) -> Vec<i64> {
    frames
        .iter()
        .map(|frame| frame.at.millis_since(time(0)))
        .collect()
}

/// Pushes one frame a second, arriving as it is taken, numbered by its second.
fn seconds_pass(
    room: &Room,
    tenant: &Tenant,
    camera: &SourceId,
    seconds: std::ops::RangeInclusive<i64>,
) {
    for second in seconds {
        room.clock.set(time(second * 1_000));
        let frame = IncomingFrame {
            frame_count: second,
            ..incoming(second.to_string().as_bytes())
        };
        room.rings.push(tenant, camera, frame).unwrap();
    }
}

#[test]
fn the_tail_is_what_came_since_the_last_screen_at_least_the_short_at_most_the_long_window() {
    let room = room();
    let (one, camera) = (tenant(1), source("a"));
    let tail = || {
        let seen = room.rings.snapshot(&one, &camera).unwrap();
        (seen.newest_frame_count, millis(seen.screen_frames()))
    };
    seconds_pass(&room, &one, &camera, 0..=20);
    let whole: Vec<i64> = (10..=20).map(|second| second * 1_000).collect();
    assert_eq!(tail(), (20, whole), "never screened: the long window");

    room.rings.mark_screened(&one, &camera, time(20_000));
    assert_eq!(
        tail(),
        (20, vec![17_000, 18_000, 19_000, 20_000]),
        "at least the short window"
    );
    seconds_pass(&room, &one, &camera, 21..=25);
    let since: Vec<i64> = (20..=25).map(|second| second * 1_000).collect();
    assert_eq!(tail(), (25, since), "since the last screen");
    seconds_pass(&room, &one, &camera, 26..=40);
    let whole: Vec<i64> = (30..=40).map(|second| second * 1_000).collect();
    assert_eq!(tail(), (40, whole), "at most the long window");
    let seen = room.rings.snapshot(&one, &camera).unwrap();
    assert_eq!(seen.screen_from, time(30_000));
}

#[test]
fn a_late_frame_is_answered_late_and_twenty_of_them_start_anew() {
    let room = room();
    let (one, camera) = (tenant(1), source("a"));
    seconds_pass(&room, &one, &camera, 0..=3_600);
    let fast = taken_at(time(3_600_050), EMPTY);
    room.rings.push(&one, &camera, fast).unwrap();
    room.rings.mark_screened(&one, &camera, time(3_600_000));
    room.rings.account(
        &one,
        &camera,
        Outcome::Analysed,
        time(3_590_000)..=time(3_600_000),
    );
    let before = room.rings.snapshot(&one, &camera).unwrap();
    assert_eq!(before.frames.len(), 11);

    let push = |at: i64| {
        let pushed = room
            .rings
            .push(&one, &camera, taken_at(time(at), EMPTY))
            .unwrap();
        (pushed.status, pushed.buffer_size)
    };
    for number in 0..19 {
        assert_eq!(push(number * 100), (BufferStatus::Late, 11));
    }
    assert_eq!(push(1_900), (BufferStatus::Buffered, 1));
    for number in 20..60 {
        assert_eq!(push(number * 100).0, BufferStatus::Buffered);
    }
    let analysed = |from: i64, to: i64| {
        let window = time(from)..=time(to);
        room.rings.account(&one, &camera, Outcome::Analysed, window);
        room.rings.sources(&one)[0].seconds.analysed
    };
    assert_eq!(analysed(1_900, 3_900), 12.0);
    // An analysis that began before must not say what was looked at since.
    let old = time(3_600_000)..=before.newest_at;
    room.rings.account(&one, &camera, Outcome::Failed, old);
    room.rings.mark_screened(&one, &camera, before.newest_at);
    assert_eq!(analysed(3_900, 5_900), 14.0);
    let after = room.rings.snapshot(&one, &camera).unwrap();
    assert_eq!(after.newest_at, time(5_900));
    assert_eq!(after.screen_frames().len(), 41);
    assert_eq!(after.clock_offset_ms, 3_594_100);
}

#[test]
fn a_cameras_wrong_clock_is_measured_and_a_fast_one_is_not_believed() {
    let room = room();
    let (one, behind, ahead) = (tenant(1), source("behind"), source("far-ahead"));
    room.clock.set(time(60_000));
    room.rings
        .push(&one, &behind, taken_at(time(30_000), EMPTY))
        .unwrap();
    room.rings
        .push(&one, &ahead, taken_at(time(3_660_000), EMPTY))
        .unwrap();

    let seen = room.rings.snapshot(&one, &behind).unwrap();
    assert_eq!(
        (seen.newest_at, seen.clock_offset_ms),
        (time(30_000), 30_000)
    );
    let seen = room.rings.snapshot(&one, &ahead).unwrap();
    assert_eq!((seen.newest_at, seen.clock_offset_ms), (time(60_000), 0));
    let shown: Vec<i64> = room
        .rings
        .sources(&one)
        .iter()
        .map(|s| s.clock_offset_ms)
        .collect();
    assert_eq!(shown, [30_000, -3_600_000]);
}

#[test]
fn there_is_nothing_to_judge_once_a_camera_is_silent_for_longer_than_the_long_window() {
    let room = room();
    let (one, camera) = (tenant(1), source("a"));
    assert!(room.rings.snapshot(&one, &camera).is_err());
    room.rings
        .push(&one, &camera, taken_at(time(-3_600_000), EMPTY))
        .unwrap();
    room.clock.advance(Duration::from_secs(10));
    assert!(room.rings.snapshot(&one, &camera).is_ok());
    room.clock.advance(Duration::from_millis(1));
    let error = room.rings.snapshot(&one, &camera).unwrap_err();
    assert!(error.to_string().contains("source 'a'"), "{error}");
    assert_eq!(
        room.rings.sources(&one)[0].silent_for,
        Duration::from_millis(10_001)
    );
}

#[test]
fn each_second_is_counted_once_and_the_sums_are_shown() {
    let room = room();
    let (one, camera) = (tenant(1), source("a"));
    seconds_pass(&room, &one, &camera, 0..=20);
    let account = |outcome, from: i64, to: i64| {
        room.rings.account(
            &one,
            &camera,
            outcome,
            time(from * 1_000)..=time(to * 1_000),
        );
    };
    account(Outcome::Skipped, 0, 10);
    account(Outcome::Analysed, 7, 15);
    account(Outcome::Failed, 12, 20);
    let expected = SourceSeconds {
        analysed: 5.0,
        skipped: 10.0,
        failed: 5.0,
    };
    assert_eq!(room.rings.sources(&one)[0].seconds, expected);
}

#[test]
fn no_time_is_lost_between_screens_of_a_camera_whose_frames_are_thinned() {
    let room = room();
    let (one, camera) = (tenant(1), source("a"));
    for number in 0..900 {
        let at = time(number * 1_000 / 30);
        room.clock.set(at);
        room.rings.push(&one, &camera, taken_at(at, EMPTY)).unwrap();
        // Longer apart than the short window, so that each looks on from where the last one ended.
        if number % 133 == 0 || number == 899 {
            let seen = room.rings.snapshot(&one, &camera).unwrap();
            let outcome = Outcome::Analysed;
            room.rings
                .account(&one, &camera, outcome, seen.screen_window());
            room.rings.mark_screened(&one, &camera, seen.newest_at);
        }
    }
    let seconds = room.rings.sources(&one)[0].seconds;
    assert_eq!(seconds.analysed, 29.966);
}

#[test]
fn sources_are_listed_by_id_with_what_is_buffered() {
    let room = room();
    let one = tenant(1);
    let named = |name: Option<&str>, jpeg: &[u8]| IncomingFrame {
        source_name: name.map(str::to_owned),
        ..incoming(jpeg)
    };
    room.rings
        .push(&one, &source("b"), named(None, b"12345"))
        .unwrap();
    room.rings
        .push(&one, &source("a"), named(Some("Till"), b"123"))
        .unwrap();
    room.clock.advance(Duration::from_secs(1));
    room.rings
        .push(&one, &source("a"), named(None, b"1234"))
        .unwrap();
    let sources = room.rings.sources(&one);
    let ids: Vec<&str> = sources
        .iter()
        .map(|source| source.source_id.as_str())
        .collect();
    assert_eq!(ids, ["a", "b"]);
    assert_eq!(sources[0].source_name.as_deref(), Some("Till"));
    assert_eq!((sources[0].frames, sources[0].bytes), (2, 7));
    assert_eq!(
        (sources[0].oldest_at, sources[0].newest_at),
        (Some(time(0)), Some(time(1_000)))
    );
    assert_eq!(
        (sources[1].source_name.as_deref(), sources[1].bytes),
        (None, 5)
    );
}

#[tokio::test]
async fn a_frozen_picture_is_told_from_one_that_changes_and_for_how_long_it_has_come() {
    let room = room();
    let (one, camera) = (tenant(1), source("a"));
    let mut unchanged_for = Vec::new();
    for second in 0..=62 {
        room.clock.set(time(second * 1_000));
        let jpeg = if second == 62 { b"other" } else { b"same!" };
        room.rings.push(&one, &camera, incoming(jpeg)).unwrap();
        room.rings.settled(&one, &camera).await;
        unchanged_for.push(room.rings.sources(&one)[0].unchanged_for.as_secs());
    }
    assert_eq!(unchanged_for[..9], [0; 9], "ten looks are needed");
    assert_eq!(unchanged_for[9], 5, "that much is known");
    assert_eq!(unchanged_for[61..], [57, 0]);
}
