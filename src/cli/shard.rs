//! `--shard`: which of the parts, by its number or by the variable in which an array of jobs has it.

use crate::scan::Shard;

/// `hash:M/N`, or `env:VARIABLE/N` with a variable that counts from 0, as Kubernetes and AWS Batch do. A program that
/// has no shell around it can use such a variable too.
pub fn parse(text: &str) -> Result<Shard, String> {
    read(text, |name| std::env::var(name).ok())
}

fn read(text: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Shard, String> {
    let Some(array) = text.strip_prefix("env:") else {
        return text.parse().map_err(|problem| format!("{problem}, or env:VARIABLE/N for a job of an array"));
    };
    let parts = array.split_once('/').filter(|(name, of)| !name.is_empty() && of.parse::<u32>().is_ok());
    let (name, of) = parts.ok_or("expected env:VARIABLE/N, as in env:JOB_COMPLETION_INDEX/3")?;
    let value = variable(name).ok_or_else(|| format!("{name} is not set: this is no job of an array"))?;
    let number = value.parse::<u32>().ok().and_then(|index| index.checked_add(1));
    let number = number.ok_or_else(|| format!("{name} is {value:?}: expected a number from 0"))?;
    let shard = format!("hash:{number}/{of}");
    shard.parse().map_err(|problem| format!("{name} counts from 0, and is {value}: {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_job(text: &str, index: &'static str) -> Result<String, String> {
        let shard = read(text, |name| (name == "INDEX").then(|| index.to_owned()));
        shard.map(|shard| shard.to_string())
    }

    #[test]
    fn a_variable_counts_from_zero() {
        assert_eq!(of_job("env:INDEX/3", "0").unwrap(), "hash:1/3");
        assert_eq!(of_job("env:INDEX/3", "2").unwrap(), "hash:3/3");
        assert_eq!(of_job("hash:2/3", "0").unwrap(), "hash:2/3");
    }

    #[test]
    fn what_is_no_part_is_told() {
        let wrong = |text: &str, index: &'static str, words: &str| {
            let message = of_job(text, index).unwrap_err();
            assert!(message.contains(words), "{text} {index}: {message}");
        };
        wrong("env:INDEX/3", "3", "INDEX counts from 0, and is 3: of 3 shards");
        wrong("env:INDEX/3", "4294967295", "expected a number from 0");
        wrong("env:INDEX/3", "-1", "INDEX is \"-1\": expected a number from 0");
        wrong("env:INDEX/3", "", "expected a number from 0");
        wrong("env:OTHER/3", "0", "OTHER is not set");
        wrong("env:INDEX/0", "0", "there cannot be 0 shards");
        for text in ["env:INDEX", "env:/3", "env:INDEX/", "env:INDEX/x", "env:"] {
            wrong(text, "0", "expected env:VARIABLE/N");
        }
        wrong("2/3", "0", "expected hash:M/N, as in hash:1/3 for the first of three, or env:VARIABLE/N");
    }
}
