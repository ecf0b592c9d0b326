//! What a table of operations says about each of them.

use serde_json::Value;

use super::Call;
use crate::wire::error::ApiError;
use crate::wire::query::Params;
use crate::wire::xml::Xml;
use crate::world::{Region, Tags};

/// What IAM says about an operation. The action has the operation's name, in every service that the simulator has.
#[derive(Clone, Copy)]
pub enum Access {
    /// Nothing: whoever has credentials may.
    Open,
    /// The action has no resources: a policy has to say `*`.
    Any,
    /// The action is on this resource.
    On(fn(&Call<'_>, &Asked<'_>) -> Resource),
}

/// A resource, as policies see it.
#[derive(Debug, Clone, Default)]
pub struct Resource {
    /// Its ARN, or `*` where the action has no resources.
    pub arn: String,
    /// Its tags, which `aws:ResourceTag/KEY` compares.
    pub tags: Tags,
}

impl From<String> for Resource {
    fn from(arn: String) -> Self {
        Self { arn, tags: Tags::new() }
    }
}

/// What a request names, for finding out which resource it is about.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'r> {
    /// The parts of a REST path that may be anything.
    pub path: &'r [String],
    /// The parameters.
    pub params: &'r Params,
}

/// Does an operation look, or does it change something?
///
/// Whoever writes gets the Region as a copy besides the one in the [`Call`]. It is kept if the operation succeeds,
/// and thrown away if it is refused or was a dry run: there is no half of a write.
#[derive(Clone, Copy)]
pub enum Handler<R, W> {
    /// It looks.
    Reads(R),
    /// It changes the Region that it is given.
    Writes(W),
}

type QueryRead = fn(&Call<'_>, Params, &mut Xml) -> Result<(), ApiError>;
type QueryWrite = fn(&Call<'_>, &mut Region, Params, &mut Xml) -> Result<(), ApiError>;
type RestRead = fn(&Call<'_>, &[String], Params) -> Result<Value, ApiError>;
type RestWrite = fn(&Call<'_>, &mut Region, &[String], Params) -> Result<Value, ApiError>;

/// An operation of a Query service: writes what goes inside its answer.
pub struct QueryOperation {
    /// Its name.
    pub name: &'static str,
    /// Who may.
    pub access: Access,
    /// What it does.
    pub run: Handler<QueryRead, QueryWrite>,
    /// The parameter that makes it happen only once, however often it is asked for.
    pub token: Option<&'static str>,
}

impl QueryOperation {
    /// One that looks.
    pub const fn reads(name: &'static str, access: Access, run: QueryRead) -> Self {
        Self { name, access, run: Handler::Reads(run), token: None }
    }

    /// One that changes something.
    pub const fn writes(name: &'static str, access: Access, run: QueryWrite) -> Self {
        Self { name, access, run: Handler::Writes(run), token: None }
    }

    /// The same, once for each value of a parameter.
    pub const fn once_by(mut self, token: &'static str) -> Self {
        self.token = Some(token);
        self
    }
}

/// An operation of a REST service.
pub struct RestOperation {
    /// Its name.
    pub name: &'static str,
    /// `GET` and others.
    pub method: &'static str,
    /// Its path; a part in braces may be anything.
    pub path: &'static str,
    /// Who may.
    pub access: Access,
    /// What it does, with the parts of the path that may be anything.
    pub run: Handler<RestRead, RestWrite>,
    /// The member of the body that makes it happen only once, however often it is asked for.
    pub token: Option<&'static str>,
}

impl RestOperation {
    /// One that looks.
    pub const fn reads(
        name: &'static str,
        method: &'static str,
        path: &'static str,
        access: Access,
        run: RestRead,
    ) -> Self {
        Self { name, method, path, access, run: Handler::Reads(run), token: None }
    }

    /// One that changes something.
    pub const fn writes(
        name: &'static str,
        method: &'static str,
        path: &'static str,
        access: Access,
        run: RestWrite,
    ) -> Self {
        Self { name, method, path, access, run: Handler::Writes(run), token: None }
    }

    /// The same, once for each value of a member of the body.
    pub const fn once_by(mut self, token: &'static str) -> Self {
        self.token = Some(token);
        self
    }
}

/// An operation of a service that speaks Smithy's RPC in CBOR. None of them changes anything.
pub struct CborOperation {
    /// Its name, the end of its path.
    pub name: &'static str,
    /// Who may.
    pub access: Access,
    /// What it does.
    pub run: fn(&Call<'_>, Params) -> Result<ciborium::Value, ApiError>,
}

/// An operation of a JSON service. None of them changes anything.
pub struct JsonOperation {
    /// Its name, the end of an `X-Amz-Target`.
    pub name: &'static str,
    /// Who may.
    pub access: Access,
    /// What it does.
    pub run: fn(&Call<'_>, Params) -> Result<Value, ApiError>,
}
