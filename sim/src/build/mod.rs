//! Makes the world that a fleet describes, the way AWS would have made it: options resolved at launch, templates
//! copied by EKS, tags put on by whoever puts them on.

mod catalogue;
mod check;
mod clusters;
mod fleets;
mod groups;
mod images;
mod managed;
mod network;
mod nodes;
mod organizations;
mod others;
mod roles;
mod templates;

use std::collections::{BTreeMap, BTreeSet};

use crate::fleet::schema::{AccountSpec, FleetFile, ImageSpec, KeySpec, RegionSpec};
use crate::regions;
use crate::world::{AccessKey, Account, OptIn, Policy, Region, Release, TemplateData, World};

/// Why a fleet makes no sense.
#[derive(Debug)]
pub struct Problem {
    /// The account, the Region and the thing.
    pub place: String,
    /// What is wrong.
    pub message: String,
}

type Outcome<T> = Result<T, Problem>;

const DAY: i64 = 86_400;

/// The image that EKS gives a managed node group in a Region: of a named release, or of the newest.
pub fn release(
    ami_type: &str,
    kubernetes: &str,
    wanted: Option<&str>,
    region: &str,
    now: i64,
) -> Option<Release> {
    let day = match wanted {
        // The day is in the name of a release, in most families.
        Some(wanted) => wanted.rsplit('-').next().map(|day| day.replace('.', "")),
        None => None,
    };
    let day = day.filter(|day| day.len() == 8 && day.bytes().all(|byte| byte.is_ascii_digit()));
    let published =
        catalogue::published(&catalogue::of_ami_type(ami_type, kubernetes, day.as_deref())?, region)?;
    let version = published.release_version.clone();
    let fits = wanted.is_none_or(|wanted| wanted == version);
    fits.then(|| Release { version, image: images::published(published, region, now) })
}

/// Makes a world.
pub fn world(file: &FleetFile) -> Outcome<World> {
    check::settings(file)?;
    let mut world =
        World { now: file.now.as_second(), organizations: organizations::all(file)?, ..World::default() };
    let mut keys = BTreeSet::new();
    for spec in &file.accounts {
        check::account(spec, &mut keys)?;
        let account = account(file, spec)?;
        if world.accounts.insert(spec.id.clone(), account).is_some() {
            return Err(Problem {
                place: format!("account {}", spec.id),
                message: "is described twice".to_owned(),
            });
        }
    }
    Ok(world)
}

fn account(file: &FleetFile, spec: &AccountSpec) -> Outcome<Account> {
    let mut account = Account {
        id: spec.id.clone(),
        name: spec.name.clone(),
        partition: spec.partition.clone(),
        access_keys: spec.access_keys.iter().map(|key| access_key(spec, key)).collect::<Outcome<_>>()?,
        roles: roles::of_account(file, spec)?,
        regions: BTreeMap::new(),
    };
    for known in regions::of(&spec.partition) {
        let opt_in = match (known.opt_in, spec.opted_in.iter().any(|name| name == known.name)) {
            (false, _) => OptIn::NotRequired,
            (true, true) => OptIn::OptedIn,
            (true, false) => OptIn::NotOptedIn,
        };
        account.regions.insert(known.name.to_owned(), Region { opt_in, ..Region::default() });
    }
    let mut described = BTreeSet::new();
    for region in &spec.regions {
        for name in &region.names {
            if !described.insert(name) {
                return Err(Problem {
                    place: format!("account {}, {name}", spec.id),
                    message: "is described twice".to_owned(),
                });
            }
            let built = RegionBuilder::new(file, &account, name)?.build(region)?;
            account.regions.insert(name.clone(), built);
        }
    }
    Ok(account)
}

fn access_key(account: &AccountSpec, spec: &KeySpec) -> Outcome<AccessKey> {
    let permissions = spec.permissions.as_ref().map_or_else(|| Ok(Policy::everything()), roles::permissions);
    Ok(AccessKey {
        id: spec.id.clone(),
        user: spec.user.clone(),
        expired: spec.expired,
        permissions: permissions.map_err(|message| Problem {
            place: format!("account {}, access key {}", account.id, spec.id),
            message,
        })?,
    })
}

/// A launch template while the Region is being made: what groups and instances may refer to, deleted or not.
#[derive(Debug, Clone)]
struct Handle {
    id: String,
    default: u64,
    latest: u64,
    versions: BTreeMap<u64, TemplateData>,
}

/// Makes one Region of one account.
struct RegionBuilder<'a> {
    account: &'a Account,
    name: &'a str,
    now: i64,
    shared_images: &'a [ImageSpec],
    /// Image ids by the keys of the fleet.
    image_keys: BTreeMap<String, String>,
    /// Templates by name.
    handles: BTreeMap<String, Handle>,
    /// Launch configurations that are gone by the time anyone looks.
    doomed_configurations: BTreeSet<String>,
    region: Region,
}

impl<'a> RegionBuilder<'a> {
    fn new(file: &'a FleetFile, account: &'a Account, name: &'a str) -> Outcome<Self> {
        let Some(empty) = account.regions.get(name) else {
            return Err(Problem {
                place: format!("account {}", account.id),
                message: format!("{name} is not a Region of the partition {}", account.partition),
            });
        };
        let opt_in = match empty.opt_in {
            OptIn::NotOptedIn => OptIn::OptedIn,
            usable => usable,
        };
        Ok(Self {
            account,
            name,
            now: file.now.as_second(),
            shared_images: &file.images,
            image_keys: BTreeMap::new(),
            handles: BTreeMap::new(),
            doomed_configurations: BTreeSet::new(),
            region: Region { opt_in, ..Region::default() },
        })
    }

    fn build(mut self, spec: &RegionSpec) -> Outcome<Region> {
        check::account_defaults(&spec.account_defaults)
            .map_err(|message| self.problem("account_defaults", message))?;
        self.region.account_defaults = spec.account_defaults.clone();
        self.add_images(spec)?;
        for template in &spec.launch_templates {
            self.add_template(template)?;
        }
        for configuration in &spec.launch_configurations {
            self.add_launch_configuration(configuration)?;
        }
        for cluster in &spec.clusters {
            self.add_cluster(cluster)?;
        }
        for group in &spec.groups {
            self.add_group(group, None)?;
        }
        for instances in &spec.instances {
            self.add_standalone(instances, None)?;
        }
        for fleet in &spec.fleets {
            self.add_fleet(fleet, false)?;
        }
        for fleet in &spec.spot_fleets {
            self.add_fleet(fleet, true)?;
        }
        self.region.calls_without_token.clone_from(&spec.calls_without_token);
        for name in &self.doomed_configurations {
            self.region.launch_configurations.remove(name);
        }
        check::tags(&self.region).map_err(|(thing, message)| self.problem(&thing, message))?;
        Ok(self.region)
    }

    fn problem(&self, thing: &str, message: impl Into<String>) -> Problem {
        Problem {
            place: format!("account {}, {}, {thing}", self.account.id, self.name),
            message: message.into(),
        }
    }

    /// A hash's parts, with the account and the Region before them: the same name elsewhere is another thing.
    fn parts<'p>(&'p self, parts: &[&'p str]) -> Vec<&'p str> {
        let mut all = vec![self.account.id.as_str(), self.name];
        all.extend_from_slice(parts);
        all
    }
}
