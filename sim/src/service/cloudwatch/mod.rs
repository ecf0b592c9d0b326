//! `CloudWatch`: what instances ask their metadata service without a token.

mod metric_data;
mod queries;

use super::{Access, CborOperation};

/// What stands before the name of an operation in a path.
pub const PATH: &str = "/service/GraniteServiceVersion20100801/operation/";

/// The same in an `X-Amz-Target`, of clients that want JSON.
pub const TARGET: &str = "GraniteServiceVersion20100801.";

/// Every operation.
pub const OPERATIONS: &[CborOperation] =
    &[CborOperation { name: "GetMetricData", access: Access::Any, run: metric_data::get }];
