//! `DescribeLaunchConfigurations`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Call, page};
use crate::wire::error::ApiError;
use crate::wire::query::Params;
use crate::wire::time::iso;
use crate::wire::xml::Xml;
use crate::world::{LaunchConfiguration, Switch, Tokens};

/// `DescribeLaunchConfigurations`.
pub fn describe(call: &Call<'_>, mut params: Params, xml: &mut Xml) -> Result<(), ApiError> {
    let question = params.question();
    let page = page(call, "DescribeLaunchConfigurations", 50, 100, &question, &mut params)?;
    let names = params.list("LaunchConfigurationNames");
    params.finish()?;
    if names.len() > 50 {
        return Err(ApiError::bad(
            "ValidationError",
            "1 validation error detected: 'launchConfigurationNames' may have 50 members at most",
        ));
    }
    let configurations: Vec<&LaunchConfiguration> = call
        .region
        .launch_configurations
        .values()
        .filter(|configuration| names.is_empty() || names.contains(&configuration.name))
        .collect();
    let (configurations, next) = page.of(&configurations);
    xml.list("LaunchConfigurations", "member", configurations, |xml, one| write(xml, one));
    xml.optional("NextToken", next.as_deref());
    Ok(())
}

fn write(xml: &mut Xml, configuration: &LaunchConfiguration) {
    xml.text("LaunchConfigurationName", &configuration.name);
    xml.text("LaunchConfigurationARN", &configuration.arn);
    xml.text("ImageId", &configuration.image);
    xml.text("KeyName", "");
    xml.texts("SecurityGroups", "member", &configuration.security_groups);
    xml.list("ClassicLinkVPCSecurityGroups", "member", [(); 0], |_, ()| {});
    xml.text("UserData", &STANDARD.encode(configuration.user_data.as_deref().unwrap_or_default()));
    xml.text("InstanceType", &configuration.instance_type);
    xml.text("KernelId", "");
    xml.text("RamdiskId", "");
    xml.list("BlockDeviceMappings", "member", ["/dev/xvda"], |xml, device| {
        xml.text("DeviceName", device);
        xml.element("Ebs", |xml| {
            xml.value("VolumeSize", 80);
            xml.text("VolumeType", "gp2");
            xml.value("DeleteOnTermination", true);
        });
    });
    xml.element("InstanceMonitoring", |xml| xml.value("Enabled", true));
    xml.optional("IamInstanceProfile", configuration.profile.as_deref());
    xml.text("CreatedTime", &iso(configuration.created));
    xml.value("EbsOptimized", false);
    if let Some(options) = &configuration.metadata_options {
        xml.element("MetadataOptions", |xml| {
            xml.optional("HttpTokens", options.http_tokens.map(Tokens::as_str));
            if let Some(limit) = options.hop_limit {
                xml.value("HttpPutResponseHopLimit", limit);
            }
            xml.optional("HttpEndpoint", options.http_endpoint.map(Switch::as_str));
        });
    }
}
