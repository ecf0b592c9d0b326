//! Identifiers, and the scope (partition, account, Region) that everything else lives in.

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Declares an identifier: a cheaply cloned string that is not interchangeable with another kind.
macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(#[schemars(with = "String")] Arc<str>);

        impl $name {
            /// The identifier as AWS spells it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<T: Into<Arc<str>>> From<T> for $name {
            fn from(text: T) -> Self {
                Self(text.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

identifier! {
    /// An AWS account, twelve digits.
    AccountId
}
identifier! {
    /// An AWS Region, such as `eu-west-1`.
    Region
}
identifier! {
    /// An AWS partition: `aws`, `aws-cn`, `aws-us-gov`…
    Partition
}
identifier! {
    /// An EC2 instance, `i-…`.
    InstanceId
}
identifier! {
    /// An EC2 launch template, `lt-…`.
    TemplateId
}
identifier! {
    /// An Amazon Machine Image, `ami-…`.
    ImageId
}
identifier! {
    /// An Amazon Resource Name.
    Arn
}

/// One account in one Region: the unit that is read, judged and reported as covered or not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Scope {
    /// The partition that the account's credentials belong to.
    pub partition: Partition,
    /// The account.
    pub account_id: AccountId,
    /// The account's name, where the source of the scope knows one.
    pub account_name: Option<String>,
    /// The Region.
    pub region: Region,
}

impl Scope {
    /// The ARN of something in this scope, `resource` being all that follows the account:
    /// `scope.arn("ec2", "instance/i-0abc")`.
    pub fn arn(&self, service: &str, resource: &str) -> Arn {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition, self.region, self.account_id).into()
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.account_id, self.region)
    }
}

/// A Region of a partition, as an account sees it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RegionStatus {
    /// The Region.
    pub region: Region,
    /// Whether the account can use it.
    pub enabled: bool,
    /// Whether accounts have to ask for it. One that needs no asking is enabled in all of them.
    pub opt_in: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_carries_its_partition() {
        let scope = Scope {
            partition: "aws-cn".into(),
            account_id: "111122223333".into(),
            account_name: None,
            region: "cn-north-1".into(),
        };
        let arn = scope.arn("ec2", "instance/i-0abc");
        assert_eq!(arn.as_str(), "arn:aws-cn:ec2:cn-north-1:111122223333:instance/i-0abc");
    }
}
