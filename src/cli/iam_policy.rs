//! `imdsctl iam-policy`: what has to be allowed, from the same table as what is called.

use crate::aws::{PolicyDocument, Sinks, Task};
use crate::deliver::is_bucket;
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
        /// Leave findings in its Security Hub too, as --security-hub of an audit does.
        #[arg(long)]
        security_hub: bool,
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
    /// For what runs by itself, a function, a pod or a job: to read its own account, all of `base`, and to deliver reports to
    /// what is named here.
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
        /// A bucket that reports, baselines or the work of shards are in, or a part of it; repeat for more.
        #[arg(long = "bucket", value_name = "BUCKET[/PREFIX]", value_parser = bucket)]
        buckets: Vec<String>,
        /// A KMS key that these buckets are encrypted with, by its ARN; repeat for more.
        #[arg(long = "kms-key", value_name = "ARN", value_parser = key)]
        keys: Vec<String>,
        /// A topic that is told of reports, by its ARN; repeat for more.
        #[arg(long = "topic", value_name = "ARN", value_parser = topic)]
        topics: Vec<String>,
        /// Leave findings in Security Hub of its own account too, as --security-hub of an audit does.
        #[arg(long)]
        security_hub: bool,
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
        Command::Audit { partition, account, security_hub } => {
            let reads = PolicyDocument::of_reads(Task::Audit, partition, account.as_ref());
            if *security_hub {
                reads.and(PolicyDocument::of_imports(partition, account.as_ref()))
            } else {
                reads
            }
        }
        Command::Plan { partition, account } => {
            PolicyDocument::of_reads(Task::Plan, partition, account.as_ref())
        }
        Command::Remediate { partition, account } => PolicyDocument::of_changes(partition, account.as_ref()),
        Command::Base { partition, role, org, org_id } => {
            let role = role.arn(partition, &"*".into());
            within(org_id.as_deref(), PolicyDocument::of_base(partition, vec![role.to_string()], *org))
        }
        Command::Lambda { partition, account, role, org, org_id, buckets, keys, topics, security_hub } => {
            let roles = vec![role.arn(partition, &"*".into()).to_string()];
            let sinks = Sinks {
                buckets: buckets.clone(),
                topics: topics.clone(),
                keys: keys.clone(),
                security_hub: *security_hub,
            };
            let function = PolicyDocument::of_function(partition, account.as_ref(), roles, *org, &sinks);
            within(org_id.as_deref(), function)
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

/// A bucket, and the part of its keys that is meant. What IAM takes for a pattern is none.
fn bucket(text: &str) -> Result<String, String> {
    let (bucket, prefix) = text.split_once('/').unwrap_or((text, ""));
    if !is_bucket(bucket) {
        return Err("a bucket's name has 3 to 63 lower-case letters, digits, dots and hyphens".to_owned());
    }
    if prefix.contains(['*', '?', '$']) || prefix.starts_with('/') {
        return Err("a prefix is the plain beginning of keys, as in reports/imdsctl".to_owned());
    }
    Ok(text.to_owned())
}

fn topic(text: &str) -> Result<String, String> {
    arn_of("sns", text).ok_or_else(|| "expected the ARN of a topic of SNS".to_owned())
}

fn key(text: &str) -> Result<String, String> {
    arn_of("kms", text).ok_or_else(|| "expected the ARN of a key of KMS".to_owned())
}

/// The text, if it is the ARN of something of a service, and of one thing alone.
fn arn_of(service: &str, text: &str) -> Option<String> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [arn, partition, of, _, account, resource] = parts[..] else { return None };
    let is_one = !resource.is_empty() && !text.contains(['*', '?', '$']);
    let is_it =
        arn == "arn" && partition.starts_with("aws") && of == service && self::account(account).is_ok();
    (is_it && is_one).then(|| text.to_owned())
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
