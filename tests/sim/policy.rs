//! `imdsctl policy`, and the help texts.

use crate::program::Program;

const SHIPPED: [&str; 3] = ["al2023", "hardened", "imdsv2"];

#[test]
fn the_shipped_policies_are_listed() {
    let outcome = Program::new().line("policy list").run().code(0);
    assert_eq!(outcome.stderr, "");
    for name in SHIPPED {
        assert!(outcome.stdout.lines().any(|line| line.starts_with(name)), "{}", outcome.stdout);
    }
    let default: Vec<_> = outcome.stdout.lines().filter(|line| line.ends_with("(default)")).collect();
    assert!(matches!(&default[..], [line] if line.starts_with("al2023 ")), "{default:?}");
}

#[test]
fn a_shown_policy_is_a_file_of_ones_own() {
    for name in SHIPPED {
        let shown = Program::new().line("policy show").args([name]).run().code(0).stdout;
        let validated =
            Program::new().line("policy validate mine.yaml").file("mine.yaml", &shown).run().code(0);
        assert!(validated.stdout.starts_with(&format!("mine.yaml: policy {name} 1.0.0 is valid: ")));
        // And shown from there, it is the same.
        let again =
            Program::new().line("policy show mine.yaml").file("mine.yaml", &shown).run().code(0).stdout;
        assert_eq!(again, shown);
    }
}

#[test]
fn a_policy_that_does_not_exist_is_not_shown() {
    let said = Program::new().line("policy show al2032").run().refused();
    assert!(said.starts_with("there is no policy \"al2032\""), "{said}");
}

#[test]
fn all_that_is_wrong_is_told_at_once_with_its_place() {
    let bad = "\
apiVersion: imdsctl/v2
kind: Policy
metadata: { name: Mine!, version: '1' }
spec:
  rules:
    - { id: a, option: http_tokens, equals: required, severity: high }
    - { id: a, option: http_tokens, severity: high }
  exemptions:
    - { id: e, rules: [b], reason: ' ', expires: tomorrow }
";
    let program = Program::new().line("policy validate bad.yaml al2023 missing.yaml").file("bad.yaml", bad);
    let outcome = program.run().code(2);
    // What is right is said to be right all the same.
    assert_eq!(outcome.stdout, "al2023: policy al2023 1.0.0 is valid: 3 rules, 0 exemptions\n");
    assert_eq!(
        outcome.stderr,
        "\
error: bad.yaml:1:13: apiVersion is \"imdsctl/v2\", and only \"imdsctl/v1\" is known here
bad.yaml:3:19: a policy's name is 1 to 64 lower-case letters, digits and hyphens, not \"Mine!\"
bad.yaml:7:13: there is already a rule \"a\"
bad.yaml:7:13: rule \"a\" needs exactly one of equals, at_least and at_most
bad.yaml:9:24: the policy has no rule \"b\"; it has a
bad.yaml:9:36: an exemption needs a reason
bad.yaml:9:50: expires is a day such as 2027-03-31, not \"tomorrow\"
error: there is no policy \"missing.yaml\": it is neither a file nor one of the shipped policies (al2023, \
         hardened, imdsv2)
"
    );
}

#[test]
fn what_is_not_yaml_is_no_policy() {
    for text in
        ["", "\u{0}\u{1b}[31m", "just words", "- a\n- b\n", "a: [", "&a [*a]", "apiVersion: !!binary x"]
    {
        let said = Program::new().line("policy validate bad.yaml").file("bad.yaml", text).run().refused();
        assert!(said.starts_with("bad.yaml:"), "{said}");
        assert!(!said.contains(|character: char| character.is_control() && character != '\n'), "{said:?}");
    }
}

#[test]
fn help_says_what_there_is() {
    for (name, line) in [
        ("help", "--help"),
        ("help-audit", "audit --help"),
        ("help-explain", "explain --help"),
        ("help-iam-policy", "iam-policy --help"),
        ("help-policy", "policy --help"),
        ("help-remediate", "remediate --help"),
        ("help-report", "report --help"),
        ("help-report-diff", "report diff --help"),
        ("help-report-merge", "report merge --help"),
        ("help-rollback", "rollback --help"),
        ("help-scopes", "scopes --help"),
        ("help-settings", "settings --help"),
        ("help-short", "-h"),
    ] {
        let outcome = Program::new().line(line).run().code(0);
        assert_eq!(outcome.stderr, "");
        insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name, outcome.stdout);
        });
    }
    let version = Program::new().line("--version").run().code(0).stdout;
    assert_eq!(version, format!("imdsctl {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn without_a_command_the_help_is_shown_as_an_error() {
    let outcome = Program::new().run().code(2);
    assert_eq!(outcome.stdout, "");
    assert!(outcome.stderr.contains("Usage: imdsctl"), "{}", outcome.stderr);
}
