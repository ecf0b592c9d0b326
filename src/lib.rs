//! imdsctl audits the EC2 instance metadata options of EKS fleets.
pub mod aws;
pub mod finding;
pub mod lineage;
pub mod model;
pub mod policy;
pub mod report;
pub mod resolve;
