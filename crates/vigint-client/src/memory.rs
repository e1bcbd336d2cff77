//! How this process takes memory from the system and gives it back.

/// Bytes from which a block is taken from the system by itself. Those of a camera's large pictures are: 720p at a fine
/// quality is about 130 kB.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const OF_THE_SYSTEM: i32 = 64 * 1024;

/// Has what a large picture took given back as soon as it is gone. glibc learns from the first large blocks that are
/// freed to keep such blocks in its heaps, where thousands of pictures, each freed by another thread at another time,
/// leave holes: with queues full of 1280x720 (`cargo xtask bench uplink --away`) that was up to 267 MiB instead of 229,
/// and stayed when the queues were empty again.
pub(crate) fn give_pictures_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[allow(
        unsafe_code,
        reason = "mallopt(3) has no safe face; it only sets a number, and no other thread runs yet"
    )]
    // SAFETY: called with a parameter and a value that mallopt(3) allows, before there is a second thread.
    let _ = unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, OF_THE_SYSTEM) };
}
