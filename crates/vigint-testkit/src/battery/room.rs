//! What the camera looks at while nobody is there: a wall, a shelf full of things, a floor. Hard edges, soft
//! shades and a fine texture, as real rooms have.

use super::picture::{COLUMNS, Picture, WIDTH};
use crate::splitmix::SplitMix;

/// Where the wall ends and the floor begins.
pub(super) const FLOOR: f32 = 232.0;
/// How much the fine texture of wall and floor varies, in grey levels.
const TEXTURE: f32 = 2.5;

/// How the room is seen.
#[derive(Debug, Clone, Copy)]
pub(super) enum View {
    /// By day, from where the camera hangs.
    Day,
    /// By day, from the other side: everything stands elsewhere in the picture.
    OtherSide,
    /// Infrared from beside the lens: a bright middle, and things have other tones than by day.
    Infrared,
}

/// A room; another seed is another room.
pub(super) fn draw(seed: u64, view: View) -> Picture {
    let mut random = SplitMix(seed);
    let mut picture = Picture::plain(0.0);
    picture.repaint(|x, y, _| {
        if y < FLOOR {
            wall(x, y)
        } else {
            96.0 + (y - FLOOR) * 0.3
        }
    });
    let mut tone = |low: f32, high: f32| low + (high - low) * random.share();

    // A door and a poster on the wall, both with a frame.
    let door = tone(20.0, 60.0);
    picture.block((door, 70.0, 84.0, FLOOR - 70.0), 74.0);
    picture.block((door + 6.0, 76.0, 72.0, FLOOR - 76.0), tone(105.0, 180.0));
    let poster = door + tone(120.0, 190.0);
    picture.block((poster, 60.0, 58.0, 76.0), 214.0);
    picture.block((poster + 6.0, 68.0, 46.0, 38.0), tone(60.0, 120.0));
    for line in [114.0, 121.0, 128.0] {
        picture.block((poster + 6.0, line, tone(20.0, 44.0), 3.0), 120.0);
    }

    // The shelf at the right, with things on its boards.
    let shelf = tone(370.0, 420.0);
    picture.block((shelf, 34.0, 190.0, FLOOR - 24.0), 52.0);
    for board in [92.0, 156.0, 220.0] {
        let mut place = shelf + 8.0;
        while place < shelf + 164.0 {
            let (width, height) = (tone(10.0, 24.0).round(), tone(26.0, 50.0).round());
            picture.block((place, board - height, width, height), tone(60.0, 220.0));
            picture.block(
                (place, board - height * 0.6, width, 8.0),
                tone(150.0, 235.0),
            );
            place += width + tone(3.0, 9.0).round();
        }
        picture.block((shelf, board, 190.0, 7.0), 150.0);
        picture.block((shelf, board + 7.0, 190.0, 4.0), 34.0);
    }

    // Joints between the tiles of the floor.
    for joint in [252.0, 284.0, 328.0] {
        picture.block((0.0, joint, f32::from(WIDTH), 2.0), 84.0);
    }
    let slant = tone(-0.6, 0.6);
    for joint in 0..7_u8 {
        for row in 0..128_u8 {
            let y = FLOOR + f32::from(row);
            let x = f32::from(joint) * 100.0 + slant * f32::from(row);
            picture.block((x, y, 2.0, 1.0), 84.0);
        }
    }
    picture.block((0.0, FLOOR - 5.0, f32::from(WIDTH), 6.0), 66.0);

    match view {
        View::Day => {}
        View::OtherSide => picture.rows_mut().for_each(<[f32]>::reverse),
        View::Infrared => picture.repaint(infrared),
    }
    add_texture(&mut picture, &mut random);
    picture
}

/// The wall's level at a place: darker to the right and downwards.
pub(super) fn wall(x: f32, y: f32) -> f32 {
    158.0 - x * 0.05 - y * 0.08
}

/// What infrared makes of a level by day: dark cloth and paint are bright in it, and the corners stay dark.
fn infrared(x: f32, y: f32, level: f32) -> f32 {
    let (dx, dy) = (x / 320.0 - 1.0, y / 180.0 - 1.0);
    let lamp = 1.25 - 0.4 * (dx * dx + dy * dy);
    let tone = if level < 80.0 {
        190.0 - level
    } else {
        40.0 + level * 0.45
    };
    tone * lamp
}

fn add_texture(picture: &mut Picture, random: &mut SplitMix) {
    let mut above = vec![0.0; COLUMNS];
    for row in picture.rows_mut() {
        for (pixel, above) in row.iter_mut().zip(&mut above) {
            *above = *above * 0.6 + random.normal() * TEXTURE * 0.8;
            *pixel += *above;
        }
    }
}
