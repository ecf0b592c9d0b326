//! How an audit and a merge end: their report is compared with an earlier one, written, carried and told of, and becomes what
//! the next one is compared with.

use crate::exit::Exit;
use crate::report::View;

use super::Error;
use super::baseline::{Against, Baseline};
use super::console::Console;
use super::deliver::Doors;
use super::draft::Audited;
use super::output::Outputs;
use super::reporting::{self, Reporting};

/// What is asked of a report that is done.
#[derive(Debug)]
pub struct Conclusion<'a> {
    pub reporting: &'a Reporting,
    pub against: &'a Against,
    pub baseline: Option<Baseline>,
    /// Whether what passed is among its findings.
    pub lists_passed: bool,
    /// Whether an interruption that it tells of is another run's, and over.
    pub is_over: bool,
    /// How accounts were got into, for whoever leaves something there.
    pub doors: Doors,
}

impl Conclusion<'_> {
    /// Does all of it; `before` is whether what belongs to it was written already.
    pub fn draw(
        self,
        report: &Audited,
        outputs: Outputs,
        before: Result<(), Error>,
        console: &Console,
    ) -> Result<Exit, Error> {
        let compared = self.baseline.as_ref().map(|known| known.compare(report.view(), self.lists_passed));
        let since = compared.transpose()?.flatten();
        let view = View { since: since.as_ref(), ..report.view() };
        // A store of its own, beside the outputs, for a baseline that is put together anew.
        let store = outputs.store();
        let doors = self.doors.clone().unless(view.run.interrupted && !self.is_over);
        let written = Error::gather([before, self.reporting.write(outputs, &view, &doors, console)]);
        let exit = self.exit(&view);
        drop(since);
        let renewed = match (self.baseline, &written) {
            (Some(baseline), Ok(())) => baseline.update(report, self.lists_passed, store),
            _ => Ok(()),
        };
        reporting::end(exit, Error::gather([written, renewed]), console)
    }

    fn exit(&self, report: &View<'_>) -> Exit {
        let Self { reporting, against, is_over, .. } = self;
        let exit = if against.fail_on_new { reporting.exit_by_new(report) } else { reporting.exit(report) };
        if *is_over { reporting::afterwards(exit) } else { exit }
    }
}
