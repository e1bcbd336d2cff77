//! From masks of pixels to connected areas with their boxes.

#![allow(
    clippy::indexing_slicing,
    reason = "labels are indices of the list they were pushed to"
)]

use super::mask::Mask;

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
    /// Whether the boxes overlap or lie less than `margin` pixels apart.
    pub(super) fn is_near(&self, other: &Self, margin: usize) -> bool {
        self.left < other.right + margin
            && other.left < self.right + margin
            && self.top < other.bottom + margin
            && other.top < self.bottom + margin
    }

    pub(super) fn longest_side(&self) -> usize {
        (self.right - self.left).max(self.bottom - self.top)
    }

    /// What the boxes share, as a share of what they cover together.
    pub(super) fn overlap(&self, other: &Self) -> f32 {
        let side = |from: usize, to: usize| to.saturating_sub(from);
        let size =
            |region: &Self| side(region.left, region.right) * side(region.top, region.bottom);
        let common = side(self.left.max(other.left), self.right.min(other.right))
            * side(self.top.max(other.top), self.bottom.min(other.bottom));
        common as f32 / (size(self) + size(other) - common).max(1) as f32
    }

    fn join(&mut self, other: &Self) {
        self.left = self.left.min(other.left);
        self.top = self.top.min(other.top);
        self.right = self.right.max(other.right);
        self.bottom = self.bottom.max(other.bottom);
        self.area += other.area;
    }
}

/// A run of set pixels in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) y: usize,
    pub(super) from: usize,
    pub(super) to: usize,
    /// Index of its region.
    region: usize,
}

impl Span {
    /// The run as an area of its own.
    pub(super) fn region(&self) -> Region {
        Region {
            left: self.from,
            top: self.y,
            right: self.to,
            bottom: self.y + 1,
            area: self.to - self.from,
        }
    }
}

/// The areas of a mask.
#[derive(Debug, Default)]
pub(super) struct Regions {
    pub(super) list: Vec<Region>,
    /// In the order of their regions.
    spans: Vec<Span>,
}

impl Regions {
    /// The connected areas of a mask; those at most two pixels apart are one.
    pub(super) fn of(mask: &Mask) -> Self {
        if mask.is_empty() {
            return Self::default();
        }
        let mut labels = Labels::default();
        let grown = mask.grown();
        let mut spans = Vec::new();
        // Runs of the grown mask in the row above and in this one, with their labels.
        let mut above: Vec<(usize, usize, usize)> = Vec::new();
        let mut here = Vec::new();
        for y in 0..mask.size().height {
            here.clear();
            let mut first = 0;
            for (from, to) in grown.runs(y) {
                // Runs are in order: what ends before this one begins touches no later one either.
                while above.get(first).is_some_and(|(_, end, _)| *end < from) {
                    first += 1;
                }
                let mut label = None;
                for (_, _, other) in above[first..]
                    .iter()
                    .take_while(|(start, _, _)| *start <= to)
                {
                    label = Some(label.map_or(*other, |label| labels.join(label, *other)));
                }
                here.push((from, to, label.unwrap_or_else(|| labels.add())));
            }
            let mut grown_runs = here.iter().peekable();
            for (from, to) in mask.runs(y) {
                while grown_runs.next_if(|(_, end, _)| *end <= from).is_some() {}
                if let Some((_, _, label)) = grown_runs.peek() {
                    let region = *label;
                    spans.push(Span {
                        y,
                        from,
                        to,
                        region,
                    });
                }
            }
            std::mem::swap(&mut above, &mut here);
        }
        Self::gather(spans, &mut labels)
    }

    /// Numbers the regions by their first span, and finds their boxes.
    fn gather(mut spans: Vec<Span>, labels: &mut Labels) -> Self {
        let mut numbers = vec![None; labels.parents.len()];
        let mut list: Vec<Region> = Vec::new();
        for span in &mut spans {
            let part = span.region();
            let number = &mut numbers[labels.root(span.region)];
            span.region = match *number {
                Some(region) => {
                    let region: usize = region;
                    list[region].join(&part);
                    region
                }
                None => {
                    list.push(part);
                    *number = Some(list.len() - 1);
                    list.len() - 1
                }
            };
        }
        spans.sort_by_key(|span| span.region);
        Self { list, spans }
    }

    /// The runs of pixels of one region.
    pub(super) fn spans(&self, region: usize) -> impl Iterator<Item = &Span> {
        let from = self.spans.partition_point(|span| span.region < region);
        self.spans[from..]
            .iter()
            .take_while(move |span| span.region == region)
    }

    /// The numbers of the largest regions, no more than so many: what a picture may cost has a bound.
    pub(super) fn largest(&self, most: usize) -> Vec<usize> {
        let mut numbers: Vec<usize> = (0..self.list.len()).collect();
        numbers.sort_by_key(|number| std::cmp::Reverse(self.list[*number].area));
        numbers.truncate(most);
        numbers.sort_unstable();
        numbers
    }

    /// The pixels of one region, as indices in a plane of this width.
    pub(super) fn pixels(&self, region: usize, width: usize) -> impl Iterator<Item = usize> {
        self.spans(region)
            .flat_map(move |span| span.y * width + span.from..span.y * width + span.to)
    }

    /// Adds the pixels of one region to a mask.
    pub(super) fn draw(&self, region: usize, mask: &mut Mask) {
        for span in self.spans(region) {
            mask.set_span(span.y, span.from, span.to);
        }
    }

    /// Whether one region has a pixel in a mask.
    pub(super) fn meets(&self, region: usize, mask: &Mask) -> bool {
        self.spans(region)
            .any(|span| (span.from..span.to).any(|x| mask.has(x, span.y)))
    }
}

/// Which labels mean the same region.
#[derive(Default)]
struct Labels {
    parents: Vec<usize>,
}

impl Labels {
    fn add(&mut self) -> usize {
        self.parents.push(self.parents.len());
        self.parents.len() - 1
    }

    fn root(&mut self, mut label: usize) -> usize {
        while self.parents[label] != label {
            self.parents[label] = self.parents[self.parents[label]];
            label = self.parents[label];
        }
        label
    }

    fn join(&mut self, one: usize, other: usize) -> usize {
        let (one, other) = (self.root(one), self.root(other));
        let (root, child) = (one.min(other), one.max(other));
        self.parents[child] = root;
        root
    }
}

#[cfg(test)]
mod tests {
    use super::super::field::Size;
    use super::*;

    const SIZE: Size = Size {
        width: 12,
        height: 6,
    };

    fn mask(picture: &[&str; 6]) -> Mask {
        let mut mask = Mask::new(SIZE);
        for (y, line) in picture.iter().enumerate() {
            let flags: Vec<u8> = line.bytes().map(|byte| u8::from(byte == b'#')).collect();
            mask.set_row(y, &flags);
        }
        mask
    }

    fn boxes(regions: &Regions) -> Vec<(usize, usize, usize, usize, usize)> {
        let list = regions.list.iter();
        list.map(|r| (r.left, r.top, r.right, r.bottom, r.area))
            .collect()
    }

    #[test]
    fn areas_at_most_two_pixels_apart_are_one() {
        let found = Regions::of(&mask(&[
            "##..#.......",
            "##..........",
            "............",
            "............",
            ".........##.",
            ".........##.",
        ]));
        assert_eq!(boxes(&found), [(0, 0, 5, 2, 5), (9, 4, 11, 6, 4)]);
        assert!(found.pixels(1, 12).eq([57, 58, 69, 70]));
        let mut drawn = Mask::new(SIZE);
        found.draw(1, &mut drawn);
        assert_eq!(drawn.count(), 4);
        assert!(found.meets(1, &drawn) && !found.meets(0, &drawn));
    }

    #[test]
    fn arms_that_meet_further_down_are_one_area() {
        let found = Regions::of(&mask(&[
            "#....#.....#",
            "#....#.....#",
            "#....#.....#",
            "#....#.....#",
            "######......",
            "............",
        ]));
        assert_eq!(boxes(&found), [(0, 0, 6, 5, 14), (11, 0, 12, 4, 4)]);
        assert!(Regions::of(&Mask::new(SIZE)).list.is_empty());
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
        assert!((region(0, 4).overlap(&region(2, 6)) - 1.0 / 3.0).abs() < 1e-6);
        assert!(region(0, 4).overlap(&region(4, 6)).abs() < f32::EPSILON);
    }
}
