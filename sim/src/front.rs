//! From a request to an answer: who asks what of which service, and in which language to answer.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use percent_encoding::percent_decode_str;

use crate::answer::{Answer, Context, failed, instead, no_such_service, refuse, reply, spoil};
use crate::faults::{Faults, Target};
use crate::fleet::schema::Settings;
use crate::fleet::{Fault, FaultKind, Fleet};
use crate::iam::{Identities, Question, Stranger};
use crate::ids;
use crate::log::Request;
use crate::refusal::{self, Refusal};
use crate::regions;
use crate::service::sts::AssumeRoleRequest;
use crate::service::{
    Access, Asked, Call, JsonOperation, QueryOperation, RestOperation, Service, autoscaling, ec2, eks, iam,
    organizations, sts,
};
use crate::throttle::{Throttle, Throttling};
use crate::wire::auth::{self, AuthProblem, Scope};
use crate::wire::error::ApiError;
use crate::wire::page::Turn;
use crate::wire::query::{Dialect, Params};
use crate::wire::xml::Xml;
use crate::world::{OptIn, World};

/// What came over the wire.
#[derive(Debug)]
pub struct Incoming {
    /// `GET` and others.
    pub method: String,
    /// Encoded.
    pub path: String,
    /// Encoded, without the question mark.
    pub query: String,
    /// The header.
    pub authorization: Option<String>,
    /// `X-Amz-Security-Token`, of temporary credentials.
    pub security_token: Option<String>,
    /// `X-Amz-Target`: what a JSON service is asked.
    pub target: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// Everything that requests share.
#[derive(Debug)]
pub struct Front {
    world: RwLock<World>,
    /// Who has which access key.
    pub identities: Identities,
    settings: Settings,
    faults: RwLock<Arc<Faults>>,
    throttle: RwLock<Arc<Throttle>>,
    count: AtomicU64,
}

/// An operation that a request asks for.
enum Wanted {
    Query(&'static QueryOperation),
    Rest(&'static RestOperation, Vec<String>),
    Json(&'static JsonOperation),
}

impl Wanted {
    fn name(&self) -> &'static str {
        match self {
            Self::Query(operation) => operation.name,
            Self::Rest(operation, _) => operation.name,
            Self::Json(operation) => operation.name,
        }
    }

    fn access(&self) -> Access {
        match self {
            Self::Query(operation) => operation.access,
            Self::Rest(operation, _) => operation.access,
            Self::Json(operation) => operation.access,
        }
    }

    fn path(&self) -> &[String] {
        match self {
            Self::Rest(_, path) => path,
            Self::Query(_) | Self::Json(_) => &[],
        }
    }
}

impl Front {
    /// For a fleet; `world` is the fleet's own, or what became of it. An error says which of the fleet's faults or
    /// buckets makes no sense.
    pub fn new(fleet: &Fleet, world: World) -> Result<Self, String> {
        let throttle = Throttle::new(fleet.settings.throttling.as_ref())?;
        Ok(Self {
            identities: Identities::new(&world, fleet.settings.session_seconds),
            world: RwLock::new(world),
            settings: fleet.settings.clone(),
            faults: RwLock::new(Arc::new(Faults::new(&fleet.faults)?)),
            throttle: RwLock::new(Arc::new(throttle)),
            count: AtomicU64::new(0),
        })
    }

    /// How long the answer to a request takes, the same for the same question.
    pub fn latency(&self, incoming: &Incoming) -> Duration {
        let jitter = match self.settings.jitter_ms {
            0 => 0,
            most => {
                ids::number(&[&incoming.path, &incoming.query, &String::from_utf8_lossy(&incoming.body)])
                    % (most + 1)
            }
        };
        Duration::from_millis(self.settings.latency_ms + jitter)
    }

    /// From now on, other things go wrong.
    pub fn set_faults(&self, faults: &[Fault]) -> Result<(), String> {
        let faults = Arc::new(Faults::new(faults)?);
        *self.faults.write().unwrap_or_else(PoisonError::into_inner) = faults;
        Ok(())
    }

    /// From now on, it is throttled otherwise; every bucket is full.
    pub fn set_throttling(&self, throttling: Option<&Throttling>) -> Result<(), String> {
        let throttle = Arc::new(Throttle::new(throttling)?);
        *self.throttle.write().unwrap_or_else(PoisonError::into_inner) = throttle;
        Ok(())
    }

    /// Looks at the world.
    pub fn with_world<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        look(&self.world.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Answers, and says what there is to say about the request.
    pub fn answer(&self, incoming: &Incoming) -> (Answer, Request) {
        let number = self.count.fetch_add(1, Ordering::Relaxed).to_string();
        let request_id = ids::uuid(&["request", &number]);
        let scope = auth::scope(incoming.authorization.as_deref());
        let mut log = Request::default();
        if let Ok(scope) = &scope {
            log.service.clone_from(&scope.service);
            log.region.clone_from(&scope.region);
            log.access_key.clone_from(&scope.access_key);
        }
        let Some(service) = service_of(&scope, incoming) else {
            return no_such_service(log, request_id);
        };
        service.name().clone_into(&mut log.service);
        let mut context = Context { service, operation: "", request_id, log };
        let answer = self.handle(&scope, incoming, &mut context);
        let mut log = context.log;
        context.operation.clone_into(&mut log.operation);
        if let Answer::Whole(reply) | Answer::Cut(reply) | Answer::Late(reply, _) = &answer {
            log.status = reply.status;
        }
        (answer, log)
    }

    fn handle(
        &self,
        scope: &Result<Scope, AuthProblem>,
        incoming: &Incoming,
        context: &mut Context,
    ) -> Answer {
        let read = params_of(context.service, incoming).and_then(|mut params| {
            let wanted = wanted(context.service, incoming, &mut params)?;
            Ok((wanted, params))
        });
        if let Ok((wanted, params)) = &read {
            context.operation = wanted.name();
            if (context.service, context.operation) == (Service::Sts, "AssumeRole") {
                context.log.assume_role = Some(AssumeRoleRequest::of(params));
            }
        }
        let scope = match scope {
            Ok(scope) => scope,
            Err(AuthProblem::Missing) => return refuse(context, Refusal::NoCredentials, ""),
            Err(AuthProblem::Incomplete) => return refuse(context, Refusal::MalformedCredentials, ""),
        };
        let world = self.world.read().unwrap_or_else(PoisonError::into_inner);
        let token = incoming.security_token.as_deref();
        let (caller, expired) = match self.identities.caller(&world, &scope.access_key, token) {
            Ok(caller) => (caller, false),
            Err(Stranger::Expired(caller)) => (caller, true),
            Err(Stranger::Unknown) => return refuse(context, Refusal::UnknownKey, ""),
        };
        let account = caller.account;
        let user = caller.arn();
        context.log.account.clone_from(&account.id);
        context.log.principal.clone_from(&user);
        if expired {
            return refuse(context, Refusal::Expired, &user);
        }
        // AWS does not say that a Region is not enabled, or does not exist: it does not know the key there.
        let region = account.regions.get(&scope.region).filter(|region| region.opt_in != OptIn::NotOptedIn);
        let Some(region) = region else {
            return refuse(context, Refusal::UnknownKey, &user);
        };
        let (wanted, params) = match read {
            Ok(read) => read,
            Err(error) => return failed(context, &error),
        };
        let call = Call {
            account,
            caller: &caller,
            region_name: &scope.region,
            region,
            world: &world,
            identities: &self.identities,
            settings: &self.settings,
            turn: &Turn::default(),
        };
        if let Err(error) = authorize(&call, &wanted, &params, context) {
            return failed(context, &error);
        }
        let named = format!("{}:{}", context.service.name(), context.operation);
        if !self.throttle().admits(&account.id, &scope.region, &named, params.is_unpaged()) {
            return refuse(context, Refusal::Throttled, &user);
        }
        let faults = self.faults();
        let target = Target { account: &account.id, region: &scope.region, operation: &named };
        let run =
            |turn: &Turn, context: &Context| run(&Call { turn, ..call }, &wanted, params.clone(), context);
        let mut turn = Turn::default();
        // Which page it is, only the operation itself can tell.
        let mut outcome = faults.look_at_pages(target).then(|| run(&turn, context));
        let strike = faults.strike(target, &turn);
        context.log.fault = strike.map(|strike| strike.kind);
        if let Some(refused) = strike.and_then(|strike| instead(context, strike.kind, &user)) {
            context.log.page = turn.number();
            return refused;
        }
        if strike.is_some_and(|strike| strike.kind == FaultKind::EndlessList) {
            turn = Turn::endless();
            outcome = None;
        }
        let outcome = outcome.unwrap_or_else(|| run(&turn, context));
        context.log.page = turn.number();
        context.log.more = turn.has_more();
        match outcome {
            Err(error) => failed(context, &error),
            Ok(body) => {
                let reply = reply(context, 200, None, body);
                match strike {
                    None => Answer::Whole(reply),
                    Some(strike) => spoil(context, strike, reply),
                }
            }
        }
    }

    fn faults(&self) -> Arc<Faults> {
        Arc::clone(&self.faults.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn throttle(&self) -> Arc<Throttle> {
        Arc::clone(&self.throttle.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The service that a request is for: the one it was signed for, or where it was not signed, the one it looks like.
fn service_of(scope: &Result<Scope, AuthProblem>, incoming: &Incoming) -> Option<Service> {
    match scope {
        Ok(scope) => Service::by_name(&scope.service),
        Err(_) if incoming.path != "/" => Some(Service::Eks),
        Err(_) if incoming.target.is_some() => Some(Service::Organizations),
        Err(_) => {
            let version = query_params(incoming, Dialect::Query).text("Version")?;
            Service::by_version(&version)
        }
    }
}

fn params_of(service: Service, incoming: &Incoming) -> Result<Params, ApiError> {
    match service {
        Service::Ec2 => Ok(query_params(incoming, Dialect::Ec2)),
        Service::Sts | Service::AutoScaling | Service::Iam => Ok(query_params(incoming, Dialect::Query)),
        Service::Eks => Ok(Params::parse(incoming.query.as_bytes(), Dialect::Rest)),
        Service::Organizations => Params::parse_json(&incoming.body),
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

/// Asks IAM, in the name of the service.
fn authorize(call: &Call<'_>, wanted: &Wanted, params: &Params, context: &Context) -> Result<(), ApiError> {
    let resource = match wanted.access() {
        Access::Open => return Ok(()),
        Access::Any => "*".to_owned(),
        Access::On(resource) => resource(call, &Asked { path: wanted.path(), params }),
    };
    let action = format!("{}:{}", context.service.name(), context.operation);
    let region = match context.service {
        Service::Organizations => regions::organizations(&call.account.partition),
        _ => call.region_name,
    };
    let question =
        Question { action: &action, resource: &resource, region, external_id: params.peek("ExternalId") };
    let denied = |denial| refusal::denied(context.service, &action, &call.caller.arn(), denial, &resource);
    call.caller.may(&question).map_err(denied)
}

fn run(call: &Call<'_>, wanted: &Wanted, mut params: Params, context: &Context) -> Result<String, ApiError> {
    match wanted {
        Wanted::Rest(operation, path) => Ok((operation.run)(call, path, params)?.to_string()),
        Wanted::Json(operation) => Ok((operation.run)(call, params)?.to_string()),
        Wanted::Query(operation) => {
            let ec2 = context.service == Service::Ec2;
            let dry_run = ec2 && params.flag("DryRun")?.unwrap_or(false);
            let body = envelope(operation.name, context, |inside| (operation.run)(call, params, inside))?;
            if dry_run {
                return Err(ApiError::new(
                    412,
                    "DryRunOperation",
                    "Request would have succeeded, but DryRun flag is set.",
                ));
            }
            Ok(body)
        }
    }
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
            xml.element(&format!("{operation}Result"), |xml| written = write(xml));
            xml.element("ResponseMetadata", |xml| xml.text("RequestId", &context.request_id));
        }
    });
    written.map(|()| xml.into_string())
}
