//! Organizations: who sees what of the tree.

use imdsctl_sim::{Fleet, Options, Running, Sim};
use serde_json::{Value, json};

use super::client::Client;

const FLEET: &str = r#"
name: organization
settings: { empty_pages: EMPTY }
organizations:
  - id: o-exampleorg1
    management_account: "100000000001"
    delegated_administrators: ["100000000002"]
    organizational_units:
      - name: Workloads
        organizational_units:
          - { name: Production }
          - { name: "Team{n}", repeat: { count: 3 } }
      - { name: Suspended, id: ou-abcd-11112222 }
    accounts:
      - { id: "900000000001", name: closed, state: CLOSED, organizational_unit: Suspended, email: "c@example.org" }
      - { id: "900000000002", name: invited, state: PENDING_CLOSURE, joined_method: INVITED }
      - { id: "900000000003", name: new, state: PENDING_ACTIVATION }
  - { partition: aws-cn, management_account: "300000000001", without_status: true }
accounts:
  - { id: "100000000001", name: management, access_keys: [{ id: AKIAMANAGEMENT000001 }] }
  - { id: "100000000002", name: security, access_keys: [{ id: AKIADELEGATED0000001 }], email: sec@example.org }
  - id: "20000000000{n}"
    name: "member-{n}"
    organizational_unit: Workloads/Production
    access_keys: [{ id: "AKIAMEMBER000000000{n}" }]
    repeat: { count: 9, from: 1 }
  - id: "2100000000{n}"
    name: "team-{n}"
    organizational_unit: Workloads/Team2
    repeat: { count: 30, from: 10 }
  - { id: "300000000001", name: beijing, partition: aws-cn, access_keys: [{ id: AKIACHINA00000000001 }] }
  - { id: "400000000001", name: gov, partition: aws-us-gov, access_keys: [{ id: AKIAGOV0000000000001 }] }
  - { id: "500000000001", name: alone, outside_organization: true, access_keys: [{ id: AKIAALONE00000000001 }] }
"#;

async fn serve(empty_pages: bool) -> (Running, Client) {
    let fleet = FLEET.replace("EMPTY", &empty_pages.to_string());
    let running = Sim::start(Fleet::from_yaml(&fleet, "f.yaml").unwrap(), Options::default()).await.unwrap();
    let client = Client::new(&running.url(), "AKIAMANAGEMENT000001", "us-east-1");
    (running, client)
}

/// Every item of a list, and how many there were on each page.
async fn all(
    client: &Client,
    operation: &str,
    member: &str,
    parent: Option<&str>,
) -> (Vec<Value>, Vec<usize>) {
    let mut question = json!({});
    if let Some(parent) = parent {
        question["ParentId"] = parent.into();
    }
    let (mut items, mut pages) = (Vec::new(), Vec::new());
    loop {
        let answer = client.organizations(operation, &question.to_string()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let mut answer = answer.json();
        let Value::Array(page) = answer[member].take() else { panic!("{answer}") };
        pages.push(page.len());
        items.extend(page);
        match answer.get("NextToken") {
            Some(token) => question["NextToken"] = token.clone(),
            None => return (items, pages),
        }
    }
}

#[tokio::test]
async fn every_account_is_listed_page_by_page_with_what_is_known_of_it() {
    for (empty_pages, expected) in [(false, vec![20, 20, 4]), (true, vec![0, 20, 20, 4])] {
        let (_running, client) = serve(empty_pages).await;
        let (accounts, pages) = all(&client, "ListAccounts", "Accounts", None).await;
        assert_eq!(pages, expected);
        let find = |id: &str| accounts.iter().find(|account| account["Id"] == id).unwrap();
        assert_eq!(
            find("900000000001"),
            &json!({
                "Id": "900000000001",
                "Arn": "arn:aws:organizations::100000000001:account/o-exampleorg1/900000000001",
                "Email": "c@example.org",
                "Name": "closed",
                "State": "CLOSED",
                "Status": "SUSPENDED",
                "JoinedMethod": "CREATED",
                "JoinedTimestamp": find("900000000001")["JoinedTimestamp"],
            })
        );
        assert_eq!(find("100000000001")["JoinedMethod"], "INVITED");
        assert_eq!(find("100000000002")["Email"], "sec@example.org");
        assert_eq!(find("200000000003")["State"], "ACTIVE");
        assert_eq!(
            (&find("900000000002")["State"], &find("900000000002")["JoinedMethod"]),
            (&json!("PENDING_CLOSURE"), &json!("INVITED"))
        );
        assert_eq!(find("900000000003").get("Status"), None);
        assert!(accounts.iter().all(|account| account["Name"] != "alone" && account["Name"] != "beijing"));
    }
}

#[tokio::test]
async fn the_tree_is_walked_from_its_root() {
    let (_running, client) = serve(true).await;
    let names = |items: &[Value]| -> Vec<String> {
        items.iter().map(|item| item["Name"].as_str().unwrap().to_owned()).collect()
    };
    let (roots, _) = all(&client, "ListRoots", "Roots", None).await;
    let root = roots[0]["Id"].as_str().unwrap();
    assert_eq!(roots.len(), 1);
    let units = "OrganizationalUnits";
    let (top, _) = all(&client, "ListOrganizationalUnitsForParent", units, Some(root)).await;
    assert_eq!(names(&top), ["Workloads", "Suspended"]);
    assert_eq!(top[1]["Arn"], "arn:aws:organizations::100000000001:ou/o-exampleorg1/ou-abcd-11112222");
    let workloads = top[0]["Id"].as_str().unwrap();
    let (inside, _) = all(&client, "ListOrganizationalUnitsForParent", units, Some(workloads)).await;
    assert_eq!(names(&inside), ["Production", "Team1", "Team2", "Team3"]);
    let accounts = async |parent: &str| {
        let (accounts, _) = all(&client, "ListAccountsForParent", "Accounts", Some(parent)).await;
        names(&accounts)
    };
    assert_eq!(accounts(root).await, ["management", "security", "invited", "new"]);
    assert_eq!(accounts(workloads).await, Vec::<String>::new());
    assert_eq!(accounts(inside[0]["Id"].as_str().unwrap()).await.len(), 9);
    assert_eq!(accounts(inside[2]["Id"].as_str().unwrap()).await.len(), 30);
    assert_eq!(accounts("ou-abcd-11112222").await, ["closed"]);
}

#[tokio::test]
async fn only_those_who_administer_an_organisation_look_at_it() {
    let (_running, client) = serve(false).await;
    let as_key = |key: &str, region: &str| client.in_region(region).as_key(key);
    let delegated = as_key("AKIADELEGATED0000001", "us-east-1");
    let (administrators, _) =
        all(&delegated, "ListDelegatedAdministrators", "DelegatedAdministrators", None).await;
    assert_eq!(administrators.len(), 1);
    assert_eq!(administrators[0]["Name"], "security");
    let member = as_key("AKIAMEMBER0000000001", "us-east-1");
    let organization = member.organizations("DescribeOrganization", "").await.json();
    assert_eq!(organization["Organization"]["Id"], "o-exampleorg1");
    assert_eq!(organization["Organization"]["MasterAccountId"], "100000000001");
    let alone = as_key("AKIAALONE00000000001", "us-east-1");
    let gov = as_key("AKIAGOV0000000000001", "us-gov-west-1");
    let china = as_key("AKIACHINA00000000001", "cn-north-1");
    for (who, operation, code) in [
        (&member, "ListAccounts", "AccessDeniedException"),
        (&member, "ListRoots", "AccessDeniedException"),
        (&alone, "ListAccounts", "AWSOrganizationsNotInUseException"),
        (&alone, "DescribeOrganization", "AWSOrganizationsNotInUseException"),
        (&gov, "ListAccounts", "AWSOrganizationsNotInUseException"),
    ] {
        let answer = who.organizations(operation, "{}").await;
        assert_eq!((answer.status, answer.json()["__type"].as_str()), (400, Some(code)), "{operation}");
        assert!(answer.head.contains(&format!("x-amzn-errortype: {}", code.to_ascii_lowercase())));
    }
    let denied = member.organizations("ListAccounts", "{}").await;
    assert_eq!(denied.json()["Message"], "You don't have permissions to access this resource.");
    let (accounts, _) = all(&china, "ListAccounts", "Accounts", None).await;
    assert_eq!(accounts.len(), 1);
    assert!(
        accounts[0]["Arn"].as_str().unwrap().starts_with("arn:aws-cn:organizations::300000000001:account/o-")
    );
    assert_eq!(accounts[0].get("Status"), None);
}

#[tokio::test]
async fn wrong_questions_are_refused_with_their_reason() {
    let (_running, client) = serve(false).await;
    for (operation, body, code, reason) in [
        ("ListAccounts", r#"{"MaxResults":21}"#, "InvalidInputException", "MAX_VALUE_EXCEEDED"),
        ("ListAccounts", r#"{"MaxResults":0}"#, "InvalidInputException", "MIN_VALUE_EXCEEDED"),
        ("ListAccounts", r#"{"NextToken":"made-up"}"#, "InvalidInputException", "INVALID_NEXT_TOKEN"),
        ("ListAccountsForParent", "{}", "InvalidInputException", "INPUT_REQUIRED"),
        ("ListAccountsForParent", r#"{"ParentId":"x"}"#, "InvalidInputException", "INVALID_PATTERN"),
        ("ListAccountsForParent", r#"{"ParentId":"r-zzzz"}"#, "ParentNotFoundException", ""),
        (
            "ListOrganizationalUnitsForParent",
            r#"{"ParentId":"ou-abcd-99999999"}"#,
            "ParentNotFoundException",
            "",
        ),
        (
            "ListDelegatedAdministrators",
            r#"{"ServicePrincipal":"x"}"#,
            "InvalidInputException",
            "UNRECOGNIZED_SERVICE_PRINCIPAL",
        ),
        ("ListAccounts", r#"{"Surprise":"x"}"#, "InvalidInputException", ""),
        ("ListAccounts", r#"{"MaxResults":"5"}"#, "SerializationException", ""),
        ("ListAccounts", "[", "SerializationException", ""),
        ("CreateAccount", "{}", "UnknownOperationException", ""),
    ] {
        let answer = client.organizations(operation, body).await.json();
        assert_eq!(answer["__type"], code, "{operation} {body}");
        assert_eq!(answer["Reason"].as_str().unwrap_or_default(), reason, "{operation} {body}");
    }
}

#[test]
fn organisations_that_cannot_be_say_why() {
    let account =
        r#"accounts: [{ id: "111111111111", name: a, access_keys: [{ id: AKIAMANAGEMENT000001 }] }]"#;
    for (top, words) in [
        ("organizations: [{ management_account: \"222222222222\" }]", "is none of its accounts"),
        ("organizations: [{ id: o-X, management_account: \"111111111111\" }]", "its id is o-"),
        (
            "organizations: [{ management_account: \"111111111111\" }, { management_account: \"111111111111\" }]",
            "has two organisations",
        ),
        (
            "organizations: [{ management_account: \"111111111111\", accounts: [{ id: \"222222222222\", name: b, \
             organizational_unit: Nowhere }] }]",
            "there is no organizational unit \"Nowhere\"",
        ),
        ("roles: [{ name: R }]", "says not who may assume it"),
        ("roles: [{ name: \"a b\", trust: { principals: [\"*\"] } }]", "a role's name"),
        ("roles: [{ name: R, trust: { principals: [me] } }]", "neither an account id nor an ARN"),
        (
            "roles: [{ name: R, trust: { principals: [\"*\"] }, permissions: { allow: [Describe] } }]",
            "prefaced by a vendor",
        ),
        ("roles: [{ name: R, trust: { principals: [\"*\"] }, max_session_duration: 60 }]", "3600 to 43200"),
    ] {
        let error =
            Fleet::from_yaml(&format!("name: x\n{top}\n{account}\n"), "f.yaml").unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}
