//! Sessions that end before their time: AWS may say that one is over whatever its expiration says, because this
//! machine's clock is slow, or because somebody has revoked it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_ec2::config::interceptors::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef, InterceptorContext,
};
use aws_sdk_ec2::config::retry::{ClassifyRetry, RetryAction};
use aws_sdk_ec2::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ec2::error::BoxError;
use aws_smithy_runtime_api::client::identity::{
    IdentityFuture, ResolveCachedIdentity, SharedIdentityCache, SharedIdentityResolver,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::config_bag::{Storable, StoreReplace};
use aws_smithy_types::retry::ErrorKind;

use super::errors::code_of;
use super::session::identity_cache;

/// The header that says which session a request is of.
const TOKEN: &str = "x-amz-security-token";

/// Has a session begun anew when AWS says that it is over, and what failed asked again. One for an account.
#[derive(Clone, Debug)]
pub(super) struct Renewal(Arc<Mutex<Current>>);

#[derive(Debug)]
struct Current {
    cache: SharedIdentityCache,
    /// The sessions that were refused, so that of many requests of one that are refused the first renews it.
    refused: HashSet<String>,
}

/// The session that an attempt was sent with.
struct Used(String);

impl std::fmt::Debug for Used {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Used")
    }
}

impl Storable for Used {
    type Storer = StoreReplace<Self>;
}

impl Renewal {
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(Current { cache: identity_cache(), refused: HashSet::new() })))
    }

    /// The identity cache of the account.
    pub fn cache(&self) -> SharedIdentityCache {
        SharedIdentityCache::new(self.clone())
    }

    fn refused(&self, token: &str) {
        let mut current = self.current();
        if current.refused.insert(token.to_owned()) {
            current.cache = identity_cache();
        }
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ResolveCachedIdentity for Renewal {
    fn resolve_cached_identity<'a>(
        &'a self,
        resolver: SharedIdentityResolver,
        components: &'a RuntimeComponents,
        config: &'a ConfigBag,
    ) -> IdentityFuture<'a> {
        let cache = self.current().cache.clone();
        IdentityFuture::new(async move { cache.resolve_cached_identity(resolver, components, config).await })
    }
}

impl Intercept for Renewal {
    fn name(&self) -> &'static str {
        "Renewal"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(token) = context.request().headers().get(TOKEN) {
            config.interceptor_state().store_put(Used(token.to_owned()));
        }
        Ok(())
    }

    // Before it is decided whether to ask again.
    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if context.response().is_some_and(says_over)
            && let Some(Used(token)) = config.load::<Used>()
        {
            self.refused(token);
        }
        Ok(())
    }
}

impl ClassifyRetry for Renewal {
    fn name(&self) -> &'static str {
        "Renewal"
    }

    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        if context.response().is_some_and(says_over) {
            RetryAction::retryable_error_with_explicit_delay(ErrorKind::ClientError, Duration::ZERO)
        } else {
            RetryAction::NoActionIndicated
        }
    }
}

/// Whether an answer says that the session is over. `RequestExpired` is EC2's word for it.
fn says_over(response: &HttpResponse) -> bool {
    let over = |code: &str| matches!(code, "ExpiredToken" | "ExpiredTokenException" | "RequestExpired");
    code_of(response).is_some_and(|code| over(&code))
}
