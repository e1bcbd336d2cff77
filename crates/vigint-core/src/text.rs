//! Texts from outside (a model, a camera's name, a person's alarm) made safe to keep and to show.
//!
//! Model text is data: it is cut to length, loses control and invisible characters, and its links cannot be
//! clicked. Escaping for HTML happens where it is shown.

use std::net::Ipv4Addr;

/// The most characters a text may have.
pub const MAX_TEXT_CHARS: usize = 4000;

/// The most characters a one-line field may have.
pub const MAX_LINE_CHARS: usize = 200;

/// The most letters a top-level domain may have here; the longest today has 24 in punycode.
const MAX_TLD_CHARS: usize = 24;

/// Dots as browsers take them in a domain (UTS #46): the full stop, and the ideographic ones.
const DOTS: [char; 4] = ['.', '\u{3002}', '\u{FF0E}', '\u{FF61}'];

/// Top-level domains where anybody can have a name, of more than two letters. They are one also with a capital; other
/// words could begin the next sentence ("fin.Elle") or be a name ("M.Dupont").
const OPEN_TLDS: [&str; 44] = [
    "app", "asia", "bid", "biz", "blog", "click", "cloud", "club", "com", "dev", "email", "fun",
    "help", "icu", "info", "life", "link", "live", "loan", "mobi", "mov", "net", "news", "online",
    "org", "page", "pro", "shop", "site", "space", "store", "support", "tech", "today", "top",
    "vip", "website", "win", "work", "world", "xyz", "zip", "zone", "ink",
];

/// Words of two letters that stand behind a dot in French or English ("fin.Le", "p.ex."), and are no country's domain but
/// for Jersey's, which is a link only in lower case.
const NO_TLDS: [&str; 17] = [
    "an", "ce", "du", "en", "ex", "go", "he", "if", "je", "le", "of", "on", "or", "ou", "un", "up",
    "we",
];

/// A text of several lines, safe to keep: at most [`MAX_TEXT_CHARS`] characters, cut with "…".
#[must_use]
pub fn clean_text(text: &str) -> String {
    let kept: String = text
        .chars()
        .filter(|c| *c == '\n' || is_harmless(*c))
        .collect();
    defang_and_cut(kept.trim(), MAX_TEXT_CHARS)
}

/// A text of one line, safe to keep: white space folded, at most [`MAX_LINE_CHARS`] characters, cut with "…".
#[must_use]
pub fn clean_line(text: &str) -> String {
    defang_and_cut(&plain_line(text), MAX_LINE_CHARS)
}

/// A text of one line for a terminal, where nobody makes links of it: white space folded, nothing that moves the
/// cursor or hides, at most [`MAX_LINE_CHARS`] characters, cut with "…".
#[must_use]
pub fn plain_line(text: &str) -> String {
    cut(&on_one_line(text), MAX_LINE_CHARS)
}

/// As [`plain_line`], for a whole paragraph of a program's own: at most [`MAX_TEXT_CHARS`] characters.
#[must_use]
pub fn plain_words(text: &str) -> String {
    cut(&on_one_line(text), MAX_TEXT_CHARS)
}

fn on_one_line(text: &str) -> String {
    let mut line = String::new();
    for word in text.split_whitespace() {
        let word: String = word.chars().filter(|c| is_harmless(*c)).collect();
        if !line.is_empty() && !word.is_empty() {
            line.push(' ');
        }
        line.push_str(&word);
    }
    line
}

/// A message as a sentence for a person: with a capital at its beginning.
#[must_use]
pub fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

/// Neither a control character, nor an invisible one that turns, joins, hides or tags the text around it (all of
/// Unicode's category Cf), nor one that separates lines.
fn is_harmless(c: char) -> bool {
    let is_format = matches!(c,
        '\u{AD}' | '\u{600}'..='\u{605}' | '\u{61C}' | '\u{6DD}' | '\u{70F}' | '\u{890}'..='\u{891}' | '\u{8E2}'
        | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}'
        | '\u{FFF9}'..='\u{FFFB}' | '\u{110BD}' | '\u{110CD}' | '\u{13430}'..='\u{1343F}'
        | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E007F}');
    let separates_lines = matches!(c, '\u{2028}' | '\u{2029}');
    !c.is_control() && !is_format && !separates_lines
}

/// A cut may leave a link where there was none ("evil.tests" becomes "evil.test…"), and brackets and spaces make a text
/// longer: both again until neither changes anything. Each round has fewer dots and colons with neither.
fn defang_and_cut(text: &str, max_chars: usize) -> String {
    let mut text = cut(text, max_chars);
    loop {
        let next = cut(&defang(&text), max_chars);
        if next == text {
            return text;
        }
        text = next;
    }
}

/// `https://x` becomes `https[:]//x` and `evil.test` becomes `evil[.]test`, two sentences come apart ("fin.Le" becomes
/// "fin. Le"): mail programs then make no link of it.
fn defang(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let before = text.get(..at).unwrap_or_default();
        let after = text.get(at + c.len_utf8()..).unwrap_or_default();
        match c {
            ':' if after.starts_with("//") || ends_with_word(before, "mailto") => {
                safe.push_str("[:]");
            }
            '.' if ends_with_word(before, "www") || is_within_numbered_address(before, after) => {
                safe.push_str("[.]");
            }
            c if DOTS.contains(&c) => match joint(c, before, after) {
                Joint::Domain => safe.extend(['[', c, ']']),
                Joint::Sentences => safe.extend([c, ' ']),
                Joint::Other => safe.push(c),
            },
            _ => safe.push(c),
        }
    }
    safe
}

fn ends_with_word(text: &str, word: &str) -> bool {
    let from = text.len().checked_sub(word.len());
    from.and_then(|from| text.get(from..))
        .is_some_and(|end| end.eq_ignore_ascii_case(word))
}

/// What a dot stands between.
enum Joint {
    /// The parts of what a mail program may take for a domain.
    Domain,
    /// Two sentences, or a title and a name, without a space ("fin.Le voleur", "M.Dupont"). Some program may know a
    /// domain of that name all the same.
    Sentences,
    /// What is no link: "3.5", "e.g.", "p.ex.".
    Other,
}

fn joint(dot: char, before: &str, after: &str) -> Joint {
    let label = before.chars().rev();
    let label_chars = label
        .take_while(|c| c.is_alphanumeric() || *c == '-')
        .take(2)
        .count();
    let name: String = after
        .chars()
        .take_while(|c| c.is_alphabetic())
        .take(MAX_TLD_CHARS + 1)
        .collect();
    let rest = after.get(name.len()..).unwrap_or_default();
    let name_chars = name.chars().count();
    let is_punycode = after
        .get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case("xn--"));
    let is_name = (2..=MAX_TLD_CHARS).contains(&name_chars) && !starts_with_digit(rest);
    // Between ideographs the ideographic stop ends a sentence.
    let is_ideographic = dot != '.' && !name.is_ascii();
    if label_chars == 0 || is_ideographic || !(is_name || is_punycode) {
        Joint::Other
    } else if has_port_or_path(rest) || is_punycode || looks_like_tld(&name, label_chars == 1) {
        Joint::Domain
    } else if name.starts_with(char::is_uppercase) {
        Joint::Sentences
    } else {
        Joint::Other
    }
}

/// Whether a word behind a dot is rather a domain than the next sentence, a name or a part of an abbreviation. Behind a
/// single letter more is one of the latter.
fn looks_like_tld(word: &str, behind_one_letter: bool) -> bool {
    let lower = word.to_lowercase();
    let is_of_country = word.len() == 2 && word.is_ascii() && !NO_TLDS.contains(&&*lower);
    let is_lower = !word.chars().any(char::is_uppercase);
    let is_upper = !word.chars().any(char::is_lowercase);
    let is_capitalised = !is_upper && !word.chars().skip(1).any(char::is_uppercase);
    if OPEN_TLDS.contains(&&*lower) {
        true
    } else if is_lower {
        !behind_one_letter || word == "je" || !NO_TLDS.contains(&word)
    } else if is_upper {
        !behind_one_letter || is_of_country
    } else if is_capitalised {
        !behind_one_letter && is_of_country
    } else {
        true
    }
}

/// Whether a port or a path is here: nothing but an address has one.
fn has_port_or_path(after_name: &str) -> bool {
    after_name.starts_with(['/', '?', '#'])
        || after_name.strip_prefix(':').is_some_and(starts_with_digit)
}

/// Whether the dot between these two stands in an address such as 192.0.2.1 with a port or a path. Alone it is no link,
/// and may be a camera's name.
fn is_within_numbered_address(before: &str, after: &str) -> bool {
    let is_part = |c: char| c.is_ascii_digit() || c == '.';
    let from = before.trim_end_matches(is_part).len();
    let rest = after.trim_start_matches(is_part);
    let begin = before.get(from..).unwrap_or_default();
    let end = after.strip_suffix(rest).unwrap_or_default();
    has_port_or_path(rest) && format!("{begin}.{end}").parse::<Ipv4Addr>().is_ok()
}

fn starts_with_digit(text: &str) -> bool {
    text.chars().next().is_some_and(char::is_numeric)
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
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_lose_controls_direction_marks_and_links() {
        let hostile = "  A man\u{0000} takes\r\na \u{202E}bottle\u{202C}. See https://evil.example and www.evil.example  ";
        assert_eq!(
            clean_text(hostile),
            "A man takes\na bottle. See https[:]//evil[.]example and www[.]evil[.]example"
        );
        assert_eq!(
            clean_line("theft\r\nBcc: x@y.example\t\u{2028}now"),
            "theft Bcc: x@y[.]example now"
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

    #[test]
    fn nothing_that_mail_programs_make_a_link_of_survives() {
        for (link, safe) in [
            ("wWw.evil.test", "wWw[.]evil[.]test"),
            ("evil.test/x", "evil[.]test/x"),
            ("see evil.test, now", "see evil[.]test, now"),
            ("EVIL.TEST", "EVIL[.]TEST"),
            ("evil.Com", "evil[.]Com"),
            ("evil.Test/x", "evil[.]Test/x"),
            ("evil.Test:8080", "evil[.]Test:8080"),
            ("t.co/x", "t[.]co/x"),
            ("x.com", "x[.]com"),
            ("X.COM and T.CO", "X[.]COM and T[.]CO"),
            ("x.Com", "x[.]Com"),
            ("boss@x.com", "boss@x[.]com"),
            ("evil.Shop", "evil[.]Shop"),
            ("evil.De", "evil[.]De"),
            ("evil.sHOP", "evil[.]sHOP"),
            ("evil\u{3002}com", "evil[\u{3002}]com"),
            ("evil\u{FF0E}Shop", "evil[\u{FF0E}]Shop"),
            ("evil\u{FF61}xn--p1ai", "evil[\u{FF61}]xn--p1ai"),
            ("at 1.2.3.4:8080.", "at 1[.]2[.]3[.]4:8080."),
            ("192.0.2.1/pay", "192[.]0[.]2[.]1/pay"),
            ("evil.Agency", "evil. Agency"),
            ("shop.Security now", "shop. Security now"),
            ("X.WATCH", "X. WATCH"),
            ("evil.Je", "evil. Je"),
            ("x.je", "x[.]je"),
            ("www.Evil.Agency", "www[.]Evil. Agency"),
            ("boss@evil.Agency", "boss@evil. Agency"),
            ("evil.Agency/x", "evil[.]Agency/x"),
            ("evil\u{FF0E}Agency", "evil\u{FF0E} Agency"),
            ("a-b.evil.test", "a-b[.]evil[.]test"),
            ("пример.рф", "пример[.]рф"),
            ("evil.xn--p1ai", "evil[.]xn--p1ai"),
            ("boss@evil.test", "boss@evil[.]test"),
            ("MailTo:boss@evil.test", "MailTo[:]boss@evil[.]test"),
            ("HTTPS://evil.test", "HTTPS[:]//evil[.]test"),
            (
                "ht\u{AD}tps:\u{200D}//ev\u{E0041}il.\u{FFF9}test",
                "https[:]//evil[.]test",
            ),
        ] {
            assert_eq!(clean_text(link), safe);
            assert_eq!(clean_line(link), safe);
        }
    }

    #[test]
    fn a_line_for_a_terminal_keeps_its_links() {
        let hostile = "rtsp://cam.example/1\u{1B}[2J\r\n\u{202E}film.avi ";
        assert_eq!(plain_line(hostile), "rtsp://cam.example/1[2J film.avi");
    }

    #[test]
    fn prose_stays_readable() {
        for prose in [
            "He waits 3.5 s, e.g. at 12.30, i.e. till 10 p.m.",
            "C'est la fin. Le voleur part.",
            "M. Dupont, Mme. Durand et J.-P. Martin...",
            "Zone 4.b: 2 persons. Risk: high...then gone",
            "13:45: a man (no. 2) enters",
            "P.ex. le rayon 4, p.ex. à droite, M.le directeur, caisse 4.B",
            "Le 12.11.2026 vers 1.30.",
            "192.168.1.20 is at the till",
            "他走了\u{3002}然后回来\u{FF0E}",
        ] {
            assert_eq!(clean_text(prose), prose);
        }
    }

    #[test]
    fn sentences_without_a_space_between_them_have_one() {
        for (prose, apart) in [
            ("C'est la fin.Le voleur", "C'est la fin. Le voleur"),
            ("C'est fini.Elle sort.Je", "C'est fini. Elle sort. Je"),
            (
                "M.Dupont, M.Li, Mme.Durand",
                "M. Dupont, M. Li, Mme. Durand",
            ),
            ("M.DUPONT et J.-P.Élie", "M. DUPONT et J.-P. Élie"),
        ] {
            assert_eq!(clean_text(prose), apart);
            assert_eq!(clean_line(prose), apart);
        }
        assert_eq!(defang_and_cut("fin.Le", 6), "fin. …");
    }

    #[test]
    fn no_link_comes_about_by_cutting() {
        assert_eq!(defang_and_cut("evil.test5", 10), "evil.test5");
        assert_eq!(defang_and_cut("evil.test55", 10), "evil[.]te…");
    }

    proptest! {
        #[test]
        fn what_is_clean_stays_as_it_is(
            text in "(evil|evil[.]tests?|5|1[.]2[.]3[.]4|test|Le|Je|Agency|Shop|De|\u{3002}|\u{FF0E}|www|mailto|xn--|[a-zA-Z0-9]|[.]|:|//|/|-|@|…|\\[| |\n|\u{AD}|\u{200D}|.){0,60}",
            max_chars in 1_usize..40,
        ) {
            for clean in [clean_text, clean_line] {
                let once = clean(&text);
                prop_assert_eq!(clean(&once), once);
            }
            let once = defang_and_cut(&text, max_chars);
            prop_assert!(once.chars().count() <= max_chars);
            prop_assert_eq!(defang_and_cut(&once, max_chars), once);
        }
    }
}
