//! What models were asked for one analysis, and what they counted. It is kept though the analysis fails: what a model
//! has answered is paid for, whatever became of the answer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One answered call of a model, or one whose answer nobody saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelCall {
    /// The model that answered, else the one that was asked.
    pub model: String,
    /// Tokens that went in; `None` when that is not known.
    pub prompt_tokens: Option<u64>,
    /// Tokens that came out, thinking included; `None` when that is not known.
    pub completion_tokens: Option<u64>,
}

/// The calls of one analysis. Clones share one list.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    list: Arc<Mutex<Vec<ModelCall>>>,
}

impl Calls {
    /// All calls so far, those that run included.
    #[must_use]
    pub fn list(&self) -> Vec<ModelCall> {
        self.lock().clone()
    }

    /// Notes that a model is about to be asked. Until [`OpenCall`] hears more, what it counts is unknown: so it stays
    /// when the call is cut off.
    pub(super) fn begin(&self, model: &str) -> OpenCall {
        let mut list = self.lock();
        list.push(ModelCall {
            model: model.to_owned(),
            prompt_tokens: None,
            completion_tokens: None,
        });
        OpenCall {
            calls: self.clone(),
            place: list.len() - 1,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<ModelCall>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that runs. Calls of one analysis run one after the other: the last one is always the open one.
pub(super) struct OpenCall {
    calls: Calls,
    place: usize,
}

impl OpenCall {
    /// The model answered, and counted.
    pub(super) fn answered(self, call: ModelCall) {
        if let Some(place) = self.calls.lock().get_mut(self.place) {
            *place = call;
        }
    }

    /// The provider did nothing for us, and asks nothing for it.
    pub(super) fn cost_nothing(self) {
        self.calls.lock().truncate(self.place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_was_cut_off_stays_unknown_and_one_that_was_refused_is_none() {
        let calls = Calls::default();
        calls.begin("refused").cost_nothing();
        drop(calls.begin("cut off"));
        let counted = ModelCall {
            model: "lite".to_owned(),
            prompt_tokens: Some(7),
            completion_tokens: Some(2),
        };
        calls.begin("asked").answered(counted.clone());
        let unknown = ModelCall {
            model: "cut off".to_owned(),
            prompt_tokens: None,
            completion_tokens: None,
        };
        assert_eq!(calls.list(), [unknown, counted]);
    }
}
