//! Roles: who may assume them, and what their sessions are.

use std::time::Duration;

use imdsctl_sim::{AssumeRoleRequest, Fleet, Options, Running, Sim};

use super::client::{Answer, Client};

const MANAGEMENT: &str = "AKIAMANAGEMENT000001";
const AUDITOR: &str = "arn:aws:iam::222222222222:role/audit/Auditor";

const FLEET: &str = r#"
name: roles
organizations:
  - { id: o-exampleorg1, management_account: "111111111111" }
roles:
  - { name: Auditor, path: /audit/ }
accounts:
  - id: "111111111111"
    name: management
    access_keys:
      - { id: AKIAMANAGEMENT000001, user: admin }
      - { id: AKIACANNOTASSUME0001, user: intern, permissions: { deny: ["sts:AssumeRole"] } }
  - id: "222222222222"
    name: member
    roles:
      - { name: Vendor, trust: { principals: ["*"], external_ids: [secret-handshake, another-one] } }
      - { name: Family, trust: { principals: ["*"], organization_id: o-exampleorg1 } }
      - { name: Admin, trust: { principals: ["arn:aws:iam::111111111111:user/admin"] } }
      - { name: Open, trust: { principals: ["333333333333"] } }
      - name: Hub
        permissions: all
        max_session_duration: 43200
      - name: Spoke
        trust: { principals: ["arn:aws:iam::222222222222:role/Hub"] }
        max_session_duration: 43200
  - id: "333333333333"
    name: without
    access_keys: [{ id: AKIAOPTEDIN000000001 }]
    opted_in: [eu-south-2]
    roles:
      - { name: Auditor, trust: { principals: ["arn:aws:sts::222222222222:assumed-role/Hub/test"] } }
  - { id: "555555555555", name: bare, without_roles: [Auditor] }
  - id: "444444444444"
    name: elsewhere
    outside_organization: true
    access_keys: [{ id: AKIAELSEWHERE0000001 }]
    roles: [{ name: Auditor, trust: { principals: ["111111111111"] } }]
"#;

async fn serve(fleet: &str) -> (Running, Client) {
    let fleet = Fleet::from_yaml(fleet, "roles.yaml").unwrap();
    let running = Sim::start(fleet, Options::default()).await.unwrap();
    let client = Client::new(&running.url(), MANAGEMENT, "us-east-1");
    (running, client)
}

fn role(account: &str, name: &str) -> String {
    format!("arn:aws:iam::{account}:role/{name}")
}

fn code(answer: &Answer) -> &str {
    answer.text("Code").unwrap_or_default()
}

#[tokio::test]
async fn a_session_acts_in_the_account_of_its_role() {
    let (running, client) = serve(FLEET).await;
    let answer = client.assume_role(AUDITOR, "&DurationSeconds=900").await;
    let session = "arn:aws:sts::222222222222:assumed-role/Auditor/test";
    assert_eq!(answer.text("Arn"), Some(session));
    assert!(answer.text("AssumedRoleId").unwrap().ends_with(":test"));
    assert!(answer.text("AccessKeyId").unwrap().starts_with("ASIA"));
    assert!(answer.text("SecretAccessKey").unwrap().len() == 40);
    assert!(answer.text("Expiration").unwrap().ends_with('Z'));
    assert_eq!(answer.text("PackedPolicySize"), None);

    let reader = client.with(&answer);
    let identity = reader.sts("GetCallerIdentity").await;
    assert_eq!((identity.text("Account"), identity.text("Arn")), (Some("222222222222"), Some(session)));
    assert_eq!(identity.text("UserId"), answer.text("AssumedRoleId"));
    assert_eq!(reader.ec2("DescribeInstances", "").await.status, 200);

    let log = running.requests();
    assert_eq!(
        (log[0].account.as_str(), log[0].principal.as_str()),
        ("111111111111", "arn:aws:iam::111111111111:user/admin")
    );
    assert_eq!((log[2].account.as_str(), log[2].principal.as_str()), ("222222222222", session));
}

#[tokio::test]
async fn a_session_needs_its_own_token() {
    let (_running, client) = serve(FLEET).await;
    let one = client.session(AUDITOR).await;
    let other = client.session(AUDITOR).await;
    assert_ne!((&one.key, &one.token), (&other.key, &other.token));
    for token in [None, other.token.clone(), Some("made-up".to_owned())] {
        let mut thief = one.clone();
        thief.token = token;
        assert_eq!(code(&thief.sts("GetCallerIdentity").await), "InvalidClientTokenId");
        assert_eq!(code(&thief.ec2("DescribeInstances", "").await), "AuthFailure");
        assert_eq!(code(&thief.auto_scaling("DescribeAutoScalingGroups", "").await), "InvalidClientTokenId");
        assert!(thief.eks("/clusters").await.head.contains("unrecognizedclientexception"));
        let answer = thief.organizations("DescribeOrganization", "{}").await;
        assert_eq!(answer.json()["__type"], "UnrecognizedClientException");
    }
}

#[tokio::test]
async fn a_role_lets_in_whom_its_trust_names() {
    let (running, client) = serve(FLEET).await;
    let elsewhere = client.as_key("AKIAELSEWHERE0000001");
    let intern = client.as_key("AKIACANNOTASSUME0001");
    let handshake = "&ExternalId=secret-handshake";
    for (who, account, name, form, admitted) in [
        (&client, "222222222222", "audit/Auditor", "", true),
        // Where the role asks for none, any external id is as good.
        (&client, "222222222222", "audit/Auditor", handshake, true),
        (&client, "222222222222", "Auditor", "", false),
        (&client, "222222222222", "Nobody", "", false),
        (&client, "999999999999", "audit/Auditor", "", false),
        (&client, "222222222222", "Vendor", "", false),
        (&client, "222222222222", "Vendor", "&ExternalId=guess", false),
        (&client, "222222222222", "Vendor", handshake, true),
        (&elsewhere, "222222222222", "Vendor", "&ExternalId=another-one", true),
        (&elsewhere, "222222222222", "Family", "", false),
        (&client, "222222222222", "Family", "", true),
        (&client, "222222222222", "Admin", "", true),
        (&intern, "222222222222", "Admin", "", false),
        (&intern, "222222222222", "audit/Auditor", "", false),
        (&elsewhere, "222222222222", "audit/Auditor", "", false),
        // The management account has no role that every account has, a replaced one has only its own trust.
        (&client, "111111111111", "audit/Auditor", "", false),
        (&client, "333333333333", "Auditor", "", false),
        (&client, "222222222222", "Open", "", false),
        (&client, "555555555555", "audit/Auditor", "", false),
        (&client, "444444444444", "Auditor", "", true),
    ] {
        let role = role(account, name);
        let answer = who.assume_role(&role, form).await;
        assert_eq!(answer.status == 200, admitted, "{role} {form}: {}", answer.body);
        if !admitted {
            let asker = running.requests().pop().unwrap().principal;
            let message =
                format!("User: {asker} is not authorized to perform: sts:AssumeRole on resource: {role}");
            assert_eq!((answer.status, code(&answer)), (403, "AccessDenied"));
            assert_eq!(answer.text("Message"), Some(message.as_str()));
        }
    }
}

#[tokio::test]
async fn a_session_may_assume_another_role_for_an_hour() {
    let (_running, client) = serve(FLEET).await;
    let spoke = role("222222222222", "Spoke");
    assert_eq!(code(&client.assume_role(&spoke, "").await), "AccessDenied");
    let hub = client.session(&role("222222222222", "Hub")).await;
    let chained = hub.with(&hub.assume_role(&spoke, "&DurationSeconds=3600").await);
    let identity = chained.sts("GetCallerIdentity").await;
    assert_eq!(identity.text("Arn"), Some("arn:aws:sts::222222222222:assumed-role/Spoke/test"));
    let longer = hub.assume_role(&spoke, "&DurationSeconds=3601").await;
    assert_eq!(code(&longer), "ValidationError");
    assert!(
        longer.text("Message").unwrap().contains("1 hour session limit for roles assumed by role chaining")
    );
    assert_eq!(hub.assume_role(&role("333333333333", "Auditor"), "").await.status, 200);
    // What only looks does not assume.
    let denied = chained.assume_role(&role("333333333333", "Auditor"), "").await;
    assert_eq!(code(&denied), "AccessDenied");
}

#[tokio::test]
async fn what_a_request_says_is_checked_before_anything_is_issued() {
    let (_running, client) = serve(FLEET).await;
    let hub = role("222222222222", "Hub");
    assert_eq!(client.assume_role(&hub, "&DurationSeconds=43200").await.status, 200);
    let long = "x".repeat(2049);
    for (role, form, wanted) in [
        (AUDITOR, "&DurationSeconds=899", "ValidationError"),
        (AUDITOR, "&DurationSeconds=43201", "ValidationError"),
        (AUDITOR, "&DurationSeconds=3601", "ValidationError"),
        (AUDITOR, "&DurationSeconds=soon", "ValidationError"),
        (AUDITOR, "&RoleSessionName=a", "ValidationError"),
        (AUDITOR, "&RoleSessionName=with%20space", "ValidationError"),
        (AUDITOR, "&RoleSessionName=", "ValidationError"),
        (AUDITOR, "&ExternalId=%21%21", "ValidationError"),
        (AUDITOR, "&Tags.member.1.Key=a&Tags.member.1.Value=b", "ValidationError"),
        ("not-an-arn", "", "ValidationError"),
        ("arn:aws-cn:iam::222222222222:role/Auditor", "", "ValidationError"),
        (AUDITOR, "&Policy=not-json", "MalformedPolicyDocument"),
        (AUDITOR, &format!("&Policy={long}"), "PackedPolicyTooLarge"),
    ] {
        let answer = client.assume_role(role, form).await;
        assert_eq!((answer.status, code(&answer)), (400, wanted), "{role}{form}: {}", answer.body);
    }
}

#[tokio::test]
async fn sessions_expire_when_it_is_later() {
    let (running, client) = serve(FLEET).await;
    let short = client.with(&client.assume_role(AUDITOR, "&DurationSeconds=900").await);
    let long = client.session(AUDITOR).await;
    running.advance(Duration::from_secs(901));
    assert_eq!(code(&short.sts("GetCallerIdentity").await), "ExpiredToken");
    assert_eq!(code(&short.ec2("DescribeInstances", "").await), "RequestExpired");
    assert!(short.eks("/clusters").await.head.contains("x-amzn-errortype: expiredtokenexception"));
    assert_eq!(long.sts("GetCallerIdentity").await.status, 200);
    // Who was signed in is known all the same, and can sign in again.
    let expired = running.requests().iter().find(|one| one.status == 403).unwrap().principal.clone();
    assert_eq!(expired, "arn:aws:sts::222222222222:assumed-role/Auditor/test");
    let again = client.session(AUDITOR).await;
    assert_eq!(again.sts("GetCallerIdentity").await.status, 200);
}

#[tokio::test]
async fn sessions_can_end_before_their_time() {
    let fleet = FLEET.replace("organizations:", "settings: { session_seconds: 0 }\norganizations:");
    let (_running, client) = serve(&fleet).await;
    let answer = client.assume_role(AUDITOR, "").await;
    let expiration: jiff::Timestamp = answer.text("Expiration").unwrap().parse().unwrap();
    assert!(expiration > jiff::Timestamp::now());
    assert_eq!(code(&client.with(&answer).sts("GetCallerIdentity").await), "ExpiredToken");
}

#[tokio::test]
async fn a_session_can_do_nothing_where_its_account_is_not() {
    let (_running, client) = serve(FLEET).await;
    let hub = client.session(&role("222222222222", "Hub")).await;
    let session = hub.session(&role("333333333333", "Auditor")).await;
    assert_eq!(session.in_region("eu-south-2").ec2("DescribeInstances", "").await.status, 200);
    let elsewhere = client.session(AUDITOR).await.in_region("eu-south-2");
    assert_eq!(code(&elsewhere.ec2("DescribeInstances", "").await), "AuthFailure");
    // STS is asked in any Region that both accounts have.
    assert_eq!(client.in_region("eu-west-1").assume_role(AUDITOR, "").await.status, 200);
    let opted_in = client.as_key("AKIAOPTEDIN000000001");
    let open = role("222222222222", "Open");
    assert_eq!(opted_in.assume_role(&open, "").await.status, 200);
    let disabled = opted_in.in_region("eu-south-2").assume_role(&open, "").await;
    assert_eq!((disabled.status, code(&disabled)), (403, "RegionDisabledException"));
}

#[tokio::test]
async fn every_partition_has_its_own_roles_and_administrators() {
    let (_running, client) = serve(
        r#"
name: partitions
organizations:
  - { management_account: "111111111111" }
  - { management_account: "333333333333", partition: aws-us-gov }
roles: [{ name: Auditor }]
accounts:
  - { id: "111111111111", name: a, access_keys: [{ id: AKIAMANAGEMENT000001 }] }
  - { id: "222222222222", name: b }
  - { id: "333333333333", name: c, partition: aws-us-gov, access_keys: [{ id: AKIAGOVERNMENT000001 }] }
  - { id: "444444444444", name: d, partition: aws-us-gov }
"#,
    )
    .await;
    let government = client.as_key("AKIAGOVERNMENT000001").in_region("us-gov-east-1");
    let session = government.session("arn:aws-us-gov:iam::444444444444:role/Auditor").await;
    let identity = session.sts("GetCallerIdentity").await;
    assert_eq!(identity.text("Arn"), Some("arn:aws-us-gov:sts::444444444444:assumed-role/Auditor/test"));
    for (who, role, wanted) in [
        (&client, "arn:aws-us-gov:iam::444444444444:role/Auditor", "ValidationError"),
        (&client, "arn:aws:iam::444444444444:role/Auditor", "AccessDenied"),
        (&government, "arn:aws:iam::222222222222:role/Auditor", "ValidationError"),
        (
            &government.in_region("us-east-1"),
            "arn:aws-us-gov:iam::444444444444:role/Auditor",
            "InvalidClientTokenId",
        ),
    ] {
        assert_eq!(code(&who.assume_role(role, "").await), wanted, "{role}");
    }
}

#[tokio::test]
async fn the_log_says_what_was_asked_for_and_holds_no_secret() {
    let (running, client) = serve(FLEET).await;
    let policy = r#"{"Version":"2012-10-17","Statement":[]}"#;
    let form = "&ExternalId=secret-handshake&DurationSeconds=1200&Policy=%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%5D%7D";
    let answer = client.assume_role(&role("222222222222", "Vendor"), form).await;
    let session = client.with(&answer);
    session.sts("GetCallerIdentity").await;
    let log = running.requests();
    assert_eq!(
        log[0].assume_role,
        Some(AssumeRoleRequest {
            role_arn: role("222222222222", "Vendor"),
            session_name: "test".to_owned(),
            external_id: Some("secret-handshake".to_owned()),
            duration_seconds: Some("1200".to_owned()),
            policy: Some(policy.to_owned()),
        })
    );
    assert_eq!(log[1].assume_role, None);
    let text = format!("{log:?}");
    assert!(!text.contains(answer.text("SecretAccessKey").unwrap()));
    assert!(!text.contains(answer.text("SessionToken").unwrap()));
}
