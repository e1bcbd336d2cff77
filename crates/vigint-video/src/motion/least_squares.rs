//! Sums over many pixels, several side by side as a processor adds them, and the equations made of them.

#![allow(
    clippy::indexing_slicing,
    reason = "lanes, rows and columns run over arrays of as many"
)]

/// Pixels that are added side by side.
pub(super) const LANES: usize = 4;
/// Sums of a row.
const ROW_SUMS: usize = 9;

pub(super) type Lanes = [f32; LANES];

pub(super) fn lanes(value: impl Fn(usize) -> f32) -> Lanes {
    std::array::from_fn(value)
}

fn times(one: &Lanes, other: &Lanes) -> Lanes {
    lanes(|at| one[at] * other[at])
}

fn add(sum: &mut Lanes, other: &Lanes) {
    *sum = lanes(|at| sum[at] + other[at]);
}

/// The sum of many values, some side by side.
pub(super) fn sum(values: impl IntoIterator<Item = Lanes>) -> f32 {
    let mut sums = Lanes::default();
    for values in values {
        add(&mut sums, &values);
    }
    sums.iter().sum()
}

/// The sums over one row of older², older, older·x, older·change, 1, x, change, x², x·change, of the pixels that
/// can be used and are less than `near` away. Several pixels go side by side, as a processor adds them.
pub(super) fn row_sums(
    columns: &[f32],
    old: &[f32],
    change: &[f32],
    usable: &[f32],
    distance: &[f32],
    near: f32,
) -> [f64; ROW_SUMS] {
    let mut sums = [[0.0_f32; LANES]; ROW_SUMS];
    let pixels = old
        .as_chunks::<LANES>()
        .0
        .iter()
        .zip(change.as_chunks::<LANES>().0)
        .zip(usable.as_chunks::<LANES>().0)
        .zip(distance.as_chunks::<LANES>().0)
        .zip(columns.as_chunks::<LANES>().0);
    for ((((old, change), usable), distance), x) in pixels {
        let weight = lanes(|at| if distance[at] < near { usable[at] } else { 0.0 });
        let (wo, wd, wx) = (
            times(&weight, old),
            times(&weight, change),
            times(&weight, x),
        );
        let [oo, o, ox, od, n, wxs, d, xx, xd] = &mut sums;
        add(oo, &times(&wo, old));
        add(o, &wo);
        add(ox, &times(&wo, x));
        add(od, &times(&wo, change));
        add(n, &weight);
        add(wxs, &wx);
        add(d, &wd);
        add(xx, &times(&wx, x));
        add(xd, &times(&wx, change));
    }
    sums.map(|lanes| lanes.iter().copied().map(f64::from).sum())
}

/// Solves four equations by elimination with row exchange. `None` when they have no single solution.
pub(super) fn solve(mut rows: [[f64; 5]; 4]) -> Option<[f32; 4]> {
    for pivot in 0..4 {
        let best =
            (pivot..4).max_by(|&a, &b| rows[a][pivot].abs().total_cmp(&rows[b][pivot].abs()))?;
        rows.swap(pivot, best);
        if rows[pivot][pivot].abs() < 1e-6 {
            return None;
        }
        for other in 0..4 {
            if other != pivot {
                let factor = rows[other][pivot] / rows[pivot][pivot];
                let above = rows[pivot];
                for (value, above) in rows[other].iter_mut().zip(above) {
                    *value -= factor * above;
                }
            }
        }
    }
    let solution = std::array::from_fn(|at| rows[at][4] / rows[at][at]);
    #[allow(
        clippy::cast_possible_truncation,
        reason = "grey levels and gains need no f64"
    )]
    let solution = solution.map(|value: f64| value as f32);
    solution
        .iter()
        .all(|value| value.is_finite())
        .then_some(solution)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_equations_are_solved_and_none_that_have_no_single_solution() {
        // x = 1, y = 2, z = 3, w = 4.
        let rows = [
            [0.0, 1.0, 0.0, 0.0, 2.0],
            [2.0, 0.0, 0.0, 1.0, 6.0],
            [0.0, 1.0, 1.0, 0.0, 5.0],
            [1.0, 1.0, 1.0, 1.0, 10.0],
        ];
        assert_eq!(solve(rows), Some([1.0, 2.0, 3.0, 4.0]));
        let mut same = rows;
        same[0] = same[3];
        assert_eq!(solve(same), None);
    }
}
