//! Area averaging: each new pixel is the mean of exactly the part of the old picture that it covers.
//!
//! Averaging is the first noise filter of the motion gate, and the scaler of clips. Making a picture
//! larger works too, without smoothing. It knows planes of bytes, nothing of where they come from.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positions are below 65,536 and means lie in 0..=255, so floats hold them and `as` is exact"
)]

/// Which old pixels one new pixel covers along one axis.
#[derive(Debug)]
struct Cover {
    first: usize,
    /// Weight of the first, 0..=1.
    head: f32,
    /// How many behind the first are covered wholly.
    whole: usize,
    /// Weight of the one behind those; 0 when there is none.
    tail: f32,
}

/// The covers of all `to` new pixels over `from` old ones.
fn covers(from: usize, to: usize) -> impl Iterator<Item = Cover> {
    let step = from as f64 / to as f64;
    (0..to).map(move |index| {
        let start = index as f64 * step;
        let end = (start + step).min(from as f64);
        let first = (start as usize).min(from.saturating_sub(1));
        let last = end as usize;
        if last <= first {
            return Cover {
                first,
                head: (end - start) as f32,
                whole: 0,
                tail: 0.0,
            };
        }
        let tail = if last < from { end - last as f64 } else { 0.0 };
        Cover {
            first,
            head: ((first + 1) as f64 - start) as f32,
            whole: last - first - 1,
            tail: tail as f32,
        }
    })
}

/// Scales planes; those of the same sizes as the one before need no more memory.
#[derive(Debug, Default)]
pub(crate) struct Scaler {
    from: (usize, usize),
    to: (usize, usize),
    columns: Vec<Cover>,
    rows: Vec<Cover>,
    /// Of the rows under one new row.
    sums: Vec<f32>,
}

impl Scaler {
    /// Scales a plane of `from` (width, height) pixels to `to`. A plane whose length is not its size gives
    /// black where pixels are missing.
    pub(crate) fn scale(
        &mut self,
        pixels: &[u8],
        from: (usize, usize),
        to: (usize, usize),
        scaled: &mut Vec<u8>,
    ) {
        scaled.clear();
        if from.0 == 0 || from.1 == 0 || to.0 == 0 || to.1 == 0 {
            scaled.resize(to.0 * to.1, 0);
            return;
        }
        self.prepare(from, to);
        let area = (from.0 as f32 / to.0 as f32) * (from.1 as f32 / to.1 as f32);
        let sums = &mut self.sums;
        for row in &self.rows {
            sums.fill(0.0);
            let rows = pixels.chunks_exact(from.0).skip(row.first);
            let weights = std::iter::once(row.head)
                .chain(std::iter::repeat_n(1.0, row.whole))
                .chain((row.tail > 0.0).then_some(row.tail));
            for (line, weight) in rows.zip(weights) {
                for (sum, pixel) in sums.iter_mut().zip(line) {
                    *sum += weight * f32::from(*pixel);
                }
            }
            scaled.extend(self.columns.iter().map(|column| {
                let mut under = sums.iter().skip(column.first);
                let mut sum = column.head * under.next().unwrap_or(&0.0);
                sum += under.by_ref().take(column.whole).sum::<f32>();
                sum += column.tail * under.next().unwrap_or(&0.0);
                (sum / area + 0.5) as u8
            }));
        }
    }

    fn prepare(&mut self, from: (usize, usize), to: (usize, usize)) {
        if (self.from, self.to) == (from, to) {
            return;
        }
        (self.from, self.to) = (from, to);
        self.columns.clear();
        self.columns.extend(covers(from.0, to.0));
        self.rows.clear();
        self.rows.extend(covers(from.1, to.1));
        self.sums.clear();
        self.sums.resize(from.0, 0.0);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Scaler;

    fn area_average(pixels: &[u8], from: (usize, usize), to: (usize, usize)) -> Vec<u8> {
        let (mut scaler, mut scaled) = (Scaler::default(), Vec::new());
        // What it keeps from another size means nothing.
        scaler.scale(&[1, 2, 3, 4], (2, 2), (3, 1), &mut scaled);
        scaler.scale(pixels, from, to, &mut scaled);
        scaled
    }

    #[test]
    fn whole_blocks_are_averaged_exactly() {
        let plane = [0, 10, 20, 30, 40, 50, 60, 70];
        assert_eq!(area_average(&plane, (4, 2), (2, 1)), [25, 45]);
    }

    #[test]
    fn a_pixel_on_the_border_counts_for_both_sides() {
        // 3 -> 2: the middle pixel belongs half to each.
        assert_eq!(area_average(&[0, 90, 240], (3, 1), (2, 1)), [30, 190]);
    }

    #[test]
    fn a_picture_can_grow() {
        assert_eq!(
            area_average(&[10, 200], (2, 1), (4, 2)),
            [10, 10, 200, 200, 10, 10, 200, 200]
        );
    }

    proptest! {
        #[test]
        fn a_flat_picture_stays_flat(level: u8, w in 1_usize..70, h in 1_usize..50, tw in 1_usize..60, th in 1_usize..60) {
            let scaled = area_average(&vec![level; w * h], (w, h), (tw, th));
            prop_assert_eq!(scaled, vec![level; tw * th]);
        }
    }
}
