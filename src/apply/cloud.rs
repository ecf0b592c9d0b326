//! What a run needs of AWS: [`Changer`], as the engine sees it, so that the engine can also be run against a fleet in
//! memory and cut off anywhere.

use crate::aws::{
    CallError, Changer, Created, GroupNow, InstanceNow, NewVersion, NodeGroupNow, NodeGroupUpdate, Refresh,
    RefreshNow, Repointed, Rest, TemplateNow, UpdateNow, VersionUse,
};
use crate::model::{AccountDefaults, InstanceId, MetadataOptions, OptionName, TemplateId};

/// Everything of a template's version but its metadata options: to be compared, never looked into.
pub trait Comparable {
    /// The fields in which another differs, by name.
    fn differences(&self, other: &Self) -> Vec<String>;
}

impl Comparable for Rest {
    fn differences(&self, other: &Self) -> Vec<String> {
        Self::differences(self, other)
    }
}

/// A version of a launch template as it is now.
#[derive(Clone, Debug)]
pub struct Version<R> {
    /// Its number.
    pub number: i64,
    /// The metadata options that it sets.
    pub metadata: MetadataOptions,
    /// What it says of itself.
    pub description: Option<String>,
    /// Everything else that it sets.
    pub rest: R,
}

/// One account in one Region, which can be read and changed: see [`Changer`] for what each of these does.
#[expect(missing_docs, reason = "each is the function of the same name of `Changer`")]
#[allow(async_fn_in_trait, reason = "it is awaited where it is called, on one thread")]
pub trait Cloud {
    type Rest: Comparable;

    async fn template(&self, id: &TemplateId) -> Result<TemplateNow, CallError>;
    async fn version(&self, id: &TemplateId, number: i64) -> Result<Version<Self::Rest>, CallError>;
    async fn versions_since(
        &self,
        id: &TemplateId,
        number: i64,
    ) -> Result<Vec<Version<Self::Rest>>, CallError>;
    async fn uses_of(&self, id: &TemplateId, number: i64) -> Result<Vec<VersionUse>, CallError>;
    async fn node_group(&self, cluster: &str, name: &str) -> Result<NodeGroupNow, CallError>;
    async fn update(&self, cluster: &str, node_group: &str, id: &str) -> Result<UpdateNow, CallError>;
    async fn updates(&self, cluster: &str, node_group: &str) -> Result<Vec<UpdateNow>, CallError>;
    async fn group(&self, name: &str) -> Result<GroupNow, CallError>;
    async fn refreshes(&self, group: &str) -> Result<Vec<RefreshNow>, CallError>;
    async fn instance(&self, id: &InstanceId) -> Result<Option<InstanceNow>, CallError>;
    async fn defaults(&self) -> Result<AccountDefaults, CallError>;

    async fn create_version(&self, new: &NewVersion) -> Result<Created, CallError>;
    async fn set_default(&self, id: &TemplateId, number: i64) -> Result<(), CallError>;
    async fn delete_version(&self, id: &TemplateId, number: i64) -> Result<(), CallError>;
    async fn update_node_group(&self, update: &NodeGroupUpdate) -> Result<String, CallError>;
    async fn update_group(&self, name: &str, changes: &[Repointed]) -> Result<(), CallError>;
    async fn start_refresh(&self, refresh: &Refresh) -> Result<String, CallError>;
    async fn modify_instance(&self, id: &InstanceId, metadata: &MetadataOptions) -> Result<(), CallError>;
    async fn modify_defaults(
        &self,
        metadata: &MetadataOptions,
        no_preference: &[OptionName],
    ) -> Result<(), CallError>;
}

fn version(from: crate::aws::VersionNow) -> Version<Rest> {
    let crate::aws::VersionNow { number, metadata, description, rest } = from;
    Version { number, metadata, description, rest }
}

/// Declares what is passed on as it is.
macro_rules! as_changer {
    ($($name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)+) => {
        $(async fn $name(&self, $($argument: $type),*) -> Result<$answer, CallError> {
            Self::$name(self, $($argument),*).await
        })+
    };
}

impl Cloud for Changer {
    type Rest = Rest;

    async fn version(&self, id: &TemplateId, number: i64) -> Result<Version<Rest>, CallError> {
        Self::version(self, id, number).await.map(version)
    }

    async fn versions_since(&self, id: &TemplateId, number: i64) -> Result<Vec<Version<Rest>>, CallError> {
        let versions = Self::versions_since(self, id, number).await?;
        Ok(versions.into_iter().map(version).collect())
    }

    as_changer! {
        template(id: &TemplateId) -> TemplateNow;
        uses_of(id: &TemplateId, number: i64) -> Vec<VersionUse>;
        node_group(cluster: &str, name: &str) -> NodeGroupNow;
        update(cluster: &str, node_group: &str, id: &str) -> UpdateNow;
        updates(cluster: &str, node_group: &str) -> Vec<UpdateNow>;
        group(name: &str) -> GroupNow;
        refreshes(group: &str) -> Vec<RefreshNow>;
        instance(id: &InstanceId) -> Option<InstanceNow>;
        defaults() -> AccountDefaults;
        create_version(new: &NewVersion) -> Created;
        set_default(id: &TemplateId, number: i64) -> ();
        delete_version(id: &TemplateId, number: i64) -> ();
        update_node_group(update: &NodeGroupUpdate) -> String;
        update_group(name: &str, changes: &[Repointed]) -> ();
        start_refresh(refresh: &Refresh) -> String;
        modify_instance(id: &InstanceId, metadata: &MetadataOptions) -> ();
        modify_defaults(metadata: &MetadataOptions, no_preference: &[OptionName]) -> ();
    }
}
