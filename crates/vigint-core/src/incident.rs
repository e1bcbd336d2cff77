//! The states of incidents, clips and alerts, and which step may follow which.
//!
//! A step that is not allowed is an error, never silently taken: two servers or two clicks at once must
//! not be able to send twice or to bring back what has expired.

use crate::names::named_enum;

/// A step that the state does not allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} is '{from}' and cannot become '{to}'")]
pub struct ForbiddenTransition {
    what: &'static str,
    from: &'static str,
    to: &'static str,
}

named_enum!(
    /// What the customer made of an incident. `vetoed` is decided by the analysis, not by a person.
    Triage {
        /// Nobody has looked yet.
        New = "new",
        /// Somebody has seen it and goes on.
        Acknowledged = "acknowledged",
        /// It was nothing.
        Dismissed = "dismissed",
        /// It has been dealt with.
        Resolved = "resolved",
        /// The second look said no: kept for review only.
        Vetoed = "vetoed",
    }
);

impl Triage {
    /// The step to `next`. A person may move between all states but into `new` and `vetoed`; a vetoed
    /// incident may be looked at (acknowledged, dismissed) but not resolved, for nothing was alerted. Staying
    /// where one is is allowed everywhere: a note is added so.
    ///
    /// # Errors
    /// When the step is not allowed.
    pub fn to(self, next: Self) -> Result<Self, ForbiddenTransition> {
        let allowed = match (self, next) {
            (Self::New, Self::New) | (Self::Vetoed, Self::Vetoed) => true,
            (_, Self::New | Self::Vetoed) | (Self::Vetoed, Self::Resolved) => false,
            (_, Self::Acknowledged | Self::Dismissed | Self::Resolved) => true,
        };
        allowed.then_some(next).ok_or(ForbiddenTransition {
            what: "the incident",
            from: self.as_str(),
            to: next.as_str(),
        })
    }
}

named_enum!(
    /// Whether later detections of the same source still belong to this incident.
    IncidentStatus {
        /// They do, while the cooldown lasts.
        Open = "open",
        /// They start a new one.
        Closed = "closed",
    }
);

named_enum!(
    /// The life of a clip.
    ClipState {
        /// Its frames are kept; the film is still to be made.
        Pending = "pending",
        /// The film can be watched.
        Ready = "ready",
        /// The film could not be made.
        Failed = "failed",
        /// Its time is over and the file is gone.
        Expired = "expired",
    }
);

impl ClipState {
    /// The step to `next`.
    ///
    /// # Errors
    /// Only pending → ready or failed, and anything but expired → expired are allowed.
    pub fn to(self, next: Self) -> Result<Self, ForbiddenTransition> {
        let allowed = match (self, next) {
            (Self::Pending, Self::Ready | Self::Failed) => true,
            (from, Self::Expired) => !matches!(from, Self::Expired),
            _ => false,
        };
        allowed.then_some(next).ok_or(ForbiddenTransition {
            what: "the clip",
            from: self.as_str(),
            to: next.as_str(),
        })
    }
}

named_enum!(
    /// The way of a film to the hosting service.
    HostingState {
        /// It is to be handed over.
        Pending = "pending",
        /// It can be watched there.
        Hosted = "hosted",
        /// It could not be handed over.
        Failed = "failed",
    }
);

named_enum!(
    /// The life of an alert.
    AlertState {
        /// Waiting for its time.
        Pending = "pending",
        /// A server is sending it, under a lease.
        Sending = "sending",
        /// Handed over.
        Sent = "sent",
        /// Kept back by the customer's hourly bound.
        Held = "held",
        /// Given up after its last try.
        Dead = "dead",
    }
);

impl AlertState {
    /// The step to `next`.
    ///
    /// # Errors
    /// When the step is not allowed: what was sent stays sent; a dead or held one may be retried.
    pub fn to(self, next: Self) -> Result<Self, ForbiddenTransition> {
        use AlertState::{Dead, Held, Pending, Sending, Sent};
        let allowed = matches!(
            (self, next),
            (Pending, Sending | Held)
                | (Sending, Sent | Pending | Held | Dead | Sending)
                | (Held, Pending | Dead)
                | (Dead, Pending)
        );
        allowed.then_some(next).ok_or(ForbiddenTransition {
            what: "the alert",
            from: self.as_str(),
            to: next.as_str(),
        })
    }
}

named_enum!(
    /// What an alert is about.
    AlertKind {
        /// An incident that the analysis found.
        Incident = "incident",
        /// An alarm that a person or the camera program raised itself.
        Manual = "manual",
        /// An incident that has become grave after its first mail.
        RiskRaised = "risk_raised",
        /// What was held back because there were too many.
        Digest = "digest",
        /// A camera that fell silent or came back.
        Camera = "camera",
        /// Something for the customer to know about a key.
        Account = "account",
        /// Something for the operator to know about a key or an address.
        Operator = "operator",
    }
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_can_make_an_incident_new_or_vetoed_again() {
        for from in Triage::ALL {
            for never in [Triage::New, Triage::Vetoed] {
                assert_eq!(from.to(never).is_ok(), *from == never, "{from:?}");
            }
        }
        assert_eq!(
            Triage::New.to(Triage::Acknowledged),
            Ok(Triage::Acknowledged)
        );
        assert_eq!(
            Triage::Resolved.to(Triage::Acknowledged),
            Ok(Triage::Acknowledged)
        );
        assert_eq!(
            Triage::Vetoed.to(Triage::Resolved).unwrap_err().to_string(),
            "the incident is 'vetoed' and cannot become 'resolved'"
        );
    }

    #[test]
    fn an_expired_clip_never_comes_back() {
        for next in ClipState::ALL {
            assert!(ClipState::Expired.to(*next).is_err());
        }
        assert_eq!(
            ClipState::Pending.to(ClipState::Ready),
            Ok(ClipState::Ready)
        );
        assert!(ClipState::Failed.to(ClipState::Ready).is_err());
    }

    #[test]
    fn a_sent_alert_is_never_sent_again() {
        for next in AlertState::ALL {
            assert!(AlertState::Sent.to(*next).is_err());
        }
        // A lease that ran out: another server takes it over.
        assert_eq!(
            AlertState::Sending.to(AlertState::Sending),
            Ok(AlertState::Sending)
        );
    }
}
