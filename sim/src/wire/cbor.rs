//! CBOR, as far as Smithy's RPC protocol has it: what requests hold, and how answers are written. The same services
//! also speak JSON, which has no moments, only their seconds.

use ciborium::Value;

use super::error::ApiError;
use super::query::Params;

/// The tag of a moment, in seconds since 1970.
const MOMENT: u64 = 1;

/// Reads a body: the members of maps become `outer.inner`, those of arrays `list.1`, moments their seconds.
pub fn read(body: &[u8]) -> Result<Params, ApiError> {
    let value = if body.is_empty() { Ok(Value::Map(Vec::new())) } else { ciborium::from_reader(body) };
    params(value.ok(), "the body is not a CBOR map")
}

/// Reads a body in JSON.
pub fn read_json(body: &[u8]) -> Result<Params, ApiError> {
    let body = if body.is_empty() { b"{}" } else { body };
    params(serde_json::from_slice(body).ok(), "the body is not a JSON object")
}

fn params(value: Option<Value>, otherwise: &str) -> Result<Params, ApiError> {
    let Some(value) = value.filter(Value::is_map) else {
        return Err(ApiError::bad("SerializationException", otherwise));
    };
    let mut params = Params::of_body();
    flatten(&mut params, "", value);
    Ok(params)
}

fn flatten(params: &mut Params, name: &str, value: Value) {
    let inside = |inner: &str| if name.is_empty() { inner.to_owned() } else { format!("{name}.{inner}") };
    match value {
        Value::Map(members) => {
            for (key, value) in members {
                if let Value::Text(key) = key {
                    flatten(params, &inside(&key), value);
                }
            }
        }
        Value::Array(items) => {
            for (number, value) in (1_u32..).zip(items) {
                flatten(params, &inside(&number.to_string()), value);
            }
        }
        Value::Tag(_, value) => flatten(params, name, *value),
        Value::Text(text) => params.put(name, text),
        Value::Integer(number) => params.put(name, i128::from(number).to_string()),
        Value::Float(number) => params.put(name, number.to_string()),
        Value::Bool(flag) => params.put(name, flag.to_string()),
        _ => {}
    }
}

/// Writes an answer.
pub fn write(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    // Writing to memory cannot fail, and the values here are ones that CBOR has.
    let _ = ciborium::into_writer(value, &mut out);
    out
}

/// Writes an answer in JSON.
pub fn write_json(value: Value) -> Vec<u8> {
    // Values without tags are ones that JSON has.
    serde_json::to_vec(&without_tags(value)).unwrap_or_default()
}

fn without_tags(value: Value) -> Value {
    match value {
        Value::Tag(_, value) => without_tags(*value),
        Value::Array(items) => Value::Array(items.into_iter().map(without_tags).collect()),
        Value::Map(members) => {
            Value::Map(members.into_iter().map(|(name, value)| (name, without_tags(value))).collect())
        }
        plain => plain,
    }
}

/// A map with these members.
pub fn map<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Map(members.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

/// A moment, in seconds since 1970.
pub fn moment(seconds: i64) -> Value {
    Value::Tag(MOMENT, Box::new(seconds.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_flattened_and_moments_are_their_seconds() {
        let body = map([
            ("List", Value::Array(vec![map([("Id", "a".into())]), map([("Id", "b".into())])])),
            ("Time", Value::Tag(MOMENT, Box::new(Value::Float(1_794_733_200.5)))),
            ("Flag", true.into()),
            ("Nothing", Value::Null),
        ]);
        let mut params = read(&write(&body)).unwrap();
        assert_eq!(params.numbered("List"), ["List.1", "List.2"]);
        for (name, value) in
            [("List.1.Id", "a"), ("List.2.Id", "b"), ("Time", "1794733200.5"), ("Flag", "true")]
        {
            assert_eq!(params.text(name).as_deref(), Some(value));
        }
        assert!(params.finish().is_ok());
        assert!(read(b"\x01").is_err());
        assert!(read(b"{}").is_err());
        assert_eq!(write_json(map([("At", moment(5))])), br#"{"At":5}"#);
        assert_eq!(read_json(br#"{"At":5.5}"#).unwrap().text("At").as_deref(), Some("5.5"));
    }
}
