//! From a request to an answer: who asks what of which service, and in which language to answer.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use crate::answer::{Answer, Context, failed, instead, no_such_service, refuse, reply, spoil};
use crate::faults::{Faults, Target};
use crate::fleet::schema::Settings;
use crate::fleet::{Fault, FaultKind, Fleet};
use crate::iam::{Identities, Stranger};
use crate::ids;
use crate::keeper::Keeper;
use crate::log::Request;
use crate::perform::{self, Outcome};
use crate::progress::{Thing, Watch};
use crate::refusal::Refusal;
use crate::route::{self, Wanted};
use crate::service::sts::AssumeRoleRequest;
use crate::service::{Call, Service};
use crate::state::StateFile;
use crate::throttle::{Throttle, Throttling};
use crate::turnover::{self, GroupTurnover};
use crate::wire::auth::{self, AuthProblem, Scope};
use crate::wire::error::ApiError;
use crate::wire::page::Turn;
use crate::wire::query::Params;
use crate::world::{OptIn, Region, World};

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
    keeper: Keeper,
    /// Who has which access key.
    pub identities: Identities,
    settings: Settings,
    faults: RwLock<Arc<Faults>>,
    throttle: RwLock<Arc<Throttle>>,
    count: AtomicU64,
}

/// What a request comes to before anything changes.
struct Considered {
    answer: Answer,
    /// The Region as it is from now on, where something changes.
    changed: Option<Region>,
    /// What the answer shows in progress.
    seen: BTreeSet<Thing>,
}

impl From<Answer> for Considered {
    fn from(answer: Answer) -> Self {
        Self { answer, changed: None, seen: BTreeSet::new() }
    }
}

impl Front {
    /// For a fleet; `world` is the fleet's own, or what became of it, and is kept in `state`. An error says which of
    /// the fleet's faults or buckets makes no sense.
    pub fn new(fleet: &Fleet, world: World, state: Option<StateFile>) -> Result<Self, String> {
        let throttle = Throttle::new(fleet.settings.throttling.as_ref())?;
        Ok(Self {
            identities: Identities::new(&world, fleet.settings.session_seconds),
            keeper: Keeper::new(world, state),
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

    /// Every group that lost an instance.
    pub fn turnover(&self) -> Vec<GroupTurnover> {
        turnover::of(&self.keeper.world())
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
        let Some(service) = route::service_of(&scope, incoming) else {
            return no_such_service(log, request_id);
        };
        service.name().clone_into(&mut log.service);
        let json = incoming.target.is_some();
        let mut context = Context { service, json, operation: "", request_id, log };
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
        let read = route::read(context.service, incoming);
        if let Ok((wanted, params)) = &read {
            context.operation = wanted.name();
            context.log.mutating = wanted.writes();
            context.log.dry_run = params.is_dry_run();
            if (context.service, context.operation) == (Service::Sts, "AssumeRole") {
                context.log.assume_role = Some(AssumeRoleRequest::of(params));
            }
        }
        let scope = match scope {
            Ok(scope) => scope,
            Err(AuthProblem::Missing) => return refuse(context, Refusal::NoCredentials, ""),
            Err(AuthProblem::Incomplete) => return refuse(context, Refusal::MalformedCredentials, ""),
        };
        // What is decided about a write must still be true when it happens.
        let turn = context.log.mutating.then(|| self.keeper.turn());
        let considered = self.consider(scope, read, incoming.security_token.as_deref(), context);
        let account = context.log.account.clone();
        let kept = match (&turn, considered.changed) {
            (Some(turn), Some(changed)) => {
                context.log.changed = true;
                self.keeper.keep(turn, &account, &scope.region, changed)
            }
            _ if considered.seen.is_empty() => Ok(()),
            _ => self.keeper.look(&account, &scope.region, &self.settings, &considered.seen),
        };
        match kept {
            Ok(()) => considered.answer,
            Err(error) => {
                context.log.changed = false;
                failed(context, &ApiError::new(500, "InternalError", error.to_string()))
            }
        }
    }

    /// What to answer, and what changes if it is answered. Nothing has changed yet.
    fn consider(
        &self,
        scope: &Scope,
        read: Result<(Wanted, Params), ApiError>,
        token: Option<&str>,
        context: &mut Context,
    ) -> Considered {
        let world = self.keeper.world();
        let (caller, expired) = match self.identities.caller(&world, &scope.access_key, token) {
            Ok(caller) => (caller, false),
            Err(Stranger::Expired(caller)) => (caller, true),
            Err(Stranger::Unknown) => return refuse(context, Refusal::UnknownKey, "").into(),
        };
        let account = caller.account;
        let user = caller.arn();
        context.log.account.clone_from(&account.id);
        context.log.principal.clone_from(&user);
        if expired {
            return refuse(context, Refusal::Expired, &user).into();
        }
        // AWS does not say that a Region is not enabled, or does not exist: it does not know the key there.
        let region = account.regions.get(&scope.region).filter(|region| region.opt_in != OptIn::NotOptedIn);
        let Some(region) = region else {
            return refuse(context, Refusal::UnknownKey, &user).into();
        };
        let (wanted, params) = match read {
            Ok(read) => read,
            Err(error) => return failed(context, &error).into(),
        };
        let watch = Watch::default();
        let call = Call {
            account,
            caller: &caller,
            region_name: &scope.region,
            region,
            world: &world,
            identities: &self.identities,
            settings: &self.settings,
            now: world.now,
            turn: &Turn::default(),
            watch: &watch,
        };
        if let Err(error) = perform::authorize(&call, &wanted, &params, context) {
            return failed(context, &error).into();
        }
        let named = format!("{}:{}", context.service.name(), context.operation);
        if !self.throttle().admits(&account.id, &scope.region, &named, params.is_unpaged()) {
            return refuse(context, Refusal::Throttled, &user).into();
        }
        let (answer, changed) = self.run(call, &wanted, &params, &named, context);
        Considered { answer, changed, seen: watch.into_things() }
    }

    /// Runs the operation, unless a fault strikes first; or lets the fault have the answer.
    fn run(
        &self,
        call: Call<'_>,
        wanted: &Wanted,
        params: &Params,
        named: &str,
        context: &mut Context,
    ) -> (Answer, Option<Region>) {
        let faults = self.faults();
        let user = call.caller.arn();
        let target = Target { account: &call.account.id, region: call.region_name, operation: named };
        let run = |turn: &Turn, context: &Context| {
            perform::run(&Call { turn, ..call }, wanted, params.clone(), context)
        };
        let mut turn = Turn::default();
        // Which page it is, only the operation itself can tell.
        let mut outcome = faults.look_at_pages(target).then(|| run(&turn, context));
        let strike = faults.strike(target, &turn);
        context.log.fault = strike.map(|strike| strike.kind);
        if let Some(strike) = strike.filter(|strike| !strike.takes_effect)
            && let Some(refused) = instead(context, strike.kind, &user)
        {
            context.log.page = turn.number();
            return (refused, None);
        }
        if strike.is_some_and(|strike| strike.kind == FaultKind::EndlessList) {
            turn = Turn::endless();
            outcome = None;
        }
        let outcome = outcome.unwrap_or_else(|| run(&turn, context));
        context.log.page = turn.number();
        context.log.more = turn.has_more();
        let (answer, changed) = match outcome {
            Err(error) => (failed(context, &error), None),
            Ok(Outcome { body, changed }) => {
                let reply = reply(context, 200, None, body);
                let answer = match strike {
                    None => Answer::Whole(reply),
                    Some(strike) => spoil(context, strike, reply),
                };
                (answer, changed)
            }
        };
        let lost = strike.and_then(|strike| instead(context, strike.kind, &user));
        (lost.unwrap_or(answer), changed)
    }

    fn faults(&self) -> Arc<Faults> {
        Arc::clone(&self.faults.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn throttle(&self) -> Arc<Throttle> {
        Arc::clone(&self.throttle.read().unwrap_or_else(PoisonError::into_inner))
    }
}
