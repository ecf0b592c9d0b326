//! An organisation on moto: several accounts by AssumeRole, one that refuses, and one that is suspended.

use serde_json::Value;

use crate::fleet::{Audit, imdsctl, succeeded};
use crate::server::Server;
use crate::support::python;

/// The coverage of an account.
fn coverage<'a>(report: &'a Value, account: &Value) -> &'a Value {
    report["coverage"].as_array().unwrap().iter().find(|scope| scope["account_id"] == *account).unwrap()
}

#[test]
fn every_account_that_lets_it_in_is_read_and_the_others_are_told() {
    let Some(python) = python::environment() else { return };
    let server = Server::start(python).unwrap();
    let seeded = python.script("moto_organization.py").args(["--endpoint", &server.endpoint]).output();
    let truth = succeeded("moto_organization.py", seeded.unwrap()).unwrap();
    let truth: Value = serde_json::from_slice(&truth).unwrap();
    let mut command = imdsctl(&server.endpoint);
    command.args(["audit", "--org", "--region", "eu-west-1", "--include-passed"]);
    let Audit { report, exit, .. } = Audit::run(command).unwrap();
    assert_eq!(exit, Some(4), "an account refused");
    let nodes = truth["nodes"].as_array().unwrap();
    for node in nodes {
        for (rule, verdict) in node["verdicts"].as_object().unwrap() {
            let mut findings = report["findings"].as_array().unwrap().iter();
            let is_it = |finding: &&Value| {
                finding["resource"]["id"] == node["instance"] && finding["rule"] == rule.as_str()
            };
            let finding = findings.find(is_it).unwrap();
            assert_eq!((&finding["status"], &finding["account_id"]), (verdict, &node["account"]), "{rule}");
        }
        let own = node["account"] == truth["hub"];
        let scope = coverage(&report, &node["account"]);
        assert_eq!(scope["guard"], if own { "client_gate" } else { "session_policy" });
        // moto has no GetInstanceMetadataDefaults, and the audit says so.
        assert_eq!(scope["status"], "partial");
        assert_eq!(scope["errors"].as_array().unwrap().len(), 1, "{scope}");
    }
    let refused = coverage(&report, &truth["refused"]);
    assert_eq!(
        (&refused["status"], &refused["errors"][0]["code"]),
        (&"failed".into(), &"AccessDenied".into())
    );
    assert_eq!(refused["errors"][0]["operation"], "AssumeRole");
    let suspended = coverage(&report, &truth["suspended"]);
    assert_eq!(suspended["status"], "skipped");
    assert!(suspended["reason"].as_str().unwrap().contains("SUSPENDED"), "{suspended}");
    assert_eq!(report["summary"]["instances"], nodes.len());
    assert_eq!(report["run"]["api_calls"]["sts:AssumeRole"], 3, "one for each that is not the caller's own");
}
