//! What a new version of a launch template says: its source, and what the rules need. One patch for a version, however
//! many launch from it.

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::{Status, fingerprint};
use crate::model::{
    LaunchTemplate, MetadataOptions, OptionName, OptionValue, TemplateId, TemplateVersion, VersionRef,
};
use crate::plan::Change;
use crate::policy::{Remediation, statuses};

use super::route::Hook;
use super::rules::{Asked, rule_name};
use super::scene::{Case, Owner, Scene};

/// A template, and the version of it that is patched.
pub type PatchKey = (TemplateId, i64);

/// A new version in the making.
#[derive(Clone, Debug)]
pub struct Patch<'a> {
    pub template: &'a LaunchTemplate,
    pub source: &'a TemplateVersion,
    /// The whole block of the new version.
    pub metadata: MetadataOptions,
}

/// All patches of a scope, and the findings that cannot be served by one.
#[derive(Default)]
pub struct Patches<'a> {
    pub by_version: BTreeMap<PatchKey, Patch<'a>>,
    /// Findings, by where they stand, and why.
    pub refused: BTreeMap<usize, String>,
}

pub fn key(hook: &Hook<'_>) -> PatchKey {
    (hook.template.id.clone(), hook.source.number)
}

/// Puts together what findings ask of versions.
pub fn patches<'a>(scene: &Scene<'a>, wanted: &BTreeMap<usize, Vec<Hook<'a>>>) -> Patches<'a> {
    let mut versions: BTreeMap<PatchKey, Asks<'a>> = BTreeMap::new();
    for (&case, hooks) in wanted {
        for hook in hooks {
            let asks = versions.entry(key(hook)).or_insert_with(|| Asks::new(hook));
            asks.add(case, &scene.cases[case]);
        }
    }
    let mut patches = Patches::default();
    for (key, mut asks) in versions {
        asks.ask_what_comes_into_force(scene);
        for (option, why) in asks.contradictions() {
            asks.by_option.remove(&option).into_iter().flatten().for_each(|ask| {
                patches.refused.extend(ask.case.map(|case| (case, why.clone())));
            });
        }
        let patch = asks.patch(scene);
        if patch.changes().is_empty() {
            let why = asks.already();
            let cases = asks.by_option.into_values().flatten().filter_map(|ask| ask.case);
            patches.refused.extend(cases.map(|case| (case, why.clone())));
        } else {
            patches.by_version.insert(key, patch);
        }
    }
    // A finding that one version refuses is not served by the others either, but they stay patched for what else
    // asks it of them.
    patches.keep_what_is_asked(scene, wanted);
    patches
}

/// What is asked of one version.
struct Asks<'a> {
    template: &'a LaunchTemplate,
    source: &'a TemplateVersion,
    by_option: BTreeMap<OptionName, Vec<Ask>>,
    subjects: BTreeSet<usize>,
}

#[derive(Clone)]
struct Ask {
    asked: Asked,
    rule: String,
    /// The finding; none where the rule only comes into force with the patch.
    case: Option<usize>,
}

impl<'a> Asks<'a> {
    fn new(hook: &Hook<'a>) -> Self {
        Self {
            template: hook.template,
            source: hook.source,
            by_option: BTreeMap::new(),
            subjects: BTreeSet::new(),
        }
    }

    fn add(&mut self, number: usize, case: &Case<'_>) {
        self.subjects.insert(case.subject);
        self.by_option.entry(case.rule.option).or_default().push(Ask {
            asked: Asked::by(&case.rule.expected),
            rule: rule_name(case.policy, case.rule),
            case: Some(number),
        });
    }

    /// Opening a metadata service brings the other rules into force, which then have to hold as well.
    fn ask_what_comes_into_force(&mut self, scene: &Scene<'a>) {
        let opens = |ask: &Ask| ask.asked == Asked::Word(OptionValue::Enabled);
        if !self.by_option.get(&OptionName::HttpEndpoint).is_some_and(|asks| asks.iter().any(opens)) {
            return;
        }
        for &at in &self.subjects {
            let subject = &scene.subjects[at];
            for policy in scene.policies {
                for rule in policy.rules.iter().filter(|rule| rule.remediation == Remediation::Automatic) {
                    let fares = statuses(policy, rule, scene.scope(), subject);
                    let breaks = fares.iter().zip(&subject.variants).any(|(status, variant)| {
                        let value = variant.options.get(rule.option).value;
                        *status == Some(Status::NotApplicable)
                            && value.is_some_and(|value| {
                                !rule.expected.holds(value)
                                    && Asked::by(&rule.expected).value(Some(value)) != value
                            })
                    });
                    if breaks && rule.option != OptionName::InstanceMetadataTags {
                        let asked = Asked::by(&rule.expected);
                        let ask = Ask { asked, rule: rule_name(policy, rule), case: None };
                        self.by_option.entry(rule.option).or_default().push(ask);
                    }
                }
            }
        }
    }

    /// The options of which no value serves all rules, and which two rules those are.
    fn contradictions(&self) -> Vec<(OptionName, String)> {
        let of = |(option, asks): (&OptionName, &Vec<Ask>)| {
            asks.iter().enumerate().find_map(|(at, one)| {
                let other = asks[at + 1..].iter().find(|other| one.asked.and(other.asked).is_none())?;
                let why = format!(
                    "rules {} and {} ask for different values of {option} of version {} of {}: give what they are \
                     for versions of their own",
                    one.rule, other.rule, self.source.number, self.template.name
                );
                Some((*option, why))
            })
        };
        self.by_option.iter().filter_map(of).collect()
    }

    fn patch(&self, scene: &Scene<'a>) -> Patch<'a> {
        let mut metadata = self.source.metadata;
        let asked = self.asked();
        for (option, asked) in &asked {
            metadata.set(*option, Some(asked.value(metadata.get(*option))));
        }
        // Made for others too, whom it served and who have left this version since: one version is enough.
        let later = || self.template.versions.range(self.source.number + 1..).map(|(_, version)| version);
        let mut same = later().filter(|version| version.image == self.source.image);
        if metadata != self.source.metadata && !same.clone().any(|version| version.metadata == metadata) {
            let more = same.find(|version| {
                OptionName::ALL.into_iter().all(|option| {
                    let (here, there) = (metadata.get(option), version.metadata.get(option));
                    here == there
                        || match asked.get(&option) {
                            Some(asked) => {
                                asked.value(there) == asked.by_hand(there)
                                    && Some(asked.value(there)) == there
                            }
                            None => here.is_none() && self.has_already(scene, option, there),
                        }
                })
            });
            metadata = more.map_or(metadata, |version| version.metadata);
        }
        Patch { template: self.template, source: self.source, metadata }
    }

    /// What is asked of each option by all rules together.
    fn asked(&self) -> BTreeMap<OptionName, Asked> {
        let all = |asks: &Vec<Ask>| {
            asks.iter().map(|ask| ask.asked).reduce(|one, other| one.and(other).unwrap_or(one))
        };
        self.by_option.iter().filter_map(|(option, asks)| Some((*option, all(asks)?))).collect()
    }

    /// Whether what launches from the version has this value already, whoever sets it.
    fn has_already(&self, scene: &Scene<'a>, option: OptionName, value: Option<OptionValue>) -> bool {
        let harmless = [OptionName::HttpTokens, OptionName::HttpPutResponseHopLimit].contains(&option);
        harmless
            && value.is_some()
            && self
                .subjects
                .iter()
                .flat_map(|subject| scene.ways_from(*subject, self.template, self.source.number))
                .all(|(_, variant)| variant.options.get(option).value == value)
    }

    fn already(&self) -> String {
        format!(
            "version {} of {} sets this already, and what is launched from it differs: EKS's copy of it is another",
            self.source.number, self.template.name
        )
    }
}

impl<'a> Patches<'a> {
    /// Leaves out patches that no finding is served by any longer.
    fn keep_what_is_asked(&mut self, scene: &Scene<'a>, wanted: &BTreeMap<usize, Vec<Hook<'a>>>) {
        let served = wanted.iter().filter(|(case, _)| !self.refused.contains_key(case));
        let mut asks: BTreeMap<PatchKey, Asks<'a>> = BTreeMap::new();
        for (&case, hooks) in served {
            for hook in hooks {
                asks.entry(key(hook)).or_insert_with(|| Asks::new(hook)).add(case, &scene.cases[case]);
            }
        }
        self.by_version.retain(|key, patch| {
            asks.get_mut(key).is_some_and(|asks| {
                asks.ask_what_comes_into_force(scene);
                *patch = asks.patch(scene);
                true
            })
        });
    }
}

impl Patch<'_> {
    pub fn key(&self) -> PatchKey {
        (self.template.id.clone(), self.source.number)
    }

    /// The options that differ from the source.
    pub fn changes(&self) -> Vec<Change> {
        changes(&self.source.metadata, &self.metadata)
    }

    /// By which EC2 knows the request again.
    pub fn client_token(&self) -> String {
        let mut parts = vec![self.template.id.to_string(), self.source.number.to_string()];
        for option in OptionName::ALL {
            parts.push(self.metadata.get(option).map_or_else(String::new, |value| value.to_string()));
        }
        fingerprint(&parts.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// What the version says of itself, in at most 255 characters.
    pub fn description(&self) -> String {
        let changes: Vec<_> = self
            .changes()
            .iter()
            .filter_map(|change| Some(format!("{} {}", change.option.api_name(), change.to?)))
            .collect();
        format!("imdsctl: version {} with {}", self.source.number, changes.join(", "))
    }

    /// A later version that says the same of the metadata service and launches the same image: what this patch made
    /// before, most likely. What else is in it is not known here.
    pub fn made_before(&self) -> Option<i64> {
        let mut later = self.template.versions.range(self.source.number + 1..);
        let same = |version: &TemplateVersion| {
            version.metadata == self.metadata && version.image == self.source.image
        };
        later.find(|(_, version)| same(version)).map(|(number, _)| *number)
    }

    /// A later version of the same image that sets all that is to change, whatever else it says: where nothing that is
    /// planned uses a new version, another like it is not made.
    pub fn set_before(&self) -> Option<i64> {
        let sets_it = |version: &TemplateVersion| {
            let changes = self.changes();
            version.image == self.source.image
                && changes.iter().all(|change| version.metadata.get(change.option) == change.to)
        };
        let mut later = self.template.versions.range(self.source.number + 1..);
        self.made_before().or_else(|| later.find(|(_, version)| sets_it(version)).map(|(number, _)| *number))
    }

    /// The tool that owns the template, where nothing is to be written past it.
    pub fn owner_to_ask(&self, scene: &Scene<'_>) -> Option<Owner> {
        scene.owner(&self.template.tags).filter(|_| !scene.choices.include_iac)
    }

    /// Whether it is made from the latest version.
    pub const fn is_of_latest(&self) -> bool {
        self.source.number == self.template.latest_version
    }

    /// Whether it is made from the default version.
    pub const fn is_of_default(&self) -> bool {
        self.source.number == self.template.number(VersionRef::Default)
    }
}

/// The options that differ.
pub fn changes(from: &MetadataOptions, to: &MetadataOptions) -> Vec<Change> {
    OptionName::ALL
        .into_iter()
        .map(|option| Change { option, from: from.get(option), to: to.get(option) })
        .filter(|change| change.from != change.to)
        .collect()
}
