//! How many threads there are of each kind.

/// What this process may use of the machine.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get)
}

/// Films are made, and pictures looked at by the motion gate, beside everything else: each on half of the
/// cores.
pub(super) fn background_threads() -> usize {
    (cores() / 2).max(1)
}
