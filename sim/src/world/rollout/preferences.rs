//! What an instance refresh is asked to take care of.

use serde::{Deserialize, Serialize};

/// What becomes of instances that are protected from scale-in, or in standby.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reserved {
    /// The refresh waits for them, and fails if they stay.
    #[default]
    Wait,
    /// They stay as they are.
    Ignore,
    /// They are replaced: `Refresh` where they are protected, `Terminate` where they are in standby.
    Replace,
}

/// The preferences of an instance refresh; what was not said is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preferences {
    /// 0 to 100; absent: 90.
    pub min_healthy: Option<u32>,
    /// 100 to 200; absent: 100.
    pub max_healthy: Option<u32>,
    /// Seconds.
    pub warmup: Option<u32>,
    /// Leaves instances alone that are what they would be replaced by.
    pub skip_matching: bool,
    /// Puts everything back where it fails.
    pub auto_rollback: bool,
    /// Of instances that are protected from scale-in.
    pub protected: Option<Reserved>,
    /// Of instances in standby.
    pub standby: Option<Reserved>,
}

impl Preferences {
    /// Do the numbers make sense?
    ///
    /// # Errors
    /// What Auto Scaling says about them.
    pub fn check(&self) -> Result<(), String> {
        let min = self.min_healthy.unwrap_or(90);
        if min > 100 {
            return Err("MinHealthyPercentage must be between 0 and 100.".to_owned());
        }
        let Some(max) = self.max_healthy else { return Ok(()) };
        if !(100..=200).contains(&max) {
            return Err("MaxHealthyPercentage must be between 100 and 200.".to_owned());
        }
        if self.min_healthy.is_none() {
            return Err("MaxHealthyPercentage needs MinHealthyPercentage.".to_owned());
        }
        if max - min > 100 {
            return Err("MinHealthyPercentage and MaxHealthyPercentage may be 100 apart at most.".to_owned());
        }
        Ok(())
    }
}
