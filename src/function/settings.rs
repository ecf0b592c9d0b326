//! What the function's variables say that is the function's own business. All others are for the command that it runs.

use super::failure::Failure;
use crate::deliver::Prefix;

/// Where reports go.
pub const OUTPUT: &str = "IMDSCTL_OUTPUT";

/// Who is told.
pub const NOTIFY: &str = "IMDSCTL_NOTIFY";

/// Where the shards of a run are kept until they are merged; the function's alone.
pub const RUNS: &str = "IMDSCTL_RUNS";

/// What is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Lists, as they are set; empty where nothing is.
    pub output: String,
    pub notify: String,
    /// With which credentials objects are read and put, and by which key they are encrypted.
    pub deliver_profile: Option<String>,
    pub kms_key: Option<String>,
    runs: Option<String>,
}

impl Settings {
    /// Reads them.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Failure> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let settings = Self {
            output: set(OUTPUT).unwrap_or_default(),
            notify: set(NOTIFY).unwrap_or_default(),
            deliver_profile: set("IMDSCTL_DELIVER_PROFILE"),
            kms_key: set("IMDSCTL_SSE_KMS_KEY_ID"),
            runs: set(RUNS),
        };
        settings.check()?;
        Ok(settings)
    }

    /// Nobody reads a report on the stdout of a function.
    fn check(&self) -> Result<(), Failure> {
        let mut outputs = self.output.split(',').map(str::trim).filter(|output| !output.is_empty());
        let is_stdout = |output: &&str| output.split_once('=').is_none_or(|(_, path)| path == "-");
        match outputs.find(is_stdout) {
            None => Ok(()),
            Some(output) => {
                let format = output.trim_end_matches("=-");
                Err(Failure::BadSettings(format!(
                    "{OUTPUT}: {format} would be on stdout, and nobody reads that of a function: give it a place, as in \
                     {format}=s3://BUCKET/KEY"
                )))
            }
        }
    }

    /// Where the shards of a run are kept.
    pub fn runs(&self) -> Result<Prefix, Failure> {
        let text = self.runs.as_deref().ok_or_else(|| {
            Failure::BadSettings(format!(
                "{RUNS} is not set: where what shards have read is kept, as in s3://BUCKET/work"
            ))
        })?;
        text.parse().map_err(|problem| Failure::BadSettings(format!("{RUNS}: {problem}")))
    }
}

/// A list with one more item.
pub fn with(list: &str, item: &str) -> String {
    if list.trim().is_empty() { item.to_owned() } else { format!("{list},{item}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(variable: &str, value: &str) -> Result<Settings, Failure> {
        Settings::read(|name| (name == variable).then(|| value.to_owned()))
    }

    fn problem<T: std::fmt::Debug>(result: Result<T, Failure>) -> String {
        match result {
            Err(Failure::BadSettings(message)) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_report_needs_a_place() {
        for list in ["", "json=s3://reports/a.json", "json=s3://reports/{date}.json, csv=s3://reports/a.csv,"]
        {
            assert_eq!(set(OUTPUT, list).unwrap().output, list);
        }
        for list in ["table", "json=s3://reports/a.json,csv=-", "table,json=s3://reports/a.json"] {
            let message = problem(set(OUTPUT, list));
            assert!(message.contains("=s3://BUCKET/KEY"), "{message}");
        }
    }

    #[test]
    fn shards_need_a_place_only_where_there_are_any() {
        let runs = set(RUNS, "s3://reports/work/").unwrap().runs().unwrap();
        assert_eq!(runs.object("runs/a").to_string(), "s3://reports/work/runs/a");
        let unset = set(RUNS, "").unwrap();
        assert!(problem(unset.runs()).contains("IMDSCTL_RUNS is not set"));
        assert!(problem(set(RUNS, "reports/work").unwrap().runs()).contains("it begins with s3://"));
    }

    #[test]
    fn an_item_is_added_to_a_list() {
        assert_eq!(with("", "ndjson"), "ndjson");
        assert_eq!(with("json=a", "ndjson"), "json=a,ndjson");
    }
}
