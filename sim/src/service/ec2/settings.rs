//! Settings of an account in a Region that have nothing to do with metadata options: all as in a new account.

use super::Call;
use crate::wire::error::ApiError;
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// `GetEbsEncryptionByDefault`.
pub fn ebs_encryption(_: &Call<'_>, params: Params, xml: &mut Xml) -> Result<(), ApiError> {
    params.finish()?;
    xml.value("ebsEncryptionByDefault", false);
    Ok(())
}

/// `GetSnapshotBlockPublicAccessState`.
pub fn public_snapshots(_: &Call<'_>, params: Params, xml: &mut Xml) -> Result<(), ApiError> {
    params.finish()?;
    xml.text("state", "unblocked");
    xml.text("managedBy", "account");
    Ok(())
}

/// `GetImageBlockPublicAccessState`.
pub fn public_images(_: &Call<'_>, params: Params, xml: &mut Xml) -> Result<(), ApiError> {
    params.finish()?;
    xml.text("imageBlockPublicAccessState", "unblocked");
    xml.text("managedBy", "account");
    Ok(())
}
