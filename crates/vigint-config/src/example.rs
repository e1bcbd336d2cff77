//! `config.ini.example`, written from the definitions.

use std::fmt::Write as _;

use super::SECTIONS;

const HEAD: &str = "\
# Vigint server: every setting with its default. Generated from the server's own definitions.
#
# Copy it to config.ini and take the ; away from what you change. The server starts without any of it.
# Order: default < this file < environment < flag. `vigint-server check-config` shows what counts, and why.
# Names in any case; one key once. A value is taken as it stands: %, \\, quotes, ; and # in it are ordinary,
# so a comment needs its own line. ${VAR} as a whole value is taken from the environment. An empty value is
# the same as none. Relative paths are from the working directory. Keys of clients are never here.
";

/// The text of `config.ini.example`: all keys commented out, with their defaults and what they mean.
#[must_use]
pub fn example() -> String {
    let mut text = HEAD.to_owned();
    for section in SECTIONS {
        let docs = section.doc.iter().map(|line| format!("#{line}"));
        text.extend(["\n".to_owned(), format!("[{}]\n", section.name)]);
        text.extend(docs.map(|doc| doc + "\n"));
        for definition in section.keys {
            text.push('\n');
            for line in definition.doc {
                let _ = writeln!(text, "#{line}");
            }
            if let Some(name) = definition.environment {
                let _ = writeln!(text, "# Environment: {name}");
            }
            let line = format!(";{} = {}", definition.key, definition.default);
            let _ = writeln!(text, "{}", line.trim_end());
        }
    }
    text
}
