//! The client gate: imdsctl cannot change anything, because its clients refuse to.

use aws_sdk_ec2::config::interceptors::BeforeSerializationInterceptorContextRef;
use aws_sdk_ec2::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ec2::error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::Metadata;

use super::operations::Task;

/// Refuses every operation that is not among those of a client's task, before anything of it is serialised,
/// signed or sent.
#[derive(Debug)]
pub struct Gate {
    service: &'static str,
    task: Task,
}

impl Gate {
    /// The gate for clients of one service, named as in [`super::operations::Operation::service`].
    pub const fn new(service: &'static str, task: Task) -> Self {
        Self { service, task }
    }
}

/// What a refused call fails with.
#[derive(Debug, thiserror::Error)]
#[error("{service}:{operation} is not on the list of operations that may be called here; it was not sent")]
pub struct Refused {
    service: &'static str,
    operation: String,
}

impl Intercept for Gate {
    fn name(&self) -> &'static str {
        "ReadOnlyGate"
    }

    // Not `read_before_execution`: a client's own interceptors run there before the operation is known.
    fn read_before_serialization(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let operation = config.load::<Metadata>().map_or("an unnamed operation", Metadata::name);
        if self.task.allows(self.service, operation) {
            return Ok(());
        }
        Err(Refused { service: self.service, operation: operation.to_owned() }.into())
    }
}
