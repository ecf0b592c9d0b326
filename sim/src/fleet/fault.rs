//! What a fleet, or a test while it runs, may say goes wrong.

use serde::{Deserialize, Serialize};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The service refuses, with its own code.
    AccessDenied,
    /// A failure of the service's, with status 500.
    InternalError,
    /// The service cannot answer now, with status 503.
    ServiceUnavailable,
    /// Too many requests.
    Throttled,
    /// The credentials ran out.
    ExpiredToken,
    /// No answer, ever.
    Hang,
    /// The right answer, after `delay_ms`.
    Slow,
    /// The connection is closed without an answer.
    Reset,
    /// A web page with status 500, as a load balancer or a proxy would send.
    #[serde(rename = "html_500")]
    Html500,
    /// The connection closes in the middle of the answer.
    TruncatedBody,
    /// Status 200 and a whole answer by HTTP's account, but its XML or JSON ends in the middle.
    MalformedBody,
    /// The page that was asked for, with a token for the same page again.
    EndlessList,
}

impl FaultKind {
    /// Every kind, for whoever wants to try them all.
    pub const ALL: [Self; 12] = [
        Self::AccessDenied,
        Self::InternalError,
        Self::ServiceUnavailable,
        Self::Throttled,
        Self::ExpiredToken,
        Self::Hang,
        Self::Slow,
        Self::Reset,
        Self::Html500,
        Self::TruncatedBody,
        Self::MalformedBody,
        Self::EndlessList,
    ];

    /// Its name in a fleet, and in the request log where the service has no code for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessDenied => "access_denied",
            Self::InternalError => "internal_error",
            Self::ServiceUnavailable => "service_unavailable",
            Self::Throttled => "throttled",
            Self::ExpiredToken => "expired_token",
            Self::Hang => "hang",
            Self::Slow => "slow",
            Self::Reset => "reset",
            Self::Html500 => "html_500",
            Self::TruncatedBody => "truncated_body",
            Self::MalformedBody => "malformed_body",
            Self::EndlessList => "endless_list",
        }
    }
}

/// Where in a listing a fault strikes. What has no pages is the first and the last page of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultPage {
    /// The request has no token.
    First,
    /// The request has a token.
    Later,
    /// The answer has no token for another page.
    Last,
}

/// A scripted fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Accounts, a glob; all where it is absent.
    #[serde(default)]
    pub account: Option<String>,
    /// Regions, a glob; all where it is absent.
    #[serde(default)]
    pub region: Option<String>,
    /// `eks:ListClusters`; globs work.
    pub operation: String,
    /// What goes wrong.
    pub error: FaultKind,
    /// Only on such pages.
    #[serde(default)]
    pub page: Option<FaultPage>,
    /// So many requests that match go well first.
    #[serde(default)]
    pub after: u32,
    /// Afterwards it works again.
    #[serde(default)]
    pub times: Option<u32>,
    /// How late a slow answer is.
    #[serde(default)]
    pub delay_ms: Option<u64>,
    /// The request does what it asks for, and only its answer goes wrong.
    #[serde(default)]
    pub takes_effect: bool,
}

impl Fault {
    /// A fault of every call of an operation, in every account and Region, for good.
    pub fn new(operation: impl Into<String>, error: FaultKind) -> Self {
        Self {
            account: None,
            region: None,
            operation: operation.into(),
            error,
            page: None,
            after: 0,
            times: None,
            delay_ms: None,
            takes_effect: false,
        }
    }

    /// Only in accounts that match.
    #[must_use]
    pub fn in_account(mut self, account: impl Into<String>) -> Self {
        self.account = Some(account.into());
        self
    }

    /// Only in Regions that match.
    #[must_use]
    pub fn in_region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Only on such pages.
    #[must_use]
    pub fn on(mut self, page: FaultPage) -> Self {
        self.page = Some(page);
        self
    }

    /// Not before so many requests that match went well.
    #[must_use]
    pub fn after(mut self, requests: u32) -> Self {
        self.after = requests;
        self
    }

    /// Not more often than that.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// The request does what it asks for, and only its answer goes wrong.
    #[must_use]
    pub fn taking_effect(mut self) -> Self {
        self.takes_effect = true;
        self
    }

    /// So late, where it is a slow answer.
    #[must_use]
    pub fn delayed(mut self, milliseconds: u64) -> Self {
        self.delay_ms = Some(milliseconds);
        self
    }
}
