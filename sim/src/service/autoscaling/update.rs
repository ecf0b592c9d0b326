//! `UpdateAutoScalingGroup`.

use super::source::{self, whole};
use super::{Call, group_name, may_use, refused};
use crate::wire::error::ApiError;
use crate::wire::query::Params;
use crate::wire::xml::Xml;
use crate::world::{GroupChange, Region};

/// `UpdateAutoScalingGroup`: what it launches from, and its size. What runs stays as it is.
pub fn run(call: &Call<'_>, region: &mut Region, mut params: Params, _: &mut Xml) -> Result<(), ApiError> {
    let name = group_name(&mut params)?;
    let change = GroupChange {
        source: source::read(&mut params, "", region)?,
        min: whole(&mut params, "MinSize")?,
        max: whole(&mut params, "MaxSize")?,
        desired: whole(&mut params, "DesiredCapacity")?,
    };
    params.finish()?;
    may_use(call, change.source.as_ref())?;
    region.update_group(&name, &change, call.now).map_err(|refusal| refused(&name, refusal))
}
