//! What the providers of models charge, as an operator writes it: `model=in/out, …` a million tokens.

use std::collections::BTreeMap;

use vigint_core::money::MicroEuros;

use super::parse::money;

/// What one model costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelPrice {
    /// For a million tokens that go in.
    pub input: MicroEuros,
    /// For a million tokens that come out, thinking included.
    pub output: MicroEuros,
}

/// The prices by model name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelPrices(BTreeMap<String, ModelPrice>);

impl ModelPrices {
    /// What `model` costs, when the operator has said so.
    #[must_use]
    pub fn of(&self, model: &str) -> Option<ModelPrice> {
        self.0.get(model).copied()
    }
}

/// Dearest price of a million tokens taken for real, in whole units of the currency.
const DEAREST: i64 = 10_000;

/// Reads `model=in/out, …`. A model's name may hold `=`, `:` and `/`.
pub(super) fn model_prices(text: &str) -> Result<ModelPrices, String> {
    let mut prices = BTreeMap::new();
    let entries = text.split(',').map(str::trim);
    for entry in entries.filter(|entry| !entry.is_empty()) {
        let (model, price) = priced(entry).ok_or_else(|| {
            format!("'{entry}' must be model=input/output, each 0 to {DEAREST} a million tokens, such as gemini-3.8-flash=1.50/7.50")
        })?;
        if prices.insert(model.to_owned(), price).is_some() {
            return Err(format!("the model '{model}' is given twice"));
        }
    }
    Ok(ModelPrices(prices))
}

fn priced(entry: &str) -> Option<(&str, ModelPrice)> {
    let (model, price) = entry.rsplit_once('=')?;
    let (input, output) = price.split_once('/')?;
    let amount = |text: &str| money(DEAREST)(text.trim()).ok();
    let price = ModelPrice {
        input: amount(input)?,
        output: amount(output)?,
    };
    let model = model.trim();
    (!model.is_empty()).then_some((model, price))
}
