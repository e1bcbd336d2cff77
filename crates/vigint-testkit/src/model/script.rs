//! Which answer comes to which request.

use std::collections::VecDeque;
use std::sync::Arc;

use super::answer::Answer;
use super::request::{Call, ModelRequest, Provider};
use super::verdict::ModelVerdict;

/// Whom a script is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// Every request for an answer.
    Any,
    /// Requests to the model of this name, such as the one that screens.
    Model(String),
    /// Requests that speak this API.
    Provider(Provider),
    /// Requests for the list of models, of either API.
    ModelList,
}

impl Selector {
    fn takes(&self, request: &ModelRequest) -> bool {
        match (self, request.call) {
            (Self::ModelList, call) => call == Call::ListModels,
            (Self::Any, Call::Generate) => true,
            (Self::Model(name), Call::Generate) => request.model == *name,
            (Self::Provider(provider), Call::Generate) => request.provider == *provider,
            (_, Call::ListModels | Call::Unknown) => false,
        }
    }
}

impl From<&str> for Selector {
    fn from(model: &str) -> Self {
        Self::Model(model.to_owned())
    }
}

impl From<String> for Selector {
    fn from(model: String) -> Self {
        Self::Model(model)
    }
}

impl From<Provider> for Selector {
    fn from(provider: Provider) -> Self {
        Self::Provider(provider)
    }
}

/// Who answers when no script does.
pub(super) type Decide = Arc<dyn Fn(&ModelRequest) -> Answer + Send + Sync>;

/// The scripts in the order they were given, and who answers after them.
pub(super) struct Scripts {
    queues: Vec<(Selector, VecDeque<Answer>)>,
    pub(super) fallback: Decide,
}

impl Scripts {
    pub(super) fn add(&mut self, selector: Selector, answers: impl Iterator<Item = Answer>) {
        self.queues.push((selector, answers.collect()));
    }

    /// Takes the next answer of the first script that has one for this request.
    pub(super) fn next(&mut self, request: &ModelRequest) -> Option<Answer> {
        let mut queues = self.queues.iter_mut();
        let (_, queue) =
            queues.find(|(selector, queue)| !queue.is_empty() && selector.takes(request))?;
        let answer = queue.pop_front();
        self.queues.retain(|(_, queue)| !queue.is_empty());
        answer
    }

    /// How many answers nobody has come for.
    pub(super) fn left(&self) -> usize {
        self.queues.iter().map(|(_, queue)| queue.len()).sum()
    }
}

impl Default for Scripts {
    fn default() -> Self {
        Self {
            queues: Vec::new(),
            fallback: Arc::new(|_| Answer::verdict(&ModelVerdict::clear())),
        }
    }
}
