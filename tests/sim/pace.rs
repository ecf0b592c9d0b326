//! How fast AWS is asked, and what comes of it where AWS says to slow down.

use crate::cloud::{Cloud, operation};
use crate::program::{Outcome, Program};

/// Two accounts with the same Region.
fn two_accounts(faults: &str) -> Cloud {
    let account = |id: &str, name: &str| {
        format!(
            r#"
  - id: "{id}"
    name: {name}
    access_keys: [{{ id: AKIATESTTEST{name}1 }}]
    regions:
      - names: [eu-west-1]
        launch_templates:
          - {{ name: nodes, versions: [{{ image: al2023-1.33, metadata_options: {{ hop_limit: 1 }} }}] }}
        clusters:
          - name: blue
            node_groups: [{{ name: managed, nodes: 2 }}]
            self_managed: [{{ name: own, template: {{ name: nodes }}, nodes: 2 }}]
"#
        )
    };
    let accounts = account("111122223333", "FIRST") + &account("444455556666", "OTHER");
    let faults = if faults.is_empty() { "[]".to_owned() } else { format!("\n  {faults}") };
    Cloud::start(&format!("name: test\nfaults: {faults}\naccounts:{accounts}"))
}

/// An audit of both, which asks for nothing more than three times.
fn audit(cloud: &Cloud) -> Program {
    let profile = |name: &str, key: &str| {
        format!("[{name}]\naws_access_key_id = {key}\naws_secret_access_key = test\n\n")
    };
    let credentials: String = cloud.keys().iter().map(|key| profile(&key.account_name, &key.id)).collect();
    let program = cloud.imdsctl("audit --region eu-west-1 --profile FIRST --profile OTHER -o json");
    let program = program.file("credentials", &credentials).without_env("AWS_ACCESS_KEY_ID");
    let path = program.path("credentials");
    program
        .without_env("AWS_SECRET_ACCESS_KEY")
        .env("AWS_SHARED_CREDENTIALS_FILE", path)
        .env("AWS_MAX_ATTEMPTS", "3")
}

/// What was asked of the other account, sorted, and what was found there.
fn of_the_other(cloud: &Cloud, outcome: &Outcome) -> (Vec<String>, Vec<serde_json::Value>) {
    let requests = cloud.requests().into_iter().filter(|request| request.account == "444455556666");
    let mut asked: Vec<String> = requests.map(|request| operation(&request)).collect();
    asked.sort();
    let report = outcome.report();
    let of = |part: &str| report.0[part].as_array().unwrap().clone().into_iter();
    let found = of("findings").chain(of("coverage")).filter(|one| one["account_id"] == "444455556666");
    (asked, found.collect())
}

#[test]
fn an_account_that_is_throttled_or_denied_changes_nothing_in_another() {
    let cloud = two_accounts("");
    let undisturbed = of_the_other(&cloud, &audit(&cloud).run().code(1));
    assert!(undisturbed.0.len() > 8 && undisturbed.1.len() > 2, "{undisturbed:?}");
    for error in ["throttled", "access_denied", "internal_error", "expired_token"] {
        let fault =
            format!("- {{ account: '111122223333', region: eu-west-1, operation: '*', error: {error} }}");
        let cloud = two_accounts(&fault);
        let outcome = audit(&cloud).run().code(4);
        assert_eq!(of_the_other(&cloud, &outcome), undisturbed, "{error}");
        let coverage = outcome.report().0["coverage"][0].clone();
        assert_eq!(
            (&coverage["account_id"], &coverage["status"]),
            (&"111122223333".into(), &"failed".into())
        );
    }
}

#[test]
fn what_is_throttled_for_good_is_a_hole_with_the_reason_and_no_finding() {
    let cloud =
        two_accounts("- { account: '111122223333', operation: 'eks:DescribeNodegroup', error: throttled }");
    let report = audit(&cloud).run().code(4).report();
    let hole = &report.0["coverage"][0];
    assert_eq!(hole["status"], "partial");
    let error = &hole["errors"][0];
    assert_eq!(
        (&error["operation"], &error["code"]),
        (&"DescribeNodegroup".into(), &"ThrottlingException".into())
    );
    assert_eq!(report.0["run"]["api_throttled"], 3);
}

/// By default, AWS may say many times to slow down before what was asked for is given up.
#[test]
fn what_is_throttled_often_is_asked_again() {
    let cloud = two_accounts("- { operation: 'eks:ListNodegroups', error: throttled, times: 6 }");
    let report = audit(&cloud).without_env("AWS_MAX_ATTEMPTS").run().code(1).report();
    assert!(report.0["coverage"].as_array().unwrap().iter().all(|scope| scope["status"] == "complete"));
    assert_eq!(report.0["run"]["api_throttled"], 6);
}

#[test]
fn a_share_is_a_percentage() {
    for share in ["0", "101", "half"] {
        let said = Program::new().line("audit --demo --api-share").args([share]).run().refused();
        assert!(said.contains("expected a number from 1 to 100"), "{said}");
    }
    let all = Program::new().line("audit --demo --region us-east-1 --api-share 100 -o json").run();
    assert_eq!(all.code(1).report().0["run"]["api_throttled"], 0);
}
