//! The room: a wall, a floor, a shelf full of things. The can that will be taken is drawn by its taker.

use super::canvas::{Canvas, Point, Rgb};
use super::{HEIGHT, WIDTH};

/// Where the shelf stands.
const SHELF_LEFT: f32 = 300.0;
const SHELF_WIDTH: f32 = 290.0;
const SHELF_TOP: f32 = 42.0;
const SHELF_BOTTOM: f32 = 292.0;
/// Upper edges of the boards, on which things stand.
const BOARDS: [f32; 3] = [116.0, 196.0, 276.0];
/// Where the floor begins.
const FLOOR: f32 = 272.0;
/// How far apart things stand.
const PLACE_WIDTH: f32 = 31.0;
const PLACES: u8 = 9;

/// Foot of the can that will be taken: the second place on the middle board.
pub(super) const CAN_PLACE: Point = (SHELF_LEFT + 20.0 + PLACE_WIDTH, BOARDS[1]);

/// The empty shop.
pub(super) struct Shop;

impl Shop {
    /// The room without anybody, and without the can.
    pub(super) fn draw() -> Canvas {
        let mut picture = Canvas::new(usize::from(WIDTH), usize::from(HEIGHT));
        draw_room(&mut picture);
        draw_shelf(&mut picture);
        for (board, &foot) in BOARDS.iter().enumerate() {
            for place in 0..PLACES {
                let foot = (SHELF_LEFT + 20.0 + f32::from(place) * PLACE_WIDTH, foot);
                if foot != CAN_PLACE {
                    draw_thing(&mut picture, foot, board, usize::from(place));
                }
            }
        }
        picture
    }
}

/// A tin can whose foot stands here.
pub(super) fn draw_can(picture: &mut Canvas, (x, foot): Point) {
    let red = Rgb(196, 38, 44);
    picture.block((x - 10.0, foot - 36.0), (20.0, 36.0), 3.0, red);
    picture.block(
        (x - 10.0, foot - 26.0),
        (20.0, 14.0),
        1.0,
        Rgb(236, 228, 208),
    );
    picture.block((x - 7.0, foot - 34.0), (3.5, 32.0), 1.5, red.lit(1.35));
    picture.block(
        (x - 10.0, foot - 37.0),
        (20.0, 3.5),
        1.5,
        Rgb(190, 194, 198),
    );
}

fn draw_room(picture: &mut Canvas) {
    picture.gradient(0.0..FLOOR, Rgb(176, 182, 172), Rgb(150, 156, 148));
    // A door frame at the left, where people come in.
    picture.block((34.0, 58.0), (124.0, 220.0), 2.0, Rgb(112, 104, 92));
    picture.block((42.0, 66.0), (108.0, 212.0), 1.0, Rgb(122, 146, 158));
    picture.block((42.0, 66.0), (108.0, 80.0), 1.0, Rgb(150, 172, 182));
    picture.block((93.0, 66.0), (5.0, 212.0), 1.0, Rgb(112, 104, 92));
    // A poster.
    picture.block((196.0, 84.0), (62.0, 82.0), 2.0, Rgb(228, 222, 206));
    picture.disc((227.0, 116.0), 19.0, Rgb(214, 150, 60));
    picture.block((206.0, 144.0), (42.0, 5.0), 2.0, Rgb(92, 92, 96));
    picture.block((206.0, 153.0), (30.0, 4.0), 2.0, Rgb(138, 138, 140));
    // The floor with a skirting board and joints between its tiles.
    let bottom = f32::from(HEIGHT);
    picture.gradient(FLOOR..bottom, Rgb(126, 118, 108), Rgb(156, 148, 136));
    picture.gradient(FLOOR - 7.0..FLOOR, Rgb(96, 94, 90), Rgb(84, 82, 78));
    for joint in -6..=6_i8 {
        let x = f32::from(WIDTH) / 2.0 + f32::from(joint) * 70.0;
        let below = f32::from(WIDTH) / 2.0 + f32::from(joint) * 118.0;
        picture.limb(
            (x, FLOOR + 1.0),
            (below, bottom),
            (0.3, 0.7),
            Rgb(112, 105, 96),
        );
    }
    for y in [296.0, 328.0] {
        picture.gradient(y..y + 1.0, Rgb(114, 107, 98), Rgb(114, 107, 98));
    }
}

fn draw_shelf(picture: &mut Canvas) {
    let wood = Rgb(122, 88, 58);
    let size = (SHELF_WIDTH, SHELF_BOTTOM - SHELF_TOP);
    picture.shadow((SHELF_LEFT + SHELF_WIDTH / 2.0, 298.0), (180.0, 16.0), 0.5);
    picture.block(
        (SHELF_LEFT - 8.0, SHELF_TOP - 8.0),
        (size.0 + 16.0, size.1 + 10.0),
        3.0,
        wood,
    );
    picture.block((SHELF_LEFT, SHELF_TOP), size, 1.0, Rgb(66, 56, 48));
    for board in BOARDS {
        // Light falls on the back of each compartment from above, and not under the next board.
        picture.block(
            (SHELF_LEFT, board - 44.0),
            (SHELF_WIDTH, 44.0),
            1.0,
            Rgb(78, 67, 57),
        );
        picture.block((SHELF_LEFT, board), (SHELF_WIDTH, 9.0), 1.0, wood.lit(1.25));
        picture.block(
            (SHELF_LEFT, board + 9.0),
            (SHELF_WIDTH, 5.0),
            1.0,
            Rgb(44, 37, 32),
        );
        for tag in 0..5_u8 {
            let x = SHELF_LEFT + 18.0 + f32::from(tag) * 60.0;
            picture.block((x, board + 1.5), (18.0, 6.0), 1.0, Rgb(238, 232, 196));
        }
    }
}

/// Whatever stands at this place of this board.
fn draw_thing(picture: &mut Canvas, foot: Point, board: usize, place: usize) {
    const COLOURS: [Rgb; 6] = [
        Rgb(64, 104, 62),
        Rgb(186, 138, 48),
        Rgb(58, 92, 148),
        Rgb(160, 62, 52),
        Rgb(214, 206, 190),
        Rgb(112, 74, 122),
    ];
    let colour = COLOURS[(board * 5 + place * 2 + place / 3) % COLOURS.len()];
    picture.shadow((foot.0 + 3.0, foot.1 - 1.0), (14.0, 4.0), 0.6);
    match (board + place / 3) % 4 {
        0 => draw_bottle(picture, foot, colour),
        1 => draw_box(picture, foot, colour),
        2 => draw_jar(picture, foot, colour),
        _ => draw_bottle(picture, (foot.0, foot.1), colour.lit(0.8)),
    }
}

fn draw_bottle(picture: &mut Canvas, (x, foot): Point, colour: Rgb) {
    picture.block((x - 9.0, foot - 40.0), (18.0, 40.0), 5.0, colour);
    picture.block((x - 4.0, foot - 58.0), (8.0, 24.0), 2.0, colour);
    picture.block((x - 4.5, foot - 60.0), (9.0, 5.0), 1.0, Rgb(210, 196, 120));
    picture.block(
        (x - 9.0, foot - 28.0),
        (18.0, 15.0),
        0.5,
        Rgb(230, 226, 214),
    );
    picture.block((x - 6.0, foot - 38.0), (3.0, 34.0), 1.5, colour.lit(1.5));
}

fn draw_box(picture: &mut Canvas, (x, foot): Point, colour: Rgb) {
    picture.block((x - 12.0, foot - 52.0), (24.0, 52.0), 1.0, colour);
    picture.block((x + 8.0, foot - 52.0), (4.0, 52.0), 1.0, colour.lit(0.7));
    picture.block((x - 9.0, foot - 44.0), (15.0, 9.0), 1.0, Rgb(240, 236, 224));
    picture.disc((x - 2.0, foot - 19.0), 6.5, colour.lit(1.6));
}

fn draw_jar(picture: &mut Canvas, (x, foot): Point, colour: Rgb) {
    picture.block((x - 11.0, foot - 32.0), (22.0, 32.0), 4.0, colour);
    picture.block(
        (x - 10.0, foot - 38.0),
        (20.0, 8.0),
        2.0,
        Rgb(176, 168, 150),
    );
    picture.block(
        (x - 11.0, foot - 23.0),
        (22.0, 12.0),
        0.5,
        Rgb(234, 230, 216),
    );
    picture.block((x - 8.0, foot - 30.0), (3.0, 26.0), 1.5, colour.lit(1.45));
}
