//! The picture to judge the gate by: a contact sheet of its openings; under it score, openings, states and
//! truth over time.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "places in the picture are small, and neither places nor times are negative"
)]

use std::path::Path;

use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::text::Alignment;
use vigint_testkit::battery::{Said, Span, State, Truth, spans};

use super::canvas::{Canvas, LETTER, Place};
use super::sheet::{SHOT_WIDTH, Shot};

const WIDTH: u32 = 1560;
/// Where the time begins and ends in the picture.
const LEFT: i32 = 110;
const RIGHT: i32 = 1540;
const MARGIN: i32 = 14;
/// Small pictures in a row, and what is between them.
const COLUMNS: usize = 6;
const GAP: i32 = 16;
const SCORE_HEIGHT: i32 = 120;
const BAND: i32 = 20;
const BAND_GAP: i32 = 5;
/// Ticks of the time axis are one of these apart, in seconds: the first that leaves room for their numbers.
const TICKS: [f64; 13] = [
    0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0,
];
const TICK_ROOM: f64 = 44.0;

const GRID: Rgb888 = Rgb888::new(222, 222, 226);
const SCORE: Rgb888 = Rgb888::new(58, 84, 140);
const SOFT_ON: Rgb888 = Rgb888::new(214, 240, 216);
const ON: Rgb888 = Rgb888::new(46, 160, 67);
const MOVING_TRUTH: Rgb888 = Rgb888::new(20, 110, 120);
const VISIT_TRUTH: Rgb888 = Rgb888::new(120, 196, 200);
const IGNORED: Rgb888 = Rgb888::new(205, 205, 210);
const BOX: Rgb888 = Rgb888::new(255, 60, 40);

const STATES: [(State, &str, Rgb888); 6] = [
    (State::Starting, "starting", Rgb888::new(150, 150, 158)),
    (State::Quiet, "quiet", Rgb888::new(236, 236, 240)),
    (State::Moving, "moving", Rgb888::new(222, 84, 52)),
    (State::Present, "present", Rgb888::new(244, 190, 72)),
    (
        State::SceneChanged,
        "scene changed",
        Rgb888::new(142, 82, 190),
    ),
    (State::Frozen, "frozen", Rgb888::new(78, 150, 230)),
];

/// All that is drawn.
pub(super) struct Plot<'a> {
    pub(super) title: String,
    pub(super) said: &'a [Said],
    /// The gate's score of each frame of `said`, 0..=1.
    pub(super) scores: &'a [f32],
    pub(super) truth: Option<&'a Truth>,
    pub(super) shots: &'a [Shot],
}

/// One line of coloured bands.
struct Line<'a> {
    name: &'a str,
    bands: Vec<(Span, Rgb888)>,
}

impl Plot<'_> {
    /// Writes the picture as a PNG.
    pub(super) fn write(&self, file: &Path) -> anyhow::Result<()> {
        let lines = self.lines();
        let sheet = self.shots.chunks(COLUMNS).map(row_height).sum::<i32>();
        let bands = (BAND + BAND_GAP) * small(lines.len());
        let top = MARGIN + LETTER.1 + 10;
        let height = top + sheet + SCORE_HEIGHT + 10 + bands + 3 * LETTER.1 + 40;
        let mut canvas = Canvas::new(WIDTH, height.unsigned_abs());
        canvas.write(&self.title, (MARGIN, MARGIN), Alignment::Left);
        let chart = self.draw_sheet(&mut canvas, top);
        let axis = chart + SCORE_HEIGHT + 10 + bands;
        self.draw_axis(&mut canvas, chart, axis);
        self.draw_score(&mut canvas, chart);
        let mut line_top = chart + SCORE_HEIGHT + 10;
        for line in &lines {
            self.draw_line(&mut canvas, line, line_top);
            line_top += BAND + BAND_GAP;
        }
        self.draw_legend(&mut canvas, axis + LETTER.1 + 20);
        canvas.save(file)
    }

    /// What is drawn as bands, top to bottom.
    fn lines(&self) -> Vec<Line<'_>> {
        let states = STATES.iter().flat_map(|(state, _, colour)| {
            let spans = spans(self.said, |said| said.state == *state);
            spans.into_iter().map(|span| (span, *colour))
        });
        let on = spans(self.said, |said| said.on);
        let mut lines = vec![
            Line {
                name: "gate",
                bands: on.into_iter().map(|span| (span, ON)).collect(),
            },
            Line {
                name: "state",
                bands: states.collect(),
            },
        ];
        if let Some(truth) = self.truth {
            // What comes later lies above what came before.
            let kinds = [
                (&truth.ignore, IGNORED),
                (&truth.visits, VISIT_TRUTH),
                (&truth.moving, MOVING_TRUTH),
                (&truth.scene_changed, STATES[4].2),
                (&truth.frozen, STATES[5].2),
            ];
            let bands = kinds
                .into_iter()
                .flat_map(|(spans, colour)| spans.iter().map(move |span| (*span, colour)));
            lines.push(Line {
                name: "truth",
                bands: bands.collect(),
            });
        }
        lines
    }

    /// Where a time is in the picture.
    fn column(&self, at: f64) -> i32 {
        let last = self.said.last().map_or(0.0, |said| said.at).max(0.001);
        LEFT + (at.clamp(0.0, last) / last * f64::from(RIGHT - LEFT)).round() as i32
    }

    fn draw_line(&self, canvas: &mut Canvas, line: &Line<'_>, top: i32) {
        canvas.write(line.name, (LEFT - 10, top + 4), Alignment::Right);
        for ((start, end), colour) in &line.bands {
            let (left, right) = (self.column(*start), self.column(*end));
            canvas.fill((left, top, right.max(left + 2), top + BAND), *colour);
        }
        canvas.frame((LEFT, top, RIGHT, top + BAND), GRID);
    }

    fn draw_score(&self, canvas: &mut Canvas, top: i32) {
        let bottom = top + SCORE_HEIGHT;
        canvas.write(
            "score",
            (LEFT - 46, top + SCORE_HEIGHT / 2 - 6),
            Alignment::Right,
        );
        for (share, number) in [(0.0, "0"), (0.5, "0.5"), (1.0, "1")] {
            let y = bottom - (share * f64::from(SCORE_HEIGHT)) as i32;
            canvas.write(number, (LEFT - 10, y - 6), Alignment::Right);
        }
        let ends = self.said.iter().skip(1).map(|said| said.at);
        for ((said, end), score) in self.said.iter().zip(ends).zip(self.scores) {
            let high = (f64::from(*score) * f64::from(SCORE_HEIGHT)).round() as i32;
            let place = (
                self.column(said.at),
                bottom - high,
                self.column(end),
                bottom,
            );
            canvas.fill(place, SCORE);
        }
    }

    /// The ground of the chart: where the gate is open, and lines with their times under them.
    fn draw_axis(&self, canvas: &mut Canvas, top: i32, bottom: i32) {
        for (start, end) in spans(self.said, |said| said.on) {
            canvas.fill(
                (
                    self.column(start),
                    top,
                    self.column(end),
                    top + SCORE_HEIGHT,
                ),
                SOFT_ON,
            );
        }
        canvas.frame((LEFT, top, RIGHT, top + SCORE_HEIGHT), GRID);
        let last = self.said.last().map_or(0.0, |said| said.at);
        let room = |tick: &&f64| *tick / last.max(0.001) * f64::from(RIGHT - LEFT) >= TICK_ROOM;
        let tick = TICKS.iter().find(room).copied().unwrap_or(last.max(1.0));
        for number in 0..=(last / tick) as u32 {
            let at = f64::from(number) * tick;
            let x = self.column(at);
            canvas.fill((x, top, x + 1, bottom + 4), GRID);
            canvas.write(&seconds(at), (x, bottom + 6), Alignment::Center);
        }
        canvas.write("seconds", (LEFT - 10, bottom + 6), Alignment::Right);
    }

    fn draw_legend(&self, canvas: &mut Canvas, top: i32) {
        let mut entries = vec![("score", SCORE), ("gate open", ON)];
        entries.extend(STATES.map(|(_, name, colour)| (name, colour)));
        if self.truth.is_some() {
            entries.extend([
                ("truth: moves", MOVING_TRUTH),
                ("truth: stands", VISIT_TRUTH),
                ("truth: either", IGNORED),
            ]);
        }
        let mut x = LEFT;
        for (name, colour) in entries {
            let swatch = (x, top, x + 13, top + LETTER.1);
            canvas.fill(swatch, colour);
            canvas.frame(swatch, GRID);
            canvas.write(name, (x + 18, top), Alignment::Left);
            x += 18 + LETTER.0 * small(name.len()) + 18;
        }
    }

    /// Draws the contact sheet; returns where it ends.
    fn draw_sheet(&self, canvas: &mut Canvas, top: i32) -> i32 {
        let mut row_top = top;
        for row in self.shots.chunks(COLUMNS) {
            let mut left = MARGIN;
            for shot in row {
                canvas.put(&shot.rgb, SHOT_WIDTH, (left, row_top));
                for part in &shot.boxes {
                    canvas.frame(box_place(part, shot.height, (left, row_top)), BOX);
                }
                let (start, end) = shot.open;
                let label = format!("{start:.1}-{end:.1} s, at {:.1}", shot.at);
                let under = row_top + shot.height.cast_signed() + 3;
                canvas.write(&label, (left, under), Alignment::Left);
                left += SHOT_WIDTH.cast_signed() + GAP;
            }
            row_top += row_height(row);
        }
        row_top
    }
}

/// How much room a row of the contact sheet takes.
fn row_height(row: &[Shot]) -> i32 {
    let tallest = row.iter().map(|shot| shot.height).max().unwrap_or(0);
    tallest.cast_signed() + 3 + LETTER.1 + GAP
}

/// Where a box lies on a small picture.
fn box_place([left, top, right, bottom]: &[f32; 4], height: u32, (x, y): (i32, i32)) -> Place {
    let across = |share: f32| x + (share * SHOT_WIDTH as f32) as i32;
    let down = |share: f32| y + (share * height as f32) as i32;
    (across(*left), down(*top), across(*right), down(*bottom))
}

fn small(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// A time without needless zeros.
fn seconds(at: f64) -> String {
    if at.fract() == 0.0 {
        format!("{at:.0}")
    } else {
        format!("{at:.1}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(count: u32) -> Vec<Said> {
        (0..count)
            .map(|frame| Said {
                at: f64::from(frame) / 5.0,
                on: frame > 3,
                state: State::Quiet,
            })
            .collect()
    }

    /// The size of the picture that is drawn of so many frames and openings.
    fn drawn(frames: u32, shots: usize) -> (u32, u32) {
        let file = tempfile::Builder::new().suffix(".png").tempfile().unwrap();
        let shot = Shot {
            open: (1.0, 2.0),
            at: 1.5,
            rgb: vec![9; 240 * 135 * 3],
            height: 135,
            boxes: vec![[0.5, 0.5, 2.0, 2.0]],
        };
        let plot = Plot {
            title: "a film".to_owned(),
            said: &said(frames),
            scores: &vec![0.5; frames as usize],
            truth: Some(&Truth::default()),
            shots: &vec![shot; shots],
        };
        plot.write(file.path()).unwrap();
        let decoder = png::Decoder::new(std::io::BufReader::new(file.reopen().unwrap()));
        let reader = decoder.read_info().unwrap();
        (reader.info().width, reader.info().height)
    }

    #[test]
    fn films_of_any_length_are_drawn_and_the_sheet_wraps() {
        let (width, bare) = drawn(0, 0);
        assert_eq!((width, drawn(1, 0).1), (WIDTH, bare));
        let row = drawn(100, 6).1 - bare;
        assert!(row > 135, "{row}");
        assert_eq!(drawn(20_000, 7).1, bare + 2 * row);
    }

    #[test]
    fn times_are_written_without_needless_zeros() {
        assert_eq!(
            (seconds(2.0), seconds(2.5)),
            ("2".to_owned(), "2.5".to_owned())
        );
    }
}
