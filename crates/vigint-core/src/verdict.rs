//! What an analysis says: the verdict of two looks, and what it means for the customer.

use serde::{Deserialize, Serialize};

use crate::money::MicroEuros;
use crate::names::named_enum;

named_enum!(
    /// What the two looks came to (architecture, "The way of one incident").
    Verdict {
        /// The screen saw nothing.
        Clear = "clear",
        /// Both looks saw an incident.
        Confirmed = "confirmed",
        /// The screen saw an incident, the confirmation did not: kept for review, no alert.
        Vetoed = "vetoed",
        /// The screen saw an incident and the confirmation failed: alerted, and it says so.
        Unconfirmed = "unconfirmed",
    }
);

impl Verdict {
    /// The verdict of a screen that succeeded and, when it said yes, of the confirmation
    /// (`None`: it failed). A screen that failed has no verdict: it is an error.
    #[must_use]
    pub const fn of(screen_saw_incident: bool, confirmation: Option<bool>) -> Self {
        match (screen_saw_incident, confirmation) {
            (false, _) => Self::Clear,
            (true, Some(true)) => Self::Confirmed,
            (true, Some(false)) => Self::Vetoed,
            (true, None) => Self::Unconfirmed,
        }
    }

    /// Whether the customer is told: confirmed and unconfirmed, never vetoed.
    #[must_use]
    pub const fn is_alerted(self) -> bool {
        matches!(self, Self::Confirmed | Self::Unconfirmed)
    }

    /// How the second look is reported.
    #[must_use]
    pub const fn confirmation(self) -> Confirmation {
        match self {
            Self::Clear => Confirmation::NotNeeded,
            Self::Confirmed => Confirmation::Confirmed,
            Self::Vetoed => Confirmation::Vetoed,
            Self::Unconfirmed => Confirmation::Unavailable,
        }
    }
}

named_enum!(
    /// What the second look said.
    Confirmation {
        /// It agreed.
        Confirmed = "confirmed",
        /// It did not agree.
        Vetoed = "vetoed",
        /// It was tried and failed.
        Unavailable = "unavailable",
        /// It was not asked: the screen saw nothing, or a person raised the alarm.
        NotNeeded = "not_needed",
    }
);

named_enum!(
    /// How grave it is; the graver, the greater.
    #[derive(PartialOrd, Ord)]
    RiskLevel {
        /// Nothing, or nothing urgent.
        Low = "LOW",
        /// Worth a look soon.
        Medium = "MEDIUM",
        /// Worth a look now.
        High = "HIGH",
    }
);

named_enum!(
    /// One of the two looks.
    Stage {
        /// The cheap first look.
        Screen = "screen",
        /// The careful second look.
        Confirm = "confirm",
    }
);

named_enum!(
    /// What one stage said.
    StageVerdict {
        /// It saw an incident.
        Incident = "incident",
        /// It saw none.
        Clear = "clear",
        /// It failed.
        Failed = "failed",
    }
);

named_enum!(
    /// Why no model was asked.
    Skipped {
        /// Nothing moved.
        NoMotion = "no_motion",
        /// The month's budget is spent: the motion analyzer judged.
        Budget = "budget",
    }
);

/// One stage as the answer lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageReport {
    /// Which look.
    pub stage: Stage,
    /// Who looked: `motion`, `gemini:<model>`, ….
    pub analyzer: String,
    /// What it said.
    pub verdict: StageVerdict,
    /// How long it took, in milliseconds.
    pub ms: u64,
}

/// What a look cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenUsage {
    /// Tokens that went in.
    pub prompt_tokens: u64,
    /// Tokens that came out, thinking included.
    pub completion_tokens: u64,
    /// What the customer pays for it.
    pub cost: MicroEuros,
}

/// What an analysis of one snapshot came to. Texts are already safe to show (see [`crate::text`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict of both looks.
    pub verdict: Verdict,
    /// What kind of incident, one line; empty unless something was seen.
    pub incident_type: String,
    /// How grave; LOW for clear and vetoed.
    pub risk_level: RiskLevel,
    /// One or two sentences.
    pub description: String,
    /// The screen's reasoning.
    pub analysis: String,
    /// The confirmation's reasoning, when it was asked and answered.
    pub detailed_analysis: Option<String>,
    /// How many pictures the analyzers looked at.
    pub frames_analyzed: usize,
    /// Why no model was asked, if none was.
    pub skipped: Option<Skipped>,
    /// The stages that ran, in order.
    pub stages: Vec<StageReport>,
    /// Sum over the stages.
    pub usage: TokenUsage,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_table_is_the_designs() {
        for (screen, confirm, verdict, alerted) in [
            (false, None, Verdict::Clear, false),
            (true, Some(true), Verdict::Confirmed, true),
            (true, Some(false), Verdict::Vetoed, false),
            (true, None, Verdict::Unconfirmed, true),
        ] {
            assert_eq!(Verdict::of(screen, confirm), verdict);
            assert_eq!(verdict.is_alerted(), alerted);
        }
    }

    #[test]
    fn names_are_stable_in_json_and_text() {
        for verdict in Verdict::ALL {
            assert_eq!(verdict.as_str().parse::<Verdict>().unwrap(), *verdict);
            let json = serde_json::to_string(verdict).unwrap();
            assert_eq!(json, format!("\"{verdict}\""));
        }
        let unknown = "HIGHEST".parse::<RiskLevel>().unwrap_err();
        assert_eq!(
            unknown.to_string(),
            "'HIGHEST' is not one of: LOW, MEDIUM, HIGH"
        );
    }
}
