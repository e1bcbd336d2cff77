//! From masks of pixels to connected areas with their boxes.

#![allow(
    clippy::indexing_slicing,
    reason = "masks and labels have one entry a pixel and neighbours are clamped to the picture"
)]

use super::field::Size;

/// A pixel stays in a mask when this many of the 3x3 around it are set; 4 would erase the edge, one pixel
/// wide, of a slow mover.
const MIN_NEIGHBOURS: usize = 3;

/// A connected area. Its box is half open: `left..right`, `top..bottom`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) left: usize,
    pub(super) top: usize,
    pub(super) right: usize,
    pub(super) bottom: usize,
    /// Pixels set.
    pub(super) area: usize,
}

impl Region {
    /// Whether the boxes overlap or lie at most `margin` pixels apart.
    pub(super) fn is_near(&self, other: &Self, margin: usize) -> bool {
        self.left < other.right + margin
            && other.left < self.right + margin
            && self.top < other.bottom + margin
            && other.top < self.bottom + margin
    }

    /// Whether a pixel lies in the box grown by `margin` pixels.
    pub(super) fn contains(&self, x: usize, y: usize, margin: usize) -> bool {
        x + margin >= self.left
            && y + margin >= self.top
            && x < self.right + margin
            && y < self.bottom + margin
    }

    pub(super) fn longest_side(&self) -> usize {
        (self.right - self.left).max(self.bottom - self.top)
    }
}

/// The areas of a mask.
#[derive(Debug, Default)]
pub(super) struct Regions {
    pub(super) list: Vec<Region>,
    /// For each pixel the index of its region plus one, 0 for none.
    pub(super) labels: Vec<usize>,
}

/// The part of a mask that is not speckle.
pub(super) fn clean(mask: &[bool], size: Size) -> Vec<bool> {
    let mut cleaned = vec![false; mask.len()];
    for_set(mask, size, |x, y| {
        let set = square(x, y, 1, size).filter(|&at| mask[at]).count();
        cleaned[y * size.width + x] = set >= MIN_NEIGHBOURS;
    });
    cleaned
}

/// The mask grown by `radius` pixels to all sides.
pub(super) fn grow(mask: &[bool], size: Size, radius: usize) -> Vec<bool> {
    let mut grown = vec![false; mask.len()];
    for_set(mask, size, |x, y| {
        for at in square(x, y, radius, size) {
            grown[at] = true;
        }
    });
    grown
}

/// The connected areas of a mask; those at most two pixels apart are one.
pub(super) fn find(mask: &[bool], size: Size) -> Regions {
    let grown = grow(mask, size, 1);
    let mut seen = vec![false; mask.len()];
    let mut labels = vec![0; mask.len()];
    let mut list = Vec::new();
    let mut stack = Vec::new();
    for start in 0..mask.len() {
        if !mask[start] || seen[start] {
            continue;
        }
        let (x, y) = (start % size.width, start / size.width);
        let mut region = Region {
            left: x,
            top: y,
            right: x + 1,
            bottom: y + 1,
            area: 0,
        };
        seen[start] = true;
        stack.push(start);
        while let Some(at) = stack.pop() {
            let (x, y) = (at % size.width, at / size.width);
            if mask[at] {
                labels[at] = list.len() + 1;
                region.area += 1;
                region.left = region.left.min(x);
                region.top = region.top.min(y);
                region.right = region.right.max(x + 1);
                region.bottom = region.bottom.max(y + 1);
            }
            for next in square(x, y, 1, size) {
                if grown[next] && !seen[next] {
                    seen[next] = true;
                    stack.push(next);
                }
            }
        }
        list.push(region);
    }
    Regions { list, labels }
}

/// The pixels of the square of this radius around one, inside the picture.
fn square(x: usize, y: usize, radius: usize, size: Size) -> impl Iterator<Item = usize> {
    let columns = x.saturating_sub(radius)..(x + radius + 1).min(size.width);
    (y.saturating_sub(radius)..(y + radius + 1).min(size.height))
        .flat_map(move |y| columns.clone().map(move |x| y * size.width + x))
}

fn for_set(mask: &[bool], size: Size, mut act: impl FnMut(usize, usize)) {
    for (y, line) in mask.chunks_exact(size.width).enumerate() {
        for (x, _) in line.iter().enumerate().filter(|(_, set)| **set) {
            act(x, y);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size {
        width: 12,
        height: 6,
    };

    fn mask(picture: &[&str; 6]) -> Vec<bool> {
        picture
            .iter()
            .flat_map(|line| line.bytes().map(|byte| byte == b'#'))
            .collect()
    }

    #[test]
    fn single_and_paired_pixels_are_speckle() {
        let cleaned = clean(
            &mask(&[
                "#...........",
                "......##....",
                "............",
                "..###.......",
                "............",
                "............",
            ]),
            SIZE,
        );
        assert_eq!(
            cleaned,
            mask(&[
                "............",
                "............",
                "............",
                "...#........",
                "............",
                "............",
            ])
        );
    }

    #[test]
    fn areas_at_most_two_pixels_apart_are_one() {
        let found = find(
            &mask(&[
                "##..#.......",
                "##..........",
                "............",
                "............",
                ".........##.",
                ".........##.",
            ]),
            SIZE,
        );
        let boxes: Vec<_> = found
            .list
            .iter()
            .map(|r| (r.left, r.top, r.right, r.bottom, r.area))
            .collect();
        assert_eq!(boxes, [(0, 0, 5, 2, 5), (9, 4, 11, 6, 4)]);
        assert_eq!(found.labels[0], 1);
        assert_eq!(found.labels[5 * 12 + 10], 2);
    }

    #[test]
    fn nearness_counts_pixels_between_boxes() {
        let region = |left, right| Region {
            left,
            top: 0,
            right,
            bottom: 5,
            area: 1,
        };
        assert!(!region(0, 5).is_near(&region(8, 9), 3));
        assert!(region(0, 5).is_near(&region(8, 9), 4));
        assert!(region(4, 6).contains(2, 0, 2) && !region(4, 6).contains(1, 0, 2));
        assert!(region(4, 6).contains(7, 6, 2) && !region(4, 6).contains(8, 6, 2));
    }
}
