//! Whether an answer is all there.
//!
//! The SDK's XML parser takes a document that breaks off for one that ends: what is missing would be absent from the
//! report without a word, and worse, unset options would pass for set ones. HTTP notices only if the connection
//! broke, not if a proxy, a cache or the service itself cut the body and counted right.

use std::error::Error;

use aws_sdk_ec2::config::interceptors::{AfterDeserializationInterceptorContextRef, InterceptorContext};
use aws_sdk_ec2::config::retry::{ClassifyRetry, RetryAction};
use aws_sdk_ec2::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ec2::error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::Metadata;

use super::http::chain;

/// What an answer that breaks off fails with.
#[derive(Debug, thiserror::Error)]
#[error("the answer breaks off: its end is missing")]
pub(super) struct BrokenOff;

/// Fails an attempt whose answer breaks off, and has it made again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whole;

impl Intercept for Whole {
    fn name(&self) -> &'static str {
        "Whole"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        // An error is known by its status, whatever became of its body.
        let body = response.body().bytes().filter(|_| response.status().is_success());
        let operation = config.load::<Metadata>().map_or("", Metadata::name);
        if body.is_none_or(|body| is_whole(body, operation)) { Ok(()) } else { Err(BrokenOff.into()) }
    }
}

impl ClassifyRetry for Whole {
    fn name(&self) -> &'static str {
        "Whole"
    }

    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        match context.output_or_error() {
            Some(Err(error)) if chain(error).any(<dyn Error>::is::<BrokenOff>) => {
                RetryAction::transient_error()
            }
            _ => RetryAction::NoActionIndicated,
        }
    }
}

/// Whether the document ends as documents of its kind do: XML with the root element's end, JSON with an object's.
fn is_whole(body: &[u8], operation: &str) -> bool {
    let body = body.trim_ascii();
    match body.first() {
        Some(b'{') => body.ends_with(b"}"),
        Some(b'<') => body.ends_with(format!("</{operation}Response>").as_bytes()),
        // What is neither is for the SDK to make something of, or not.
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_ends_with_what_it_began() {
        let xml =
            br#"<?xml version="1.0"?><DescribeImagesResponse xmlns="x"><a>1</a></DescribeImagesResponse>
"#;
        assert!(is_whole(xml, "DescribeImages"));
        for end in 1..xml.len() - 1 {
            assert!(!is_whole(&xml[..end], "DescribeImages"), "{end}");
        }
        assert!(is_whole(br#"{"clusters":["a"]}"#, "ListClusters"));
        assert!(!is_whole(br#"{"clusters":["a"#, "ListClusters"));
        assert!(is_whole(b"", "ListClusters"));
    }
}
