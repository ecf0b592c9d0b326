//! What the function's variables say that is the function's own business. All others are for the command that it runs.

use super::failure::Failure;

/// Where reports go.
pub const OUTPUT: &str = "IMDSCTL_OUTPUT";

/// Who is told.
pub const NOTIFY: &str = "IMDSCTL_NOTIFY";

/// What is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Lists, as they are set; empty where nothing is.
    pub output: String,
    pub notify: String,
}

impl Settings {
    /// Reads them.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Failure> {
        let list = |name: &str| variable(name).unwrap_or_default();
        let settings = Self { output: list(OUTPUT), notify: list(NOTIFY) };
        settings.check()?;
        Ok(settings)
    }

    /// What is on stdout is for the metrics.
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
}

/// A list with one more item.
pub fn with(list: &str, item: &str) -> String {
    if list.trim().is_empty() { item.to_owned() } else { format!("{list},{item}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(list: &str) -> Result<Settings, Failure> {
        Settings::read(|name| (name == OUTPUT).then(|| list.to_owned()))
    }

    #[test]
    fn a_report_needs_a_place() {
        for list in ["", "json=s3://reports/a.json", "json=s3://reports/{date}.json, csv=s3://reports/a.csv,"]
        {
            assert_eq!(output(list).unwrap().output, list);
        }
        for list in ["table", "json=s3://reports/a.json,csv=-", "table,json=s3://reports/a.json"] {
            let Err(Failure::BadSettings(message)) = output(list) else { panic!("{list}") };
            assert!(message.contains("=s3://BUCKET/KEY"), "{message}");
        }
    }

    #[test]
    fn an_item_is_added_to_a_list() {
        assert_eq!(with("", "ndjson"), "ndjson");
        assert_eq!(with("json=a", "ndjson"), "json=a,ndjson");
    }
}
