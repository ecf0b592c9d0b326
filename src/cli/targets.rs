//! The flags that say which accounts and Regions are read, and as whom.

use std::path::{Path, PathBuf};

use strsim::levenshtein;

use crate::aws::{Aws, Base, ConnectSettings, Role};
use crate::model::{Region, RegionStatus};
use crate::scan::{Entry, Prospect};
use crate::scope::{Candidate, DEFAULT_ROLE, Filter, RoleName, Wanted, accounts, external_id, session_name};

use super::Error;
use super::demo::Demo;
use super::finder::Finder;

/// The heading of these flags in help texts.
const WHERE: &str = "Where to look";

/// The heading of the flags that say how to get into an account.
const AS_WHOM: &str = "As whom";

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
    /// Read every active account of the organization. Needs its management account or a delegated administrator.
    #[arg(help_heading = WHERE, long)]
    org: bool,
    /// Read every active account below an organizational unit or a root; repeat for more.
    #[arg(help_heading = WHERE, long = "org-unit", value_name = "ID", value_parser = unit_id)]
    org_units: Vec<String>,
    /// Read the accounts that a file lists, in the format of c7n-org's accounts.yml.
    #[arg(help_heading = WHERE, long, value_name = "FILE", conflicts_with_all = ["org", "org_units"])]
    accounts: Option<PathBuf>,
    /// Read only accounts of the file with this tag (`env:prod`); repeat to ask for all of several.
    #[arg(help_heading = WHERE, long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Read only accounts with this number or name, as a pattern (`payments-*`); repeat for more.
    #[arg(help_heading = WHERE, long = "include-account", value_name = "PATTERN")]
    include: Vec<String>,
    /// Do not read accounts with this number or name, as a pattern; repeat for more.
    #[arg(help_heading = WHERE, long = "exclude-account", value_name = "PATTERN")]
    exclude: Vec<String>,
    /// The role to assume in every account but your own: its name, or an ARN with `{account_id}` in it.
    #[arg(help_heading = AS_WHOM, long, value_name = "ROLE", default_value = DEFAULT_ROLE, value_parser = RoleName::parse)]
    role: RoleName,
    /// The external id that the role asks for.
    #[arg(help_heading = AS_WHOM, long, value_name = "ID", value_parser = external_id, hide_env_values = true)]
    external_id: Option<String>,
    /// What the sessions are called in the logs of the accounts.
    #[arg(help_heading = AS_WHOM, long, value_name = "NAME", default_value = "imdsctl", value_parser = session_name)]
    session_name: String,
}

impl Where {
    /// The same; in this Region, if there is one and the flags name none.
    pub fn or_region(mut self, region: Option<&str>) -> Self {
        if let Some(region) = region.filter(|_| self.regions.is_empty() && !self.all_regions) {
            self.regions.push(region.to_owned());
        }
        self
    }

    /// The flags, as one would type them again.
    pub fn flags(&self) -> Vec<String> {
        let each = |flag: &str, values: &[String]| -> Vec<String> {
            values.iter().flat_map(|value| [flag.to_owned(), value.clone()]).collect()
        };
        let mut flags = each("--region", &self.regions);
        flags.extend(self.all_regions.then(|| "--all-regions".to_owned()));
        flags.extend(each("--profile", &self.profiles));
        flags.extend(self.org.then(|| "--org".to_owned()));
        flags.extend(each("--org-unit", &self.org_units));
        if let Some(path) = &self.accounts {
            flags.extend(["--accounts".to_owned(), path.display().to_string()]);
        }
        flags.extend(each("--tag", &self.tags));
        flags.extend(each("--include-account", &self.include));
        flags.extend(each("--exclude-account", &self.exclude));
        if self.role.as_str() != DEFAULT_ROLE {
            flags.extend(["--role".to_owned(), self.role.as_str().to_owned()]);
        }
        // It is a secret to some, and to be typed again.
        flags.extend(self.external_id.as_ref().map(|_| "--external-id=…".to_owned()));
        flags
    }

    /// Signs in with the base credentials, and finds the accounts that the flags mean.
    pub async fn find(&self, aws: &Aws, demo: Option<&Demo>) -> Result<Vec<Prospect>, Error> {
        // Not clap's `requires`: a file that settings name is as good as one that was typed.
        if self.accounts.is_none() && !self.tags.is_empty() {
            return Err(Error::usage("--tag chooses among the accounts of a file: name it with --accounts"));
        }
        let filter = Filter::new(&self.include, &self.exclude, &self.tags).map_err(Error::usage)?;
        if let Some(account) = self.role.account_id() {
            return Err(Error::usage(format!(
                "--role {} is a role of account {account} alone: write {{account_id}} for the number",
                self.role.as_str()
            )));
        }
        let listed = self.accounts.as_deref().map(listed).transpose()?;
        let bases = self.bases(&self.profiles, demo)?;
        let mut finder = Finder::new(self, filter, demo);
        match (listed, &bases[..]) {
            (None, _) => {
                for base in bases {
                    finder.add(aws, base).await?;
                }
            }
            (Some(listed), [base]) => finder.add_listed(aws, base.clone(), listed).await?,
            (Some(_), _) => {
                return Err(Error::usage(
                    "--accounts goes with one --profile: the one whose credentials assume the roles",
                ));
            }
        }
        finder.finish()
    }

    /// The credentials that profiles name; without any, the default ones.
    pub fn bases(&self, profiles: &[String], demo: Option<&Demo>) -> Result<Vec<BaseSettings>, Error> {
        if let Some(demo) = demo {
            return demo.bases(profiles, self.is_organization() || self.accounts.is_some());
        }
        let region_hint = self.regions.first().map(|region| Region::from(region.as_str()));
        let base = |profile| {
            let settings = ConnectSettings { profile, region_hint: region_hint.clone(), endpoint: None };
            BaseSettings { name: None, settings }
        };
        Ok(match profiles {
            [] => vec![base(None)],
            profiles => profiles.iter().map(|profile| base(Some(profile.clone()))).collect(),
        })
    }

    /// Whether the accounts of an organization are meant, and not only those of the credentials.
    pub fn is_organization(&self) -> bool {
        self.org || !self.org_units.is_empty()
    }

    /// The organizational units whose accounts are meant; none for all.
    pub fn org_units(&self) -> &[String] {
        if self.org { &[] } else { &self.org_units }
    }

    /// The role to assume, what it asks for, and what the session is called.
    pub fn role(&self) -> (&RoleName, Option<&String>, &str) {
        (&self.role, self.external_id.as_ref(), &self.session_name)
    }

    /// Another role in an account, assumed as the one that reads it is.
    pub fn role_in(&self, prospect: &Prospect, role: &RoleName) -> Role {
        let arn = role.arn(&prospect.partition, &prospect.account_id);
        match &prospect.entry {
            Entry::Assume(reader) => Role { arn, ..reader.clone() },
            Entry::Open(..) | Entry::Closed(_) => Role {
                partition: prospect.partition.clone(),
                account_id: prospect.account_id.clone(),
                arn,
                external_id: self.external_id.clone(),
                session_name: self.session_name.clone(),
            },
        }
    }

    /// The Regions that are meant; `of_account` are those that the source of an account names for it.
    pub fn wanted(&self, base: &Base, of_account: &[String], demo: bool) -> Result<Wanted, Error> {
        if self.all_regions {
            return Ok(Wanted::All);
        }
        if !self.regions.is_empty() {
            return Ok(Wanted::named(self.regions.iter().map(String::as_str)));
        }
        if !of_account.is_empty() {
            return Ok(Wanted::named(of_account.iter().map(String::as_str)));
        }
        match &base.configured_region {
            _ if demo => Ok(Wanted::All),
            Some(region) => Ok(Wanted::named([region.as_str()])),
            None => Err(Error::usage("which Region? Use --all-regions or --region, or set AWS_REGION")),
        }
    }
}

/// Credentials to begin with, and what their account is called.
#[derive(Clone, Debug)]
pub struct BaseSettings {
    pub name: Option<String>,
    pub settings: ConnectSettings,
}

/// The accounts of a file.
fn listed(path: &Path) -> Result<Vec<Candidate>, Error> {
    let path_shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Error::usage(format!("cannot read {path_shown}: {error}")))?;
    accounts(&text).map_err(|error| {
        let space = if error.line > 0 { "" } else { " " };
        Error::usage(format!("{path_shown}:{space}{error}"))
    })
}

fn unit_id(text: &str) -> Result<String, String> {
    let is_id = text.starts_with("ou-") || text.starts_with("r-");
    if is_id && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return Ok(text.to_owned());
    }
    Err("an organizational unit is ou-…, a root is r-…".to_owned())
}

/// That there is no such Region, and which one may be meant.
pub fn no_such_region(known: &[RegionStatus], region: &Region) -> Error {
    let names = known.iter().map(|status| status.region.as_str());
    let nearest = names.min_by_key(|name| levenshtein(name, region.as_str()));
    let hint = match nearest {
        Some(name) if levenshtein(name, region.as_str()) <= 3 => format!("; did you mean {name}?"),
        _ => String::new(),
    };
    Error::usage(format!("there is no Region {:?} in this partition{hint}", region.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_region_is_answered_with_the_right_one() {
        let known: Vec<_> = ["eu-central-1", "eu-west-1", "us-east-1"]
            .map(|name| RegionStatus { region: name.into(), enabled: true, opt_in: false })
            .into();
        let error = no_such_region(&known, &"eu-wst-1".into());
        assert_eq!(
            error.to_string(),
            "there is no Region \"eu-wst-1\" in this partition; did you mean eu-west-1?"
        );
        let error = no_such_region(&known, &"mars".into());
        assert_eq!(error.to_string(), "there is no Region \"mars\" in this partition");
    }
}
