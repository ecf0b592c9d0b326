//! The JSON Schemas of a report, of explanations, of comparisons and of scopes, generated from the types of the contracts.

use serde_json::Value;

use super::{DIFF_SCHEMA, Difference, EXPLANATION_SCHEMA, Explained, Report, SCHEMA, SCOPES_SCHEMA, Scopes};
use crate::schema::of;

/// The `$id` of the JSON Schema. It names the schema; nothing has to be there.
pub const SCHEMA_ID: &str = "urn:imdsctl:report:v1";

/// The JSON Schema (draft 2020-12) of a report.
///
/// Enums are open. Each is an `anyOf` of the values that this version writes, each with its meaning, and of any
/// other value of that type: a document of a later version stays valid, and a reader must accept, and pass over,
/// a value that it does not know. Likewise nothing forbids members that a later version adds.
pub fn json_schema() -> Value {
    of::<Report>(SCHEMA_ID, "imdsctl report, version 1", SCHEMA)
}

/// The JSON Schema of what `explain -o json` writes, as open as that of a report.
pub fn explanation_schema() -> Value {
    of::<Explained>("urn:imdsctl:explanation:v1", "imdsctl explanations, version 1", EXPLANATION_SCHEMA)
}

/// The JSON Schema of what `report diff -o json` writes, as open as that of a report.
pub fn diff_schema() -> Value {
    of::<Difference>("urn:imdsctl:diff:v1", "imdsctl comparison of two reports, version 1", DIFF_SCHEMA)
}

/// The JSON Schema of what `scopes -o json` writes, as open as that of a report.
pub fn scopes_schema() -> Value {
    of::<Scopes>("urn:imdsctl:scopes:v1", "imdsctl accounts and Regions, version 1", SCOPES_SCHEMA)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enums_are_open() {
        let schema = json_schema();
        let severity = schema["$defs"]["Severity"]["anyOf"].as_array().unwrap();
        assert_eq!(severity[0]["const"], "critical");
        assert_eq!(severity.last().unwrap()["type"], "string");
        assert!(!schema.to_string().contains("oneOf"));
        assert!(!schema.to_string().contains(r#""additionalProperties":false"#));
    }
}
