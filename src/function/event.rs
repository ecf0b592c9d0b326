//! What the function is told to do. What it does not know it refuses: a slip of the pen must not look like a night without
//! findings.

use serde_json::{Map, Value};

/// What the function is told to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A whole audit in one invocation.
    Audit,
}

/// The actions, and the members that an event has besides.
const ACTIONS: [(&str, &[&str]); 1] = [("audit", &[])];

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
        check_members(action, allowed, members)?;
        Ok(Self::Audit)
    }

    /// The name of its action.
    pub const fn action(&self) -> &'static str {
        match self {
            Self::Audit => "audit",
        }
    }
}

fn check_members(action: &str, allowed: &[&str], members: &Map<String, Value>) -> Result<(), String> {
    let unknown = members.keys().find(|name| *name != "action" && !allowed.contains(&name.as_str()));
    let Some(unknown) = unknown else { return Ok(()) };
    let unknown = repeated(unknown);
    Err(match allowed {
        [] => format!("{action} takes nothing but the action, and not {unknown}"),
        _ => format!("{action} takes {}, and not {unknown}", allowed.join(" and ")),
    })
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
