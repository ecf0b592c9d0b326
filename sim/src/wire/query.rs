//! Parameters of the Query services, and of REST query strings.
//!
//! Parameters are taken out as an operation reads them. What is left at the end was not understood, and is refused
//! rather than ignored.

use std::collections::BTreeMap;

use serde_json::Value;

use super::error::ApiError;
use super::filter::Filter;

/// How a service names lists, and what it calls its errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `InstanceId.1`.
    Ec2,
    /// `AutoScalingGroupNames.member.1`.
    Query,
    /// `?maxResults=1`.
    Rest,
    /// `{"MaxResults": 1}`.
    Json,
    /// The same in CBOR.
    Cbor,
}

/// The parameters of a request.
#[derive(Debug, Clone)]
pub struct Params {
    values: BTreeMap<String, String>,
    dialect: Dialect,
}

impl Params {
    /// Reads a form or a query string.
    pub fn parse(encoded: &[u8], dialect: Dialect) -> Self {
        let values = form_urlencoded::parse(encoded)
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        Self { values, dialect }
    }

    /// Reads the query string of a REST service, and its body: the members of objects become `outer.inner`, those of
    /// lists `list.1`.
    pub fn parse_rest(query: &[u8], body: &[u8]) -> Result<Self, ApiError> {
        let mut params = Self::parse(query, Dialect::Rest);
        if body.is_empty() {
            return Ok(params);
        }
        let value = serde_json::from_slice(body).ok().filter(Value::is_object);
        let value =
            value.ok_or_else(|| ApiError::bad("SerializationException", "the body is not a JSON object"))?;
        params.flatten("", value);
        Ok(params)
    }

    /// None yet, for a body in another format.
    pub fn of_body() -> Self {
        Self { values: BTreeMap::new(), dialect: Dialect::Cbor }
    }

    /// Adds one that a body has.
    pub fn put(&mut self, name: &str, value: String) {
        self.values.insert(name.to_owned(), value);
    }

    fn flatten(&mut self, name: &str, value: Value) {
        let inside = |inner: &str| if name.is_empty() { inner.to_owned() } else { format!("{name}.{inner}") };
        match value {
            Value::Null => {}
            Value::Object(members) => {
                members.into_iter().for_each(|(member, value)| self.flatten(&inside(&member), value));
            }
            Value::Array(items) => {
                (1_u32..)
                    .zip(items)
                    .for_each(|(number, value)| self.flatten(&inside(&number.to_string()), value));
            }
            Value::String(text) => drop(self.values.insert(name.to_owned(), text)),
            plain => drop(self.values.insert(name.to_owned(), plain.to_string())),
        }
    }

    /// Reads the body of a JSON service: one object of plain values, as far as its operations here are concerned.
    pub fn parse_json(body: &[u8]) -> Result<Self, ApiError> {
        let serialization = |message: &str| ApiError::bad("SerializationException", message);
        let body = if body.is_empty() { b"{}" } else { body };
        let Ok(Value::Object(members)) = serde_json::from_slice(body) else {
            return Err(serialization("the body is not a JSON object"));
        };
        let mut values = BTreeMap::new();
        for (name, value) in members {
            // The one number that the JSON services have; everything else is text.
            let number = name == "MaxResults";
            match value {
                Value::Null => {}
                Value::String(text) if !number => drop(values.insert(name, text)),
                Value::Number(value) if number => drop(values.insert(name, value.to_string())),
                _ => return Err(serialization(&format!("{name} is of the wrong type"))),
            }
        }
        Ok(Self { values, dialect: Dialect::Json })
    }

    /// A text, left where it is.
    pub fn peek(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Does it only ask whether it would be allowed?
    pub fn is_dry_run(&self) -> bool {
        matches!(self.peek("DryRun"), Some("true" | "True" | "1"))
    }

    /// Everything that decides which items an answer lists: tokens are only good for the same question.
    pub fn question(&self) -> String {
        let mut question = String::new();
        for (name, value) in &self.values {
            if !matches!(
                name.as_str(),
                "NextToken" | "MaxResults" | "MaxRecords" | "nextToken" | "maxResults"
            ) {
                question.push_str(name);
                question.push('=');
                question.push_str(value);
                question.push('\u{1f}');
            }
        }
        question
    }

    /// Does it ask for everything at once, with neither a page size, a token nor a filter?
    pub fn is_unpaged(&self) -> bool {
        !self
            .values
            .keys()
            .any(|name| matches!(name.as_str(), "MaxResults" | "NextToken") || name.starts_with("Filter."))
    }

    /// A text; an empty one counts as absent.
    pub fn text(&mut self, name: &str) -> Option<String> {
        self.values.remove(name).filter(|value| !value.is_empty())
    }

    /// True or false.
    pub fn flag(&mut self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.text(name).as_deref() {
            None => Ok(None),
            Some("true" | "True" | "1") => Ok(Some(true)),
            Some("false" | "False" | "0") => Ok(Some(false)),
            Some(other) => Err(self.invalid(name, other, "is not a boolean")),
        }
    }

    /// A whole number.
    pub fn number(&mut self, name: &str) -> Result<Option<i64>, ApiError> {
        match self.text(name) {
            None => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|_| self.invalid(name, &text, "is not an integer")),
        }
    }

    /// A list.
    pub fn list(&mut self, name: &str) -> Vec<String> {
        let prefix = match self.dialect {
            Dialect::Ec2 | Dialect::Rest | Dialect::Json | Dialect::Cbor => format!("{name}."),
            Dialect::Query => {
                // An empty list is sent as `Name=`.
                self.values.remove(name);
                format!("{name}.member.")
            }
        };
        let mut numbered: Vec<(u32, String)> = Vec::new();
        let keys: Vec<String> = self.values.keys().filter(|key| key.starts_with(&prefix)).cloned().collect();
        for key in keys {
            if let Ok(number) = key[prefix.len()..].parse()
                && let Some(value) = self.values.remove(&key)
            {
                numbered.push((number, value));
            }
        }
        numbered.sort_unstable();
        numbered.into_iter().map(|(_, value)| value).collect()
    }

    /// The numbers in a list of structures; `prefix` is what stands before a number.
    pub fn members(&self, prefix: &str) -> Vec<u32> {
        let number = |key: &String| key.strip_prefix(prefix)?.split('.').next()?.parse().ok();
        let mut numbers: Vec<u32> = self.values.keys().filter_map(number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// Is there a parameter whose name begins like this?
    pub fn has(&self, prefix: &str) -> bool {
        self.values.keys().any(|key| key.starts_with(prefix))
    }

    /// The names of the structures in a list, `NAME.1` and on, in their order.
    pub fn numbered(&self, name: &str) -> Vec<String> {
        let prefix = format!("{name}.");
        self.members(&prefix).into_iter().map(|number| format!("{prefix}{number}")).collect()
    }

    /// Filters.
    pub fn filters(&mut self) -> Result<Vec<Filter>, ApiError> {
        let (prefix, values) = match self.dialect {
            Dialect::Ec2 | Dialect::Rest | Dialect::Json | Dialect::Cbor => ("Filter.", "Value"),
            Dialect::Query => {
                self.values.remove("Filters");
                ("Filters.member.", "Values")
            }
        };
        let numbers = self.members(prefix);
        let mut filters = Vec::with_capacity(numbers.len());
        for number in numbers {
            let Some(name) = self.text(&format!("{prefix}{number}.Name")) else {
                return Err(ApiError::bad(
                    if self.dialect == Dialect::Ec2 { "InvalidParameterValue" } else { "ValidationError" },
                    "A filter has no name",
                ));
            };
            let values = self.list(&format!("{prefix}{number}.{values}"));
            if values.len() > 200 {
                return Err(ApiError::bad(
                    "FilterLimitExceeded",
                    "The maximum number of filter values specified on a single call is 200",
                ));
            }
            filters.push(Filter { name, values });
        }
        Ok(filters)
    }

    /// Refuses what nobody took.
    pub fn finish(self) -> Result<(), ApiError> {
        match (self.values.keys().next(), self.dialect) {
            (None, _) => Ok(()),
            (Some(name), Dialect::Ec2) => {
                Err(ApiError::bad("UnknownParameter", format!("The parameter {name} is not recognized")))
            }
            (Some(name), Dialect::Query | Dialect::Cbor) => Err(ApiError::bad(
                "ValidationError",
                format!("1 validation error detected: the parameter {name} is not recognized"),
            )),
            (Some(name), Dialect::Rest) => Err(ApiError::bad(
                "InvalidParameterException",
                format!("the parameter {name} is not recognized"),
            )),
            (Some(name), Dialect::Json) => {
                Err(ApiError::bad("InvalidInputException", format!("the parameter {name} is not recognized")))
            }
        }
    }

    /// Refuses a token that is none.
    pub fn invalid_token(&self) -> ApiError {
        self.invalid("ClientToken", "…", "has more than 128 characters, or others than ASCII's")
    }

    /// Refuses a token that has been used for another question.
    pub fn other_question_same_token(&self) -> ApiError {
        let code = match self.dialect {
            Dialect::Ec2 | Dialect::Query => "IdempotentParameterMismatch",
            Dialect::Rest | Dialect::Json | Dialect::Cbor => "InvalidParameterException",
        };
        ApiError::bad(code, "The client token has been used before, with other parameters.")
    }

    fn invalid(&self, name: &str, value: &str, why: &str) -> ApiError {
        match self.dialect {
            Dialect::Ec2 => ApiError::bad(
                "InvalidParameterValue",
                format!("Invalid value '{value}' for {name}: it {why}"),
            ),
            Dialect::Query | Dialect::Cbor => {
                ApiError::bad("ValidationError", format!("Value '{value}' at '{name}' {why}"))
            }
            Dialect::Rest => ApiError::bad("InvalidParameterException", format!("{name}: '{value}' {why}")),
            Dialect::Json => ApiError::bad("InvalidInputException", format!("{name}: '{value}' {why}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_in_the_order_of_their_numbers_and_leftovers_are_refused() {
        let mut params =
            Params::parse(b"InstanceId.10=j&InstanceId.2=b&InstanceId.1=a&Surprise=1", Dialect::Ec2);
        assert_eq!(params.list("InstanceId"), ["a", "b", "j"]);
        assert_eq!(params.finish().unwrap_err().code, "UnknownParameter");
    }
}
