//! What of the SDK's logs must never be switched on.

/// The log targets of the SDK and of the HTTP stack below it, switched off, as directives for a filter.
///
/// At `trace`, `aws_smithy_runtime` prints whole bodies, a launch template's user data among them. But no level is
/// safe: `aws_config` warns of a credential provider that failed with the whole answer that it got. What
/// matters of an error is told in words of imdsctl's own. A cap has to be a filter of its own, beside
/// the user's: in a single filter a more specific target of the user's would win.
pub const fn cap_directives() -> &'static [&'static str] {
    &[
        "aws_config=off",
        "aws_credential_types=off",
        "aws_runtime=off",
        "aws_sdk_autoscaling=off",
        "aws_sdk_ec2=off",
        "aws_sdk_eks=off",
        "aws_sdk_sso=off",
        "aws_sdk_ssooidc=off",
        "aws_sdk_sts=off",
        "aws_sigv4=off",
        "aws_smithy_http=off",
        "aws_smithy_http_client=off",
        "aws_smithy_runtime=off",
        "aws_smithy_runtime_api=off",
        "aws_smithy_types=off",
        "aws_types=off",
        "h2=off",
        "hyper=off",
        "hyper_util=off",
        "hyper_rustls=off",
        "rustls=off",
    ]
}
