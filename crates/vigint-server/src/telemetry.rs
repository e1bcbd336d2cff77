//! Logs: what is written to standard error, and how.
//!
//! Our own crates speak at the level asked for, the libraries at `warn` unless a directive names them. It
//! must not know what is logged; that no secret gets here is the work of the types that cannot be printed.

use std::io::IsTerminal as _;

use tracing::Dispatch;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, fmt};

use vigint_config::{Format, Logging};

/// Why nothing can be logged.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The level is no level and no directive.
    #[error("[Logging] level (environment RUST_LOG): {0}")]
    Level(#[from] tracing_subscriber::filter::ParseError),
    /// Another logger was there first.
    #[error("logging is already set up: {0}")]
    AlreadySet(#[from] tracing_subscriber::util::TryInitError),
}

/// Sends what is logged to standard error from now on, also what libraries say through `log`.
///
/// # Errors
/// The level is not right, or logging was set up before.
pub fn init(logging: &Logging) -> Result<(), TelemetryError> {
    let colours = std::io::stderr().is_terminal();
    dispatch(logging, colours, std::io::stderr)?.try_init()?;
    Ok(())
}

fn dispatch<W>(logging: &Logging, colours: bool, writer: W) -> Result<Dispatch, TelemetryError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let lines = fmt()
        .with_env_filter(EnvFilter::builder().parse(directives(&logging.level))?)
        .with_writer(writer)
        // Else a line that cannot be written is told with `eprintln!`, which panics in whoever logged.
        .log_internal_errors(false)
        .with_ansi(colours);
    Ok(match logging.format {
        Format::Text => Dispatch::new(lines.finish()),
        Format::Json => Dispatch::new(lines.json().flatten_event(true).finish()),
    })
}

/// Where actix says at `error` that the other end went away. Anybody could fill the disk with such lines; the
/// request's own line, if there was a request, says what became of it.
const NOISY: &str = "actix_http::h1::dispatcher";

/// Where actix repeats the headers that it cannot read, and there may be a key in them: no directive opens it.
const TELLTALE: &str = "actix_http::h1::decoder";

/// A bare level is meant for our own crates: what libraries say stays at `warn`, or below that when the
/// level is, and what anybody can make one say is off. Directives that name a target stand as they are.
fn directives(level: &str) -> String {
    let parts: Vec<&str> = level.split(',').map(str::trim).collect();
    let target_of = |part: &&str| {
        let is_level = part.parse::<LevelFilter>().is_ok();
        let target = part
            .split(['=', '['])
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned();
        (!is_level).then_some(target)
    };
    let is_named = (parts.iter().filter_map(target_of))
        .any(|target| NOISY.starts_with(&target) || target.starts_with("actix_http"));
    let quiet = if is_named {
        String::new()
    } else {
        format!(",{NOISY}=off")
    };
    let may_stand =
        |part: &&&str| !target_of(part).is_some_and(|target| target.starts_with(TELLTALE));
    let of_part = |part: &&str| match part.parse::<LevelFilter>() {
        Ok(level) => format!("{},vigint={level}{quiet}", level.min(LevelFilter::WARN)),
        Err(_) => (*part).to_owned(),
    };
    let parts: Vec<String> = parts.iter().filter(may_stand).map(of_part).collect();
    format!("{},{TELLTALE}=off", parts.join(","))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// What is written of one event at each of three levels, of ours and of a library's.
    fn written(level: &str, format: Format) -> String {
        let kept = Kept::default();
        let writer = kept.clone();
        let logging = Logging {
            level: level.to_owned(),
            format,
        };
        let dispatch = dispatch(&logging, false, move || writer.clone()).unwrap();
        tracing::dispatcher::with_default(&dispatch, || {
            tracing::info!(target: "vigint_server::http", frames = 3, "our info");
            tracing::trace!(target: "vigint_db", "our trace");
            tracing::info!(target: "hyper::client", "library info");
            tracing::warn!(target: "hyper::client", "library warning");
            tracing::error!(target: "actix_http::h1::dispatcher", "stream error");
            tracing::error!(target: "actix_http::h1::decoder", "illegal header");
            tracing::error!(target: "actix_http::service", "not ready");
        });
        let bytes = kept.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    fn said(level: &str) -> Vec<&'static str> {
        let text = written(level, Format::Text);
        ["our info", "our trace", "library info", "library warning"]
            .into_iter()
            .filter(|message| text.contains(message))
            .collect()
    }

    #[test]
    fn libraries_stay_at_warn_unless_a_directive_names_them() {
        assert_eq!(said("info"), ["our info", "library warning"]);
        assert_eq!(said("TRACE"), ["our info", "our trace", "library warning"]);
        assert_eq!(said("warn"), ["library warning"]);
        assert!(said("error").is_empty());
        assert!(said("off").is_empty());
        assert_eq!(
            said("info, hyper=info"),
            ["our info", "library info", "library warning"]
        );
        assert_eq!(said("vigint_db=trace"), ["our trace"]);
    }

    #[test]
    fn what_anybody_can_make_actix_say_is_off_unless_a_directive_names_it() {
        let shown = |level: &str| {
            let text = written(level, Format::Text);
            ["stream error", "not ready"].map(|message| text.contains(message))
        };
        for level in ["info", "TRACE", "error", "info,hyper=info"] {
            assert_eq!(shown(level), [false, true], "{level}");
        }
        for named in [
            "info,actix_http=error",
            "actix=debug, info",
            "info,actix_http::h1[x]=trace",
        ] {
            assert!(shown(named)[0], "{named}");
        }
        assert_eq!(shown("info,actix_http=off"), [false, false]);
    }

    #[test]
    fn no_directive_lets_headers_be_repeated() {
        for level in [
            "trace",
            "trace,actix_http=trace",
            "actix_http::h1::decoder=trace",
            "info, actix_http::h1::decoder[request]=trace",
        ] {
            let text = written(level, Format::Text);
            assert!(!text.contains("illegal header"), "{level}: {text}");
        }
        assert!(written("trace,actix_http=trace", Format::Text).contains("not ready"));
    }

    #[test]
    fn json_is_one_object_a_line_with_the_fields_beside_the_message() {
        let text = written("info", Format::Json);
        let lines: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0]["message"], "our info");
        assert_eq!(lines[0]["frames"], 3);
        assert_eq!(lines[0]["level"], "INFO");
        assert_eq!(lines[0]["target"], "vigint_server::http");
    }
}
