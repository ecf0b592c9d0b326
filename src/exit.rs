//! Exit codes. Scripts rely on them; `docs/exit-codes.md` is their contract.

use std::process::ExitCode;

/// How a run of imdsctl ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Complete, and nothing at or above `--fail-on`.
    Success,
    /// Complete, with findings at or above `--fail-on`.
    Findings,
    /// A usage error, a bad policy or setting, or no usable credentials: nothing was scanned.
    Usage,
    /// Something could not be read, or an output could not be written at the end. Beats [`Self::Findings`].
    Incomplete,
    /// A bug in imdsctl.
    Bug,
    /// SIGINT or SIGTERM; what was found so far has been written.
    Interrupted,
}

impl Exit {
    /// The number that the process ends with.
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Findings => 1,
            Self::Usage => 2,
            Self::Incomplete => 4,
            Self::Bug => 70,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}
