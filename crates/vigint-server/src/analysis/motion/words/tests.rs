//! The sentences, to the letter.

use proptest::prelude::*;
use vigint_testkit::french::loose_punctuation;

use super::*;

/// Half past eight in the evening in Paris, in summer.
const BEGIN: i64 = 1_784_572_200_000;

fn look(locale: Locale) -> Look {
    Look {
        camera: "Caisse 1".to_owned(),
        locale,
        time_zone: "Europe/Paris".to_owned(),
        clock_offset_ms: 1_000,
        ..Look::sample(Vec::new())
    }
}

/// One judged frame a second: its state, and the middle, width and height of the largest area.
fn seen(frames: &[(MotionState, Option<[f32; 4]>)]) -> Vec<Seen> {
    let begin = UtcTime::from_unix_millis(BEGIN);
    let one = |((state, area), number): (&(MotionState, Option<[f32; 4]>), i64)| Seen {
        at: begin.plus_millis(number * 1_000),
        state: *state,
        largest: area.map(|[x, y, width, height]| MotionBox {
            x: x - width / 2.0,
            y: y - height / 2.0,
            width,
            height,
        }),
    };
    frames.iter().zip(0..).map(one).collect()
}

/// What is said of this window.
fn told(locale: Locale, frames: &[(MotionState, Option<[f32; 4]>)]) -> String {
    let seen = seen(frames);
    let moving = u32::try_from(seen.iter().filter(|seen| seen.is_moving()).count()).unwrap();
    let share = f64::from(moving) / f64::from(u32::try_from(seen.len()).unwrap());
    let texts = describe(&look(locale), &seen, share);
    format!("{}\n{}\n{}", texts.kind, texts.description, texts.analysis)
}

/// The same in both languages.
fn said(frames: &[(MotionState, Option<[f32; 4]>)]) -> String {
    let texts = [Locale::English, Locale::French].map(|locale| told(locale, frames));
    texts.join("\n")
}

const QUIET: (MotionState, Option<[f32; 4]>) = (MotionState::Quiet, None);

fn moving(x: f32, y: f32) -> (MotionState, Option<[f32; 4]>) {
    (MotionState::Moving, Some([x, y, 0.2, 0.3]))
}

/// Reading the golden file is the test: `snapshots/*__sentences.snap`.
#[test]
fn every_kind_of_window_is_told_in_both_languages() {
    let tiny = (MotionState::Moving, Some([0.5, 0.5, 0.05, 0.05]));
    let nowhere = (MotionState::Moving, None);
    let everywhere = (MotionState::Moving, Some([0.5, 0.5, 1.0, 1.0]));
    let stands = (MotionState::Present, Some([0.2, 0.5, 0.2, 0.3]));
    let covered = (MotionState::SceneChanged, None);
    let frozen = (MotionState::Frozen, None);
    let (left, middle, right) = (moving(0.1, 0.5), moving(0.5, 0.5), moving(0.9, 0.4));
    let cases = [
        (
            "in one place",
            vec![QUIET, moving(0.5, 0.8), QUIET, moving(0.6, 0.9)],
        ),
        ("across to the right", vec![left, middle, right, QUIET]),
        ("across to the left", vec![right, middle, left]),
        (
            "here and there",
            vec![moving(0.1, 0.1), QUIET, moving(0.9, 0.9)],
        ),
        ("away and back", vec![left, middle, right, middle, left]),
        ("one moment, tiny", vec![QUIET, tiny, QUIET]),
        ("one moment, everywhere", vec![everywhere]),
        ("nobody knows where", vec![nowhere]),
        ("moves and stands still", vec![left, stands]),
        ("stands still", vec![stands, stands]),
        ("nothing", vec![QUIET, QUIET]),
        (
            "moves and covers the camera",
            vec![middle, covered, covered],
        ),
        ("covered", vec![covered]),
        ("frozen", vec![frozen, frozen]),
    ];
    for (name, frames) in &cases {
        let french = told(Locale::French, frames);
        assert_eq!(loose_punctuation(&french), Vec::<String>::new(), "{name}");
    }
    let told = cases.map(|(name, frames)| format!("== {name}\n{}", said(&frames)));
    insta::assert_snapshot!("sentences", told.join("\n\n"));
}

proptest! {
    /// Whatever was seen, the texts are sentences: no hole where something is not known.
    #[test]
    fn there_is_no_hole_in_a_sentence(
        frames in prop::collection::vec(
            (
                prop::sample::select(vec![
                    MotionState::Starting,
                    MotionState::Quiet,
                    MotionState::Moving,
                    MotionState::Present,
                    MotionState::SceneChanged,
                    MotionState::Frozen,
                ]),
                prop::option::of((0.0_f32..1.0, 0.0_f32..1.0, 0.0_f32..1.0, 0.0_f32..1.0)),
            ),
            1..20,
        ),
    ) {
        let frames: Vec<_> = frames
            .into_iter()
            .map(|(state, area)| (state, area.map(|(x, y, width, height)| [x, y, width, height])))
            .collect();
        for line in said(&frames).lines().filter(|line| line.len() > 20) {
            prop_assert!(!line.contains("  ") && !line.contains(" ,") && !line.contains(" ."), "{line}");
            prop_assert!(line.ends_with('.'), "{line}");
        }
    }
}
