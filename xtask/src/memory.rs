//! The memory of a process as the kernel tells it, and whether it grows. It must not know what the process does.

use anyhow::Context as _;

/// KiB of physical memory that a process uses (proc(5), `VmRSS`).
pub(crate) fn resident(pid: u32) -> anyhow::Result<u32> {
    let path = format!("/proc/{pid}/status");
    let status = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix("kB"));
    Ok(kibibytes
        .context("the kernel does not tell VmRSS")?
        .trim()
        .parse()?)
}

/// How much more there is with each step to the right: of the straight line through points by least squares. 0 of less
/// than two.
pub(crate) fn slope(points: impl Iterator<Item = (f64, f64)> + Clone) -> f64 {
    let count = points.clone().map(|_| 1.0).sum::<f64>().max(1.0);
    let middle = points.clone().map(|(at, _)| at).sum::<f64>() / count;
    let level = points.clone().map(|(_, of)| of).sum::<f64>() / count;
    let together = points.clone().map(|(at, of)| (at - middle) * (of - level));
    let together: f64 = together.sum();
    let apart: f64 = points.map(|(at, _)| (at - middle).powi(2)).sum();
    if apart > 0.0 { together / apart } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_memory() {
        assert!(resident(std::process::id()).unwrap() > 1024);
    }

    #[test]
    fn a_line_has_its_own_slope_and_a_point_none() {
        let line = (0..60_u32).map(|at| (f64::from(at), 1000.0 + f64::from(at) * 0.5));
        assert!((slope(line) - 0.5).abs() < 1e-9);
        assert!(slope([(3.0, 5.0)].into_iter()).abs() < 1e-9);
        assert!(slope([].into_iter()).abs() < 1e-9);
    }
}
