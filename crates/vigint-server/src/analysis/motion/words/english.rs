//! The facts of a window in English.

use vigint_core::locale::Locale;
use vigint_core::place::Place;

use super::{Direction, Facts, Motion, Route, Texts};

pub(super) fn texts(facts: &Facts<'_>) -> Texts {
    let camera = facts.camera;
    let trouble = trouble(facts);
    let Some(motion) = &facts.motion else {
        let present = if facts.is_present {
            " What moved before stands still now, or left something behind or took something away."
        } else {
            ""
        };
        // A camera in trouble may not have shown what moved.
        let (none, nothing) = if trouble.is_empty() {
            ("No motion.", "Nothing moved")
        } else {
            ("No motion was seen.", "No motion was seen")
        };
        return Texts {
            kind: String::new(),
            description: format!("{none}{trouble}"),
            analysis: format!("{nothing} in front of the camera \"{camera}\".{present}{trouble}"),
        };
    };
    let present = if facts.is_present {
        " At the end nothing moved any more, but the picture is not as it was before: somebody or something \
         stands still there, or something was left or taken away."
    } else {
        ""
    };
    Texts {
        kind: "motion detected".to_owned(),
        description: format!(
            "Motion detected {}{}.{}",
            route(motion),
            time(motion),
            size(motion)
        ),
        analysis: format!(
            "Motion in front of the camera \"{camera}\" during {}% of the time looked at.\
             {present}{trouble} The motion detector cannot say what it is.",
            motion.duration
        ),
    }
}

/// With what separates it from the time.
fn route(motion: &Motion) -> String {
    let words = |place: Place| place.words(Locale::English);
    match &motion.route {
        None => String::new(),
        Some(Route::At(place)) => format!("{} of the picture, ", words(*place)),
        Some(Route::Across(direction)) => match direction {
            Direction::Rightward => "across the picture from left to right, ".to_owned(),
            Direction::Leftward => "across the picture from right to left, ".to_owned(),
            Direction::Both => "across the picture, ".to_owned(),
        },
        Some(Route::FirstAndLast(first, last)) => {
            let (first, last) = (words(*first), words(*last));
            format!("first {first}, last {last} of the picture, ")
        }
    }
}

fn time(motion: &Motion) -> String {
    if motion.from == motion.to {
        format!("at {}", motion.from)
    } else {
        format!("from {} to {}", motion.from, motion.to)
    }
}

fn size(motion: &Motion) -> String {
    match motion.size.as_deref() {
        None => String::new(),
        Some("0") => " It covers less than 1% of the picture.".to_owned(),
        Some("100") => " It covers the whole picture.".to_owned(),
        Some(percent) => format!(" It covers about {percent}% of the picture."),
    }
}

/// Why the camera itself may not have shown what happened.
fn trouble(facts: &Facts<'_>) -> String {
    let mut text = String::new();
    if let Some(at) = &facts.changed_at {
        text.push_str(&format!(" The camera was covered or turned at about {at}."));
    }
    if facts.is_frozen {
        text.push_str(
            " The camera sent the very same picture for at least five seconds: \
             nobody knows what happened meanwhile.",
        );
    }
    text
}
