//! What a customer pays for one of each.

use vigint_core::money::MicroEuros;
use vigint_core::verdict::Stage;

/// The operator's price list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prices {
    /// One frame taken into a buffer.
    pub frame: MicroEuros,
    /// One first look.
    pub screen: MicroEuros,
    /// One second look.
    pub confirm: MicroEuros,
    /// One alarm raised by hand.
    pub alert: MicroEuros,
}

impl Prices {
    /// The price of one look.
    #[must_use]
    pub const fn of_stage(&self, stage: Stage) -> MicroEuros {
        match stage {
            Stage::Screen => self.screen,
            Stage::Confirm => self.confirm,
        }
    }
}
