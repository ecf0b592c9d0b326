//! Who asks: the credential scope of a SigV4 `Authorization` header.
//!
//! The signature itself is not verified: the simulator knows no secrets. Everything else about the header is.

/// The parts of `Credential=AKIA…/20261115/us-east-1/ec2/aws4_request`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The access key id.
    pub access_key: String,
    /// The Region.
    pub region: String,
    /// The service's signing name.
    pub service: String,
}

/// Why a header cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthProblem {
    /// There is none.
    Missing,
    /// It is not a complete SigV4 header.
    Incomplete,
}

/// Reads an `Authorization` header.
pub fn scope(header: Option<&str>) -> Result<Scope, AuthProblem> {
    let header = header.ok_or(AuthProblem::Missing)?;
    let fields = header.strip_prefix("AWS4-HMAC-SHA256").ok_or(AuthProblem::Incomplete)?;
    let field = |name: &str| {
        fields
            .split(',')
            .find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='))
            .filter(|value| !value.is_empty())
    };
    let credential = field("Credential").ok_or(AuthProblem::Incomplete)?;
    if field("SignedHeaders").is_none() || field("Signature").is_none() {
        return Err(AuthProblem::Incomplete);
    }
    let parts: Vec<&str> = credential.split('/').collect();
    match parts.as_slice() {
        [key, date, region, service, "aws4_request"] if date.len() == 8 => Ok(Scope {
            access_key: (*key).to_owned(),
            region: (*region).to_owned(),
            service: (*service).to_owned(),
        }),
        _ => Err(AuthProblem::Incomplete),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scope_is_read_and_anything_else_is_refused() {
        let header = "AWS4-HMAC-SHA256 Credential=AKIA1/20261115/eu-west-1/eks/aws4_request, \
                      SignedHeaders=host, Signature=00";
        let read = scope(Some(header)).unwrap();
        assert_eq!((read.region.as_str(), read.service.as_str()), ("eu-west-1", "eks"));
        assert_eq!(scope(None), Err(AuthProblem::Missing));
        assert_eq!(scope(Some("Bearer x")), Err(AuthProblem::Incomplete));
        assert_eq!(scope(Some(&header.replace(", Signature=00", ""))), Err(AuthProblem::Incomplete));
    }
}
