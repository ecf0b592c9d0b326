//! Does what a request asks for: asks IAM, and runs the operation.

use crate::answer::Context;
use crate::iam::Question;
use crate::ids;
use crate::refusal;
use crate::regions;
use crate::route::Wanted;
use crate::service::{Access, Asked, Call, Handler, QueryOperation, Resource, Service};
use crate::wire::cbor;
use crate::wire::error::ApiError;
use crate::wire::query::Params;
use crate::wire::xml::Xml;
use crate::world::{Region, Remembered};

/// What an operation came to.
#[derive(Debug)]
pub struct Outcome {
    /// The answer.
    pub body: Vec<u8>,
    /// The Region as it is from now on, where something changed.
    pub changed: Option<Region>,
}

impl Outcome {
    fn seen(body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), changed: None }
    }
}

/// Asks IAM, in the name of the service.
pub fn authorize(
    call: &Call<'_>,
    wanted: &Wanted,
    params: &Params,
    context: &Context,
) -> Result<(), ApiError> {
    let resource = match wanted.access() {
        Access::Open => return Ok(()),
        Access::Any => Resource::from("*".to_owned()),
        Access::On(resource) => resource(call, &Asked { path: wanted.path(), params }),
    };
    let action = format!("{}:{}", context.service.name(), context.operation);
    let region = match context.service {
        Service::Organizations => regions::organizations(&call.account.partition),
        _ => call.region_name,
    };
    let question = Question {
        action: &action,
        resource: &resource.arn,
        tags: &resource.tags,
        region,
        external_id: params.peek("ExternalId"),
        passed_to: None,
    };
    let denied =
        |denial| refusal::denied(context.service, &action, &call.caller.arn(), denial, &resource.arn);
    call.caller.may(&question).map_err(denied)
}

/// Runs the operation. What it would change is not changed yet.
pub fn run(call: &Call<'_>, wanted: &Wanted, params: Params, context: &Context) -> Result<Outcome, ApiError> {
    match wanted {
        Wanted::Json(operation) => Ok(Outcome::seen((operation.run)(call, params)?.to_string())),
        Wanted::Cbor(operation) => {
            let answer = (operation.run)(call, params)?;
            Ok(Outcome::seen(if context.json { cbor::write_json(answer) } else { cbor::write(&answer) }))
        }
        Wanted::Rest(operation, path) => match operation.run {
            Handler::Reads(read) => Ok(Outcome::seen(read(call, path, params)?.to_string())),
            Handler::Writes(write) => change(
                call,
                &[&[operation.name.to_owned()], &path[..]].concat(),
                operation.token,
                params,
                |region, params| Ok(write(call, region, path, params)?.to_string()),
            )
            .map(|(body, changed)| Outcome { body: body.into(), changed }),
        },
        Wanted::Query(operation) => query(call, operation, params, context),
    }
}

fn query(
    call: &Call<'_>,
    operation: &QueryOperation,
    mut params: Params,
    context: &Context,
) -> Result<Outcome, ApiError> {
    let dry_run = context.service == Service::Ec2 && params.flag("DryRun")?.unwrap_or(false);
    let outcome = match operation.run {
        Handler::Reads(read) => {
            Outcome::seen(envelope(operation.name, context, |inside| read(call, params, inside))?)
        }
        Handler::Writes(write) => {
            let (inside, changed) =
                change(call, &[operation.name.to_owned()], operation.token, params, |region, params| {
                    let mut inside = Xml::default();
                    write(call, region, params, &mut inside).map(|()| inside.into_string())
                })?;
            let body = envelope(operation.name, context, |xml| {
                xml.raw(&inside);
                Ok(())
            })?;
            Outcome { body: body.into(), changed }
        }
    };
    if dry_run {
        return Err(ApiError::new(
            412,
            "DryRunOperation",
            "Request would have succeeded, but DryRun flag is set.",
        ));
    }
    Ok(outcome)
}

/// Changes a copy of the Region; `asked` is the operation, and what it is on where a path says that. What a token has
/// brought about before is answered again, and not done again.
fn change(
    call: &Call<'_>,
    asked: &[String],
    token: Option<&'static str>,
    mut params: Params,
    write: impl FnOnce(&mut Region, Params) -> Result<String, ApiError>,
) -> Result<(String, Option<Region>), ApiError> {
    let token = token.and_then(|name| params.text(name));
    if token.as_ref().is_some_and(|token| token.len() > 128 || !token.is_ascii()) {
        return Err(params.invalid_token());
    }
    let token = token.map(|token| {
        let question = ids::hex(16, &[&params.question()]);
        (format!("{} {token}", asked.join("/")), question)
    });
    let before =
        token.as_ref().and_then(|(key, question)| Some((call.region.remembered.get(key)?, question)));
    match before {
        Some((before, question)) if before.question == *question => return Ok((before.answer.clone(), None)),
        Some(_) => return Err(params.other_question_same_token()),
        None => {}
    }
    let mut region = call.region.clone();
    let body = write(&mut region, params)?;
    if let Some((key, question)) = token {
        region.remembered.insert(key, Remembered { question, answer: body.clone() });
    }
    Ok((body, Some(region)))
}

/// An operation writes right into its answer, which may be megabytes long; nothing of it is left on an error.
fn envelope(
    operation: &str,
    context: &Context,
    write: impl FnOnce(&mut Xml) -> Result<(), ApiError>,
) -> Result<String, ApiError> {
    let mut xml = Xml::default();
    let mut written = Ok(());
    let service = context.service;
    xml.root(&format!("{operation}Response"), service.namespace(), |xml| {
        if service == Service::Ec2 {
            xml.text("requestId", &context.request_id);
            written = write(xml);
        } else {
            xml.unless_empty(&format!("{operation}Result"), |xml| written = write(xml));
            xml.element("ResponseMetadata", |xml| xml.text("RequestId", &context.request_id));
        }
    });
    written.map(|()| xml.into_string())
}
