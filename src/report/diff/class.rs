//! Which class a judgement is of that two reports tell of, or one of them. A table, and nothing else.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::finding::Status;

/// What a report tells of one resource and one rule; where it has no finding, as much as that lets one know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// The rule is broken.
    Fail,
    /// It could not be told, which counts like a failure.
    Unknown,
    /// The rule is broken, and the policy accepts it.
    Exempt,
    /// The rule holds.
    Pass,
    /// The rule means nothing there.
    NotApplicable,
    /// The resource was judged and does not break the rule: it passes, or the rule means nothing there.
    NotFailing,
    /// All was judged and is listed, and the resource is not there: it does not exist, or is not what the policy is for.
    NotThere,
    /// All was judged, and it does not break the rule; that it passes and that it is not there look the same, since what
    /// passed is not listed.
    NotListed,
    /// Its account and Region were not read, or not all of it.
    NotSeen,
    /// The rule was not asked.
    NotJudged,
}

impl From<Status> for Told {
    fn from(status: Status) -> Self {
        match status {
            Status::Fail => Self::Fail,
            Status::Unknown => Self::Unknown,
            Status::Exempt => Self::Exempt,
            Status::Pass => Self::Pass,
            Status::NotApplicable => Self::NotApplicable,
        }
    }
}

/// What became of a judgement between two reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// It fails, and did not before.
    New,
    /// It fails as before, and is not accepted any more.
    NoLongerExempt,
    /// It failed, and does not any more.
    Fixed,
    /// It fails in both.
    StillFailing,
    /// It fails as before, and is accepted now.
    Exempted,
    /// It fails, and was not to be seen before.
    NewlySeen,
    /// It failed, and is not to be seen now. It is not fixed.
    NotSeen,
    /// It fails by a rule that was not asked before, or not in this way.
    NewlyJudged,
    /// It failed by a rule that is not asked any more, or not in this way.
    NoLongerJudged,
    /// It fails in neither. Nothing is told of it.
    NotFailing,
}

impl Class {
    /// All that are told, in the order in which they are.
    pub const TOLD: [Self; 9] = [
        Self::New,
        Self::NoLongerExempt,
        Self::Fixed,
        Self::StillFailing,
        Self::Exempted,
        Self::NewlySeen,
        Self::NotSeen,
        Self::NewlyJudged,
        Self::NoLongerJudged,
    ];

    /// The class of what an earlier and a later report tell. `alike` says that both ask the rule in the same way.
    pub const fn of(before: Told, after: Told, alike: bool) -> Self {
        use Weight::{Exempt, Open, Quiet, Unjudged, Unseen};
        match (Weight::of(before), Weight::of(after)) {
            (Open, Open) => Self::StillFailing,
            (Open, Exempt) => Self::Exempted,
            (Exempt, Open) => Self::NoLongerExempt,
            (Open, Quiet) if alike => Self::Fixed,
            (Quiet, Open) if alike => Self::New,
            (Open, Unseen) => Self::NotSeen,
            (Unseen, Open) => Self::NewlySeen,
            (Open, Quiet | Unjudged) => Self::NoLongerJudged,
            (Quiet | Unjudged, Open) => Self::NewlyJudged,
            _ => Self::NotFailing,
        }
    }

    /// The class where the two reports change places.
    #[must_use]
    pub const fn mirrored(self) -> Self {
        match self {
            Self::New => Self::Fixed,
            Self::Fixed => Self::New,
            Self::NoLongerExempt => Self::Exempted,
            Self::Exempted => Self::NoLongerExempt,
            Self::NewlySeen => Self::NotSeen,
            Self::NotSeen => Self::NewlySeen,
            Self::NewlyJudged => Self::NoLongerJudged,
            Self::NoLongerJudged => Self::NewlyJudged,
            Self::StillFailing => Self::StillFailing,
            Self::NotFailing => Self::NotFailing,
        }
    }

    /// Whether it fails in the later report and counted for nothing in the earlier one, although that had looked.
    pub const fn is_worse(self) -> bool {
        matches!(self, Self::New | Self::NoLongerExempt)
    }
}

/// What counts of what a report tells.
enum Weight {
    Open,
    Exempt,
    Quiet,
    Unseen,
    Unjudged,
}

impl Weight {
    const fn of(told: Told) -> Self {
        match told {
            Told::Fail | Told::Unknown => Self::Open,
            Told::Exempt => Self::Exempt,
            Told::Pass | Told::NotApplicable | Told::NotFailing | Told::NotThere | Told::NotListed => {
                Self::Quiet
            }
            Told::NotSeen => Self::Unseen,
            Told::NotJudged => Self::Unjudged,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Told; 10] = [
        Told::Fail,
        Told::Unknown,
        Told::Exempt,
        Told::Pass,
        Told::NotApplicable,
        Told::NotFailing,
        Told::NotThere,
        Told::NotListed,
        Told::NotSeen,
        Told::NotJudged,
    ];

    const fn fails(told: Told) -> bool {
        matches!(told, Told::Fail | Told::Unknown)
    }

    #[test]
    fn every_combination_is_of_the_class_that_its_sides_give_it() {
        for before in ALL {
            for after in ALL {
                for alike in [true, false] {
                    let class = Class::of(before, after, alike);
                    let case = format!("{before:?} {after:?} {alike} is {class:?}");
                    assert_eq!(Class::of(after, before, alike), class.mirrored(), "{case}");
                    // What fails nowhere is told nowhere, and what fails somewhere is told.
                    assert_eq!(class == Class::NotFailing, !fails(before) && !fails(after), "{case}");
                    assert_eq!(class == Class::StillFailing, fails(before) && fails(after), "{case}");
                    let blind = |told| matches!(told, Told::NotSeen | Told::NotJudged);
                    let compliance = matches!(class, Class::New | Class::Fixed);
                    assert!(!compliance || (alike && !blind(before) && !blind(after)), "{case}");
                    assert!(class != Class::NotSeen || after == Told::NotSeen, "{case}");
                }
            }
        }
    }
}
