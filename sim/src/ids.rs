//! Ids in AWS's shapes, the same on every run: a hash of what the thing is, never a counter or a clock.

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// The hash of some parts, to which more can be added: what many ids have in common is hashed once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts(u64);

impl Parts {
    /// The hash of these parts.
    pub fn of(parts: &[&str]) -> Self {
        parts.iter().fold(Self(OFFSET), |hash, part| hash.and(part))
    }

    /// The hash of these parts and one more. It depends on where one part ends and the next begins.
    pub fn and(self, part: &str) -> Self {
        let hash = part.bytes().fold(self.0, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
        Self((hash ^ 0x1f).wrapping_mul(PRIME))
    }

    /// The number that stands for the parts.
    pub fn number(self) -> u64 {
        mix(self.0)
    }

    /// The number in an EC2 id.
    pub fn ec2(self, prefix: &str) -> u64 {
        mix(self.number() ^ number(&[prefix]))
    }
}

/// A 64-bit number that depends on every part and on where one part ends and the next begins.
pub fn number(parts: &[&str]) -> u64 {
    Parts::of(parts).number()
}

/// FNV alone leaves neighbours (`node-1`, `node-2`) alike in the high bits; this is the finaliser of `SplitMix64`.
fn mix(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

/// An EC2 id of the long form: `i-0` and 16 hex digits.
pub fn ec2(prefix: &str, parts: &[&str]) -> String {
    let mut id = String::with_capacity(prefix.len() + 18);
    write_ec2(&mut id, prefix, Parts::of(parts).ec2(prefix));
    id
}

/// Writes the EC2 id with this number, without the detour of formatting: pages are full of them.
pub fn write_ec2(out: &mut String, prefix: &str, number: u64) {
    out.push_str(prefix);
    out.push_str("-0");
    for shift in (0..16).rev() {
        let digit = u8::try_from((number >> (4 * shift)) & 0xf).unwrap_or(0);
        out.push(char::from(if digit < 10 { b'0' + digit } else { b'a' - 10 + digit }));
    }
}

/// The number in an EC2 id that [`write_ec2`] could have written.
pub fn read_ec2(id: &str, prefix: &str) -> Option<u64> {
    let digits = id.strip_prefix(prefix)?.strip_prefix("-0")?;
    let valid = digits.len() == 16 && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    u64::from_str_radix(digits, 16).ok().filter(|_| valid)
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
        let parts = Parts::of(&["111122223333", "us-east-1", "web"]).and("0");
        assert_eq!(read_ec2(&id, "i"), Some(parts.ec2("i")));
        for not_ours in ["i-1234567890abcdef0", "i-0123", "r-01234567890abcdef", "i-0123456789ABCDEF0"] {
            assert_eq!(read_ec2(not_ours, "i"), None);
        }
        assert_ne!(id, ec2("i", &["111122223333", "us-east-1", "web0", ""]));
        assert_eq!(uuid(&["x"]).len(), 36);
    }
}
