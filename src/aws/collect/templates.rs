//! Launch templates: all of the Region by their default and latest version, and other versions in use.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt};

use super::reader::{Reader, SIDE_BY_SIDE};
use aws_sdk_ec2::operation::describe_launch_template_versions::builders::DescribeLaunchTemplateVersionsFluentBuilder;

use crate::aws::convert::ec2::{self as convert, ListedTemplate, ListedVersion};
use crate::aws::errors::{CallError, ErrorKind, failed};
use crate::aws::operations::{DESCRIBE_LAUNCH_TEMPLATE_VERSIONS, DESCRIBE_LAUNCH_TEMPLATES};
use crate::aws::pages::{self, Listed};
use crate::model::{LaunchTemplate, Tags, TemplateId, TemplateRef, VersionRef};

/// The most templates, or versions, in a page.
const PAGE: i32 = 200;

/// The templates of the Region.
#[derive(Debug, Default)]
pub(super) struct Templates {
    pub by_id: BTreeMap<TemplateId, LaunchTemplate>,
    /// Whether every template's default and latest version was read. If so, one that is missing does not
    /// exist.
    pub complete: bool,
    /// Whether there is no point in asking for single templates.
    hopeless: bool,
}

/// All templates of the Region, with their default and latest version.
pub(super) async fn read(reader: &Reader<'_>) -> Templates {
    let (listed, versions) = futures::join!(list(reader), default_and_latest(reader));
    let (listed, _) = reader.keep_listed(listed);
    let (versions, complete) = reader.keep_listed(versions);
    let hopeless = reader.is_hopeless(DESCRIBE_LAUNCH_TEMPLATE_VERSIONS);
    let by_id = listed.into_iter().map(template).collect();
    let mut templates = Templates { by_id, complete, hopeless };
    for version in versions {
        templates.add(version);
    }
    templates
}

async fn list(reader: &Reader<'_>) -> Listed<ListedTemplate> {
    let client = &reader.clients.ec2;
    pages::collect(DESCRIBE_LAUNCH_TEMPLATES, async |token| {
        let call = client
            .describe_launch_templates()
            .include_managed_resources(true)
            .max_results(PAGE)
            .set_next_token(token);
        let page = call.send().await.map_err(failed(DESCRIBE_LAUNCH_TEMPLATES))?;
        let listed: Vec<_> = page.launch_templates().iter().filter_map(convert::listed_template).collect();
        Ok((listed, page.next_token))
    })
    .await
}

/// Without an id the call answers for all templates at once, for these two versions only.
async fn default_and_latest(reader: &Reader<'_>) -> Listed<ListedVersion> {
    let client = &reader.clients.ec2;
    pages::collect(DESCRIBE_LAUNCH_TEMPLATE_VERSIONS, async |token| {
        let call = client.describe_launch_template_versions().versions("$Latest").versions("$Default");
        page_of_versions(call, token).await
    })
    .await
}

async fn page_of_versions(
    call: DescribeLaunchTemplateVersionsFluentBuilder,
    token: Option<String>,
) -> Result<(Vec<ListedVersion>, Option<String>), CallError> {
    let call = call.include_managed_resources(true).max_results(PAGE).set_next_token(token);
    let page = call.send().await.map_err(failed(DESCRIBE_LAUNCH_TEMPLATE_VERSIONS))?;
    let versions = page.launch_template_versions().iter().filter_map(convert::listed_version).collect();
    Ok((versions, page.next_token))
}

fn template(listed: ListedTemplate) -> (TemplateId, LaunchTemplate) {
    let template = LaunchTemplate {
        id: listed.id.clone(),
        name: listed.name,
        tags: listed.tags,
        default_version: listed.default_version,
        latest_version: listed.latest_version,
        versions: BTreeMap::new(),
    };
    (listed.id, template)
}

/// A template by its id or, where the reference has none, by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Id(TemplateId),
    Name(String),
}

impl Templates {
    /// Adds a version, to a template that may have been missing from the list of templates.
    fn add(&mut self, listed: ListedVersion) {
        let number = listed.version.number;
        let template = self.by_id.entry(listed.template.clone()).or_insert_with(|| LaunchTemplate {
            id: listed.template,
            name: listed.name,
            tags: Tags::default(),
            default_version: number,
            latest_version: number,
            versions: BTreeMap::new(),
        });
        // The two answers may be moments apart; the versions are what is judged.
        if listed.is_default {
            template.default_version = number;
        }
        template.latest_version = template.latest_version.max(number);
        template.versions.insert(number, listed.version);
    }

    pub fn get(&self, reference: &TemplateRef) -> Option<&LaunchTemplate> {
        match (&reference.id, &reference.name) {
            (Some(id), _) => self.by_id.get(id),
            (None, Some(name)) => self.by_id.values().find(|template| template.name == *name),
            (None, None) => None,
        }
    }

    /// Reads the versions in use that are neither default nor latest. What does not exist stays absent.
    pub async fn add_in_use<'a>(
        &mut self,
        reader: &Reader<'_>,
        references: impl Iterator<Item = &'a TemplateRef>,
    ) {
        let found: Vec<_> = stream::iter(self.missing(references))
            .map(|(key, versions)| versions_of(reader, key, versions))
            .buffer_unordered(SIDE_BY_SIDE)
            .collect()
            .await;
        for version in found.into_iter().flatten() {
            self.add(version);
        }
    }

    /// By template, the versions that are referred to, may exist, and were not read.
    fn missing<'a>(
        &self,
        references: impl Iterator<Item = &'a TemplateRef>,
    ) -> BTreeMap<Key, BTreeSet<String>> {
        let mut missing: BTreeMap<Key, BTreeSet<String>> = BTreeMap::new();
        for reference in references {
            let template = self.get(reference);
            if !self.may_have(template, reference.version) {
                continue;
            }
            let key = match (template, &reference.id, &reference.name) {
                (Some(template), ..) => Key::Id(template.id.clone()),
                (None, Some(id), _) => Key::Id(id.clone()),
                (None, None, Some(name)) => Key::Name(name.clone()),
                (None, None, None) => continue,
            };
            missing.entry(key).or_default().insert(reference.version.to_string());
        }
        missing
    }

    /// Whether a version that was not read may exist.
    fn may_have(&self, template: Option<&LaunchTemplate>, version: VersionRef) -> bool {
        match template {
            Some(template) if template.version(version).is_some() => false,
            Some(template) if self.complete => {
                (1..template.latest_version).contains(&template.number(version))
            }
            Some(_) => !self.hopeless,
            None => !self.complete && !self.hopeless,
        }
    }
}

/// Versions of one template. One that is missing fails a whole call: then they are asked for one by one.
async fn versions_of(reader: &Reader<'_>, key: Key, versions: BTreeSet<String>) -> Vec<ListedVersion> {
    let versions: Vec<String> = versions.into_iter().collect();
    let mut found = Vec::new();
    for batch in versions.chunks(PAGE as usize) {
        match some_versions(reader, &key, batch).await {
            Err(error)
                if error.kind == ErrorKind::NotFound && error.code.contains("Version") && batch.len() > 1 =>
            {
                for version in batch.chunks(1) {
                    found.extend(existing(reader, some_versions(reader, &key, version).await));
                }
            }
            result => found.extend(existing(reader, result)),
        }
    }
    found
}

fn existing(reader: &Reader<'_>, result: Result<Vec<ListedVersion>, CallError>) -> Vec<ListedVersion> {
    match result {
        Err(error) if error.kind == ErrorKind::NotFound => Vec::new(),
        result => reader.keep(result).unwrap_or_default(),
    }
}

async fn some_versions(
    reader: &Reader<'_>,
    key: &Key,
    versions: &[String],
) -> Result<Vec<ListedVersion>, CallError> {
    let client = &reader.clients.ec2;
    let (id, name) = match key {
        Key::Id(id) => (Some(id.to_string()), None),
        Key::Name(name) => (None, Some(name.clone())),
    };
    let listed = pages::collect(DESCRIBE_LAUNCH_TEMPLATE_VERSIONS, async |token| {
        let call = client
            .describe_launch_template_versions()
            .set_launch_template_id(id.clone())
            .set_launch_template_name(name.clone())
            .set_versions(Some(versions.to_vec()));
        page_of_versions(call, token).await
    });
    listed.await.complete()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ImageRef, MetadataOptions, TemplateVersion};

    fn version(template: &str, number: i64, is_default: bool) -> ListedVersion {
        ListedVersion {
            template: template.into(),
            name: format!("name-of-{template}"),
            is_default,
            version: TemplateVersion {
                number,
                image: ImageRef::Unset,
                metadata: MetadataOptions::default(),
                created_by: None,
            },
        }
    }

    fn reference(id: Option<&str>, name: Option<&str>, version: VersionRef) -> TemplateRef {
        TemplateRef { id: id.map(Into::into), name: name.map(str::to_owned), version }
    }

    fn templates(complete: bool) -> Templates {
        let mut templates = Templates { complete, ..Templates::default() };
        templates.add(version("lt-1", 2, true));
        templates.add(version("lt-1", 5, false));
        templates
    }

    #[test]
    fn default_and_latest_are_known_without_the_list_of_templates() {
        let templates = templates(true);
        let template = &templates.by_id[&"lt-1".into()];
        assert_eq!((template.default_version, template.latest_version), (2, 5));
    }

    #[test]
    fn only_versions_that_may_exist_and_were_not_read_are_asked_for_once_a_template() {
        let numbers = [VersionRef::Latest, VersionRef::Default, VersionRef::Number(5)];
        let mut references: Vec<_> = numbers.map(|number| reference(Some("lt-1"), None, number)).into();
        references.push(reference(Some("lt-1"), None, VersionRef::Number(3)));
        references.push(reference(None, Some("name-of-lt-1"), VersionRef::Number(4)));
        references.push(reference(Some("lt-1"), None, VersionRef::Number(9)));
        references.push(reference(Some("lt-gone"), None, VersionRef::Number(1)));
        let missing = templates(true).missing(references.iter());
        let expected = BTreeSet::from(["3".to_owned(), "4".to_owned()]);
        assert_eq!(missing, BTreeMap::from([(Key::Id("lt-1".into()), expected)]));
    }

    #[test]
    fn what_could_not_be_listed_is_asked_for_by_itself() {
        let references = [
            reference(Some("lt-2"), None, VersionRef::Latest),
            reference(None, Some("three"), VersionRef::Number(1)),
        ];
        let missing = templates(false).missing(references.iter());
        assert_eq!(
            missing.keys().collect::<Vec<_>>(),
            [&Key::Id("lt-2".into()), &Key::Name("three".to_owned())]
        );
    }
}
