//! How a receiver knows that a webhook's body is ours: an HMAC over the time and the body.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The header with the signature: `sha256=` and the HMAC-SHA-256 in hexadecimal.
pub const SIGNATURE_HEADER: &str = "x-imdsctl-signature";

/// The header with the time that the signature covers, in seconds since 1970: a receiver refuses what is old.
pub const TIMESTAMP_HEADER: &str = "x-imdsctl-timestamp";

/// The signature of a body that is sent at a time: over the time in seconds, a dot and the body.
pub fn signature(secret: &str, timestamp: i64, body: &[u8]) -> String {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(format!("{timestamp}.").as_bytes());
    mac.update(body);
    let digest = mac.finalize().into_bytes();
    digest.iter().fold("sha256=".to_owned(), |mut signature, byte| {
        // Writing to a String cannot fail.
        let _ = write!(signature, "{byte:02x}");
        signature
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `printf '1700000000.{}' | openssl dgst -sha256 -hmac secret` says.
    #[test]
    fn it_is_what_others_compute() {
        assert_eq!(
            signature("secret", 1_700_000_000, b"{}"),
            "sha256=b8569b78799ff9e3cbff0fc2d63a33a2b57f3282abd07c37ae5e8e7d79a5f163"
        );
    }

    #[test]
    fn every_part_counts() {
        let all = [
            signature("a", 1, b"x"),
            signature("b", 1, b"x"),
            signature("a", 2, b"x"),
            signature("a", 1, b"y"),
        ];
        assert!((1..all.len()).all(|index| all[..index].iter().all(|other| *other != all[index])));
    }
}
