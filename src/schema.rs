//! How the types of a contract become a JSON Schema that is as open as the contract.

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform as _};
use schemars::{JsonSchema, Schema, json_schema as schema};
use serde_json::{Map, Value};

/// The JSON Schema (draft 2020-12) of a document whose member `schema`, where it has one, is `tag`.
pub fn of<T: JsonSchema>(id: &str, title: &str, tag: &str) -> Value {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut root = generator.into_root_schema_for::<T>();
    RecursiveTransform(open).transform(&mut root);
    root.insert("$id".into(), id.into());
    root.insert("title".into(), title.into());
    if let Some(schema) = root.pointer_mut("/properties/schema").and_then(Value::as_object_mut) {
        schema.insert("const".into(), tag.into());
    }
    root.to_value()
}

/// Opens an enum for values, and an object for members, that a later version adds.
fn open(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    object.remove("additionalProperties").and_then(|allowed| {
        // `false` closes an object; a schema says what a map holds.
        (allowed != Value::Bool(false)).then(|| object.insert("additionalProperties".into(), allowed))
    });
    if let Some(Value::Array(values)) = object.remove("enum") {
        object.remove("type");
        let constant = |value| Value::Object(Map::from_iter([("const".to_owned(), value)]));
        object.insert("anyOf".into(), with_others(values.into_iter().map(constant).collect()));
    } else if let Some(Value::Array(variants)) = object.remove("oneOf") {
        object.insert("anyOf".into(), with_others(variants));
    }
}

/// Known variants, and any other of the same type.
fn with_others(mut variants: Vec<Value>) -> Value {
    let objects = variants.iter().any(|variant| variant["type"] == "object");
    let other = schema!({
        "type": if objects { "object" } else { "string" },
        "description": "What a later version may add; to be accepted.",
    });
    variants.push(other.to_value());
    Value::Array(variants)
}
