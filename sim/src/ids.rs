//! Ids in AWS's shapes, the same on every run: a hash of what the thing is, never a counter or a clock.

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// A 64-bit number that depends on every part and on where one part ends and the next begins.
pub fn number(parts: &[&str]) -> u64 {
    let fnv = parts.iter().fold(OFFSET, |hash, part| {
        let hash = part.bytes().fold(hash, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
        (hash ^ 0x1f).wrapping_mul(PRIME)
    });
    mix(fnv)
}

/// FNV alone leaves neighbours (`node-1`, `node-2`) alike in the high bits; this is the finaliser of `SplitMix64`.
fn mix(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

/// An EC2 id of the long form: `i-0` and 16 hex digits.
pub fn ec2(prefix: &str, parts: &[&str]) -> String {
    format!("{prefix}-0{:016x}", mix(number(parts) ^ number(&[prefix])))
}

/// A UUID of version 4's form.
pub fn uuid(parts: &[&str]) -> String {
    let high = number(parts);
    let low = mix(high ^ PRIME);
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        (low >> 48) & 0xfff,
        low & 0xffff_ffff_ffff
    )
}

/// Hex of any length up to 16 digits.
pub fn hex(digits: usize, parts: &[&str]) -> String {
    let all = format!("{:016x}", number(parts));
    all[..digits.min(16)].to_owned()
}

/// A number from 0 to `below - 1`.
pub fn below(below: u64, parts: &[&str]) -> u64 {
    number(parts) % below.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_form_that_aws_gives_them_and_never_change() {
        let id = ec2("i", &["111122223333", "us-east-1", "web", "0"]);
        assert_eq!(id, ec2("i", &["111122223333", "us-east-1", "web", "0"]));
        assert_eq!((id.len(), &id[..3]), (19, "i-0"));
        assert_ne!(id, ec2("i", &["111122223333", "us-east-1", "web0", ""]));
        assert_eq!(uuid(&["x"]).len(), 36);
    }
}
