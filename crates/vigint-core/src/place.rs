//! Where in a picture something lies, in thirds and in words: server and client say it alike.

use crate::locale::Locale;

/// One of three equal parts of a picture's width or height.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Third {
    /// Left, or top.
    First,
    /// In between.
    Middle,
    /// Right, or bottom.
    Last,
}

impl Third {
    /// The third that a fraction 0..=1 of the width or height lies in; what is outside counts to the nearest.
    #[must_use]
    pub fn of(fraction: f32) -> Self {
        if fraction < 1.0 / 3.0 {
            Self::First
        } else if fraction < 2.0 / 3.0 {
            Self::Middle
        } else {
            Self::Last
        }
    }
}

/// One of the nine parts of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// From left to right.
    pub column: Third,
    /// From top to bottom.
    pub row: Third,
}

impl Place {
    /// The part that this point lies in, in fractions 0..=1 of width and height from the top left.
    #[must_use]
    pub fn of(x: f32, y: f32) -> Self {
        Self {
            column: Third::of(x),
            row: Third::of(y),
        }
    }

    /// Such as "at the top left"; "of the picture" may follow.
    #[must_use]
    pub const fn words(self, locale: Locale) -> &'static str {
        use Third::{First, Last, Middle};
        match (locale, self.row, self.column) {
            (Locale::French, First, First) => "en haut à gauche",
            (Locale::French, First, Middle) => "en haut",
            (Locale::French, First, Last) => "en haut à droite",
            (Locale::French, Middle, First) => "sur la gauche",
            (Locale::French, Middle, Middle) => "au centre",
            (Locale::French, Middle, Last) => "sur la droite",
            (Locale::French, Last, First) => "en bas à gauche",
            (Locale::French, Last, Middle) => "en bas",
            (Locale::French, Last, Last) => "en bas à droite",
            (Locale::English, First, First) => "at the top left",
            (Locale::English, First, Middle) => "at the top",
            (Locale::English, First, Last) => "at the top right",
            (Locale::English, Middle, First) => "on the left",
            (Locale::English, Middle, Middle) => "in the middle",
            (Locale::English, Middle, Last) => "on the right",
            (Locale::English, Last, First) => "at the bottom left",
            (Locale::English, Last, Middle) => "at the bottom",
            (Locale::English, Last, Last) => "at the bottom right",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_third_of_width_and_height_has_its_own_words() {
        for (locale, rows) in [
            (
                Locale::English,
                [
                    ["at the top left", "at the top", "at the top right"],
                    ["on the left", "in the middle", "on the right"],
                    ["at the bottom left", "at the bottom", "at the bottom right"],
                ],
            ),
            (
                Locale::French,
                [
                    ["en haut à gauche", "en haut", "en haut à droite"],
                    ["sur la gauche", "au centre", "sur la droite"],
                    ["en bas à gauche", "en bas", "en bas à droite"],
                ],
            ),
        ] {
            for (row, y) in rows.iter().zip([0.0, 0.5, 1.0]) {
                for (words, x) in row.iter().zip([0.33, 0.34, 0.67]) {
                    assert_eq!(Place::of(x, y).words(locale), *words);
                }
            }
        }
    }
}
