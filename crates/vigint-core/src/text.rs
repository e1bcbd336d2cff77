//! Texts from outside (a model, a camera's name, a person's alarm) made safe to keep and to show.
//!
//! Model text is data: it is cut to length, loses control and bidirectional-override characters, and its
//! links cannot be clicked. Escaping for HTML happens where it is shown.

/// The most characters a text may have.
pub const MAX_TEXT_CHARS: usize = 4000;

/// The most characters a one-line field may have.
pub const MAX_LINE_CHARS: usize = 200;

/// A text of several lines, safe to keep: at most [`MAX_TEXT_CHARS`] characters, cut with "…".
#[must_use]
pub fn clean_text(text: &str) -> String {
    let kept: String = text
        .chars()
        .filter(|c| *c == '\n' || is_harmless(*c))
        .collect();
    cut(&defang(kept.trim().to_owned()), MAX_TEXT_CHARS)
}

/// A text of one line, safe to keep: white space folded, at most [`MAX_LINE_CHARS`] characters, cut with "…".
#[must_use]
pub fn clean_line(text: &str) -> String {
    let mut line = String::new();
    for word in text.split_whitespace() {
        let word: String = word.chars().filter(|c| is_harmless(*c)).collect();
        if !line.is_empty() && !word.is_empty() {
            line.push(' ');
        }
        line.push_str(&word);
    }
    cut(&defang(line), MAX_LINE_CHARS)
}

/// Neither a control character nor one that turns the direction of the text around it (Unicode TR 36).
fn is_harmless(c: char) -> bool {
    let turns_direction = matches!(c,
        '\u{061C}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}');
    let separates_lines = matches!(c, '\u{2028}' | '\u{2029}');
    !c.is_control() && !turns_direction && !separates_lines
}

/// `https://x` becomes `https[:]//x` and `www.x` becomes `www[.]x`: mail programs then make no link of it.
fn defang(text: String) -> String {
    let mut text = text.replace("://", "[:]//");
    for www in ["www.", "WWW.", "Www."] {
        if text.contains(www) {
            text = text.replace(www, &www.replace('.', "[.]"));
        }
    }
    text
}

fn cut(text: &str, max_chars: usize) -> String {
    match text.char_indices().nth(max_chars) {
        None => text.to_owned(),
        Some(_) => {
            let kept: String = text.chars().take(max_chars.saturating_sub(1)).collect();
            kept + "…"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_lose_controls_direction_marks_and_links() {
        let hostile = "  A man\u{0000} takes\r\na \u{202E}bottle\u{202C}. See https://evil.example and www.evil.example  ";
        assert_eq!(
            clean_text(hostile),
            "A man takes\na bottle. See https[:]//evil.example and www[.]evil.example"
        );
        assert_eq!(
            clean_line("theft\r\nBcc: x@y.example\t\u{2028}now"),
            "theft Bcc: x@y.example now"
        );
    }

    #[test]
    fn a_text_of_nothing_to_see_is_empty() {
        for nothing in ["", " \n ", "\u{0000} \u{0007}", "\u{200B}\n\u{202E}"] {
            assert_eq!(clean_text(nothing), "", "{nothing:?}");
        }
    }

    #[test]
    fn long_texts_are_cut_at_a_character_with_an_ellipsis() {
        let long = "é".repeat(5000);
        assert_eq!(clean_text(&long).chars().count(), MAX_TEXT_CHARS);
        assert!(clean_text(&long).ends_with("é…"));
        assert_eq!(clean_line(&"x".repeat(201)).chars().count(), MAX_LINE_CHARS);
        assert_eq!(clean_line(&"x".repeat(200)), "x".repeat(200));
    }
}
