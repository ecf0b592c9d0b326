//! What scanners ask besides, before they judge anything.

use super::serve;

#[tokio::test]
async fn user_data_is_shown_by_instance() {
    let (_running, client) = serve(
        r"
launch_templates: [{ name: nodes, versions: [{ image: al2023-base, user_data: 'echo one' }, { image: al2023-base }] }]
instances:
  - { name: one, template: { name: nodes, version: '1' }, nodes: 1 }
  - { name: bare, image: al2023-base, nodes: 1 }
",
    )
    .await;
    for (name, data) in [("one", Some("ZWNobyBvbmU=")), ("bare", None)] {
        let form = format!("&Filter.1.Name=tag:Name&Filter.1.Value.1={name}");
        let found = client.ec2("DescribeInstances", &form).await;
        let id = found.text("instanceId").unwrap();
        let form = format!("&Attribute=userData&InstanceId={id}");
        let answer = client.ec2("DescribeInstanceAttribute", &form).await;
        assert_eq!((answer.text("instanceId"), answer.text("value")), (Some(id), data), "{}", answer.body);
    }
    let answer = client.ec2("DescribeInstanceAttribute", "&Attribute=userData").await;
    assert_eq!(answer.text("Code"), Some("MissingParameter"));
}

#[tokio::test]
async fn what_there_is_none_of_is_an_empty_list() {
    let (_running, client) = serve("instances: [{ name: one, image: al2023-base, nodes: 1 }]").await;
    let answer = client.ec2("DescribeVolumes", "&Filter.1.Name=status&Filter.1.Value.1=in-use").await;
    assert_eq!((answer.status, answer.text("volumeSet"), answer.text("nextToken")), (200, Some(""), None));
    // Whoever asks for one by its id expects to find it.
    let answer = client.ec2("DescribeVolumes", "&VolumeId.1=vol-00000000000000001").await;
    assert_eq!((answer.status, answer.text("Code")), (400, Some("UnknownParameter")));
}
