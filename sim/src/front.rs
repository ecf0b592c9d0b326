//! From a request to an answer: who asks what of which service, and in which language to answer.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use percent_encoding::percent_decode_str;

use crate::faults::Faults;
use crate::fleet::Fleet;
use crate::fleet::schema::{FaultKind, Settings};
use crate::ids;
use crate::refusal::Refusal;
use crate::service::{Call, QueryOperation, Service, autoscaling, ec2, eks, sts};
use crate::wire::auth::{self, AuthProblem, Scope};
use crate::wire::error::ApiError;
use crate::wire::query::{Dialect, Params};
use crate::wire::xml::Xml;
use crate::world::{OptIn, World};

/// One request as the simulator saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `ec2`, as the client signed it.
    pub service: String,
    /// `DescribeInstances`; empty where there is no such operation.
    pub operation: String,
    /// The account, where the access key is known.
    pub account: String,
    /// The Region, as the client signed it.
    pub region: String,
    /// The HTTP status; 0 where there was no answer.
    pub status: u16,
    /// The service's code, or the name of the fault.
    pub error_code: Option<String>,
}

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
    /// The body.
    pub body: Vec<u8>,
}

/// What goes back.
#[derive(Debug)]
pub enum Answer {
    /// An answer.
    Whole(Reply),
    /// The connection closes in the middle of it.
    Cut(Reply),
    /// Nothing, ever.
    Hang,
    /// The connection closes.
    Reset,
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The header.
    pub content_type: &'static str,
    /// `x-amzn-ErrorType`, in REST services.
    pub error_type: Option<String>,
    /// `x-amzn-RequestId`.
    pub request_id: String,
    /// The body.
    pub body: String,
}

/// Everything that requests share.
#[derive(Debug)]
pub struct Front {
    world: RwLock<World>,
    settings: Settings,
    faults: Faults,
    log: Mutex<Vec<Request>>,
    count: AtomicU64,
}

/// What is known about a request before it is answered.
struct Context {
    service: Service,
    operation: &'static str,
    request_id: String,
    log: Request,
}

/// An operation that a request asks for.
enum Wanted {
    Query(&'static QueryOperation),
    Rest(&'static crate::service::RestOperation, Vec<String>),
}

impl Front {
    /// For a fleet; `world` is the fleet's own, or what became of it.
    pub fn new(fleet: &Fleet, world: World) -> Self {
        Self {
            world: RwLock::new(world),
            settings: fleet.settings,
            faults: Faults::new(&fleet.faults),
            log: Mutex::new(Vec::new()),
            count: AtomicU64::new(0),
        }
    }

    /// How long every answer takes.
    pub fn latency(&self) -> Duration {
        Duration::from_millis(self.settings.latency_ms)
    }

    /// What has been asked so far.
    pub fn requests(&self) -> Vec<Request> {
        self.log().clone()
    }

    /// Looks at the world.
    pub fn with_world<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        look(&self.world.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn log(&self) -> MutexGuard<'_, Vec<Request>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers.
    pub fn answer(&self, incoming: &Incoming) -> Answer {
        let number = self.count.fetch_add(1, Ordering::Relaxed).to_string();
        let request_id = ids::uuid(&["request", &number]);
        let scope = auth::scope(incoming.authorization.as_deref());
        let Some(service) = service_of(&scope, incoming) else {
            return self.no_such_service(&scope, request_id);
        };
        let mut context = Context {
            service,
            operation: "",
            request_id,
            log: Request {
                service: service.name().to_owned(),
                operation: String::new(),
                account: String::new(),
                region: scope.as_ref().map(|scope| scope.region.clone()).unwrap_or_default(),
                status: 0,
                error_code: None,
            },
        };
        let answer = self.handle(&scope, incoming, &mut context);
        let mut log = context.log;
        context.operation.clone_into(&mut log.operation);
        if let Answer::Whole(reply) | Answer::Cut(reply) = &answer {
            log.status = reply.status;
        }
        self.log().push(log);
        answer
    }

    fn handle(
        &self,
        scope: &Result<Scope, AuthProblem>,
        incoming: &Incoming,
        context: &mut Context,
    ) -> Answer {
        let mut params = params_of(context.service, incoming);
        let wanted = wanted(context.service, incoming, &mut params);
        if let Ok(wanted) = &wanted {
            context.operation = match wanted {
                Wanted::Query(operation) => operation.name,
                Wanted::Rest(operation, _) => operation.name,
            };
        }
        let scope = match scope {
            Ok(scope) => scope,
            Err(AuthProblem::Missing) => return refuse(context, Refusal::NoCredentials, ""),
            Err(AuthProblem::Incomplete) => return refuse(context, Refusal::MalformedCredentials, ""),
        };
        let world = self.world.read().unwrap_or_else(PoisonError::into_inner);
        let Some((account, key)) = world.account_of_key(&scope.access_key) else {
            return refuse(context, Refusal::UnknownKey, "");
        };
        context.log.account.clone_from(&account.id);
        let user = account.user_arn(&key.user);
        if key.expired {
            return refuse(context, Refusal::Expired, &user);
        }
        // AWS does not say that a Region is not enabled, or does not exist: it does not know the key there.
        let region = account.regions.get(&scope.region).filter(|region| region.opt_in != OptIn::NotOptedIn);
        let Some(region) = region else {
            return refuse(context, Refusal::UnknownKey, &user);
        };
        let wanted = match wanted {
            Ok(wanted) => wanted,
            Err(error) => return failed(context, &error),
        };
        let named = format!("{}:{}", context.service.name(), context.operation);
        let fault = self.faults.strike(&account.id, &scope.region, &named);
        match fault {
            None | Some(FaultKind::TruncatedBody) => {}
            Some(fault) => return strike(context, fault, &user),
        }
        let call = Call { account, key, region_name: &scope.region, region, settings: &self.settings };
        match run(&call, &wanted, params, context) {
            Err(error) => failed(context, &error),
            Ok(body) => {
                let reply = reply(context, 200, None, body);
                if fault.is_none() {
                    return Answer::Whole(reply);
                }
                context.log.error_code = Some("truncated_body".to_owned());
                Answer::Cut(reply)
            }
        }
    }

    fn no_such_service(&self, scope: &Result<Scope, AuthProblem>, request_id: String) -> Answer {
        let (service, region) = match scope {
            Ok(scope) => (scope.service.clone(), scope.region.clone()),
            Err(_) => (String::new(), String::new()),
        };
        let code = "UnknownOperationException";
        let message = if service.is_empty() {
            "neither a credential scope nor a Version says which service is meant".to_owned()
        } else {
            format!("there is no service {service} here")
        };
        self.log().push(Request {
            service,
            operation: String::new(),
            account: String::new(),
            region,
            status: 404,
            error_code: Some(code.to_owned()),
        });
        Answer::Whole(Reply {
            status: 404,
            content_type: "application/x-amz-json-1.1",
            error_type: Some(code.to_owned()),
            request_id,
            body: serde_json::json!({ "__type": code, "message": message }).to_string(),
        })
    }
}

/// The service that a request is for: the one it was signed for, or where it was not signed, the one it looks like.
fn service_of(scope: &Result<Scope, AuthProblem>, incoming: &Incoming) -> Option<Service> {
    match scope {
        Ok(scope) => Service::by_name(&scope.service),
        Err(_) if incoming.path != "/" => Some(Service::Eks),
        Err(_) => {
            let version = query_params(incoming, Dialect::Query).text("Version")?;
            Service::by_version(&version)
        }
    }
}

fn params_of(service: Service, incoming: &Incoming) -> Params {
    match service {
        Service::Ec2 => query_params(incoming, Dialect::Ec2),
        Service::Sts | Service::AutoScaling => query_params(incoming, Dialect::Query),
        Service::Eks => Params::parse(incoming.query.as_bytes(), Dialect::Rest),
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
        Service::Sts => sts::OPERATIONS,
        Service::Ec2 => ec2::OPERATIONS,
        Service::AutoScaling => autoscaling::OPERATIONS,
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

fn run(call: &Call<'_>, wanted: &Wanted, mut params: Params, context: &Context) -> Result<String, ApiError> {
    match wanted {
        Wanted::Rest(operation, path) => Ok((operation.run)(call, path, params)?.to_string()),
        Wanted::Query(operation) => {
            let ec2 = context.service == Service::Ec2;
            let dry_run = ec2 && params.flag("DryRun")?.unwrap_or(false);
            let mut inside = Xml::default();
            (operation.run)(call, params, &mut inside)?;
            if dry_run {
                return Err(ApiError::new(
                    412,
                    "DryRunOperation",
                    "Request would have succeeded, but DryRun flag is set.",
                ));
            }
            Ok(envelope(operation.name, context, &inside.into_string()))
        }
    }
}

fn envelope(operation: &str, context: &Context, inside: &str) -> String {
    let mut xml = Xml::default();
    let service = context.service;
    xml.root(&format!("{operation}Response"), service.namespace(), |xml| {
        if service == Service::Ec2 {
            xml.text("requestId", &context.request_id);
            xml.raw(inside);
        } else {
            xml.element(&format!("{operation}Result"), |xml| xml.raw(inside));
            xml.element("ResponseMetadata", |xml| xml.text("RequestId", &context.request_id));
        }
    });
    xml.into_string()
}

fn strike(context: &mut Context, fault: FaultKind, user: &str) -> Answer {
    let name = match fault {
        FaultKind::AccessDenied => return refuse(context, Refusal::Denied, user),
        FaultKind::InternalError => return refuse(context, Refusal::Internal, user),
        FaultKind::Throttled => return refuse(context, Refusal::Throttled, user),
        FaultKind::ExpiredToken => return refuse(context, Refusal::Expired, user),
        FaultKind::Hang => "hang",
        FaultKind::Reset => "reset",
        FaultKind::Html500 => "html_500",
        FaultKind::TruncatedBody => "truncated_body",
    };
    context.log.error_code = Some(name.to_owned());
    match fault {
        FaultKind::Hang => Answer::Hang,
        FaultKind::Html500 => Answer::Whole(Reply {
            status: 500,
            content_type: "text/html",
            error_type: None,
            request_id: context.request_id.clone(),
            body: "<html><head><title>500 Internal Server Error</title></head>\
                   <body><center><h1>500 Internal Server Error</h1></center></body></html>"
                .to_owned(),
        }),
        _ => Answer::Reset,
    }
}

fn refuse(context: &mut Context, refusal: Refusal, user: &str) -> Answer {
    let error = refusal.error(context.service, context.operation, user);
    failed(context, &error)
}

fn failed(context: &mut Context, error: &ApiError) -> Answer {
    context.log.error_code = Some(error.code.clone());
    let body = match context.service {
        Service::Ec2 => error.to_ec2(&context.request_id),
        Service::Eks => error.to_json(),
        Service::Sts | Service::AutoScaling => {
            error.to_query(context.service.namespace(), &context.request_id)
        }
    };
    Answer::Whole(reply(context, error.status, Some(&error.code), body))
}

fn reply(context: &Context, status: u16, code: Option<&str>, body: String) -> Reply {
    let rest = context.service == Service::Eks;
    Reply {
        status,
        content_type: match context.service {
            Service::Eks => "application/json",
            Service::Ec2 => "text/xml;charset=UTF-8",
            Service::Sts | Service::AutoScaling => "text/xml",
        },
        error_type: code.filter(|_| rest).map(str::to_owned),
        request_id: context.request_id.clone(),
        body,
    }
}
