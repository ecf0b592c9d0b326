//! Versions of launch templates: made from others or from nothing, chosen as the default, deleted.

use super::client::{Answer, Client};
use super::{serve, serve_with};

const REGION: &str = "
launch_templates:
  - name: workers
    versions:
      - { image: 'ssm:al2023-1.33', instance_type: m6i.large, key_name: ops, tags: { team: web },
          metadata_options: { http_tokens: optional, hop_limit: 3, http_endpoint: enabled } }
      - { image: al2023-1.33, deleted: true }
  - { name: bare, versions: [{ image: al2023-1.33, user_data: '' }] }
clusters: [{ name: c, auto_mode: { nodes: 1, node_pools: [system] } }]";

const DATA: &str = "&LaunchTemplateData";

async fn create(client: &Client, form: &str) -> Answer {
    client.ec2("CreateLaunchTemplateVersion", &format!("&LaunchTemplateName=workers{form}")).await
}

async fn version(client: &Client, number: &str) -> Answer {
    let form = format!("&LaunchTemplateName=workers&LaunchTemplateVersion.1={number}");
    client.ec2("DescribeLaunchTemplateVersions", &form).await
}

/// What is inside `launchTemplateData`.
fn data(answer: &Answer) -> &str {
    answer.text("launchTemplateData").unwrap()
}

fn code(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.text("Code").unwrap())
}

#[tokio::test]
async fn without_a_source_a_version_is_what_was_sent_and_nothing_else() {
    let (_running, client) = serve(REGION).await;
    let form = format!(
        "{DATA}.ImageId=ami-00000000000000001{DATA}.InstanceType=c6i.large{DATA}.UserData=aGVsbG8%3D\
         {DATA}.IamInstanceProfile.Arn=arn:aws:iam::111122223333:instance-profile/x{DATA}.KeyName=k\
         {DATA}.SecurityGroupId.1=sg-1{DATA}.SecurityGroupId.2=sg-2{DATA}.Monitoring.Enabled=false\
         {DATA}.EbsOptimized=true{DATA}.MetadataOptions.HttpTokens=required\
         {DATA}.MetadataOptions.HttpPutResponseHopLimit=2{DATA}.MetadataOptions.HttpEndpoint=enabled\
         {DATA}.MetadataOptions.HttpProtocolIpv6=disabled{DATA}.MetadataOptions.InstanceMetadataTags=disabled\
         {DATA}.TagSpecification.1.ResourceType=volume{DATA}.TagSpecification.1.Tag.1.Key=a\
         {DATA}.TagSpecification.1.Tag.1.Value=b{DATA}.BlockDeviceMapping.1.DeviceName=/dev/xvda\
         {DATA}.BlockDeviceMapping.1.Ebs.VolumeSize=9{DATA}.BlockDeviceMapping.1.Ebs.SnapshotId=snap-1\
         {DATA}.BlockDeviceMapping.1.Ebs.Iops=4000{DATA}.BlockDeviceMapping.1.Ebs.KmsKeyId=key\
         &VersionDescription=all"
    );
    let created = create(&client, &form).await;
    assert_eq!(created.text("versionNumber"), Some("3"), "2 has been deleted, its number is not given again");
    assert_eq!(created.text("createdBy"), Some("arn:aws:iam::111122223333:user/auditor"));
    assert_eq!(created.text("versionDescription"), Some("all"));
    assert_eq!(created.text("code"), Some("InvalidAMIID.NotFound"), "a warning: {}", created.body);
    assert_eq!(
        data(&created),
        "<ebsOptimized>true</ebsOptimized>\
         <iamInstanceProfile><arn>arn:aws:iam::111122223333:instance-profile/x</arn></iamInstanceProfile>\
         <blockDeviceMappingSet><item><deviceName>/dev/xvda</deviceName><ebs><iops>4000</iops>\
         <kmsKeyId>key</kmsKeyId><snapshotId>snap-1</snapshotId><volumeSize>9</volumeSize></ebs></item>\
         </blockDeviceMappingSet><imageId>ami-00000000000000001</imageId><instanceType>c6i.large</instanceType>\
         <keyName>k</keyName><monitoring><enabled>false</enabled></monitoring><userData>aGVsbG8=</userData>\
         <tagSpecificationSet><item><resourceType>volume</resourceType><tagSet><item><key>a</key>\
         <value>b</value></item></tagSet></item></tagSpecificationSet><securityGroupIdSet><item>sg-1</item>\
         <item>sg-2</item></securityGroupIdSet><metadataOptions><httpTokens>required</httpTokens>\
         <httpPutResponseHopLimit>2</httpPutResponseHopLimit><httpEndpoint>enabled</httpEndpoint>\
         <httpProtocolIpv6>disabled</httpProtocolIpv6><instanceMetadataTags>disabled</instanceMetadataTags>\
         </metadataOptions>"
    );
    assert_eq!(data(&version(&client, "3").await), data(&created));
    assert_eq!(version(&client, "$Latest").await.text("versionNumber"), Some("3"));
    assert_eq!(version(&client, "$Default").await.text("versionNumber"), Some("1"));
    let partial = create(&client, &format!("{DATA}.MetadataOptions.HttpTokens=optional")).await;
    assert_eq!(
        data(&partial),
        "<metadataOptions><httpTokens>optional</httpTokens></metadataOptions>",
        "what is not set is not there"
    );
}

#[tokio::test]
async fn with_a_source_only_what_was_sent_and_the_snapshots_are_different() {
    let options = format!(
        "&SourceVersion=$Default{DATA}.MetadataOptions.HttpTokens=required{DATA}.MetadataOptions.HttpProtocolIpv6=enabled"
    );
    for (setting, expected) in [
        ("", "<httpTokens>required</httpTokens><httpProtocolIpv6>enabled</httpProtocolIpv6>"),
        (
            "settings: { metadata_options_overlay: merge }",
            "<httpTokens>required</httpTokens><httpPutResponseHopLimit>3</httpPutResponseHopLimit>\
             <httpEndpoint>enabled</httpEndpoint><httpProtocolIpv6>enabled</httpProtocolIpv6>",
        ),
    ] {
        let (_running, client) = serve_with(setting, REGION).await;
        let source = version(&client, "1").await;
        let created = create(&client, &options).await;
        let before = source.text("metadataOptions").unwrap();
        let snapshot = format!("<snapshotId>{}</snapshotId>", source.text("snapshotId").unwrap());
        assert_eq!(created.text("metadataOptions"), Some(expected), "{setting}");
        assert!(data(&source).contains("resolve:ssm:"));
        assert_eq!(data(&created), data(&source).replace(before, expected).replace(&snapshot, ""));
        assert_eq!(created.text("code"), None, "no warning");
    }
}

#[tokio::test]
async fn repeated_snapshots_stay_and_aliases_are_resolved_only_to_be_shown() {
    let (_running, client) = serve(REGION).await;
    let snapshot = version(&client, "1").await.text("snapshotId").unwrap().to_owned();
    let form = format!(
        "&SourceVersion=1&ResolveAlias=true{DATA}.BlockDeviceMapping.1.DeviceName=/dev/xvda\
         {DATA}.BlockDeviceMapping.1.Ebs.SnapshotId={snapshot}{DATA}.BlockDeviceMapping.1.Ebs.Encrypted=true\
         {DATA}.BlockDeviceMapping.1.Ebs.VolumeSize=80{DATA}.BlockDeviceMapping.1.Ebs.VolumeType=gp3\
         {DATA}.BlockDeviceMapping.1.Ebs.DeleteOnTermination=true"
    );
    let created = create(&client, &form).await;
    assert!(created.text("imageId").unwrap().starts_with("ami-"));
    let kept = version(&client, "3").await;
    assert_eq!(data(&kept), data(&version(&client, "1").await));
}

#[tokio::test]
async fn what_makes_no_version_is_refused_and_leaves_no_trace() {
    let (running, client) = serve_with("settings: { template_versions: 2 }", REGION).await;
    let tokens = format!("{DATA}.MetadataOptions.HttpTokens=required");
    for (form, expected) in [
        (String::new(), "MissingParameter"),
        (format!("{tokens}&LaunchTemplateId=lt-00000000000000001"), "InvalidParameterCombination"),
        (format!("{tokens}&SourceVersion=2"), "InvalidLaunchTemplateId.VersionNotFound"),
        (format!("{tokens}&SourceVersion=newest"), "InvalidParameterValue"),
        (format!("{DATA}.MetadataOptions.HttpTokens=yes"), "InvalidParameterValue"),
        (format!("{DATA}.MetadataOptions.HttpPutResponseHopLimit=65"), "InvalidParameterValue"),
        (format!("{DATA}.UserData=!"), "InvalidUserData.Malformed"),
        (format!("{DATA}.RamDiskId=r"), "UnknownParameter"),
        (format!("{tokens}&ClientToken={}", "x".repeat(129)), "InvalidParameterValue"),
        (format!("{tokens}&VersionDescription={}", "x".repeat(256)), "InvalidParameterValue"),
    ] {
        assert_eq!(code(&create(&client, &form).await), (400, expected), "{form}");
    }
    let hidden = client.ec2("DescribeLaunchTemplates", "&IncludeManagedResources=true").await;
    let names = hidden.texts("launchTemplateName");
    let managed = names.iter().find(|name| name.starts_with("eks.amazonaws.com/")).unwrap();
    let form = format!("&LaunchTemplateName={managed}{tokens}");
    let refused = client.ec2("CreateLaunchTemplateVersion", &form).await;
    assert_eq!(code(&refused), (400, "InvalidLaunchTemplateName.NotFoundException"));
    assert!(running.requests().iter().all(|request| !request.changed));
    assert_eq!(create(&client, &tokens).await.text("versionNumber"), Some("3"));
    assert_eq!(code(&create(&client, &tokens).await), (400, "VersionLimitExceeded"));
}

#[tokio::test]
async fn a_token_makes_one_version_and_numbers_count_on() {
    let (_running, client) = serve(REGION).await;
    let form = format!("&ClientToken=t{DATA}.MetadataOptions.HttpTokens=required");
    for _ in 0..3 {
        assert_eq!(create(&client, &form).await.text("versionNumber"), Some("3"));
    }
    let other = format!("&ClientToken=t{DATA}.MetadataOptions.HttpTokens=optional");
    assert_eq!(code(&create(&client, &other).await), (400, "IdempotentParameterMismatch"));
    let delete = async |versions: &[&str]| {
        let numbered = (1..).zip(versions);
        let form: Vec<String> =
            numbered.map(|(at, version)| format!("&LaunchTemplateVersion.{at}={version}")).collect();
        let form = format!("&LaunchTemplateName=workers{}", form.concat());
        client.ec2("DeleteLaunchTemplateVersions", &form).await
    };
    let deleted = delete(&["3", "1", "2"]).await;
    let inside = |list: &str| {
        let list = Answer { body: deleted.text(list).unwrap().to_owned(), ..deleted_head() };
        let all = |element| list.texts(element).into_iter().map(str::to_owned).collect::<Vec<_>>();
        (all("versionNumber"), all("code"))
    };
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    assert_eq!(inside("successfullyDeletedLaunchTemplateVersionSet"), (owned(&["3"]), owned(&[])));
    assert_eq!(
        inside("unsuccessfullyDeletedLaunchTemplateVersionSet"),
        (owned(&["1", "2"]), owned(&["unexpectedError", "launchTemplateVersionDoesNotExist"]))
    );
    assert_eq!(version(&client, "$Latest").await.text("versionNumber"), Some("1"));
    let next = create(&client, &format!("{DATA}.MetadataOptions.HttpTokens=optional")).await;
    assert_eq!(next.text("versionNumber"), Some("4"));
    assert_eq!(code(&delete(&[]).await), (400, "MissingParameter"));
    assert_eq!(code(&delete(&["$Latest"]).await), (400, "InvalidParameterValue"));
}

fn deleted_head() -> Answer {
    Answer { status: 200, head: String::new(), body: String::new() }
}

#[tokio::test]
async fn options_of_instances_change_one_by_one_and_only_where_they_may() {
    let (_running, client) = serve(
        "
account_defaults: { http_tokens_enforced: enabled }
instances:
  - { name: a, image: al2023-1.33, nodes: 3, drift: [{ count: 1, state: pending }, { count: 1, state: stopped }] }
clusters:
  - { name: c, auto_mode: { nodes: 1, node_pools: [system] }, standalone: [{ name: b, image: al2023-1.33 }] }",
    )
    .await;
    let find = async |filter: &str, value: &str| {
        let form = format!("&IncludeManagedResources=true&Filter.1.Name={filter}&Filter.1.Value.1={value}");
        let found = client.ec2("DescribeInstances", &form).await;
        found.texts("instanceId").pop().unwrap().to_owned()
    };
    let pending = find("instance-state-name", "pending").await;
    let stopped = find("instance-state-name", "stopped").await;
    let managed = find("operator.managed", "true").await;
    let (running, in_cluster) = (find("tag:Name", "a").await, find("tag:Name", "b").await);
    let modify = async |id: &str, form: &str| {
        client.ec2("ModifyInstanceMetadataOptions", &format!("&InstanceId={id}{form}")).await
    };
    assert_eq!(code(&modify(&pending, "&HttpTokens=required").await), (400, "IncorrectInstanceState"));
    let stopped = modify(&stopped, "&HttpPutResponseHopLimit=5&HttpEndpoint=disabled").await;
    assert_eq!(
        stopped.text("instanceMetadataOptions").unwrap(),
        "<state>pending</state><httpTokens>required</httpTokens><httpPutResponseHopLimit>5\
         </httpPutResponseHopLimit><httpEndpoint>disabled</httpEndpoint><httpProtocolIpv6>disabled\
         </httpProtocolIpv6><instanceMetadataTags>disabled</instanceMetadataTags>",
        "what was not named stays"
    );
    assert_eq!(code(&modify(&managed, "&HttpTokens=required").await), (400, "UnsupportedOperation"));
    let optional = modify(&running, "&HttpTokens=optional").await;
    assert_eq!(code(&optional), (400, "UnsupportedOperation"));
    assert!(optional.text("Message").unwrap().contains("httpTokensEnforced"));
    assert_eq!(modify(&running, "&InstanceMetadataTags=enabled").await.status, 200);
    let slashes = modify(&in_cluster, "&InstanceMetadataTags=enabled").await;
    assert_eq!(code(&slashes), (400, "InvalidParameterValue"));
    for (form, expected) in [
        ("", "MissingParameter"),
        ("&InstanceId=i-x", "InvalidInstanceID.Malformed"),
        ("&InstanceId=i-00000000000000001", "InvalidInstanceID.NotFound"),
    ] {
        let refused = client.ec2("ModifyInstanceMetadataOptions", form).await;
        assert_eq!(code(&refused), (400, expected));
    }
    assert_eq!(code(&modify(&running, "&HttpPutResponseHopLimit=0").await), (400, "InvalidParameterValue"));
}

#[tokio::test]
async fn account_defaults_change_and_clear_unless_the_organisation_keeps_them() {
    let (_running, client) = serve("").await;
    let modify = async |form: &str| client.ec2("ModifyInstanceMetadataDefaults", form).await;
    let get = async || {
        let all = client.ec2("GetInstanceMetadataDefaults", "").await;
        all.text("accountLevel").unwrap().to_owned()
    };
    let all = "&HttpTokens=required&HttpPutResponseHopLimit=2&HttpEndpoint=enabled&InstanceMetadataTags=disabled\
               &HttpTokensEnforced=enabled";
    assert_eq!(modify(all).await.text("return"), Some("true"));
    assert_eq!(
        get().await,
        "<httpTokens>required</httpTokens><httpPutResponseHopLimit>2</httpPutResponseHopLimit>\
         <httpEndpoint>enabled</httpEndpoint><instanceMetadataTags>disabled</instanceMetadataTags>\
         <managedBy>account</managedBy><httpTokensEnforced>enabled</httpTokensEnforced>"
    );
    modify("&HttpTokens=no-preference&HttpPutResponseHopLimit=-1&HttpTokensEnforced=disabled").await;
    assert_eq!(
        get().await,
        "<httpEndpoint>enabled</httpEndpoint><instanceMetadataTags>disabled</instanceMetadataTags>\
         <managedBy>account</managedBy><httpTokensEnforced>disabled</httpTokensEnforced>"
    );
    for wrong in ["&HttpTokens=never", "&HttpPutResponseHopLimit=65", "&HttpPutResponseHopLimit=0"] {
        assert_eq!(code(&modify(wrong).await), (400, "InvalidParameterValue"), "{wrong}");
    }
    let (_running, client) = serve(
        "account_defaults: { managed_by: declarative-policy, managed_exception_message: ask the cloud team }",
    )
    .await;
    let refused = client.ec2("ModifyInstanceMetadataDefaults", "&HttpTokens=required").await;
    assert_eq!(code(&refused), (400, "OperationNotPermitted"));
    assert!(refused.text("Message").unwrap().contains("ask the cloud team"));
}
