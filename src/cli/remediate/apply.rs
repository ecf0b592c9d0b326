//! Applying: agreed to, journalled, run, and looked at afterwards.

use std::path::Path;

use jiff::Timestamp;

use super::choose::Care;
use super::journal::JournalFile;
use super::outcome::{exit_of, results};
use super::preflight::Rehearsed;
use super::sign_in::sign_in;
use super::{follow, outcome, table, verify};
use crate::apply::{Applied, Options, Run};
use crate::aws::Task;
use crate::cli::Error;
use crate::cli::console::Console;
use crate::cli::output::Outputs;
use crate::cli::session::{Access, Session};
use crate::cli::targets::Where;
use crate::exit::Exit;
use crate::journal::{Begin, SCHEMA, Standing};
use crate::model::Coverage;
use crate::plan::{Plan, Results, Step};
use crate::policy::Policy;
use crate::report::PlanFormat;
use crate::scan::{Outcome, Prospect};

/// The flags that say where, as whom and how.
#[derive(Clone, Copy)]
pub struct As<'a> {
    pub access: &'a Access,
    pub whereabouts: &'a Where,
    pub care: &'a Care,
}

/// What is to be done.
pub struct Work<'a> {
    pub plan: Plan,
    /// What is judged by afterwards.
    pub policies: &'a [Policy],
    /// What could not be read when the plan was made.
    pub holes: Vec<Coverage>,
    /// The journal that it takes back.
    pub undoes: Option<String>,
}

/// A command that applies something.
pub struct Applying<'a> {
    pub args: As<'a>,
    pub outputs: Outputs<PlanFormat>,
    pub console: &'a Console,
}

impl Applying<'_> {
    /// Shows a plan, asks, and applies it under a journal of its own.
    pub async fn begin(self, work: Work<'_>, session: Session) -> Result<Exit, Error> {
        let Work { plan, policies, holes, undoes } = work;
        let count = plan.steps().filter(|(_, step)| step.blocked.is_none()).count();
        let prospects = session.prospects();
        if count == 0 {
            let results = outcome::nothing_done(&plan, session.started_at);
            let exit = exit_of(&results, &holes);
            session.end(Outcome::default()).await?;
            self.write(&results)?;
            return Ok(exit);
        }
        self.agree(&plan, count)?;
        let begin = Begin {
            schema: SCHEMA.to_owned(),
            tool: "imdsctl".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            began_at: Timestamp::now(),
            undoes,
            plan,
        };
        let file = JournalFile::create(self.args.care.journal.as_deref(), begin)?;
        self.console.note(&format!("the journal is {}", file.path.display()));
        self.go(file, session, &prospects, policies, holes).await
    }

    /// Finishes what a journal says was begun.
    pub async fn finish(self, mut file: JournalFile, policies: &[Policy]) -> Result<Exit, Error> {
        let plan = &file.journal.history().begin.plan;
        let policies = verify::policies_of(plan, policies)?;
        let session =
            Session::start(self.args.access, self.args.whereabouts, Task::Plan, self.console).await?;
        let history = file.journal.history();
        let left =
            plan.steps().filter(|(_, step)| step.blocked.is_none() && history.effect(&step.id).is_none());
        self.agree(plan, left.count())?;
        file.go_on()?;
        let prospects = session.prospects();
        self.go(file, session, &prospects, &policies, Vec::new()).await
    }

    /// Shows the plan and asks, unless it was said that nobody need be asked.
    fn agree(&self, plan: &Plan, count: usize) -> Result<(), Error> {
        if self.args.care.yes || count == 0 {
            return Ok(());
        }
        let shown = Rehearsed::not(plan);
        self.console.show(|style, out| table::plan(&shown, false, PlanFormat::Table, style, out))?;
        let changes = if count == 1 { "this change".to_owned() } else { format!("these {count} changes") };
        if self.console.ask(&format!("Apply {changes}?"))? {
            return Ok(());
        }
        Err(Error::Incomplete("the plan was declined; nothing was changed".to_owned()))
    }

    async fn go(
        self,
        mut file: JournalFile,
        mut session: Session,
        prospects: &[Prospect],
        policies: &[Policy],
        holes: Vec<Coverage>,
    ) -> Result<Exit, Error> {
        let options = self.args.care.options(self.args.access.is_demo());
        let applied = run(&mut file, &mut session, prospects, self.args, self.console, options).await?;
        if let Some(error) = &applied.unwritten {
            self.console.error(&format!(
                "the journal {} could not be written: {error}; what was sent last may be missing in it, and \
                 --resume will ask AWS for it",
                file.path.display()
            ));
        }
        let history = file.journal.history();
        let undoing = history.begin.undoes.is_some();
        let judged = if undoing || applied.ending == crate::journal::Ending::Interrupted {
            None
        } else {
            Some(verify::judge(&mut session, &history.begin.plan, policies).await?)
        };
        let run = session.end(Outcome::default()).await?;
        let results = results(history, &applied, judged.as_ref(), run, &file.path);
        let exit = if applied.unwritten.is_some() { Exit::Incomplete } else { exit_of(&results, &holes) };
        let touched = |step: &Step| history.of(&step.id).is_some_and(Standing::is_to_be_undone);
        let changed = !undoing && history.begin.plan.steps().any(|(_, step)| touched(step));
        self.farewell(&file.path, &results, changed);
        self.write(&results)?;
        Ok(exit)
    }

    fn write(self, results: &Results) -> Result<(), Error> {
        self.outputs
            .write_each(self.console, |format, style, out| table::results(results, format, style, out))
    }

    fn farewell(&self, journal: &Path, results: &Results, changed: bool) {
        let flags = self.args.flags();
        let journal = quoted(&journal.display().to_string());
        if results.is_unfinished() {
            self.console.note(&format!("to finish:    imdsctl remediate --resume {journal}{flags}"));
        }
        if changed {
            self.console.note(&format!("to take back: imdsctl rollback {journal}{flags}"));
        }
    }
}

impl As<'_> {
    /// The flags that are needed again, as one would type them.
    pub fn flags(&self) -> String {
        let mut flags = self.whereabouts.flags();
        flags.extend(self.access.flags());
        if let Some(role) = &self.care.remediate_role {
            flags.extend(["--remediate-role".to_owned(), role.as_str().to_owned()]);
        }
        flags.iter().flat_map(|flag| [" ".to_owned(), quoted(flag)]).collect()
    }
}

/// Runs what a journal holds, or only brings to its end what is open in it.
pub async fn run(
    file: &mut JournalFile,
    session: &mut Session,
    prospects: &[Prospect],
    args: As<'_>,
    console: &Console,
    options: Options,
) -> Result<Applied, Error> {
    let plan = file.journal.history().begin.plan.clone();
    let role = args.care.remediate_role.as_ref();
    let changers = sign_in(&plan, prospects, args.whereabouts, role).await?;
    let run = Run {
        plan: &plan,
        options,
        clouds: &changers,
        journal: &mut file.journal,
        clock: &Timestamp::now,
        events: &mut |event| follow::tell(console, event),
    };
    Ok(run.go(session.stop()).await)
}

/// A word as a shell takes it.
pub fn quoted(word: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "_-./:=@,+%".contains(character);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
