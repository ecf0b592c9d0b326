//! Roles and organisations, as a fleet file describes them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::repeat::Repeat;
use crate::world::{AccountState, JoinedMethod};

/// A role, of one account or of all.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleSpec {
    pub name: String,
    #[serde(default = "default_path")]
    pub path: String,
    /// Absent: the management account of the account's organisation.
    #[serde(default)]
    pub trust: Option<TrustSpec>,
    /// Seconds.
    #[serde(default = "default_duration")]
    pub max_session_duration: u32,
    #[serde(default)]
    pub permissions: RolePermissions,
}

fn default_path() -> String {
    "/".to_owned()
}

fn default_duration() -> u32 {
    3600
}

/// Who may assume a role.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustSpec {
    /// Account ids, ARNs, or `*`. None at all: the management account.
    #[serde(default)]
    pub principals: Vec<String>,
    #[serde(default)]
    pub external_ids: Vec<String>,
    #[serde(default)]
    pub organization_id: Option<String>,
}

/// What someone may do.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PermissionsSpec {
    /// By name.
    Named(NamedPermissions),
    /// By actions.
    Actions(ActionsSpec),
    /// By a policy as AWS writes it.
    Policy(PolicySpec),
}

/// Permissions that have a name.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NamedPermissions {
    /// Everything.
    All,
    /// Everything that only looks.
    ReadOnly,
    /// Nothing.
    None,
}

/// Action globs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionsSpec {
    #[serde(default = "every_action")]
    pub allow: Vec<String>,
    #[serde(default)]
    pub deny: Vec<String>,
}

fn every_action() -> Vec<String> {
    vec!["*".to_owned()]
}

/// A policy document.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicySpec {
    pub policy: Value,
}

/// A role may look at everything where the fleet says nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RolePermissions(pub PermissionsSpec);

impl Default for RolePermissions {
    fn default() -> Self {
        Self(PermissionsSpec::Named(NamedPermissions::ReadOnly))
    }
}

/// An organisation: one for each partition at most.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrganizationSpec {
    /// `o-…`; made from the management account where it is absent.
    #[serde(default)]
    pub id: Option<String>,
    #[serde(default = "super::schema::default_partition")]
    pub partition: String,
    pub management_account: String,
    #[serde(default)]
    pub delegated_administrators: Vec<String>,
    #[serde(default)]
    pub organizational_units: Vec<UnitSpec>,
    /// Accounts that exist only here: nothing is known of what is in them, and no one can use them.
    #[serde(default)]
    pub accounts: Vec<MemberSpec>,
    /// Answers have no `Status`, as AWS announced.
    #[serde(default)]
    pub without_status: bool,
}

/// An organizational unit, with those inside it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitSpec {
    pub name: String,
    /// `ou-…`; made from its name where it is absent.
    #[serde(default)]
    pub id: Option<String>,
    #[serde(default)]
    pub organizational_units: Vec<UnitSpec>,
    #[serde(default)]
    pub repeat: Option<Repeat>,
}

/// An account that only the organisation knows.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberSpec {
    pub id: String,
    pub name: String,
    #[serde(default)]
    pub email: Option<String>,
    #[serde(default)]
    pub state: AccountState,
    #[serde(default)]
    pub joined_method: JoinedMethod,
    /// `Workloads/Production`; absent: the root.
    #[serde(default)]
    pub organizational_unit: Option<String>,
    #[serde(default)]
    pub repeat: Option<Repeat>,
}
