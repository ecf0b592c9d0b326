//! Plans in files.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;

use crate::cli::Error;
use crate::cli::sink::Sink;
use crate::harmless::write_document;
use crate::plan::{Action, NamedVersion, Plan, SCHEMA, Step, StepId, VersionChoice};

/// Writes a plan.
pub fn write(sink: Sink, plan: &Plan) -> Result<(), Error> {
    sink.write(|out| write_document(plan, out))
}

/// Reads a plan.
pub fn read(path: &Path) -> Result<Plan, Error> {
    let shown = path.display();
    let text = std::fs::read(path).map_err(|error| Error::usage(format!("cannot read {shown}: {error}")))?;
    parse(&text).map_err(|why| Error::usage(format!("{shown}: {why}")))
}

fn parse(text: &[u8]) -> Result<Plan, String> {
    #[derive(Deserialize)]
    struct Schema {
        schema: String,
    }

    match serde_json::from_slice::<Schema>(text) {
        Ok(Schema { schema }) if schema == SCHEMA => {}
        Ok(Schema { schema }) if schema.starts_with("imdsctl.plan/") => {
            return Err(format!("it is a plan of schema {schema:?}, and this imdsctl reads {SCHEMA:?}"));
        }
        Ok(Schema { schema }) => return Err(format!("it is not a plan, but of schema {schema:?}")),
        Err(_) => return Err(format!("it is not a plan: it does not say {SCHEMA:?}")),
    }
    let plan: Plan = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    check(&plan).map(|()| plan)
}

/// Whether every step that another needs is there, and before it.
fn check(plan: &Plan) -> Result<(), String> {
    let mut earlier = BTreeSet::new();
    for (_, step) in plan.steps() {
        let needs = step.after.iter().chain(made_by(step));
        for needed in needs {
            if !earlier.contains(needed) {
                return Err(format!("step {} needs {needed}, which is not before it", step.id));
            }
        }
        if !earlier.insert(&step.id) {
            return Err(format!("step {} is there twice", step.id));
        }
    }
    Ok(())
}

/// The steps whose versions a step uses.
fn made_by(step: &Step) -> Vec<&StepId> {
    fn of_choice(choice: &VersionChoice) -> Option<&StepId> {
        match choice {
            VersionChoice::MadeBy(step) => Some(step),
            VersionChoice::Existing(_) => None,
        }
    }

    fn of_name(name: &NamedVersion) -> Option<&StepId> {
        match name {
            NamedVersion::Number(choice) => of_choice(choice),
            NamedVersion::Latest | NamedVersion::Default => None,
        }
    }

    match &step.action {
        Action::SetDefaultVersion { to, .. } | Action::UpdateNodeGroup { to, .. } => {
            of_choice(to).into_iter().collect()
        }
        Action::UpdateAutoScalingGroup { repoint, .. } | Action::RefreshInstances { repoint, .. } => {
            repoint.iter().flat_map(|one| [of_name(&one.from), of_name(&one.to)]).flatten().collect()
        }
        _ => Vec::new(),
    }
}
