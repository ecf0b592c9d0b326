//! What has been done once and is not done again.

use serde::{Deserialize, Serialize};

/// The answer to a request that had a token: the same request with the same token gets it again, and changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remembered {
    /// Stands for all parameters but the token.
    pub question: String,
    /// What is inside the answer.
    pub answer: String,
}
