//! INI, strictly: `[Section]`, `key = value`, and comments that begin a line with `;` or `#`.
//!
//! Nothing in a value is special: no escapes, no quotes, no comment behind it, no continued lines.

/// One line that says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// `[name]`
    Section(&'a str),
    /// `key = value`, both without the spaces around them.
    Key(&'a str, &'a str),
    /// Neither; what is expected.
    Malformed(&'static str),
}

/// The lines of `text` that say something, with their numbers from 1.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, Line<'_>)> {
    // Windows' editors put a byte order mark before the first line.
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    (1..)
        .zip(text.lines().map(str::trim))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with([';', '#']))
        .map(|(number, line)| (number, read(line)))
}

fn read(line: &str) -> Line<'_> {
    if let Some(section) = line.strip_prefix('[') {
        return match section.strip_suffix(']').map(str::trim) {
            Some(name) if !name.is_empty() && !name.contains(['[', ']']) => Line::Section(name),
            _ => Line::Malformed("a section must be [Name] and nothing else on its line"),
        };
    }
    match line.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Line::Key(key.trim(), value.trim()),
        _ => {
            Line::Malformed("must be [Section], key = value, or a comment that begins with ; or #")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_backslash_quotes_and_comment_signs_in_a_value_are_ordinary() {
        let text = "\u{FEFF}[Email]\r\npassword = 50%\\n\"a;b#c\" ; d = e\r\n";
        assert_eq!(
            lines(text).collect::<Vec<_>>(),
            [
                (1, Line::Section("Email")),
                (2, Line::Key("password", "50%\\n\"a;b#c\" ; d = e")),
            ]
        );
    }

    #[test]
    fn comments_begin_a_line_and_count_as_lines() {
        let text = "; a\n  # b\n\n[ API ]\nport=1\n";
        assert_eq!(
            lines(text).collect::<Vec<_>>(),
            [(4, Line::Section("API")), (5, Line::Key("port", "1"))]
        );
    }

    #[test]
    fn other_lines_are_malformed() {
        for bad in [
            "[API",
            "[API] ; here",
            "[]",
            "port",
            "= 5",
            "[a[b]]",
            "port: 5002",
        ] {
            let found: Vec<_> = lines(bad).collect();
            assert!(
                matches!(found[..], [(1, Line::Malformed(_))]),
                "{bad} {found:?}"
            );
        }
    }
}
