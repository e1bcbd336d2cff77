//! Whether the frames of one camera come in the order in which they were taken: by the numbers that are seen in the
//! pictures, by their times, and by how the client counts them.

use vigint_core::clock::UtcTime;

/// What was seen of one frame.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    /// Which picture of its camera it shows, where that can be read.
    pub(super) picture: Option<u32>,
    pub(super) captured_at: Option<UtcTime>,
    pub(super) frame_count: Option<i64>,
}

/// Frames of one camera, in the order in which they were acknowledged.
#[derive(Debug, Default)]
pub(super) struct Order {
    last: Seen,
    pub(super) frames: u64,
}

impl Order {
    /// The last picture that could be read.
    pub(super) fn last_picture(&self) -> Option<u32> {
        self.last.picture
    }

    /// The next frame; says what is wrong with its place. The same picture may come twice: where a camera sends fewer
    /// than are asked for.
    pub(super) fn next(&mut self, seen: Seen) -> Result<(), String> {
        self.frames += 1;
        let last = self.last;
        self.last = Seen {
            picture: seen.picture.or(last.picture),
            captured_at: seen.captured_at.or(last.captured_at),
            frame_count: seen.frame_count.or(last.frame_count),
        };
        if let (Some(this), Some(before)) = (seen.picture, last.picture)
            && this < before
        {
            return Err(format!("picture {this} came after picture {before}"));
        }
        if let (Some(this), Some(before)) = (seen.captured_at, last.captured_at)
            && this < before
        {
            return Err(format!("a frame of {this} came after one of {before}"));
        }
        match (seen.frame_count, last.frame_count) {
            (Some(this), Some(before)) if this <= before => {
                Err(format!("frame {this} came after frame {before}"))
            }
            _ => Ok(()),
        }
    }
}

/// Which picture of a film without end shows this number, which comes again in each round of so many, when the last one
/// was this: the nearest to it, before or after.
pub(super) fn nearest(number: u32, round: u32, last: u32) -> u32 {
    let round = round.max(1);
    let further = (number % round + round - last % round) % round;
    if further <= round / 2 {
        last.saturating_add(further)
    } else {
        last.saturating_sub(round - further)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(picture: Option<u32>, second: i64, frame_count: i64) -> Seen {
        Seen {
            picture,
            captured_at: Some(UtcTime::from_unix_seconds(second)),
            frame_count: Some(frame_count),
        }
    }

    #[test]
    fn pictures_may_be_missing_or_come_twice_but_not_go_back() {
        let mut order = Order::default();
        for (picture, at) in [(5, 1), (6, 2), (6, 3), (90, 4)] {
            order.next(seen(Some(picture), at, at)).unwrap();
        }
        let wrong = order.next(seen(Some(89), 5, 5)).unwrap_err();
        assert_eq!(wrong, "picture 89 came after picture 90");
        assert_eq!(order.frames, 5);
    }

    #[test]
    fn a_film_goes_on_in_its_next_round_and_may_go_back_in_any() {
        assert_eq!(nearest(0, 600, 599), 600);
        assert_eq!(nearest(1, 600, 600), 601);
        assert_eq!(nearest(599, 600, 601), 599);
        assert_eq!(nearest(5, 600, 1205), 1205);
    }

    #[test]
    fn times_and_counts_do_not_go_back_and_no_frame_comes_twice() {
        let mut order = Order::default();
        order.next(seen(None, 10, 10)).unwrap();
        assert!(order.next(seen(None, 9, 11)).is_err());
        let mut order = Order::default();
        order.next(seen(None, 10, 10)).unwrap();
        assert!(order.next(seen(None, 10, 10)).is_err());
    }

    #[test]
    fn a_picture_that_cannot_be_read_hides_nothing() {
        let mut order = Order::default();
        order.next(seen(Some(7), 1, 1)).unwrap();
        order.next(seen(None, 2, 2)).unwrap();
        assert!(order.next(seen(Some(6), 3, 3)).is_err());
    }
}
