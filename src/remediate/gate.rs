//! The `IMDSv1` gate: tokens do not become required under callers that have none, nor where nobody can tell.

use std::collections::BTreeSet;

use crate::model::{InstanceId, OptionValue, Read};
use crate::plan::{Block, TokenUseSum};

use super::scene::Scene;

/// The flag that opens the gate.
const FLAG: &str = "--accept-imdsv1-callers";

/// How many callers are named.
const NAMED: usize = 20;

/// How instances asked, and whether tokens may become required of what they run. `required` says whether they would;
/// where not, only calls that are refused already are worth telling.
pub fn gate(
    scene: &Scene<'_>,
    instances: &[InstanceId],
    required: bool,
) -> (Option<TokenUseSum>, Option<Block>) {
    let sum = sum(scene, instances, required);
    if !required {
        return (Some(sum).filter(|sum| sum.rejected > 0), None);
    }
    if sum.instances == 0 && sum.rejected == 0 {
        return (None, None);
    }
    let block = block(&sum).filter(|_| !scene.choices.accept_imdsv1_callers);
    (Some(sum), block)
}

fn sum(scene: &Scene<'_>, instances: &[InstanceId], required: bool) -> TokenUseSum {
    let mut sum = TokenUseSum::default();
    for id in instances.iter().collect::<BTreeSet<_>>() {
        let known = scene.readings.token_use.get(id).and_then(Read::known);
        sum.rejected += known.map_or(0, |known| known.rejected);
        // One that requires tokens already has no callers without, and nothing changes for what it runs.
        let tokens = scene.instance_by_id(id.as_str()).and_then(|instance| instance.metadata.http_tokens);
        if tokens == Some(OptionValue::Required) || !required {
            continue;
        }
        sum.instances += 1;
        match known {
            None => sum.unknown += 1,
            Some(known) if known.without_token > 0 => {
                sum.without_token += known.without_token;
                sum.callers.push((id.to_string(), known.without_token));
            }
            Some(_) => {}
        }
    }
    sum.callers.sort_by(|(one, calls), (other, others)| others.cmp(calls).then_with(|| one.cmp(other)));
    sum.callers.truncate(NAMED);
    sum
}

fn block(sum: &TokenUseSum) -> Option<Block> {
    let why = match (sum.without_token, sum.unknown) {
        (0, 0) => return None,
        (0, unknown) => format!(
            "tokens would become required, and CloudWatch does not tell whether {unknown} of {} {} still asked \
             without one in the last 14 days",
            sum.instances,
            if sum.instances == 1 { "instance" } else { "instances" },
        ),
        (calls, _) => format!(
            "tokens would become required, and the metadata service was asked {calls} {} without one in the last 14 \
             days: what asked so will fail",
            if calls == 1 { "time" } else { "times" },
        ),
    };
    Some(Block { why, unless: Some(FLAG.to_owned()) })
}
