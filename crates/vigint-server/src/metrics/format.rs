//! The two spellings of the same counters: OpenMetrics 1.0 for who asks for it, as Prometheus does, and the plain
//! text format 0.0.4 for everybody else.

use std::collections::HashSet;

/// How counters are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// Prometheus's text format 0.0.4.
    Plain,
}

impl Format {
    /// What a reader whose `Accept` says this can read.
    #[must_use]
    pub fn accepted_by(accept: &str) -> Self {
        if accept.contains("application/openmetrics-text") {
            Self::OpenMetrics
        } else {
            Self::Plain
        }
    }

    /// The media type of the text.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Plain => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// Text in the format of OpenMetrics in this one.
    pub(super) fn of_open_metrics(self, text: String) -> String {
        match self {
            Self::OpenMetrics => text,
            Self::Plain => plain(&text),
        }
    }
}

/// Where OpenMetrics names a counter's family, the older format names its sample, which ends in `_total`; and it
/// knows no end mark.
fn plain(text: &str) -> String {
    let counters: HashSet<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter"))
        .collect();
    let mut out = String::with_capacity(text.len());
    for line in text.lines().filter(|line| *line != "# EOF") {
        let named = ["# HELP ", "# TYPE "].into_iter().find_map(|word| {
            let (name, rest) = line.strip_prefix(word)?.split_once(' ')?;
            let counter = counters.get(name)?;
            Some([word, counter, "_total ", rest])
        });
        match named {
            Some(parts) => parts.iter().for_each(|part| out.push_str(part)),
            None => out.push_str(line),
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_ask_for_open_metrics_gets_the_plain_format() {
        let prometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1";
        assert_eq!(Format::accepted_by(prometheus), Format::OpenMetrics);
        for plain in ["", "*/*", "text/plain"] {
            assert_eq!(Format::accepted_by(plain), Format::Plain);
        }
    }

    #[test]
    fn the_plain_format_names_counters_as_their_samples() {
        let open = "# HELP a_requests Requests.\n# TYPE a_requests counter\na_requests_total{x=\"# TYPE\"} 1\n# HELP a_level Level.\n# TYPE a_level gauge\na_level 2\n# EOF\n";
        let expected = "# HELP a_requests_total Requests.\n# TYPE a_requests_total counter\na_requests_total{x=\"# TYPE\"} 1\n# HELP a_level Level.\n# TYPE a_level gauge\na_level 2\n";
        assert_eq!(Format::Plain.of_open_metrics(open.to_owned()), expected);
    }
}
