//! From an access key and a session token to a caller.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Caller, Clock, Principal};
use crate::ids;
use crate::world::{Account, Policy, Role, World};

/// Every access key there is. Long-term keys never change while the simulator runs; sessions come and do not go,
/// because AWS says of an expired one that it is expired, not that it does not know it.
#[derive(Debug)]
pub struct Identities {
    /// The account of a long-term key, and which of its keys it is.
    keys: HashMap<String, (String, usize)>,
    sessions: RwLock<HashMap<String, Arc<Session>>>,
    issued: AtomicU64,
    /// How long a session really lasts, whatever its `Expiration` says.
    session_seconds: Option<i64>,
    /// What time it is.
    pub clock: Clock,
}

/// A session of a role.
#[derive(Debug)]
pub struct Session {
    /// `ASIA…`.
    pub access_key: String,
    /// Nothing verifies it.
    pub secret_key: String,
    /// Every request has to carry it.
    pub token: String,
    /// The account of the role.
    pub account: String,
    /// The name of the role.
    pub role: String,
    /// The name that the session was given.
    pub name: String,
    /// The inline session policy.
    pub policy: Option<Policy>,
    /// As the answer says.
    pub expiration: i64,
    /// When it is refused from.
    ends: i64,
}

/// A session that is to be made.
#[derive(Debug)]
pub struct Order<'w> {
    /// The account of the role.
    pub account: &'w Account,
    /// The role.
    pub role: &'w Role,
    /// The name for the session.
    pub name: String,
    /// Seconds.
    pub duration: i64,
    /// The inline session policy.
    pub policy: Option<Policy>,
}

/// Why there is no caller.
#[derive(Debug)]
pub enum Stranger<'w> {
    /// Nobody has this key, or not with this session token.
    Unknown,
    /// Someone's, once.
    Expired(Caller<'w>),
}

impl Identities {
    /// Of everyone in a world.
    pub fn new(world: &World, session_seconds: Option<u32>) -> Self {
        let keys = world.accounts.values().flat_map(|account| {
            let numbered = account.access_keys.iter().enumerate();
            numbered.map(|(index, key)| (key.id.clone(), (account.id.clone(), index)))
        });
        Self {
            keys: keys.collect(),
            sessions: RwLock::default(),
            issued: AtomicU64::new(0),
            session_seconds: session_seconds.map(i64::from),
            clock: Clock::default(),
        }
    }

    /// Who has this key? The token of a long-term key is not looked at.
    pub fn caller<'w>(
        &self,
        world: &'w World,
        access_key: &str,
        token: Option<&str>,
    ) -> Result<Caller<'w>, Stranger<'w>> {
        let (caller, expired) = match self.keys.get(access_key) {
            Some((account, index)) => Self::user(world, account, *index),
            None => self.session(world, access_key, token),
        }
        .ok_or(Stranger::Unknown)?;
        if expired { Err(Stranger::Expired(caller)) } else { Ok(caller) }
    }

    fn user<'w>(world: &'w World, account: &str, index: usize) -> Option<(Caller<'w>, bool)> {
        let account = world.accounts.get(account)?;
        let key = account.access_keys.get(index)?;
        Some((Caller::new(world, account, Principal::User(key)), key.expired))
    }

    fn session<'w>(
        &self,
        world: &'w World,
        access_key: &str,
        token: Option<&str>,
    ) -> Option<(Caller<'w>, bool)> {
        let sessions = self.sessions.read().unwrap_or_else(PoisonError::into_inner);
        let session = sessions
            .get(access_key)
            .filter(|session| token == Some(session.token.as_str()))
            .map(Arc::clone)?;
        drop(sessions);
        let account = world.accounts.get(&session.account)?;
        let role = account.roles.get(&session.role)?;
        let expired = session.ends <= self.clock.now();
        Some((Caller::new(world, account, Principal::Session(session, role)), expired))
    }

    /// Makes a session.
    pub fn issue(&self, order: Order<'_>) -> Arc<Session> {
        let number = self.issued.fetch_add(1, Ordering::Relaxed).to_string();
        let parts = |what| [what, order.account.id.as_str(), order.role.name.as_str(), &order.name, &number];
        let now = self.clock.now();
        let session = Arc::new(Session {
            access_key: format!("ASIA{}", ids::hex(16, &parts("key")).to_uppercase()),
            secret_key: made_up(30, &parts("secret")),
            token: made_up(240, &parts("token")),
            account: order.account.id.clone(),
            role: order.role.name.clone(),
            expiration: now.saturating_add(order.duration),
            ends: now.saturating_add(self.session_seconds.unwrap_or(order.duration)),
            name: order.name,
            policy: order.policy,
        });
        let mut sessions = self.sessions.write().unwrap_or_else(PoisonError::into_inner);
        sessions.insert(session.access_key.clone(), Arc::clone(&session));
        session
    }
}

impl Session {
    /// The ARN of the session.
    pub fn arn(&self, partition: &str) -> String {
        format!("arn:{partition}:sts::{}:assumed-role/{}/{}", self.account, self.role, self.name)
    }
}

/// Something like a secret, of so many bytes: with the characters that real ones have, which must survive signing.
fn made_up(bytes: usize, parts: &[&str]) -> String {
    let blocks = (0..bytes.div_ceil(8)).map(|block| {
        let block = block.to_string();
        let mut parts = parts.to_vec();
        parts.push(&block);
        ids::number(&parts).to_be_bytes()
    });
    let mut made: Vec<u8> = blocks.flatten().collect();
    made.truncate(bytes);
    STANDARD.encode(made)
}
