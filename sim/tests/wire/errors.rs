//! Refusals, in each service's own format.

use super::serve;

#[tokio::test]
async fn every_service_says_no_in_its_own_way() {
    let (_running, client) = serve("").await;
    let stranger = |key: &str, region: &str| {
        let mut other = client.in_region(region);
        other.key = key.to_owned();
        other
    };
    let unknown =
        ["InvalidClientTokenId", "AuthFailure", "InvalidClientTokenId", "UnrecognizedClientException"];
    let expired = ["ExpiredToken", "RequestExpired", "ExpiredToken", "ExpiredTokenException"];
    for (key, region, codes) in [
        ("AKIANOBODY0000000001", "us-east-1", unknown),
        (super::KEY, "me-central-1", unknown),
        (super::KEY, "us-mars-1", unknown),
        ("AKIAEXPIRED000000001", "us-east-1", expired),
    ] {
        let who = stranger(key, region);
        assert_eq!(who.sts("GetCallerIdentity").await.text("Code"), Some(codes[0]));
        assert_eq!(who.ec2("DescribeInstances", "").await.text("Code"), Some(codes[1]));
        assert_eq!(who.auto_scaling("DescribeAutoScalingGroups", "").await.text("Code"), Some(codes[2]));
        let eks = who.eks("/clusters").await;
        assert!(eks.head.contains(&format!("x-amzn-errortype: {}", codes[3].to_ascii_lowercase())));
        assert!(eks.json()["message"].is_string());
    }
}

#[tokio::test]
async fn a_request_without_credentials_is_refused() {
    let (_running, client) = serve("").await;
    let body = "Action=DescribeInstances&Version=2016-11-15";
    let missing = client.send("POST", "/", None, body).await.unwrap();
    assert_eq!((missing.status, missing.text("Code")), (403, Some("MissingAuthenticationToken")));
    let malformed = client.send("POST", "/", Some("Basic eDp5"), body).await.unwrap();
    assert_eq!(malformed.text("Code"), Some("IncompleteSignature"));
    let eks = client.send("GET", "/clusters", None, "").await.unwrap();
    assert_eq!(eks.status, 403);
    let nobody = client.send("GET", "/", None, "").await.unwrap();
    assert_eq!(nobody.status, 404);
}

#[tokio::test]
async fn nothing_that_a_client_sends_is_ignored() {
    let (_running, client) = serve("").await;
    for (action, form, code) in [
        ("DescribeInstances", "&Surprise=1", "UnknownParameter"),
        ("DescribeInstances", "&Filter.1.Name=affinity&Filter.1.Value.1=x", "InvalidParameterValue"),
        ("DescribeInstances", "&MaxResults=4", "InvalidParameterValue"),
        ("DescribeInstances", "&MaxResults=many", "InvalidParameterValue"),
        ("DescribeInstances", "&DryRun=true", "DryRunOperation"),
        ("DescribeImages", "&ImageId.1=ami-1", "InvalidAMIID.Malformed"),
        ("DescribeLaunchTemplateVersions", "", "MissingParameter"),
        ("DescribeVpcs", "", "InvalidAction"),
    ] {
        let answer = client.ec2(action, form).await;
        assert_eq!(answer.text("Code"), Some(code), "{action}{form}");
        assert!(answer.text("RequestID").is_some());
    }
    let missing = "&ImageId.1=ami-00000000000000001&ImageId.2=ami-00000000000000002";
    let images = client.ec2("DescribeImages", missing).await;
    assert_eq!(
        images.text("Message"),
        Some("The image ids '[ami-00000000000000001, ami-00000000000000002]' do not exist")
    );
    let scaling = client.auto_scaling("DescribeAutoScalingGroups", "&MaxRecords=101").await;
    assert_eq!((scaling.text("Type"), scaling.text("Code")), (Some("Sender"), Some("ValidationError")));
    let eks = client.eks("/clusters/x/addons").await;
    assert!(eks.head.contains("x-amzn-errortype: unknownoperationexception"));
}
