//! Who comes in: walks to the shelf, looks about, takes the can, hides it under the jacket, leaves.

use std::f32::consts::TAU;
use std::ops::Range;
use std::time::Duration;

use super::canvas::{Canvas, Point, Rgb};
use super::shop::{CAN_PLACE, draw_can};

/// The acts of the visit, in seconds from the beginning of the recording.
const COMES: f32 = 5.0;
const STANDS: f32 = 8.2;
const REACHES: f32 = 9.4;
const HOLDS: f32 = 10.6;
const HIDES: f32 = 11.0;
const HIDDEN: f32 = 12.2;
const GOES: f32 = 12.8;
const GONE: f32 = 16.0;

/// Where the visitor comes from and goes to, just out of the picture, and where they stand.
const OUTSIDE: f32 = -36.0;
const AT_SHELF: f32 = 282.0;
/// The soles of the shoes.
const GROUND: f32 = 340.0;
/// Pixels from one step to the next of the same foot.
const STRIDE: f32 = 92.0;

const THIGH: f32 = 47.0;
const SHIN: f32 = 47.0;
const UPPER_ARM: f32 = 37.0;
const FOREARM: f32 = 38.0;

const JACKET: Rgb = Rgb(38, 46, 66);
const TROUSERS: Rgb = Rgb(52, 50, 54);
const SKIN: Rgb = Rgb(198, 152, 122);
const CAP: Rgb = Rgb(92, 30, 34);
const SHOES: Rgb = Rgb(224, 222, 216);

/// See [`super::Scene::visit`].
pub(super) fn visit() -> Range<Duration> {
    // The first and the last step bring no pixel into the picture yet, or any more.
    Duration::from_secs_f32(COMES)..Duration::from_secs_f32(GONE)
}

/// The visitor, and the can, at one moment.
pub(super) struct Visitor {
    seconds: f32,
    /// Middle of the body.
    x: f32,
    /// 1 to the right, -1 to the left.
    facing: f32,
    /// Where in the cycle of steps, and how far the legs swing: none while standing.
    phase: f32,
    swing: f32,
}

impl Visitor {
    pub(super) fn at(at: Duration) -> Self {
        let seconds = at.as_secs_f32();
        let way = AT_SHELF - OUTSIDE;
        let x = OUTSIDE + way * (eased(seconds, COMES..STANDS) - eased(seconds, GOES..GONE));
        let walking = |time: Range<f32>| {
            let into = ((seconds - time.start) * 3.0).clamp(0.0, 1.0);
            let out = ((time.end - seconds) * 3.0).clamp(0.0, 1.0);
            into.min(out)
        };
        Self {
            seconds,
            x,
            facing: if seconds < GOES { 1.0 } else { -1.0 },
            phase: (x - AT_SHELF) / STRIDE * TAU,
            swing: walking(COMES..STANDS).max(walking(GOES..GONE)),
        }
    }

    /// Draws what differs from the empty shop.
    pub(super) fn draw(&self, picture: &mut Canvas) {
        if self.seconds < HOLDS {
            draw_can(picture, CAN_PLACE);
        }
        if !(COMES..GONE).contains(&self.seconds) {
            return;
        }
        let bob = (self.phase * 2.0).cos() * 2.5 * self.swing;
        // Nobody stands like a post: the weight goes from one foot to the other.
        let sway = (self.seconds * TAU * 0.7).sin() * 4.5 * (1.0 - self.swing);
        let hip = (self.x + sway * 0.6, GROUND - 97.5 + bob);
        let lean = 6.0 * self.facing * self.swing + 10.0 * self.reach();
        let shoulder = (self.x + sway + lean, hip.1 - 68.0);

        picture.shadow((self.x, GROUND + 2.0), (46.0, 10.0), 0.55);
        self.draw_arm(picture, shoulder, 0.5, JACKET.lit(0.75));
        self.draw_leg(picture, hip, 0.5, TROUSERS.lit(0.75));
        self.draw_leg(picture, hip, 0.0, TROUSERS);
        let carried = (HOLDS..HIDDEN).contains(&self.seconds);
        if carried {
            let hand = self.hand(shoulder);
            draw_can(picture, (hand.0, hand.1 + 14.0));
        }
        picture.limb(hip, (shoulder.0, shoulder.1 + 6.0), (19.0, 23.0), JACKET);
        picture.limb(
            (hip.0 - 9.0, hip.1 - 8.0),
            (shoulder.0 - 10.0, shoulder.1 + 8.0),
            (3.0, 4.0),
            JACKET.lit(1.35),
        );
        self.draw_head(picture, shoulder);
        if self.seconds < HIDES {
            self.draw_arm(picture, shoulder, 0.0, JACKET.lit(1.18));
        } else {
            // The arm comes between the jacket and us while it hides the can.
            self.draw_arm(picture, shoulder, 0.0, JACKET.lit(1.3));
        }
    }

    fn draw_head(&self, picture: &mut Canvas, shoulder: Point) {
        // Looks over the shoulder while waiting.
        let looks = (self.seconds * TAU * 0.45).sin() * (1.0 - self.swing);
        let facing = if looks < -0.3 {
            -self.facing
        } else {
            self.facing
        };
        let head = (shoulder.0 + 3.0 * facing, shoulder.1 - 29.0);
        picture.limb(
            (shoulder.0, shoulder.1 - 4.0),
            (head.0, head.1 + 6.0),
            (8.0, 7.0),
            SKIN.lit(0.85),
        );
        picture.limb(
            (head.0, head.1 - 2.0),
            (head.0 + 1.5 * facing, head.1 + 4.0),
            (15.0, 13.0),
            SKIN,
        );
        picture.disc((head.0 + 15.0 * facing, head.1 + 2.0), 2.6, SKIN.lit(0.93));
        picture.limb(
            (head.0 - 9.0, head.1 - 8.0),
            (head.0 + 9.0, head.1 - 8.0),
            (9.0, 9.0),
            CAP,
        );
        picture.limb(
            (head.0, head.1 - 3.0),
            (head.0 + 22.0 * facing, head.1 - 2.0),
            (3.0, 2.0),
            CAP.lit(0.8),
        );
    }

    /// One leg; `turn` is its place in the cycle of steps, 0 or 0.5.
    fn draw_leg(&self, picture: &mut Canvas, hip: Point, turn: f32, colour: Rgb) {
        let phase = self.phase * self.facing + turn * TAU;
        let apart = if turn > 0.0 { -9.0 } else { 9.0 };
        let stand = apart * (1.0 - self.swing);
        let foot = (
            hip.0 + stand + phase.sin() * STRIDE * 0.26 * self.swing * self.facing,
            GROUND - 6.0 - (phase.cos() * 16.0).max(0.0) * self.swing,
        );
        let knee = joint(hip, foot, (THIGH, SHIN), self.facing);
        picture.limb(hip, knee, (14.0, 10.0), colour);
        picture.limb(knee, foot, (10.0, 7.0), colour);
        picture.limb(
            (foot.0 - 3.0 * self.facing, foot.1 + 2.0),
            (foot.0 + 12.0 * self.facing, foot.1 + 3.0),
            (5.0, 4.0),
            SHOES,
        );
    }

    /// One arm: the near one (`turn` 0) takes the can.
    fn draw_arm(&self, picture: &mut Canvas, shoulder: Point, turn: f32, colour: Rgb) {
        let hand = if turn > 0.0 {
            self.hanging(shoulder, turn)
        } else {
            self.hand(shoulder)
        };
        let elbow = joint(shoulder, hand, (UPPER_ARM, FOREARM), -self.facing);
        picture.limb((shoulder.0, shoulder.1 + 4.0), elbow, (9.5, 8.0), colour);
        picture.limb(elbow, hand, (8.0, 6.0), colour);
        picture.disc(hand, 6.5, SKIN);
    }

    /// Where the hand of a swinging arm is.
    fn hanging(&self, shoulder: Point, turn: f32) -> Point {
        let phase = self.phase * self.facing + (turn + 0.5) * TAU;
        (
            shoulder.0 + (phase.sin() * 24.0 * self.swing + 5.0) * self.facing,
            shoulder.1 + 70.0 - phase.sin().abs() * 5.0 * self.swing,
        )
    }

    /// Where the near hand is: beside the body, at the can, or under the jacket.
    fn hand(&self, shoulder: Point) -> Point {
        let beside = self.hanging(shoulder, 0.0);
        let can = (CAN_PLACE.0, CAN_PLACE.1 - 18.0);
        let jacket = (shoulder.0 + 8.0 * self.facing, shoulder.1 + 44.0);
        let reached = towards(beside, can, eased(self.seconds, REACHES..HOLDS));
        let hidden = towards(reached, jacket, eased(self.seconds, HIDES..HIDDEN));
        let into_pocket = eased(self.seconds, GOES..GOES + 1.5) * 0.3;
        towards(hidden, beside, into_pocket)
    }

    /// How far the visitor leans to the shelf, 0..=1.
    fn reach(&self) -> f32 {
        eased(self.seconds, REACHES..HOLDS) - eased(self.seconds, HIDES..HIDDEN)
    }
}

/// 0 before, 1 after, and smoothly from one to the other between.
fn eased(seconds: f32, time: Range<f32>) -> f32 {
    let share = ((seconds - time.start) / (time.end - time.start)).clamp(0.0, 1.0);
    // Steady for the most part: a walker starts and stops within a step.
    let smooth = share * share * (3.0 - 2.0 * share);
    0.7 * share + 0.3 * smooth
}

fn towards(from: Point, to: Point, share: f32) -> Point {
    (
        from.0 + (to.0 - from.0) * share,
        from.1 + (to.1 - from.1) * share,
    )
}

/// Elbow or knee of a limb of two bones, by the law of cosines; it bends towards `side`.
fn joint(from: Point, to: Point, (upper, lower): (f32, f32), side: f32) -> Point {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let reach = dx.hypot(dy).clamp(1.0, upper + lower);
    let along =
        ((upper * upper - lower * lower + reach * reach) / (2.0 * reach)).clamp(-upper, upper);
    let out = (upper * upper - along * along).max(0.0).sqrt() * side;
    let (ux, uy) = (dx / reach, dy / reach);
    (
        from.0 + ux * along + uy * out,
        from.1 + uy * along - ux * out,
    )
}
