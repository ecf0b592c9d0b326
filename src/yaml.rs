//! Reading the YAML that people write: policies and files of accounts, with the place of what is wrong.

use serde::de::DeserializeOwned;

/// Why a text cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misread {
    /// The line, from 1; 0 where there is none to name.
    pub line: u64,
    /// The column, from 1.
    pub column: u64,
    /// What is wrong and what was expected, without the place.
    pub message: String,
}

/// Reads a text. Only `true` and `false` are booleans: `no` is the word, and Norway.
///
/// # Errors
/// With the first thing that is wrong.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Misread> {
    let options = serde_saphyr::options! { with_snippet: false, strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let (line, column) = error.location().map_or((0, 0), |place| (place.line(), place.column()));
        Misread { line, column, message: without_place(&error.to_string()) }
    })
}

/// The parser ends its messages with the place, which is told apart from them.
fn without_place(message: &str) -> String {
    let message = message.lines().next().unwrap_or_default();
    message.rfind(" at line ").map_or(message, |at| &message[..at]).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_once_and_with_its_place() {
        let misread = read::<Vec<u8>>("- 1\n- many\n").unwrap_err();
        assert_eq!((misread.line, misread.column), (2, 3));
        assert!(!misread.message.contains(" at line "), "{}", misread.message);
    }

    #[test]
    fn no_is_a_word() {
        assert_eq!(read::<Vec<String>>("[no, off]"), Ok(vec!["no".to_owned(), "off".to_owned()]));
        assert!(read::<bool>("no").is_err());
    }
}
