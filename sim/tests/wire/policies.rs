//! What policies let a session do.

use imdsctl_sim::{Fleet, Options, Running, Sim};

use super::client::{Answer, Client};

const FLEET: &str = r#"
name: policies
organizations: [{ id: o-exampleorg1, management_account: "111111111111" }]
accounts:
  - { id: "111111111111", name: management, access_keys: [{ id: AKIAMANAGEMENT000001, user: admin }] }
  - id: "222222222222"
    name: member
    roles:
      - { name: All, permissions: all }
      - { name: Reader }
      - { name: Nothing, permissions: none }
      - { name: NoEks, permissions: { deny: ["eks:*"] } }
      - { name: OnlyEks, permissions: { allow: ["eks:List*", "eks:DescribeCluster"] } }
      - name: OneCluster
        permissions:
          policy:
            Version: "2012-10-17"
            Statement:
              - { Effect: Allow, Action: "eks:ListClusters", Resource: "*" }
              - { Effect: Allow, Action: "eks:*", Resource: "arn:aws:eks:*:222222222222:cluster/one" }
              - { Effect: Allow, Action: "eks:DescribeNodegroup", Resource: "arn:aws:eks:*:*:nodegroup/one/*/*" }
    regions:
      - names: [us-east-1, eu-west-1]
        clusters:
          - { name: one, node_groups: [{ name: n, nodes: 0 }] }
          - { name: two, node_groups: [{ name: n, nodes: 0 }] }
"#;

async fn serve() -> (Running, Client) {
    let running = Sim::start(Fleet::from_yaml(FLEET, "f.yaml").unwrap(), Options::default()).await.unwrap();
    let client = Client::new(&running.url(), "AKIAMANAGEMENT000001", "us-east-1");
    (running, client)
}

fn role(name: &str) -> String {
    format!("arn:aws:iam::222222222222:role/{name}")
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

async fn with_policy(client: &Client, name: &str, policy: &str) -> Answer {
    client.assume_role(&role(name), &format!("&Policy={}", encoded(policy))).await
}

/// A session of a role with these statements as its session policy.
async fn limited(client: &Client, name: &str, statements: &str) -> Client {
    let policy = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    client.with(&with_policy(client, name, &policy).await)
}

const ALLOW_DESCRIBE: &str =
    r#"{"Effect":"Allow","Action":["ec2:DescribeInstances","eks:List*"],"Resource":"*"}"#;

#[tokio::test]
async fn every_service_says_which_policy_is_in_the_way() {
    let (_running, client) = serve().await;
    let session = "arn:aws:sts::222222222222:assumed-role";
    let nothing = client.session(&role("Nothing")).await;
    let ec2 = nothing.ec2("DescribeInstances", "").await;
    assert_eq!((ec2.status, ec2.text("Code")), (403, Some("UnauthorizedOperation")));
    assert_eq!(
        ec2.text("Message"),
        Some(
            format!(
                "You are not authorized to perform this operation. User: {session}/Nothing/test is not authorized \
                 to perform: ec2:DescribeInstances because no identity-based policy allows the \
                 ec2:DescribeInstances action"
            )
            .as_str()
        )
    );
    let scaling = nothing.auto_scaling("DescribeAutoScalingGroups", "").await;
    assert_eq!((scaling.status, scaling.text("Code")), (403, Some("AccessDenied")));
    let eks = nothing.eks("/clusters/one").await;
    assert!(eks.status == 403 && eks.head.contains("x-amzn-errortype: accessdeniedexception"));
    assert_eq!(
        eks.json()["message"],
        format!(
            "User: {session}/Nothing/test is not authorized to perform: eks:DescribeCluster on resource: \
             arn:aws:eks:us-east-1:222222222222:cluster/one because no identity-based policy allows the \
             eks:DescribeCluster action"
        )
    );
    let organizations = nothing.organizations("ListAccounts", "{}").await;
    assert_eq!(organizations.json()["__type"], "AccessDeniedException");
    // Nothing takes this away.
    assert_eq!(nothing.sts("GetCallerIdentity").await.status, 200);

    let denied = client.session(&role("NoEks")).await.eks("/clusters").await;
    assert!(denied.body.contains("with an explicit deny in an identity-based policy"), "{}", denied.body);
    let silent = limited(&client, "All", ALLOW_DESCRIBE).await.ec2("DescribeImages", "").await;
    assert!(silent.body.contains("because no session policy allows the ec2:DescribeImages action"));
    let deny =
        r#"{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"ec2:*","Resource":"*"}"#;
    let denied = limited(&client, "All", deny).await.ec2("DescribeImages", "").await;
    assert!(denied.body.contains("with an explicit deny in a session policy"), "{}", denied.body);
}

#[tokio::test]
async fn a_session_can_do_what_both_its_role_and_its_policy_allow() {
    let (_running, client) = serve().await;
    let every = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    let not_eks = r#"{"Effect":"Allow","NotAction":"eks:*","Resource":"*"}"#;
    // Role, session policy, and then: DescribeInstances, DescribeImages, ListClusters, DescribeCluster.
    for (name, policy, may) in [
        ("All", None, [true, true, true, true]),
        ("Reader", None, [true, true, true, true]),
        ("NoEks", None, [true, true, false, false]),
        ("OnlyEks", None, [false, false, true, true]),
        ("All", Some(every), [true, true, true, true]),
        ("Nothing", Some(every), [false, false, false, false]),
        ("OnlyEks", Some(every), [false, false, true, true]),
        ("All", Some(ALLOW_DESCRIBE), [true, false, true, false]),
        ("OnlyEks", Some(ALLOW_DESCRIBE), [false, false, true, false]),
        ("All", Some(not_eks), [true, true, false, false]),
        // What has no resources is not allowed by naming some.
        (
            "All",
            Some(r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:*:*:*:*"}"#),
            [false, false, false, true],
        ),
        ("All", Some(r#"{"Effect":"Allow","Action":"EKS:describecluster","Resource":"*"}"#), [false; 4]),
        (
            "All",
            Some(r#"{"Effect":"Allow","Action":"eks:describecluster","Resource":"*"}"#),
            [false, false, false, true],
        ),
    ] {
        let session = match policy {
            None => client.session(&role(name)).await,
            Some(policy) if policy.contains("EKS") => {
                let whole = format!(r#"{{"Version":"2012-10-17","Statement":{policy}}}"#);
                let refused = with_policy(&client, name, &whole).await;
                assert_eq!(refused.text("Code"), Some("MalformedPolicyDocument"));
                continue;
            }
            Some(policy) => limited(&client, name, policy).await,
        };
        let answers = [
            session.ec2("DescribeInstances", "").await.status,
            session.ec2("DescribeImages", "").await.status,
            session.eks("/clusters").await.status,
            session.eks("/clusters/two").await.status,
        ];
        assert_eq!(answers.map(|status| status == 200), may, "{name} {policy:?}");
    }
}

#[tokio::test]
async fn resources_are_those_that_iam_knows() {
    let (_running, client) = serve().await;
    let session = client.session(&role("OneCluster")).await;
    for (path, may) in [
        ("/clusters", true),
        ("/clusters/one", true),
        ("/clusters/two", false),
        ("/clusters/one/node-groups", true),
        ("/clusters/two/node-groups", false),
        ("/clusters/one/node-groups/n", true),
        ("/clusters/two/node-groups/n", false),
        ("/clusters/one/fargate-profiles", true),
    ] {
        assert_eq!(session.eks(path).await.status == 200, may, "{path}");
    }
    // Whether something is there is nobody's business who may not look.
    assert_eq!(session.eks("/clusters/three").await.status, 403);
    assert_eq!(session.eks("/clusters/one/node-groups/m").await.status, 404);
}

#[tokio::test]
async fn conditions_are_held_against_the_request() {
    let (_running, client) = serve().await;
    for (condition, here, there) in [
        (r#""StringEquals":{"aws:RequestedRegion":["us-east-1","us-east-2"]}"#, true, false),
        (r#""StringNotEquals":{"aws:RequestedRegion":"us-east-1"}"#, false, true),
        (r#""StringLike":{"AWS:requestedregion":"eu-*"}"#, false, true),
        (r#""StringNotLike":{"aws:RequestedRegion":"*-1"}"#, false, false),
        (
            r#""StringEquals":{"aws:PrincipalOrgID":"o-exampleorg1","aws:PrincipalAccount":"222222222222"}"#,
            true,
            true,
        ),
        (r#""StringEquals":{"aws:PrincipalOrgID":"o-another0000"}"#, false, false),
        (r#""ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/A*"}"#, true, true),
        (r#""ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/A*"}"#, false, false),
        (r#""Bool":{"aws:SecureTransport":true}"#, true, true),
        (r#""Bool":{"aws:SecureTransport":"false"}"#, false, false),
        (r#""StringEquals":{"sts:ExternalId":"x"}"#, false, false),
        (r#""StringNotEquals":{"sts:ExternalId":"x"}"#, true, true),
        (r#""StringEqualsIfExists":{"sts:ExternalId":"x"}"#, true, true),
    ] {
        let statement =
            format!(r#"{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{{{condition}}}}}"#);
        let session = limited(&client, "All", &statement).await;
        let found = (
            session.ec2("DescribeInstances", "").await.status == 200,
            session.in_region("eu-west-1").ec2("DescribeInstances", "").await.status == 200,
        );
        assert_eq!(found, (here, there), "{condition}");
    }
}

#[tokio::test]
async fn an_organisation_is_in_one_region_wherever_it_is_asked() {
    let (_running, client) = serve().await;
    let statement = r#"{"Effect":"Allow","Action":"organizations:*","Resource":"*",
        "Condition":{"StringEquals":{"aws:RequestedRegion":"us-east-1"}}}"#;
    let session = limited(&client, "All", statement).await.in_region("eu-west-1");
    assert_eq!(session.organizations("DescribeOrganization", "{}").await.status, 200);
    // One unit is not another.
    let root = r#"{"Effect":"Allow","Action":"organizations:*",
        "Resource":"arn:aws:organizations::111111111111:ou/o-exampleorg1/ou-*"}"#;
    let session = limited(&client, "All", root).await;
    let denied = session.organizations("ListAccountsForParent", r#"{"ParentId":"r-abcd"}"#).await;
    assert!(
        denied.body.contains("arn:aws:organizations::111111111111:root/o-exampleorg1/r-abcd"),
        "{}",
        denied.body
    );
}

#[tokio::test]
async fn what_is_not_implemented_is_refused_and_never_ignored() {
    let (_running, client) = serve().await;
    let statement = |inside: &str| format!(r#"{{"Version":"2012-10-17","Statement":[{{{inside}}}]}}"#);
    for policy in [
        "{".to_owned(),
        "[]".to_owned(),
        r#"{"Statement":[]}"#.to_owned(),
        r#"{"Version":"2008-10-17","Statement":[]}"#.to_owned(),
        r#"{"Version":"2012-10-17"}"#.to_owned(),
        r#"{"Version":"2012-10-17","Statement":[],"Extra":1}"#.to_owned(),
        statement(""),
        statement(r#""Effect":"allow","Action":"*","Resource":"*""#),
        statement(r#""Effect":"Allow","Action":"*""#),
        statement(r#""Effect":"Allow","Resource":"*""#),
        statement(r#""Effect":"Allow","Action":[],"Resource":"*""#),
        statement(r#""Effect":"Allow","Action":"*","NotAction":"*","Resource":"*""#),
        statement(r#""Effect":"Allow","Action":"DescribeInstances","Resource":"*""#),
        statement(r#""Effect":"Allow","Action":"*","Resource":"instance/i-1""#),
        statement(r#""Effect":"Allow","Action":"*","Resource":"*","Principal":"*""#),
        statement(
            r#""Effect":"Allow","Action":"*","Resource":"*","Condition":{"DateLessThan":{"aws:CurrentTime":"x"}}"#,
        ),
        statement(
            r#""Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:SourceIp":"x"}}"#,
        ),
        statement(
            r#""Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringLike":{"aws:PrincipalArn":"${aws:username}"}}"#,
        ),
    ] {
        let answer = with_policy(&client, "All", &policy).await;
        assert_eq!((answer.status, answer.text("Code")), (400, Some("MalformedPolicyDocument")), "{policy}");
    }
    let packed =
        with_policy(&client, "All", &statement(r#""Effect":"Allow","Action":"*","Resource":"*""#)).await;
    assert_eq!(packed.text("PackedPolicySize"), Some("5"));
}
