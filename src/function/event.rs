//! What the function is told to do. What it does not know it refuses: a slip of the pen must not look like a night without
//! findings.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use crate::scan::Shard;

/// What the function is told to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A whole audit in one invocation.
    Audit,
    /// Finds what there is to read, for so many shards.
    PlanScopes { shards: u32 },
    /// Reads a shard of a run.
    AuditShard { run: RunName, shard: Shard },
    /// Makes one report of the shards of a run.
    Merge { run: RunName },
}

/// The name of a run: letters, digits and hyphens, since objects and files are named by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunName(String);

/// The actions, and the members that an event has besides.
const ACTIONS: [(&str, &[&str]); 4] =
    [("audit", &[]), ("plan-scopes", &["shards"]), ("audit-shard", &["run", "shard"]), ("merge", &["run"])];

/// The most shards of a run: as many as the state machine tolerates failures of.
const MOST_SHARDS: u32 = 1000;

/// The longest name of a run, in bytes.
const LONGEST_RUN: usize = 64;

/// How much of a request's name is in that of a run: as much as two that begin in one second need.
const OF_REQUEST: usize = 8;

/// The longest part of an event that an error repeats, in characters.
const REPEATED: usize = 40;

impl Event {
    /// Reads an event; or says what is wrong with it, and what is allowed.
    pub fn parse(event: &Value) -> Result<Self, String> {
        let members = event.as_object().ok_or_else(|| without_action("it is no object"))?;
        let action = match members.get("action") {
            Some(Value::String(action)) => action.as_str(),
            Some(_) => return Err(without_action("its action is no string")),
            None => return Err(without_action("it has no action")),
        };
        let known = ACTIONS.iter().find(|(name, _)| *name == action);
        let Some((action, allowed)) = known else {
            let names = ACTIONS.map(|(name, _)| name).join(", ");
            return Err(format!("there is no action {}: there are {names}", repeated(action)));
        };
        let members = Members { action, allowed, given: members };
        members.check()?;
        Ok(match *action {
            "plan-scopes" => Self::PlanScopes { shards: members.shards()? },
            "audit-shard" => Self::AuditShard { run: members.run()?, shard: members.shard()? },
            "merge" => Self::Merge { run: members.run()? },
            _ => Self::Audit,
        })
    }

    /// The name of its action.
    pub const fn action(&self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::PlanScopes { .. } => "plan-scopes",
            Self::AuditShard { .. } => "audit-shard",
            Self::Merge { .. } => "merge",
        }
    }

    /// The events by which the shards of a run are read.
    pub fn shards(run: &RunName, of: u32) -> Value {
        let event =
            |number| json!({ "action": "audit-shard", "run": run.0, "shard": format!("hash:{number}/{of}") });
        (1..=of).map(event).collect()
    }
}

/// What an event has besides its action.
struct Members<'e> {
    action: &'static str,
    allowed: &'static [&'static str],
    given: &'e Map<String, Value>,
}

impl Members<'_> {
    fn check(&self) -> Result<(), String> {
        let is_known = |name: &String| name == "action" || self.allowed.contains(&name.as_str());
        let Some(unknown) = self.given.keys().find(|name| !is_known(name)) else { return Ok(()) };
        let allowed = match self.allowed {
            [] => "nothing but the action".to_owned(),
            names => names.join(" and "),
        };
        Err(format!("{} takes {allowed}, and not {}", self.action, repeated(unknown)))
    }

    fn shards(&self) -> Result<u32, String> {
        let number =
            self.given.get("shards").and_then(Value::as_u64).and_then(|number| number.try_into().ok());
        let number = number.filter(|number| (1..=MOST_SHARDS).contains(number));
        number.ok_or_else(|| format!("{} takes shards, a number from 1 to {MOST_SHARDS}", self.action))
    }

    fn run(&self) -> Result<RunName, String> {
        let name = self.given.get("run").and_then(Value::as_str).and_then(RunName::new);
        name.ok_or_else(|| format!("{} takes run, a name that plan-scopes has answered", self.action))
    }

    fn shard(&self) -> Result<Shard, String> {
        let shard = self.given.get("shard").and_then(Value::as_str).unwrap_or_default();
        shard.parse().map_err(|problem| format!("{} takes shard: {problem}", self.action))
    }
}

impl RunName {
    /// The name of a run that a request began: sorted by the time, and no other's.
    pub fn of(began: Timestamp, request: &str) -> Self {
        let time = began.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string();
        let request: String = request.chars().filter(char::is_ascii_alphanumeric).take(OF_REQUEST).collect();
        Self(format!("{time}-{request}"))
    }

    /// A name, if a run can have it.
    pub fn new(name: &str) -> Option<Self> {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let is_name = (1..=LONGEST_RUN).contains(&name.len()) && name.bytes().all(is_part);
        is_name.then(|| Self(name.to_owned()))
    }
}

impl fmt::Display for RunName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn without_action(problem: &str) -> String {
    format!(r#"an event is an object that says what to do, as in {{"action":"audit"}}; {problem}"#)
}

/// A part of an event, in quotes and not at any length.
fn repeated(text: &str) -> String {
    match text.char_indices().nth(REPEATED) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run() -> RunName {
        RunName::of("2026-11-27T03:00:00Z".parse().unwrap(), "1a2b3c4d-e9f4-11e8-9739-2dfe598c3fcd")
    }

    #[test]
    fn a_run_is_called_by_its_time_and_its_request() {
        assert_eq!(run().to_string(), "20261127T030000Z-1a2b3c4d");
        assert_eq!(RunName::new(&run().0), Some(run()));
    }

    #[test]
    fn what_the_state_machine_sends_is_known() {
        let event = |value: Value| Event::parse(&value).unwrap();
        assert_eq!(event(json!({ "action": "audit" })), Event::Audit);
        assert_eq!(event(json!({ "action": "plan-scopes", "shards": 16 })), Event::PlanScopes { shards: 16 });
        assert_eq!(event(json!({ "action": "merge", "run": run().0 })), Event::Merge { run: run() });
        let shards = Event::shards(&run(), 3);
        let shard =
            |number| Event::AuditShard { run: run(), shard: format!("hash:{number}/3").parse().unwrap() };
        let events: Vec<Event> = shards.as_array().unwrap().iter().cloned().map(event).collect();
        assert_eq!(events, [1, 2, 3].map(shard));
    }

    #[test]
    fn every_action_is_documented() {
        let documented = include_str!("../../docs/function.md");
        for (action, members) in ACTIONS {
            let start = format!("| `{{\"action\":\"{action}\"");
            let row = documented.lines().find(|line| line.starts_with(&start)).unwrap();
            assert!(members.iter().all(|member| row.contains(&format!("\"{member}\":"))), "{row}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_what_is_allowed() {
        let run = "20261127T030000Z-1a2b3c4d";
        for (value, words) in [
            (json!({ "action": "plan-scopes" }), "takes shards, a number from 1 to 1000"),
            (json!({ "action": "plan-scopes", "shards": "16" }), "a number from 1 to 1000"),
            (json!({ "action": "plan-scopes", "shards": 0 }), "a number from 1 to 1000"),
            (json!({ "action": "plan-scopes", "shards": 1001 }), "a number from 1 to 1000"),
            (json!({ "action": "plan-scopes", "shards": 4_294_967_297_u64 }), "a number from 1 to 1000"),
            (json!({ "action": "plan-scopes", "shards": 1.5 }), "a number from 1 to 1000"),
            (json!({ "action": "plan-scopes", "shards": 1, "run": run }), "takes shards, and not \"run\""),
            (json!({ "action": "merge" }), "merge takes run, a name that plan-scopes has answered"),
            (json!({ "action": "merge", "run": "../secrets" }), "merge takes run"),
            (json!({ "action": "merge", "run": "" }), "merge takes run"),
            (
                json!({ "action": "merge", "run": run, "shard": "hash:1/1" }),
                "merge takes run, and not \"shard\"",
            ),
            (json!({ "action": "audit-shard", "run": run }), "audit-shard takes shard: expected hash:M/N"),
            (json!({ "action": "audit-shard", "run": run, "shard": 1 }), "expected hash:M/N"),
            (json!({ "action": "audit-shard", "run": run, "shard": "env:X/3" }), "expected hash:M/N"),
            (
                json!({ "action": "audit-shard", "run": run, "shard": "hash:4/3" }),
                "of 3 shards the first is hash:1/3",
            ),
            (json!({ "action": "audit-shard", "shard": "hash:1/3" }), "audit-shard takes run"),
            (json!({ "action": "audit-shard", "x": 1 }), "takes run and shard, and not \"x\""),
        ] {
            let problem = Event::parse(&value).unwrap_err();
            assert!(problem.contains(words), "{value}: {problem}");
        }
    }

    proptest! {
        #[test]
        fn no_name_of_a_run_leads_elsewhere(name in "\\PC{0,80}") {
            if let Some(RunName(name)) = RunName::new(&name) {
                prop_assert!(!name.is_empty() && !name.contains(['/', '.', '\\', ' ']));
            }
        }
    }
}
