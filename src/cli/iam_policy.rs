//! `imdsctl iam-policy`: what has to be allowed, from the same table as what is called.

use crate::aws::{PolicyDocument, Task};
use crate::exit::Exit;
use crate::model::{AccountId, Partition};
use crate::scope::{DEFAULT_ROLE, RoleName, external_id};

use super::Error;
use super::console::Console;

/// Print the IAM policies that reading and changing take, and no more than that.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// For whoever reads an account: the role in each account, or your own credentials.
    Audit {
        /// The partition: aws, aws-cn, aws-us-gov…
        #[arg(long, value_name = "PARTITION", default_value = "aws", value_parser = partition)]
        partition: Partition,
        /// The account; without it, the policy is good in every account.
        #[arg(long, value_name = "ID", value_parser = account)]
        account: Option<AccountId>,
    },
    /// For whoever plans changes to an account: what an audit reads, and what has to be known before.
    Plan {
        /// The partition: aws, aws-cn, aws-us-gov…
        #[arg(long, value_name = "PARTITION", default_value = "aws", value_parser = partition)]
        partition: Partition,
        /// The account; without it, the policy is good in every account.
        #[arg(long, value_name = "ID", value_parser = account)]
        account: Option<AccountId>,
    },
    /// For whoever changes an account: the role in each account, or your own credentials.
    Remediate {
        /// The partition: aws, aws-cn, aws-us-gov…
        #[arg(long, value_name = "PARTITION", default_value = "aws", value_parser = partition)]
        partition: Partition,
        /// The account; without it, the policy is good in every account.
        #[arg(long, value_name = "ID", value_parser = account)]
        account: Option<AccountId>,
    },
    /// For the credentials that everything begins with: to assume the role, and to find the accounts.
    Base {
        /// The partition: aws, aws-cn, aws-us-gov…
        #[arg(long, value_name = "PARTITION", default_value = "aws", value_parser = partition)]
        partition: Partition,
        /// The role to assume, as an audit is told.
        #[arg(long, value_name = "ROLE", default_value = DEFAULT_ROLE, value_parser = RoleName::parse)]
        role: RoleName,
        /// List the accounts of the organization too, as --org and --org-unit do.
        #[arg(long)]
        org: bool,
        /// The organization: no role outside of it may be assumed.
        #[arg(long, value_name = "ID", value_parser = organization)]
        org_id: Option<String>,
    },
    /// For what runs by itself, a function, a pod or a job: to read its own account, and all of `base`.
    Lambda {
        /// The partition: aws, aws-cn, aws-us-gov…
        #[arg(long, value_name = "PARTITION", default_value = "aws", value_parser = partition)]
        partition: Partition,
        /// The account that it runs in; without it, the policy is good in every account.
        #[arg(long, value_name = "ID", value_parser = account)]
        account: Option<AccountId>,
        /// The role to assume, as an audit is told.
        #[arg(long, value_name = "ROLE", default_value = DEFAULT_ROLE, value_parser = RoleName::parse)]
        role: RoleName,
        /// List the accounts of the organization too, as --org and --org-unit do.
        #[arg(long)]
        org: bool,
        /// The organization: no role outside of it may be assumed.
        #[arg(long, value_name = "ID", value_parser = organization)]
        org_id: Option<String>,
    },
    /// For the role in each account: who may assume it.
    Trust {
        /// The account whose credentials assume the role, or the ARN of a user or role there.
        #[arg(long, value_name = "ID|ARN", value_parser = principal)]
        principal: String,
        /// The external id that they have to give.
        #[arg(long, value_name = "ID", value_parser = external_id)]
        external_id: Option<String>,
        /// The organization: nobody outside of it may assume the role.
        #[arg(long, value_name = "ID", value_parser = organization)]
        org_id: Option<String>,
    },
}

pub fn run(command: &Command, console: &Console) -> Result<Exit, Error> {
    let document = match command {
        Command::Audit { partition, account } => {
            PolicyDocument::of_reads(Task::Audit, partition, account.as_ref())
        }
        Command::Plan { partition, account } => {
            PolicyDocument::of_reads(Task::Plan, partition, account.as_ref())
        }
        Command::Remediate { partition, account } => PolicyDocument::of_changes(partition, account.as_ref()),
        Command::Base { partition, role, org, org_id } => {
            let role = role.arn(partition, &"*".into());
            within(org_id.as_deref(), PolicyDocument::of_base(partition, vec![role.to_string()], *org))
        }
        Command::Lambda { partition, account, role, org, org_id } => {
            let roles = vec![role.arn(partition, &"*".into()).to_string()];
            within(org_id.as_deref(), PolicyDocument::of_function(partition, account.as_ref(), roles, *org))
        }
        Command::Trust { principal, external_id, org_id } => {
            within(org_id.as_deref(), PolicyDocument::of_trust(principal, external_id.as_deref()))
        }
    };
    console.write_stdout(document.pretty().as_bytes())?;
    Ok(Exit::Success)
}

fn within(organization: Option<&str>, document: PolicyDocument) -> PolicyDocument {
    match organization {
        Some(id) => document.within_organization(id),
        None => document,
    }
}

fn partition(text: &str) -> Result<Partition, String> {
    let is_partition = text.starts_with("aws") && text.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    if is_partition { Ok(text.into()) } else { Err("expected aws, aws-cn, aws-us-gov or another".to_owned()) }
}

fn account(text: &str) -> Result<AccountId, String> {
    let is_number = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { Ok(text.into()) } else { Err("an account's number has twelve digits".to_owned()) }
}

fn principal(text: &str) -> Result<String, String> {
    let is_arn = text.starts_with("arn:aws") && text.contains(":iam::");
    if is_arn || account(text).is_ok() {
        return Ok(text.to_owned());
    }
    Err("expected an account's number, or the ARN of a user or a role".to_owned())
}

fn organization(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("o-").filter(|rest| (10..=32).contains(&rest.len()));
    let is_id = rest.is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
    if is_id {
        Ok(text.to_owned())
    } else {
        Err("expected an organization's id, as in o-a1b2c3d4e5".to_owned())
    }
}
