//! An object of S3, `s3://bucket/key`, whose key may change from run to run.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// What a key may say that another run says otherwise.
const PLACEHOLDERS: [&str; 3] = ["{date}", "{time}", "{run}"];

/// The longest key that S3 takes, in bytes.
const LONGEST_KEY: usize = 1024;

const BAD_BUCKET: &str = "a bucket's name has 3 to 63 lower-case letters, digits, dots and hyphens";

/// `s3://bucket/key`, where the key may hold `{date}`, `{time}` and `{run}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectPattern(Object);

/// An object of S3.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object {
    /// The bucket.
    pub bucket: String,
    /// The key in it.
    pub key: String,
}

/// `s3://bucket/prefix`: where objects are that belong together. The prefix may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix {
    bucket: String,
    prefix: String,
}

/// Why a text names no object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadObject(String);

impl ObjectPattern {
    /// Whether a text wants to be one, right or wrong.
    pub fn is_meant(text: &str) -> bool {
        text.starts_with("s3://")
    }

    /// The object, where it is the same in every run.
    pub fn constant(&self) -> Option<&Object> {
        let varies = PLACEHOLDERS.iter().any(|placeholder| self.0.key.contains(placeholder));
        (!varies).then_some(&self.0)
    }

    /// The object of a run that began at a time: `{date}` is its day, `2026-11-26`, and `{time}` its time of day,
    /// `183000`, both in UTC; `{run}` is a name that no other run has.
    pub fn of_run(&self, began: Timestamp, run: &str) -> Object {
        let began = began.to_zoned(TimeZone::UTC);
        let key = self.0.key.replace("{date}", &began.strftime("%Y-%m-%d").to_string());
        let key = key.replace("{run}", run);
        Object {
            bucket: self.0.bucket.clone(),
            key: key.replace("{time}", &began.strftime("%H%M%S").to_string()),
        }
    }
}

impl FromStr for ObjectPattern {
    type Err = BadObject;

    fn from_str(text: &str) -> Result<Self, BadObject> {
        let bad = |why: &str| BadObject(format!("{text:?} names no object of S3: {why}"));
        let rest = text.strip_prefix("s3://").ok_or_else(|| bad("it begins with s3://"))?;
        let (bucket, key) = rest.split_once('/').ok_or_else(|| bad("a key follows the bucket"))?;
        if !is_bucket(bucket) {
            return Err(bad(BAD_BUCKET));
        }
        if key.is_empty() || key.ends_with('/') {
            return Err(bad("it names a folder: give the object a name"));
        }
        if key.len() > LONGEST_KEY {
            return Err(bad("its key is longer than 1,024 bytes"));
        }
        let plain = PLACEHOLDERS.iter().fold(key.to_owned(), |key, placeholder| key.replace(placeholder, ""));
        if plain.contains(['{', '}']) {
            return Err(bad("what a key may have in braces is {date}, {time} and {run}"));
        }
        if plain.chars().any(char::is_control) {
            return Err(bad("it holds control characters"));
        }
        Ok(Self(Object { bucket: bucket.to_owned(), key: key.to_owned() }))
    }
}

impl Prefix {
    /// The object of a name below it.
    pub fn object(&self, name: &str) -> Object {
        let key = if self.prefix.is_empty() { name.to_owned() } else { format!("{}/{name}", self.prefix) };
        Object { bucket: self.bucket.clone(), key }
    }
}

impl FromStr for Prefix {
    type Err = BadObject;

    fn from_str(text: &str) -> Result<Self, BadObject> {
        let bad = |why: &str| BadObject(format!("{text:?} is no place on S3: {why}"));
        let rest = text.strip_prefix("s3://").ok_or_else(|| bad("it begins with s3://"))?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if !is_bucket(bucket) {
            return Err(bad(BAD_BUCKET));
        }
        let prefix = prefix.trim_end_matches('/');
        if prefix.len() > LONGEST_KEY / 2 {
            return Err(bad("it leaves no room for the names of objects"));
        }
        if prefix.contains(['{', '}']) || prefix.chars().any(char::is_control) {
            return Err(bad("it holds braces or control characters"));
        }
        Ok(Self { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }
}

impl fmt::Display for ObjectPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

/// Whether a bucket can have this name.
pub fn is_bucket(name: &str) -> bool {
    let is_end = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-');
    (3..=63).contains(&name.len())
        && name.chars().all(is_part)
        && is_end(name.chars().next())
        && is_end(name.chars().last())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_takes_the_time_of_its_run() {
        let pattern: ObjectPattern = "s3://reports/imdsctl/{date}/{time}-{run}.json".parse().unwrap();
        let began = "2026-11-26T18:30:05.9Z".parse().unwrap();
        assert_eq!(pattern.of_run(began, "a1").to_string(), "s3://reports/imdsctl/2026-11-26/183005-a1.json");
        assert_eq!(pattern.to_string(), "s3://reports/imdsctl/{date}/{time}-{run}.json");
        let plain: ObjectPattern = "s3://reports/latest.json".parse().unwrap();
        assert_eq!(plain.of_run(began, "a1").key, "latest.json");
        assert_eq!(plain.constant(), Some(&plain.of_run(began, "a1")));
        assert_eq!(pattern.constant(), None);
    }

    #[test]
    fn objects_that_belong_together_share_a_prefix() {
        let object = |place: &str| place.parse::<Prefix>().unwrap().object("runs/a").to_string();
        assert_eq!(object("s3://reports"), "s3://reports/runs/a");
        assert_eq!(object("s3://reports/"), "s3://reports/runs/a");
        assert_eq!(object("s3://reports/work"), "s3://reports/work/runs/a");
        assert_eq!(object("s3://reports/work/x/"), "s3://reports/work/x/runs/a");
        for wrong in [
            "",
            "reports/work",
            "s3://",
            "s3:///work",
            "s3://Reports",
            "s3://reports/{date}",
            "s3://reports/\n",
        ] {
            assert!(wrong.parse::<Prefix>().is_err(), "{wrong:?}");
        }
        assert!(format!("s3://reports/{}", "k".repeat(600)).parse::<Prefix>().is_err());
    }

    #[test]
    fn what_names_no_object_is_refused_and_why() {
        let why = |text: &str| text.parse::<ObjectPattern>().unwrap_err().to_string();
        assert!(why("s3://reports").ends_with("a key follows the bucket"));
        assert!(why("s3://reports/").contains("names a folder"));
        assert!(why("s3://reports/folder/").contains("names a folder"));
        assert!(why("s3://Reports/a").contains("lower-case"));
        assert!(why("s3://re/a").contains("lower-case"));
        assert!(why("s3://-reports/a").contains("lower-case"));
        assert!(why("s3://reports/{day}.json").contains("{date}"));
        assert!(why("s3://reports/a\nb").contains("control"));
        assert!(why(&format!("s3://reports/{}", "k".repeat(1025))).contains("1,024"));
        assert!(why("reports/a").contains("s3://"));
    }
}
