//! From a request to the operation that it asks for, and its parameters.

use percent_encoding::percent_decode_str;

use crate::front::Incoming;
use crate::service::{
    Access, CborOperation, Handler, JsonOperation, QueryOperation, RestOperation, Service, autoscaling,
    cloudwatch, ec2, eks, iam, organizations, sts,
};
use crate::wire::auth::{AuthProblem, Scope};
use crate::wire::cbor;
use crate::wire::error::ApiError;
use crate::wire::query::{Dialect, Params};

/// An operation that a request asks for.
pub enum Wanted {
    /// Of a Query service.
    Query(&'static QueryOperation),
    /// Of a REST service, with the parts of its path that may be anything.
    Rest(&'static RestOperation, Vec<String>),
    /// Of a JSON service.
    Json(&'static JsonOperation),
    /// Of a service that speaks CBOR.
    Cbor(&'static CborOperation),
}

impl Wanted {
    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Query(operation) => operation.name,
            Self::Rest(operation, _) => operation.name,
            Self::Json(operation) => operation.name,
            Self::Cbor(operation) => operation.name,
        }
    }

    /// Who may.
    pub fn access(&self) -> Access {
        match self {
            Self::Query(operation) => operation.access,
            Self::Rest(operation, _) => operation.access,
            Self::Json(operation) => operation.access,
            Self::Cbor(operation) => operation.access,
        }
    }

    /// Does it change something?
    pub fn writes(&self) -> bool {
        match self {
            Self::Query(operation) => matches!(operation.run, Handler::Writes(_)),
            Self::Rest(operation, _) => matches!(operation.run, Handler::Writes(_)),
            Self::Json(_) | Self::Cbor(_) => false,
        }
    }

    /// The parts of its path that may be anything.
    pub fn path(&self) -> &[String] {
        match self {
            Self::Rest(_, path) => path,
            Self::Query(_) | Self::Json(_) | Self::Cbor(_) => &[],
        }
    }
}

/// The service that a request is for: the one it was signed for, or where it was not signed, the one it looks like.
pub fn service_of(scope: &Result<Scope, AuthProblem>, incoming: &Incoming) -> Option<Service> {
    match scope {
        Ok(scope) => Service::by_name(&scope.service),
        Err(_) if incoming.path.starts_with(cloudwatch::PATH) => Some(Service::CloudWatch),
        Err(_) if incoming.path != "/" => Some(Service::Eks),
        Err(_) if incoming.target.as_ref().is_some_and(|target| target.starts_with(cloudwatch::TARGET)) => {
            Some(Service::CloudWatch)
        }
        Err(_) if incoming.target.is_some() => Some(Service::Organizations),
        Err(_) => {
            let version = query_params(incoming, Dialect::Query).text("Version")?;
            Service::by_version(&version)
        }
    }
}

/// What a request asks for, and its parameters.
pub fn read(service: Service, incoming: &Incoming) -> Result<(Wanted, Params), ApiError> {
    let mut params = params_of(service, incoming)?;
    let wanted = wanted(service, incoming, &mut params)?;
    Ok((wanted, params))
}

fn params_of(service: Service, incoming: &Incoming) -> Result<Params, ApiError> {
    match service {
        Service::Ec2 => Ok(query_params(incoming, Dialect::Ec2)),
        Service::Sts | Service::AutoScaling | Service::Iam => Ok(query_params(incoming, Dialect::Query)),
        Service::Eks => Params::parse_rest(incoming.query.as_bytes(), &incoming.body),
        Service::Organizations => Params::parse_json(&incoming.body),
        Service::CloudWatch if incoming.target.is_some() => cbor::read_json(&incoming.body),
        Service::CloudWatch => cbor::read(&incoming.body),
    }
}

/// Query services take their parameters from a form, or from the query string of a GET.
fn query_params(incoming: &Incoming, dialect: Dialect) -> Params {
    let encoded = if incoming.body.is_empty() { incoming.query.as_bytes() } else { incoming.body.as_slice() };
    Params::parse(encoded, dialect)
}

fn wanted(service: Service, incoming: &Incoming, params: &mut Params) -> Result<Wanted, ApiError> {
    let table = match service {
        Service::Eks => return rest_operation(incoming),
        Service::Organizations => return json_operation(incoming),
        Service::CloudWatch => return cbor_operation(incoming),
        Service::Sts => sts::OPERATIONS,
        Service::Ec2 => ec2::OPERATIONS,
        Service::AutoScaling => autoscaling::OPERATIONS,
        Service::Iam => iam::OPERATIONS,
    };
    let action = params.text("Action").ok_or_else(|| {
        ApiError::bad("MissingAction", "The request is missing an action or a required parameter")
    })?;
    let version = params.text("Version").unwrap_or_default();
    let found = table.iter().find(|operation| operation.name == action);
    match found {
        Some(operation) if version == service.version() => Ok(Wanted::Query(operation)),
        _ if service == Service::Ec2 && version == service.version() => Err(ApiError::bad(
            "InvalidAction",
            format!("The action {action} is not valid for this web service."),
        )),
        _ => Err(ApiError::bad(
            "InvalidAction",
            format!("Could not find operation {action} for version {version}"),
        )),
    }
}

fn rest_operation(incoming: &Incoming) -> Result<Wanted, ApiError> {
    let parts: Vec<String> = incoming
        .path
        .trim_matches('/')
        .split('/')
        .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
        .collect();
    let found = eks::OPERATIONS.iter().find_map(|operation| {
        let pattern: Vec<&str> = operation.path.trim_matches('/').split('/').collect();
        let fits = operation.method == incoming.method
            && pattern.len() == parts.len()
            && pattern.iter().zip(&parts).all(|(pattern, part)| *pattern == "{}" || *pattern == part);
        let arguments = pattern.iter().zip(&parts).filter(|(pattern, _)| **pattern == "{}");
        fits.then(|| Wanted::Rest(operation, arguments.map(|(_, part)| part.clone()).collect()))
    });
    found.ok_or_else(|| {
        ApiError::new(
            404,
            "UnknownOperationException",
            format!("there is no operation {} {} here", incoming.method, incoming.path),
        )
    })
}

fn json_operation(incoming: &Incoming) -> Result<Wanted, ApiError> {
    let target = incoming.target.as_deref().unwrap_or_default();
    let named = target.split_once('.').filter(|(service, _)| *service == organizations::TARGET);
    let found = organizations::OPERATIONS
        .iter()
        .find(|operation| incoming.method == "POST" && named.is_some_and(|(_, name)| name == operation.name));
    found.map(Wanted::Json).ok_or_else(|| {
        ApiError::bad("UnknownOperationException", format!("there is no operation {target:?} here"))
    })
}

fn cbor_operation(incoming: &Incoming) -> Result<Wanted, ApiError> {
    let name = match &incoming.target {
        Some(target) => target.strip_prefix(cloudwatch::TARGET),
        None => incoming.path.strip_prefix(cloudwatch::PATH),
    };
    let name = name.filter(|_| incoming.method == "POST");
    let found = cloudwatch::OPERATIONS.iter().find(|operation| name == Some(operation.name));
    found.map(Wanted::Cbor).ok_or_else(|| {
        ApiError::bad("UnknownOperationException", format!("there is no operation {:?} here", incoming.path))
    })
}
