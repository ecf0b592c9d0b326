//! `DescribeWarmPool`.

use super::groups::warm_pool;
use super::{Call, by_id, group_name, instance, page, refused};
use crate::wire::error::ApiError;
use crate::wire::query::Params;
use crate::wire::xml::Xml;
use crate::world::Instance;

/// `DescribeWarmPool`. A group without a warm pool has an empty answer.
pub fn describe(call: &Call<'_>, mut params: Params, xml: &mut Xml) -> Result<(), ApiError> {
    let question = params.question();
    let page = page(call, "DescribeWarmPool", 50, 50, &question, &mut params)?;
    let name = group_name(&mut params)?;
    params.finish()?;
    let group = call.region.existing_group(&name).map_err(|refusal| refused(&name, refusal))?;
    let instances = by_id(call.region);
    let pool = group.warm_pool.as_ref();
    let members: Vec<&Instance> =
        pool.iter().flat_map(|pool| &pool.instances).filter_map(|id| instances.get(id).copied()).collect();
    let (members, next) = page.of(&members);
    if let Some(pool) = pool {
        xml.element("WarmPoolConfiguration", |xml| warm_pool(xml, pool));
    }
    xml.list("Instances", "member", members, |xml, member| instance(xml, group, member, true));
    xml.optional("NextToken", next.as_deref());
    Ok(())
}
