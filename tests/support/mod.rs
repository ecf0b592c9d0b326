//! What the tests of several tiers share. A test binary takes it in with `#[path = "../support/mod.rs"]`.
#![allow(clippy::unwrap_used, reason = "a helper of a test may panic as the test may")]

/// The Python that drives servers and reads reports in the place of other people's tools.
pub mod python;
