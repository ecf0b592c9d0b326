//! AWS's errors, in each protocol's own format.

use serde_json::{Map, Value};

use super::cbor;
use super::xml::Xml;

/// An error of a service's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// The service's code.
    pub code: String,
    /// What happened, in words.
    pub message: String,
    /// What else the answer says (EKS names the cluster).
    pub fields: Vec<(&'static str, String)>,
}

impl ApiError {
    /// An error with any status.
    pub fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into(), fields: Vec::new() }
    }

    /// Status 400.
    pub fn bad(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// Adds something that the answer says.
    #[must_use]
    pub fn with(mut self, field: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((field, value.into()));
        self
    }

    /// EC2's format.
    pub fn to_ec2(&self, request_id: &str) -> String {
        let mut xml = Xml::default();
        xml.element("Response", |xml| {
            xml.element("Errors", |xml| {
                xml.element("Error", |xml| {
                    xml.text("Code", &self.code);
                    xml.text("Message", &self.message);
                });
            });
            xml.text("RequestID", request_id);
        });
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}", xml.into_string())
    }

    /// The format of the Query services.
    pub fn to_query(&self, namespace: &str, request_id: &str) -> String {
        let mut xml = Xml::default();
        xml.root("ErrorResponse", namespace, |xml| {
            xml.element("Error", |xml| {
                xml.text("Type", if self.status < 500 { "Sender" } else { "Receiver" });
                xml.text("Code", &self.code);
                xml.text("Message", &self.message);
            });
            xml.text("RequestId", request_id);
        });
        xml.into_string()
    }

    /// The body of the JSON services, which has the code in it; they differ in how they spell `Message`.
    pub fn to_typed_json(&self, message: &str) -> String {
        let mut body = Map::new();
        body.insert("__type".to_owned(), Value::String(self.code.clone()));
        body.insert(message.to_owned(), Value::String(self.message.clone()));
        for (field, value) in &self.fields {
            body.insert((*field).to_owned(), Value::String(value.clone()));
        }
        Value::Object(body).to_string()
    }

    /// The body of the services that speak CBOR.
    pub fn to_cbor(&self) -> Vec<u8> {
        cbor::write(&cbor::map([
            ("__type", self.code.as_str().into()),
            ("message", self.message.as_str().into()),
        ]))
    }

    /// The body of the REST services; the code is in a header.
    pub fn to_json(&self) -> String {
        let mut body = Map::new();
        for (field, value) in &self.fields {
            body.insert((*field).to_owned(), Value::String(value.clone()));
        }
        body.insert("message".to_owned(), Value::String(self.message.clone()));
        Value::Object(body).to_string()
    }
}
