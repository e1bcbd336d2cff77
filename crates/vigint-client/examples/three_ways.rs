//! The three ways to give the library its key, and then a source that it watches until Ctrl-C:
//!
//! ```console
//! $ cargo run -p vigint-client --example three_ways -- till=rtsp://192.168.1.20/stream1
//! ```
#![allow(clippy::print_stdout, reason = "an example shows what happens")]

use vigint_client::settings::Given;
use vigint_client::{BuildError, Secret, SecureVideoAnalyzer, Settings, Source};

/// From `VIGINT_API_KEY` and `VIGINT_SERVER_URL`, in the environment or in `.env`: recommended.
fn from_environment() -> Result<SecureVideoAnalyzer, Box<dyn std::error::Error>> {
    let settings = Settings::of_process(Given::default())?;
    Ok(watching().settings(&settings).build()?)
}

/// From a program's own command line, before all else.
fn from_command_line(
    key: &str,
    url: &str,
) -> Result<SecureVideoAnalyzer, Box<dyn std::error::Error>> {
    let settings = Settings::of_process(Given {
        api_key: Some(Secret::new(key)),
        api_url: Some(url.to_owned()),
        ..Given::default()
    })?;
    Ok(watching().settings(&settings).build()?)
}

/// From code; nothing else is read.
fn from_code(key: &str, url: &str) -> Result<SecureVideoAnalyzer, BuildError> {
    watching().api_base_url(url).api_key(key).build()
}

fn watching() -> vigint_client::SecureVideoAnalyzerBuilder {
    SecureVideoAnalyzer::builder().on_event(|event| println!("{event:?}"))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let typed: Vec<String> = std::env::args().skip(1).collect();
    let (analyzer, source) = match typed.as_slice() {
        [source] => (from_environment()?, source),
        [source, key, url] => (from_command_line(key, url)?, source),
        [source, key, url, _in_code] => (from_code(key, url)?, source),
        _ => return Err("usage: three_ways SOURCE [KEY URL]".into()),
    };
    let source: Source = source.parse()?;
    tokio::select! {
        ended = analyzer.run(source) => ended?,
        // What is dropped is ended: there is nothing to stop.
        stopped = tokio::signal::ctrl_c() => stopped?,
    }
    Ok(())
}
