//! imdsctl audits the EC2 instance metadata options of EKS fleets.
pub mod finding;
pub mod model;
pub mod report;
pub mod resolve;
