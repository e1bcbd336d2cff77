//! What the providers of models ask for calls. What is not known stays unknown.

use vigint_config::{ModelPrice, ModelPrices};
use vigint_core::money::MicroEuros;

use crate::analysis::ModelCall;

/// The token prices of models are for so many.
const TOKENS_PRICED: i128 = 1_000_000;

/// The name itself, and a date of three numbers at its end.
const MOST_VERSION_PARTS: usize = 4;

/// What calls counted and cost, together. An option is `None` when there was no call, or when it is not known of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Tokens that went in.
    pub prompt_tokens: Option<i64>,
    /// Tokens that came out.
    pub completion_tokens: Option<i64>,
    /// What the providers ask for it.
    pub cost: Option<MicroEuros>,
    /// What is known of that: it counts towards a budget though the rest is unknown.
    pub known_cost: MicroEuros,
}

/// What these calls came to by this price list.
#[must_use]
pub fn spent(calls: &[ModelCall], prices: &ModelPrices) -> Spent {
    if calls.is_empty() {
        return Spent::default();
    }
    let sum = |count: fn(&ModelCall) -> Option<u64>| -> Option<i64> {
        let sum = calls
            .iter()
            .map(count)
            .try_fold(0_u64, |sum, count| Some(sum.saturating_add(count?)));
        sum.map(|sum| i64::try_from(sum).unwrap_or(i64::MAX))
    };
    Spent {
        prompt_tokens: sum(|call| call.prompt_tokens),
        completion_tokens: sum(|call| call.completion_tokens),
        cost: calls.iter().map(|call| cost(call, prices)).sum(),
        known_cost: calls.iter().filter_map(|call| cost(call, prices)).sum(),
    }
}

/// Whether it is known what this model asks for its work.
#[must_use]
pub fn is_priced(model: &str, prices: &ModelPrices) -> bool {
    price(model, prices).is_some()
}

fn cost(call: &ModelCall, prices: &ModelPrices) -> Option<MicroEuros> {
    let ModelPrice { input, output } = price(&call.model, prices)?;
    let of = |tokens: u64, price: MicroEuros| i128::from(tokens) * i128::from(price.0);
    let millionths = of(call.prompt_tokens?, input) + of(call.completion_tokens?, output);
    let micros = (millionths + TOKENS_PRICED / 2) / TOKENS_PRICED;
    Some(MicroEuros(i64::try_from(micros).unwrap_or(i64::MAX)))
}

/// The price of the model that answered. It may name its version (`-001`, `-2026-11-28`), or stand in a folder
/// (`models/`).
fn price(model: &str, prices: &ModelPrices) -> Option<ModelPrice> {
    let name = model.strip_prefix("models/").unwrap_or(model);
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    // A date has several parts.
    let names = std::iter::successors(Some(name), |name| {
        let (less, version) = name.rsplit_once('-')?;
        is_number(version).then_some(less)
    });
    names
        .take(MOST_VERSION_PARTS)
        .find_map(|name| prices.of(name))
}

#[cfg(test)]
mod tests {
    use vigint_config::{LoadFrom, Overrides, Settings};

    use super::*;

    /// The prices of the defaults: 0.30/2.50 and 1.50/7.50.
    fn prices() -> ModelPrices {
        let defaults = Settings::load(&LoadFrom {
            config_path: None,
            flags: Overrides::default(),
            environment: std::collections::BTreeMap::new(),
            working_dir: tempfile::tempdir().unwrap().path().to_owned(),
            usable_memory: 1 << 30,
        });
        defaults.unwrap().settings.ai.model_prices
    }

    fn call(model: &str, prompt_tokens: Option<u64>, completion_tokens: Option<u64>) -> ModelCall {
        ModelCall {
            model: model.to_owned(),
            prompt_tokens,
            completion_tokens,
        }
    }

    #[test]
    fn each_call_is_priced_by_the_model_that_answered() {
        let calls = [
            call("gemini-3.5-flash-lite", Some(2_310), Some(306)),
            call(
                "models/gemini-3.8-flash-2026-11-28",
                Some(10_000),
                Some(500),
            ),
        ];
        // 693 + 765 and 15,000 + 3,750 micros.
        let expected = Spent {
            prompt_tokens: Some(12_310),
            completion_tokens: Some(806),
            cost: Some(MicroEuros(1_458 + 18_750)),
            known_cost: MicroEuros(1_458 + 18_750),
        };
        assert_eq!(spent(&calls, &prices()), expected);
    }

    #[test]
    fn what_is_not_known_of_one_call_is_not_known_of_the_sum() {
        let known = call("gemini-3.5-flash-lite", Some(1_000), Some(10));
        let sum = |other: ModelCall| spent(&[known.clone(), other], &prices());
        let unpriced = sum(call("gemini-3.5-flash-liteX", Some(5), Some(5)));
        assert_eq!((unpriced.prompt_tokens, unpriced.cost), (Some(1_005), None));
        assert_eq!(unpriced.known_cost, MicroEuros(300 + 25));
        let uncounted = sum(call("gemini-3.8-flash", Some(5), None));
        assert_eq!(
            (
                uncounted.prompt_tokens,
                uncounted.completion_tokens,
                uncounted.cost
            ),
            (Some(1_005), None, None)
        );
        assert_eq!(spent(&[], &prices()), Spent::default());
    }

    #[test]
    fn another_model_whose_name_begins_alike_is_another_model() {
        assert_eq!(price("gemini-3.5-flash-lite-preview", &prices()), None);
        assert!(!is_priced("gemini-3.5-flash-lite-preview", &prices()));
        assert!(is_priced("gemini-3.5-flash-lite-001", &prices()));
        let most = call("gemini-3.8-flash", Some(u64::MAX), Some(u64::MAX));
        assert_eq!(spent(&[most], &prices()).cost, Some(MicroEuros(i64::MAX)));
    }
}
