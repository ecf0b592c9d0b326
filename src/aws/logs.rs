//! What of the SDK's logs must never be switched on.

/// The log targets that can print requests, answers or their parts, with the level up to which they are
/// harmless, as directives for a filter.
///
/// At `trace`, `aws_smithy_runtime` prints whole bodies, a launch template's user data among them, and does
/// so for outputs that were already parsed, too. At `debug`, several of the others print headers or errors
/// with parts of bodies. A cap has to be a filter of its own, beside the user's: in a single filter a more
/// specific target of the user's would win.
pub const fn cap_directives() -> &'static [&'static str] {
    &[
        "aws_config=info",
        "aws_credential_types=info",
        "aws_runtime=info",
        "aws_sdk_autoscaling=info",
        "aws_sdk_ec2=info",
        "aws_sdk_eks=info",
        "aws_sdk_sso=info",
        "aws_sdk_ssooidc=info",
        "aws_sdk_sts=info",
        "aws_sigv4=info",
        "aws_smithy_http=info",
        "aws_smithy_http_client=info",
        "aws_smithy_runtime=info",
        "aws_smithy_runtime_api=info",
        "aws_smithy_types=info",
        "aws_types=info",
        "h2=info",
        "hyper=info",
        "hyper_util=info",
        "hyper_rustls=info",
        "rustls=info",
    ]
}
