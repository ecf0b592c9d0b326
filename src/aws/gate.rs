//! The client gate: what a client may not do for its task, it refuses to.

use aws_sdk_ec2::config::interceptors::{
    BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
    BeforeTransmitInterceptorContextRef,
};
use aws_sdk_ec2::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ec2::error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, Metadata};

use super::operations::Task;

/// Refuses every operation that is not among those of a client's task, before anything of it is serialised,
/// signed or sent. A client that rehearses refuses, too, whatever would not be a rehearsal: it looks at the request
/// as it goes out, since what was meant is no matter.
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

    /// Whether a request may go out, as it is on the way.
    fn check(&self, request: &HttpRequest, config: &ConfigBag) -> Result<(), BoxError> {
        if self.task != Task::Rehearse || request.body().bytes().is_some_and(is_dry_run) {
            return Ok(());
        }
        Err(self.refuse(config, "does not ask for a dry run"))
    }

    fn refuse(&self, config: &ConfigBag, why: &'static str) -> BoxError {
        Refused { service: self.service, operation: operation(config).to_owned(), why }.into()
    }
}

/// What a refused call fails with.
#[derive(Debug, thiserror::Error)]
#[error("{service}:{operation} {why}; it was not sent")]
pub struct Refused {
    service: &'static str,
    operation: String,
    why: &'static str,
}

fn operation(config: &ConfigBag) -> &str {
    config.load::<Metadata>().map_or("an unnamed operation", Metadata::name)
}

/// Whether a request of the query protocol asks for a dry run: that and nothing else, once.
fn is_dry_run(body: &[u8]) -> bool {
    let Ok(body) = str::from_utf8(body) else { return false };
    let mut found = body.split('&').filter(|parameter| may_be_dry_run(parameter));
    found.next() == Some("DryRun=true") && found.next().is_none()
}

/// Whether EC2 may take a parameter for its `DryRun`. A name that is encoded may come out as any other.
fn may_be_dry_run(parameter: &str) -> bool {
    let name = parameter.split('=').next().unwrap_or_default();
    name.contains(['%', '+']) || name.trim().eq_ignore_ascii_case("DryRun")
}

impl Intercept for Gate {
    fn name(&self) -> &'static str {
        "Gate"
    }

    // Not `read_before_execution`: a client's own interceptors run there before the operation is known.
    fn read_before_serialization(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if self.task.allows(self.service, operation(config)) {
            return Ok(());
        }
        Err(self.refuse(config, "is not on the list of operations that may be called here"))
    }

    // Here, so that the meter does not count what is not sent.
    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.check(context.request(), config)
    }

    // And here, since this is the last look at a request: after it, nobody changes it.
    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.check(context.request(), config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dry_run_is_asked_for_once_and_by_its_name() {
        let is = |body: &str| is_dry_run(body.as_bytes());
        assert!(is("Action=ModifyLaunchTemplate&Version=2016-11-15&DryRun=true&SetDefaultVersion=2"));
        assert!(is("DryRun=true"));
        for body in [
            "",
            "Action=ModifyLaunchTemplate",
            "Action=ModifyLaunchTemplate&DryRun=false",
            "DryRun=true&DryRun=false",
            "DryRun=false&DryRun=true",
            "DryRun=true&dryrun=false",
            "DryRun=true&Dry%52un=false",
            "DryRun=",
            "DryRun",
            "DryRun=truer",
            "NoDryRun=true",
            "VersionDescription=%26DryRun%3Dtrue",
        ] {
            assert!(!is(body), "{body}");
        }
    }
}
