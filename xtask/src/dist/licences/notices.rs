//! What has to be said beside a program for what is in it, besides the licences themselves.

/// Crates, and what is said when one is in a program.
const NOTICES: &[(&str, &str)] = &[
    // IJG, condition 2: for a program without its source.
    (
        "jpeg-encoder",
        "It writes JPEGs: this software is based in part on the work of the Independent JPEG Group.",
    ),
    (
        "openh264-sys2",
        "It writes H.264 with openh264, built from its source. The patent fees that Cisco pays are for Cisco's own \
         binary only: whoever ships or runs this program decides whether a licence for H.264 is needed there.",
    ),
];

/// The notices for a program with these crates in it.
pub(super) fn of<'a>(crates: impl Iterator<Item = &'a str> + Clone) -> Vec<&'static str> {
    let present = NOTICES
        .iter()
        .filter(|(name, _)| crates.clone().any(|present| present == *name));
    present.map(|(_, notice)| *notice).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_given_when_its_crate_is_in_the_program() {
        assert_eq!(of(["serde", "ring"].into_iter()), Vec::<&str>::new());
        let notices = of(["jpeg-encoder", "ring"].into_iter());
        assert_eq!(notices.len(), 1);
        assert!(notices[0].contains("based in part on the work of the Independent JPEG Group"));
    }
}
