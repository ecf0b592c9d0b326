//! How far something is.

use serde::{Deserialize, Serialize};

/// How far something is that goes through stages, each of which is looked at so many times.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// The stage, from 0.
    pub stage: u32,
    /// How often it has been looked at in this stage.
    pub looks: u32,
}

impl Progress {
    /// It has been looked at once more; true where that took it to its next stage.
    pub fn look(&mut self, looks_per_stage: u32) -> bool {
        self.looks += 1;
        let on = self.looks >= looks_per_stage;
        if on {
            *self = Self { stage: self.stage + 1, looks: 0 };
        }
        on
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_is_seen_as_often_as_the_fleet_says() {
        let stages = |looks_per_stage| {
            let mut progress = Progress::default();
            let mut seen = Vec::new();
            for _ in 0..5 {
                seen.push(progress.stage);
                progress.look(looks_per_stage);
            }
            seen
        };
        assert_eq!(stages(1), [0, 1, 2, 3, 4]);
        assert_eq!(stages(2), [0, 0, 1, 1, 2]);
    }
}
