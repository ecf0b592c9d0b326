//! What a run does, on stderr, a line each.

use crate::apply::Event;
use crate::cli::console::Console;
use crate::journal::{Outcome, does};
use crate::model::Scope;

/// Tells what happens.
pub fn tell(console: &Console, event: Event<'_>) {
    match event {
        Event::Sending { scope, step } => note(console, scope, &does(&step.action)),
        Event::Observed { scope, what, .. } => note(console, scope, &format!("  {what}")),
        Event::CanaryPassed { scope, nodes } => {
            let nodes =
                if nodes == 1 { "its new node has".to_owned() } else { format!("its {nodes} nodes have") };
            note(console, scope, &format!("  {nodes} the options that they should have: going on"));
        }
        Event::Ended { scope, step, outcome } => {
            let told = match outcome {
                Outcome::Done { effect, found } => {
                    let version =
                        effect.version.map(|number| format!(": version {number}")).unwrap_or_default();
                    let found = if *found { " (by an earlier run, or though no answer came)" } else { "" };
                    format!("  done{version}{found}")
                }
                Outcome::Already { why, .. } => format!("{}: nothing to do, {why}", does(&step.action)),
                Outcome::Refused { why } => format!("{}: refused: {why}", does(&step.action)),
                Outcome::Failed { code, message, .. } => {
                    format!("{}: failed: {message} ({code})", does(&step.action))
                }
            };
            note(console, scope, &told);
        }
        Event::Stopping => console.note(
            "stopping: what is being sent is brought to its end, and what goes on in AWS is left to it",
        ),
    }
}

fn note(console: &Console, scope: &Scope, text: &str) {
    console.note(&format!("{scope}  {text}"));
}
