//! How French sets its punctuation.

const NO_BREAK: [char; 2] = ['\u{A0}', '\u{202F}'];

/// The places in a French text where a line may break before a colon, a semicolon, a question or exclamation mark, or
/// inside quotation marks: there belongs a space that does not break. Web addresses are left out.
#[must_use]
pub fn loose_punctuation(text: &str) -> Vec<String> {
    let words: Vec<_> = text
        .split(' ')
        .map(|word| if word.contains("://") { "" } else { word })
        .collect();
    let letters: Vec<char> = words.join(" ").chars().collect();
    let is_loose = |at: usize| {
        let before = at.checked_sub(1).map(|at| letters[at]);
        let after = letters.get(at + 1);
        let is_kept = before.is_some_and(|c| NO_BREAK.contains(&c));
        let ends_word = after.is_none_or(|c| c.is_whitespace());
        match letters[at] {
            '«' => !after.is_some_and(|c| NO_BREAK.contains(c)),
            '»' | ';' | '?' | '!' => !is_kept,
            // Elsewhere it is within a time or an address.
            ':' if ends_word => !is_kept,
            _ => false,
        }
    };
    let around = |at: usize| {
        let to = (at + 10).min(letters.len());
        letters[at.saturating_sub(20)..to].iter().collect()
    };
    (0..letters.len())
        .filter(|at| is_loose(*at))
        .map(around)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::loose_punctuation;

    #[test]
    fn spaces_that_break_are_found_and_others_are_not() {
        for loose in [
            "Quoi ?",
            "Quoi?",
            "Alerte : vol",
            "Alerte: vol",
            "ceci ; cela",
            "«mot»",
            "« mot »",
            "Ah !",
        ] {
            assert!(!loose_punctuation(loose).is_empty(), "{loose}");
        }
        for kept in [
            "Quoi\u{A0}?",
            "à 23:40",
            "Lieu\u{A0}: https://x.example/?a=b; fin",
            "«\u{A0}mot\u{202F}».",
        ] {
            assert_eq!(loose_punctuation(kept), Vec::<String>::new(), "{kept}");
        }
    }
}
