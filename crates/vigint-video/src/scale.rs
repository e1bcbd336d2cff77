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
fn covers(from: usize, to: usize) -> Vec<Cover> {
    let step = from as f64 / to as f64;
    (0..to)
        .map(|index| {
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
        .collect()
}

/// Scales a plane of `from` (width, height) pixels to `to`. A plane whose length is not its size gives
/// black where pixels are missing.
pub(crate) fn area_average(pixels: &[u8], from: (usize, usize), to: (usize, usize)) -> Vec<u8> {
    if from.0 == 0 || from.1 == 0 || to.0 == 0 || to.1 == 0 {
        return vec![0; to.0 * to.1];
    }
    let columns = covers(from.0, to.0);
    let area = (from.0 as f32 / to.0 as f32) * (from.1 as f32 / to.1 as f32);
    let mut scaled = Vec::with_capacity(to.0 * to.1);
    let mut sums = vec![0.0_f32; from.0];
    for row in covers(from.1, to.1) {
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
        scaled.extend(columns.iter().map(|column| {
            let mut under = sums.iter().skip(column.first);
            let mut sum = column.head * under.next().unwrap_or(&0.0);
            sum += under.by_ref().take(column.whole).sum::<f32>();
            sum += column.tail * under.next().unwrap_or(&0.0);
            (sum / area + 0.5) as u8
        }));
    }
    scaled
}

#[cfg(test)]
mod tests {
    use super::area_average;
    use proptest::prelude::*;

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
