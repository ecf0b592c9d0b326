//! Carrying reports to where people look: S3, SNS, Security Hub, and any receiver of webhooks. Apart from everything that reads: with
//! its own clients, its own credentials and its own list of operations.

mod hub;
mod object;
mod topic;
mod webhook;

pub use hub::{Hub, Importer, NotTaken};
pub use webhook::WebhookError;

use aws_config::SdkConfig;

use super::clients::Wiring;

/// Carries what is finished. It reads no account, and changes none but where it is told to leave something.
#[derive(Clone, Debug)]
pub struct Courier {
    pub(super) config: SdkConfig,
    pub(super) wiring: Wiring,
    /// Whose credentials it has, as far as that is known.
    pub(super) account: String,
}

impl Courier {
    /// The configuration for another Region.
    fn config_in(&self, region: Option<&str>) -> SdkConfig {
        match region {
            Some(region) => {
                let region = aws_types::region::Region::new(region.to_owned());
                self.config.to_builder().region(region).build()
            }
            None => self.config.clone(),
        }
    }
}
