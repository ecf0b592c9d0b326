//! Which accounts and Regions the flags mean.

use crate::aws::{Account, Aws, ConnectSettings, ErrorKind, RegionStatus};
use crate::model::{Coverage, Region, Scope};
use crate::scan::Target;

use super::Error;

/// The heading of these flags in help texts.
const WHERE: &str = "Where to look";

/// Where to look.
#[derive(Clone, Debug, clap::Args)]
pub struct Where {
    /// A Region to read; repeat for more. Without any, the one that your AWS settings name.
    #[arg(help_heading = WHERE, short, long = "region", value_name = "REGION")]
    regions: Vec<String>,
    /// Read every Region that is enabled for the account.
    #[arg(help_heading = WHERE, long, conflicts_with = "regions")]
    all_regions: bool,
    /// A profile of your AWS configuration; repeat to read several accounts.
    #[arg(help_heading = WHERE, short, long = "profile", value_name = "PROFILE")]
    profiles: Vec<String>,
}

/// An account to sign in to, and what to call it.
#[derive(Clone, Debug)]
pub struct SignIn {
    pub name: Option<String>,
    pub settings: ConnectSettings,
}

/// What is to be read, and what is not.
#[derive(Debug, Default)]
pub struct Targets {
    pub targets: Vec<Target>,
    pub skipped: Vec<Coverage>,
}

impl Where {
    /// The same; in this Region, if there is one and the flags name none.
    pub fn or_region(mut self, region: Option<&str>) -> Self {
        if let Some(region) = region.filter(|_| self.regions.is_empty() && !self.all_regions) {
            self.regions.push(region.to_owned());
        }
        self
    }

    /// The accounts that the flags name.
    pub fn sign_ins(&self, demo: Option<&super::demo::Demo>) -> Result<Vec<SignIn>, Error> {
        let region_hint = self.regions.first().map(|region| Region::from(region.as_str()));
        if let Some(demo) = demo {
            return demo.sign_ins(&self.profiles);
        }
        let settings =
            |profile| ConnectSettings { profile, region_hint: region_hint.clone(), endpoint: None };
        if self.profiles.is_empty() {
            return Ok(vec![SignIn { name: None, settings: settings(None) }]);
        }
        Ok(self
            .profiles
            .iter()
            .map(|profile| SignIn { name: None, settings: settings(Some(profile.clone())) })
            .collect())
    }

    /// Signs in everywhere and asks which Regions there are.
    pub async fn find(&self, aws: &Aws, sign_ins: Vec<SignIn>, demo: bool) -> Result<Targets, Error> {
        let mut found = Targets::default();
        let mut accounts: Vec<(Account, Option<String>)> = Vec::new();
        for SignIn { name, settings } in sign_ins {
            let account = aws
                .connect(&settings)
                .await
                .map_err(|error| Error::usage(about(settings.profile.as_deref(), &error.to_string())))?;
            // Two profiles may lead to the same account, which is read once.
            if !accounts.iter().any(|(other, _)| other.account_id == account.account_id) {
                accounts.push((account, name));
            }
        }
        for (account, name) in accounts {
            self.find_in(account, name.as_deref(), demo, &mut found).await?;
        }
        if found.targets.is_empty() {
            return Err(nothing_to_read(&found.skipped));
        }
        Ok(found)
    }

    async fn find_in(
        &self,
        account: Account,
        name: Option<&str>,
        demo: bool,
        found: &mut Targets,
    ) -> Result<(), Error> {
        let scope =
            |region: &Region| Scope { account_name: name.map(str::to_owned), ..account.scope(region) };
        let wanted = self.wanted(&account, demo)?;
        let known = match account.regions().await {
            Ok(known) => known,
            // Whoever names Regions needs no list of them; a name that does not exist then shows as a Region
            // that cannot be reached.
            Err(error) if error.kind == ErrorKind::AccessDenied && wanted.is_some() => {
                tracing::warn!("account {} may not list Regions ({})", account.account_id, error.code);
                for region in wanted.unwrap_or_default() {
                    found.targets.push(Target { scope: scope(&region), account: account.clone() });
                }
                return Ok(());
            }
            Err(error) => {
                return Err(Error::usage(format!(
                    "cannot list the Regions of account {}: {}: name them with --region",
                    account.account_id,
                    error.summary()
                )));
            }
        };
        for status in select(&known, wanted.as_deref())? {
            if status.enabled {
                found.targets.push(Target { scope: scope(&status.region), account: account.clone() });
            } else {
                let reason = "the Region is not enabled for the account";
                found.skipped.push(Coverage::skipped(&scope(&status.region), reason));
            }
        }
        Ok(())
    }

    /// The Regions asked for; nothing for all of them.
    fn wanted(&self, account: &Account, demo: bool) -> Result<Option<Vec<Region>>, Error> {
        if self.all_regions || (demo && self.regions.is_empty()) {
            return Ok(None);
        }
        if !self.regions.is_empty() {
            let mut regions: Vec<Region> = self.regions.iter().map(|region| region.as_str().into()).collect();
            regions.sort();
            regions.dedup();
            return Ok(Some(regions));
        }
        match &account.configured_region {
            Some(region) => Ok(Some(vec![region.clone()])),
            None => Err(Error::usage("which Region? Use --all-regions or --region, or set AWS_REGION")),
        }
    }
}

/// An error with the profile that it is about, named once.
fn about(profile: Option<&str>, error: &str) -> String {
    match profile.map(|profile| format!("profile {profile:?}")) {
        Some(profile) if !error.contains(&profile) => format!("{profile}: {error}"),
        _ => error.to_owned(),
    }
}

/// Nothing would be read, and an audit of nothing must not look like one that found nothing.
fn nothing_to_read(skipped: &[Coverage]) -> Error {
    let scopes: Vec<_> =
        skipped.iter().map(|scope| format!("{} in {}", scope.region, scope.account_id)).collect();
    Error::usage(format!("there is nothing to read: not enabled for the account: {}", scopes.join(", ")))
}

/// The statuses of the wanted Regions.
fn select<'a>(known: &'a [RegionStatus], wanted: Option<&[Region]>) -> Result<Vec<&'a RegionStatus>, Error> {
    let Some(wanted) = wanted else { return Ok(known.iter().collect()) };
    wanted
        .iter()
        .map(|region| {
            known.iter().find(|status| status.region == *region).ok_or_else(|| no_such_region(known, region))
        })
        .collect()
}

fn no_such_region(known: &[RegionStatus], region: &Region) -> Error {
    let names = known.iter().map(|status| status.region.as_str());
    let nearest = names.min_by_key(|name| distance(name, region.as_str()));
    let hint = match nearest {
        Some(name) if distance(name, region.as_str()) <= 3 => format!("; did you mean {name}?"),
        _ => String::new(),
    };
    Error::usage(format!("there is no Region {:?} in this partition{hint}", region.as_str()))
}

/// How many letters have to be added, removed or changed to make one word of the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let substituted = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_region_is_answered_with_the_right_one() {
        let known: Vec<_> = ["eu-central-1", "eu-west-1", "us-east-1"]
            .map(|name| RegionStatus { region: name.into(), enabled: true, opt_in_status: None })
            .into();
        let error = select(&known, Some(&["eu-wst-1".into()])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no Region \"eu-wst-1\" in this partition; did you mean eu-west-1?"
        );
        let error = select(&known, Some(&["mars".into()])).unwrap_err();
        assert_eq!(error.to_string(), "there is no Region \"mars\" in this partition");
    }
}
