//! Why an event was not done, by a name that state machines know it by.

use lambda_runtime::Diagnostic;

/// What the system says when a disk is full.
const DISK_FULL: &str = "(os error 28)";

/// Why an event was not done. The names are a contract; `docs/function.md` has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The event is none that the function knows. It will be no better the next time.
    BadEvent(String),
    /// The function's settings, or its credentials, do not let it begin.
    BadSettings(String),
    /// Not all could be read, and it may be possible later: what was throttled, did not answer, or was cut off by the
    /// deadline.
    Incomplete(String),
    /// The work was done, and its result could not be left where it belongs.
    NotDelivered(String),
    /// Something else: a bug, or not enough memory.
    Failed(String),
}

impl Failure {
    const fn parts(&self) -> (&'static str, &String) {
        match self {
            Self::BadEvent(message) => ("Imdsctl.BadEvent", message),
            Self::BadSettings(message) => ("Imdsctl.BadSettings", message),
            Self::Incomplete(message) => ("Imdsctl.Incomplete", message),
            Self::NotDelivered(message) => ("Imdsctl.NotDelivered", message),
            Self::Failed(message) => ("Imdsctl.Failed", message),
        }
    }

    /// The name that state machines know it by.
    pub const fn name(&self) -> &'static str {
        self.parts().0
    }

    /// What is wrong, and what to do.
    pub fn message(&self) -> String {
        let message = self.parts().1;
        if message.contains(DISK_FULL) {
            format!(
                "{message}; the function's temporary folder is full: give it more (EphemeralStorage, TemporaryMiB of \
                 deploy/imdsctl.yaml)"
            )
        } else {
            message.clone()
        }
    }
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        Self { error_type: failure.name().to_owned(), error_message: failure.message() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_documented() {
        let documented = include_str!("../../docs/function.md");
        let every = [
            Failure::BadEvent,
            Failure::BadSettings,
            Failure::Incomplete,
            Failure::NotDelivered,
            Failure::Failed,
        ];
        for failure in every.map(|of| of(String::new())) {
            assert!(documented.contains(&format!("| `{}` |", failure.name())), "{}", failure.name());
        }
    }

    #[test]
    fn a_full_folder_is_told_as_one() {
        let full =
            Failure::NotDelivered("cannot keep what was found: No space left on device (os error 28)".into());
        let diagnostic = Diagnostic::from(full);
        assert_eq!(diagnostic.error_type, "Imdsctl.NotDelivered");
        assert!(
            diagnostic.error_message.contains("temporary folder is full"),
            "{}",
            diagnostic.error_message
        );
        let other = Failure::BadEvent("there is no action".into());
        assert_eq!(other.message(), "there is no action");
    }
}
