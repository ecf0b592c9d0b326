//! How a command went, by its exit code and what it said.

use std::process::ExitStatus;

use super::child::Ended;
use super::failure::Failure;
use crate::exit::Exit;

const BAD: i32 = Exit::Usage.code() as i32;
const BUG: i32 = Exit::Bug.code() as i32;

impl Ended {
    /// The exit code of a command that did what it was told to and left the result where it belongs. A result that is
    /// not complete is one, as long as the command says so.
    pub fn exit(&self, has_result: bool) -> Result<i32, Failure> {
        let said = self.errors.join("\n");
        match self.status.code() {
            Some(BAD) => Err(Failure::BadSettings(said)),
            Some(BUG) => Err(Failure::Failed(bug(said))),
            Some(exit) if has_result && said.is_empty() => Ok(exit),
            _ if self.was_stopped => Err(Failure::Incomplete(late(has_result, &said))),
            Some(_) if said.is_empty() => Err(Failure::Failed(bug(said))),
            Some(_) => Err(Failure::NotDelivered(said)),
            None => Err(Failure::Failed(ended(self.status))),
        }
    }
}

fn bug(said: String) -> String {
    if said.is_empty() { "this is a bug in imdsctl; the function's log says more".to_owned() } else { said }
}

fn late(has_result: bool, said: &str) -> String {
    let what = if has_result { "the result was where it belongs" } else { "there was a result" };
    let said = if said.is_empty() { String::new() } else { format!(": {said}") };
    format!("the deadline came before {what}{said}")
}

fn ended(status: ExitStatus) -> String {
    format!(
        "imdsctl was ended by the system ({status}); if its memory was full, give the function more (MemorySize, MemoryMiB \
         of deploy/imdsctl.yaml)"
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    const KILLED: i32 = 9;

    fn end(wait_status: i32, was_stopped: bool, errors: &[&str]) -> Ended {
        let errors = errors.iter().map(ToString::to_string).collect();
        Ended { status: ExitStatus::from_raw(wait_status), was_stopped, errors, outline: None }
    }

    fn failure(ended: &Ended, has_result: bool) -> (&'static str, String) {
        let failure = ended.exit(has_result).unwrap_err();
        (failure.name(), failure.message())
    }

    #[test]
    fn a_result_counts_whatever_it_says() {
        for code in [0, 1, 4, 130] {
            for was_stopped in [false, true] {
                assert_eq!(end(code << 8, was_stopped, &[]).exit(true), Ok(code));
            }
        }
    }

    #[test]
    fn what_went_wrong_has_a_name() {
        let name = |ended: Ended, has_result| failure(&ended, has_result).0;
        assert_eq!(name(end(2 << 8, false, &["no such policy"]), false), "Imdsctl.BadSettings");
        assert_eq!(name(end(4 << 8, false, &["cannot write s3://a/b"]), true), "Imdsctl.NotDelivered");
        assert_eq!(
            name(end(130 << 8, true, &["interrupted before anything was read"]), false),
            "Imdsctl.Incomplete"
        );
        assert_eq!(name(end(130 << 8, true, &["cannot write s3://a/b"]), true), "Imdsctl.Incomplete");
        assert_eq!(name(end(70 << 8, false, &[]), true), "Imdsctl.Failed");
        assert_eq!(name(end(0, false, &[]), false), "Imdsctl.Failed");
        assert_eq!(name(end(KILLED, true, &[]), false), "Imdsctl.Incomplete");
        let (name, message) = failure(&end(KILLED, false, &[]), true);
        assert_eq!(name, "Imdsctl.Failed");
        assert!(message.contains("signal: 9") && message.contains("MemoryMiB"), "{message}");
    }
}
