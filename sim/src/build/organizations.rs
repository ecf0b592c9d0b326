//! Organisations: trees of units, and the accounts in them.

use std::collections::{BTreeMap, BTreeSet};

use super::{DAY, Outcome, Problem, check};
use crate::fleet::identity::{OrganizationSpec, UnitSpec};
use crate::fleet::schema::FleetFile;
use crate::ids;
use crate::regions;
use crate::world::{AccountState, Children, JoinedMethod, Member, Organization, Unit};

/// Every organisation, by partition.
pub fn all(file: &FleetFile) -> Outcome<BTreeMap<String, Organization>> {
    let mut organizations = BTreeMap::new();
    for spec in &file.organizations {
        let built = OrganizationBuilder::new(file, spec)?.build()?;
        if organizations.insert(spec.partition.clone(), built).is_some() {
            return Err(Problem {
                place: format!("partition {}", spec.partition),
                message: "has two organisations".to_owned(),
            });
        }
    }
    for account in &file.accounts {
        if account.organizational_unit.is_some()
            && (account.outside_organization || !organizations.contains_key(&account.partition))
        {
            return Err(Problem {
                place: format!("account {}", account.id),
                message: "has an organizational_unit and no organisation".to_owned(),
            });
        }
    }
    Ok(organizations)
}

struct OrganizationBuilder<'a> {
    file: &'a FleetFile,
    spec: &'a OrganizationSpec,
    organization: Organization,
    /// Ids of units by their paths, `Workloads/Production`.
    paths: BTreeMap<String, String>,
}

impl<'a> OrganizationBuilder<'a> {
    fn new(file: &'a FleetFile, spec: &'a OrganizationSpec) -> Outcome<Self> {
        let management = spec.management_account.as_str();
        let id = spec.id.clone().unwrap_or_else(|| format!("o-{}", ids::hex(10, &["o", management])));
        let root = format!("r-{}", ids::hex(4, &["r", management]));
        let builder = Self {
            file,
            spec,
            organization: Organization {
                id,
                partition: spec.partition.clone(),
                management_account: management.to_owned(),
                delegated_administrators: spec.delegated_administrators.iter().cloned().collect(),
                children: BTreeMap::from([(root.clone(), Children::default())]),
                root,
                units: BTreeMap::new(),
                members: Vec::new(),
                retired_status: !spec.without_status,
            },
            paths: BTreeMap::new(),
        };
        if !regions::PARTITIONS.contains(&spec.partition.as_str()) {
            return Err(builder.problem(format!("there is no partition {:?}", spec.partition)));
        }
        if !is_id(&builder.organization.id, "o-", 10) {
            return Err(builder.problem("its id is o- and 10 to 32 lower-case letters and digits"));
        }
        Ok(builder)
    }

    fn problem(&self, message: impl Into<String>) -> Problem {
        Problem { place: format!("organisation {}", self.organization.id), message: message.into() }
    }

    fn build(mut self) -> Outcome<Organization> {
        let (spec, root) = (self.spec, self.organization.root.clone());
        self.add_units(&spec.organizational_units, "", &root)?;
        self.add_described()?;
        self.add_others()?;
        self.organization.members.sort_by(|one, other| one.id.cmp(&other.id));
        for children in self.organization.children.values_mut() {
            children.accounts.sort();
        }
        let twice = self.organization.members.windows(2).find(|pair| pair[0].id == pair[1].id);
        if let Some(pair) = twice {
            return Err(self.problem(format!("the account {} is in it twice", pair[0].id)));
        }
        let administrators =
            std::iter::once(&spec.management_account).chain(&self.organization.delegated_administrators);
        for administrator in administrators {
            if self.organization.member(administrator).is_none() {
                return Err(
                    self.problem(format!("its administrator {administrator} is none of its accounts"))
                );
            }
        }
        Ok(self.organization)
    }

    fn add_units(&mut self, units: &[UnitSpec], path: &str, parent: &str) -> Outcome<()> {
        let mut names = BTreeSet::new();
        for spec in units {
            if spec.name.is_empty() || spec.name.contains('/') || !names.insert(&spec.name) {
                return Err(self.problem(format!(
                    "the organizational unit {:?} has no name, a slash in it, or the name of another",
                    spec.name
                )));
            }
            let path = if path.is_empty() { spec.name.clone() } else { format!("{path}/{}", spec.name) };
            let root = self.organization.root.trim_start_matches("r-");
            let id = spec.id.clone().unwrap_or_else(|| {
                format!("ou-{root}-{}", ids::hex(8, &["ou", &self.organization.id, &path]))
            });
            if !id
                .strip_prefix("ou-")
                .and_then(|rest| rest.split_once('-'))
                .is_some_and(|(root, own)| is_id(root, "", 4) && is_id(own, "", 8))
            {
                return Err(self.problem(format!("{id:?} is not an id of an organizational unit")));
            }
            let unit = Unit { id: id.clone(), name: spec.name.clone() };
            if self.organization.units.insert(id.clone(), unit).is_some() {
                return Err(self.problem(format!("two organizational units have the id {id}")));
            }
            self.organization.children.insert(id.clone(), Children::default());
            self.children(parent).units.push(id.clone());
            self.paths.insert(path.clone(), id.clone());
            self.add_units(&spec.organizational_units, &path, &id)?;
        }
        Ok(())
    }

    fn children(&mut self, parent: &str) -> &mut Children {
        self.organization.children.entry(parent.to_owned()).or_default()
    }

    /// Accounts that the fleet describes: all of the partition, but those that it puts outside.
    fn add_described(&mut self) -> Outcome<()> {
        let file = self.file;
        let accounts = file
            .accounts
            .iter()
            .filter(|account| account.partition == self.spec.partition && !account.outside_organization);
        for account in accounts {
            let management = account.id == self.spec.management_account;
            let member = Member {
                id: account.id.clone(),
                name: account.name.clone(),
                email: email(account.email.as_ref(), &account.id),
                state: AccountState::Active,
                joined_method: if management { JoinedMethod::Invited } else { JoinedMethod::Created },
                joined: self.joined(&account.id),
            };
            self.add(member, account.organizational_unit.as_deref())?;
        }
        Ok(())
    }

    fn add_others(&mut self) -> Outcome<()> {
        let spec = self.spec;
        for account in &spec.accounts {
            check::account_id(&account.id).map_err(|message| self.problem(message))?;
            if self.file.accounts.iter().any(|described| described.id == account.id) {
                return Err(self.problem(format!("the account {} is described outside of it", account.id)));
            }
            let member = Member {
                id: account.id.clone(),
                name: account.name.clone(),
                email: email(account.email.as_ref(), &account.id),
                state: account.state,
                joined_method: account.joined_method,
                joined: self.joined(&account.id),
            };
            self.add(member, account.organizational_unit.as_deref())?;
        }
        Ok(())
    }

    fn add(&mut self, member: Member, unit: Option<&str>) -> Outcome<()> {
        let parent = match unit {
            None => self.organization.root.clone(),
            Some(path) => self.paths.get(path).cloned().ok_or_else(|| {
                self.problem(format!("there is no organizational unit {path:?} for {}", member.id))
            })?,
        };
        self.children(&parent).accounts.push(member.id.clone());
        self.organization.members.push(member);
        Ok(())
    }

    /// Some time in the last years.
    fn joined(&self, account: &str) -> i64 {
        let days = i64::try_from(30 + ids::below(1500, &["joined", account])).unwrap_or_default();
        self.file.now.as_second() - days * DAY
    }
}

fn email(given: Option<&String>, account: &str) -> String {
    given.cloned().unwrap_or_else(|| format!("aws+{account}@example.com"))
}

/// A prefix, and so many to 32 lower-case letters and digits.
fn is_id(id: &str, prefix: &str, least: usize) -> bool {
    id.strip_prefix(prefix).is_some_and(|rest| {
        (least..=32).contains(&rest.len())
            && rest.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    })
}
