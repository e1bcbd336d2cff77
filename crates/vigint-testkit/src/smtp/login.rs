//! AUTH: PLAIN (RFC 4616) and LOGIN.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::wire::Wire;

/// What a client gave to log in with, as name and password; none when it was not understood.
pub(super) async fn read(
    wire: &mut Wire,
    mechanism: &str,
    initial: Option<&str>,
) -> io::Result<Option<(String, String)>> {
    if mechanism == "PLAIN" {
        let answer = match initial {
            Some(initial) => decode(initial),
            None => ask(wire, "334").await?,
        };
        return Ok(answer.and_then(|answer| plain(&answer)));
    }
    let name = match initial {
        Some(initial) => decode(initial),
        None => ask(wire, "334 VXNlcm5hbWU6").await?,
    };
    let password = ask(wire, "334 UGFzc3dvcmQ6").await?;
    Ok(name.zip(password))
}

/// The parts are: for whom, who, the password; a zero byte between them.
fn plain(answer: &str) -> Option<(String, String)> {
    let mut parts = answer.split('\0').skip(1).map(ToOwned::to_owned);
    Some((parts.next()?, parts.next()?))
}

async fn ask(wire: &mut Wire, challenge: &str) -> io::Result<Option<String>> {
    // A space must follow the code, also when nothing follows it.
    let challenge = format!("{challenge:<4}");
    wire.say(&challenge).await?;
    let line = wire.line().await?;
    Ok(decode(String::from_utf8_lossy(&line).trim()))
}

fn decode(text: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(text).ok()?).ok()
}
