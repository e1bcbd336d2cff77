//! Readers that do not read: what was sent to them waits in memory, and so does what is still to be sent.
//!
//! actix sets no limit to writing, and a body cannot set one: it is not asked for more while what it gave is
//! stuck. The system can: TCP's user timeout (RFC 5482, section 3; `TCP_USER_TIMEOUT` in tcp(7)) ends a
//! connection on which sent bytes stay unacknowledged, or bytes to be sent stay here because the other end has
//! no room for them, for too long.

use std::net::TcpListener;
use std::time::Duration;

/// Ends each connection that is accepted from now on when its reader takes nothing for `patience`. Linux hands a
/// listener's setting on to its connections; elsewhere this does nothing.
pub(super) fn end_after(listener: &TcpListener, patience: Duration) {
    #[cfg(target_os = "linux")]
    {
        let millis = u32::try_from(patience.as_millis()).unwrap_or(u32::MAX);
        if let Err(error) = rustix::net::sockopt::set_tcp_user_timeout(listener, millis) {
            tracing::warn!(%error, "connections whose reader does not read will not be ended");
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (listener, patience);
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::{ErrorKind, Write as _};
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn a_connection_whose_reader_does_not_read_is_ended_by_the_system() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        end_after(&listener, Duration::from_millis(200));
        let _silent = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut accepted, _) = listener.accept().unwrap();
        // Blocks once both ends' buffers are full; without the setting for ever.
        accepted
            .set_write_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        let ended = std::iter::repeat_with(|| accepted.write_all(&[0; 65_536]))
            .find_map(Result::err)
            .unwrap();
        assert_eq!(ended.kind(), ErrorKind::TimedOut, "{ended}");
    }
}
