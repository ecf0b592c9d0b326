//! Objects of S3.

use std::error::Error;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ServerSideEncryption;
use aws_smithy_runtime_api::client::result::SdkError;

use super::Courier;
use crate::aws::clients::courier_client;
use crate::aws::errors::{CallError, ErrorKind, REQUEST_FAILED};
use crate::aws::operations::{GET_OBJECT, Operation, PUT_OBJECT};

/// Where S3 says which Region a bucket is in, when it is asked in another.
const REGION_HEADER: &str = "x-amz-bucket-region";

impl Courier {
    /// Puts a file where an object is to be, in one piece: the object is whole or what it was before. With a KMS key it
    /// is encrypted by that, and else as the bucket says.
    ///
    /// # Errors
    /// When S3 does not take it.
    pub async fn put(
        &self,
        bucket: &str,
        key: &str,
        file: &Path,
        kms_key: Option<&str>,
    ) -> Result<(), CallError> {
        let mut region = None;
        loop {
            let body = ByteStream::from_path(file).await.map_err(|error| {
                CallError::new(PUT_OBJECT, ErrorKind::Other, REQUEST_FAILED, error.to_string())
            })?;
            let call = self
                .s3(region.as_deref())
                .put_object()
                .bucket(bucket)
                .key(key)
                .body(body)
                .set_server_side_encryption(kms_key.map(|_| ServerSideEncryption::AwsKms))
                .set_ssekms_key_id(kms_key.map(str::to_owned));
            let Err(error) = call.send().await else { return Ok(()) };
            match (region.is_none(), elsewhere(&error)) {
                (true, Some(other)) => region = Some(other),
                _ => return Err(failed(PUT_OBJECT, &error, bucket, key)),
            }
        }
    }

    /// Writes what an object holds to a file, piece by piece, and says whether there is one.
    ///
    /// # Errors
    /// When S3 does not give it, or it cannot be written. S3 tells that there is none only to who may list the bucket.
    pub async fn fetch(&self, bucket: &str, key: &str, into: &mut File) -> Result<bool, CallError> {
        let mut region = None;
        loop {
            let call = self.s3(region.as_deref()).get_object().bucket(bucket).key(key);
            let error = match call.send().await {
                Ok(object) => return copy(object.body, into).await.map(|()| true),
                Err(error) => error,
            };
            if error.code() == Some("NoSuchKey") {
                return Ok(false);
            }
            match (region.is_none(), elsewhere(&error)) {
                (true, Some(other)) => region = Some(other),
                _ => return Err(failed(GET_OBJECT, &error, bucket, key)),
            }
        }
    }

    fn s3(&self, region: Option<&str>) -> aws_sdk_s3::Client {
        let config = self.config_in(region);
        // A server that stands in for S3 has no name for each bucket.
        if config.endpoint_url().is_some() {
            courier_client!(aws_sdk_s3, "s3", self, &config, |config| config.force_path_style(true))
        } else {
            courier_client!(aws_sdk_s3, "s3", self, &config, |config| config)
        }
    }
}

async fn copy(mut body: ByteStream, into: &mut File) -> Result<(), CallError> {
    let broken =
        |error: &dyn Error| CallError::new(GET_OBJECT, ErrorKind::Other, REQUEST_FAILED, error.to_string());
    while let Some(piece) = body.try_next().await.map_err(|error| broken(&error))? {
        into.write_all(&piece).map_err(|error| broken(&error))?;
    }
    Ok(())
}

/// The Region that S3 points to.
fn elsewhere<E>(
    error: &SdkError<E, aws_smithy_runtime_api::client::orchestrator::HttpResponse>,
) -> Option<String> {
    let answer = error.raw_response()?;
    let redirects = matches!(answer.status().as_u16(), 301 | 307 | 400);
    answer.headers().get(REGION_HEADER).filter(|_| redirects).map(str::to_owned)
}

fn failed<E>(
    operation: Operation,
    error: &SdkError<E, aws_smithy_runtime_api::client::orchestrator::HttpResponse>,
    bucket: &str,
    key: &str,
) -> CallError
where
    E: aws_sdk_s3::error::ProvideErrorMetadata + Error + 'static,
{
    CallError::from_sdk(operation, error).about(&format!("s3://{bucket}/{key}"))
}
