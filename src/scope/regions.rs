//! Which Regions of an account are read.

use crate::model::{Region, RegionStatus};

/// The Regions that are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// All that the account has enabled.
    All,
    /// These, by name and each once.
    Named(Vec<Region>),
}

impl Wanted {
    /// Regions by name. `all` among them means all of them.
    pub fn named<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut regions: Vec<Region> = names.into_iter().map(Region::from).collect();
        if regions.iter().any(|region| region.as_str() == "all") {
            return Self::All;
        }
        regions.sort();
        regions.dedup();
        Self::Named(regions)
    }

    /// Each Region that is wanted, and whether the account can use it. One that its list does not hold is tried.
    pub fn standing(&self, known: &[RegionStatus]) -> Vec<(Region, bool)> {
        match self {
            Self::All => known.iter().map(|status| (status.region.clone(), status.enabled)).collect(),
            Self::Named(names) => names.iter().map(|name| (name.clone(), is_enabled(known, name))).collect(),
        }
    }

    /// The Regions that are missing where an account cannot be asked which it has enabled. `of_others` is the list
    /// of another account of the partition: what needs no opt-in is enabled in every account.
    pub fn expected(&self, of_others: &[RegionStatus]) -> Vec<Region> {
        match self {
            Self::All => {
                let common = of_others.iter().filter(|status| !status.opt_in);
                common.map(|status| status.region.clone()).collect()
            }
            Self::Named(names) => names.clone(),
        }
    }

    /// The first Region by name that no list of the partition holds.
    pub fn unknown_in(&self, known: &[RegionStatus]) -> Option<&Region> {
        let Self::Named(names) = self else { return None };
        names.iter().find(|name| known.iter().all(|status| status.region != **name))
    }
}

fn is_enabled(known: &[RegionStatus], name: &Region) -> bool {
    known.iter().find(|status| status.region == *name).is_none_or(|status| status.enabled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Vec<RegionStatus> {
        let status = |region: &str, enabled, opt_in| RegionStatus { region: region.into(), enabled, opt_in };
        vec![
            status("eu-west-1", true, false),
            status("me-south-1", false, true),
            status("ap-east-1", true, true),
        ]
    }

    #[test]
    fn all_regions_are_those_that_the_account_lists() {
        let standing = Wanted::All.standing(&known());
        let expected = [("eu-west-1", true), ("me-south-1", false), ("ap-east-1", true)];
        assert_eq!(standing, expected.map(|(region, enabled)| (region.into(), enabled)));
        assert_eq!(Wanted::All.expected(&known()), ["eu-west-1".into()]);
    }

    #[test]
    fn named_regions_are_each_read_once_and_in_order() {
        let wanted = Wanted::named(["us-east-1", "me-south-1", "us-east-1"]);
        assert_eq!(wanted, Wanted::Named(vec!["me-south-1".into(), "us-east-1".into()]));
        assert_eq!(wanted.standing(&known()), [("me-south-1".into(), false), ("us-east-1".into(), true)]);
        assert_eq!(wanted.expected(&[]), ["me-south-1".into(), "us-east-1".into()]);
        assert_eq!(wanted.unknown_in(&known()), Some(&"us-east-1".into()));
        assert_eq!(Wanted::named(["eu-west-1", "all"]), Wanted::All);
    }
}
