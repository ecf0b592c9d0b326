//! What files and variables set, beneath what is typed.

use crate::cloud::Cloud;
use crate::program::{Outcome, Program};

const REGIONS: &str = "- { names: [eu-central-1, eu-north-1, eu-west-1, us-east-1, us-west-2] }";

/// The Regions that were read.
#[track_caller]
fn read(program: Program) -> Vec<String> {
    let report = program.line("-o json").run().code(0).report();
    let scopes = report.0["coverage"].as_array().unwrap();
    let read = scopes.iter().filter(|scope| scope["status"] == "complete");
    read.map(|scope| scope["region"].as_str().unwrap().to_owned()).collect()
}

fn of_user(program: Program, text: &str) -> Program {
    std::fs::create_dir_all(program.path("configuration/imdsctl")).unwrap();
    let folder = program.path("configuration");
    program.file("configuration/imdsctl/imdsctl.toml", text).env("XDG_CONFIG_HOME", folder)
}

#[test]
fn flags_come_before_variables_and_those_before_files_and_those_before_defaults() {
    let cloud = Cloud::with(REGIONS);
    let with = |layers: usize| {
        let mut program = cloud.imdsctl("audit").env("AWS_REGION", "us-west-2");
        if layers >= 1 {
            program = of_user(program, "region = ['us-east-1', 'eu-central-1']\n");
        }
        if layers >= 2 {
            program = program.file("imdsctl.toml", "region = ['eu-north-1', 'us-east-1']\n");
        }
        if layers >= 3 {
            program = program.env("IMDSCTL_REGION", "eu-west-1,eu-north-1");
        }
        if layers >= 4 {
            program = program.line("--region eu-central-1");
        }
        program
    };
    assert_eq!(read(with(0)), ["us-west-2"]);
    assert_eq!(read(with(1)), ["eu-central-1", "us-east-1"]);
    assert_eq!(read(with(2)), ["eu-north-1", "us-east-1"]);
    assert_eq!(read(with(3)), ["eu-north-1", "eu-west-1"]);
    assert_eq!(read(with(4)), ["eu-central-1"]);
}

#[test]
fn what_does_not_go_together_is_decided_by_the_higher_layer() {
    let cloud = Cloud::with(REGIONS);
    let program = || cloud.imdsctl("audit").file("imdsctl.toml", "all-regions = true\n");
    assert!(read(program()).len() > 5);
    assert_eq!(read(program().line("--region eu-west-1")), ["eu-west-1"]);
    assert_eq!(read(program().env("IMDSCTL_REGION", "eu-north-1")), ["eu-north-1"]);
}

#[test]
fn the_home_folder_is_where_a_users_file_is_by_default() {
    let program = Program::new();
    std::fs::create_dir_all(program.path(".config/imdsctl")).unwrap();
    let outcome =
        program.file(".config/imdsctl/imdsctl.toml", "timeout = 7\n").line("-v settings").run().code(0);
    assert!(outcome.stdout.contains("timeout = 7 "), "{}", outcome.stdout);
    let file = outcome.path(".config/imdsctl/imdsctl.toml");
    assert!(
        outcome.stderr.contains(&format!("settings are read from {}", file.display())),
        "{}",
        outcome.stderr
    );
}

#[test]
fn the_demo_and_an_inventory_ignore_what_is_set_for_aws() {
    let live = "profile = 'prod'\nregion = 'mars'\norg = true\noutput = ['json=report.json']\n";
    let demo =
        Program::new().file("imdsctl.toml", live).line("audit --demo --save-inventory fleet --fail-on none");
    let outcome = demo.run().code(0);
    assert_eq!(outcome.files(), ["fleet", "imdsctl.toml"]);
    let saved = Program::new().file("imdsctl.toml", "profile = 'prod'\ntimeout = 3\nfail-on = 'none'\n");
    let outcome =
        saved.file("fleet", &outcome.read("fleet")).line("audit --inventory fleet -o json").run().code(0);
    assert!(!outcome.report().findings().is_empty());
}

#[track_caller]
fn refused(program: Program) -> String {
    program.line("audit --demo").run().refused()
}

#[test]
fn all_mistakes_are_told_at_once_each_with_its_place() {
    let program = Program::new()
        .env("IMDSCTL_API_SHARE", "lots")
        .file("imdsctl.toml", "polcy = 'imdsv2'\ntimeout = 0\n\n[audit]\ninclude-passed = 'yes'\n");
    let program = of_user(program, "demo = true\nfail-on = 'lwo'\n");
    let user = program.path("configuration/imdsctl/imdsctl.toml");
    let user = user.display();
    assert_eq!(
        refused(program),
        format!(
            "IMDSCTL_API_SHARE: api-share cannot be \"lots\": expected a number from 1 to 100\n\
             {user}:1:1: --demo has to be typed each time: it cannot be set here\n\
             {user}:2:11: fail-on cannot be \"lwo\": it is one of critical, high, medium, low, info, none; did you mean \
             low?\n\
             imdsctl.toml:1:1: there is no setting \"polcy\"; did you mean policy?\n\
             imdsctl.toml:2:11: timeout cannot be \"0\": 0 is not in 1..=65535\n\
             imdsctl.toml:5:18: include-passed is true or false, not a string"
        )
    );
}

#[test]
fn what_is_no_file_of_settings_is_refused_and_not_waited_for() {
    let folder = Program::new();
    std::fs::create_dir(folder.path("imdsctl.toml")).unwrap();
    assert_eq!(refused(folder), "cannot read imdsctl.toml: it is not a file");
    let pipe = Program::new();
    assert!(std::process::Command::new("mkfifo").arg(pipe.path("imdsctl.toml")).status().unwrap().success());
    assert_eq!(refused(pipe), "cannot read imdsctl.toml: it is not a file");
    let huge = Program::new().file("imdsctl.toml", &"#".repeat((1 << 20) + 1));
    assert_eq!(refused(huge), "cannot read imdsctl.toml: it is larger than 1 MiB");
    let bytes = Program::new();
    std::fs::write(bytes.path("imdsctl.toml"), [0xff, 0xfe]).unwrap();
    let said = refused(bytes);
    assert!(said.starts_with("cannot read imdsctl.toml: "), "{said}");
    // A home that is no folder has no settings.
    Program::new().env("HOME", "/dev/null").line("policy list").run().code(0);
}

#[test]
fn a_hostile_file_cannot_steer_the_terminal_nor_make_a_secret_known() {
    let said =
        refused(Program::new().file("imdsctl.toml", "\"\\u001b[31m\\u202e\" = 1\n\"a\\nerror: b\" = 2\n"));
    assert!(!said.contains(|character: char| "\u{1b}\u{202e}".contains(character)), "{said:?}");
    assert_eq!(said.lines().count(), 2, "{said}");
    let nested = "x = ".to_owned() + &"[".repeat(100_000);
    let said = refused(Program::new().file("imdsctl.toml", &nested));
    assert!(said.starts_with("imdsctl.toml:1:"), "{said:.200}");
    let said = refused(Program::new().file("imdsctl.toml", "external-id = 'hush hush'\n"));
    assert!(said.contains("external-id cannot be that") && !said.contains("hush"), "{said}");
    let outcome =
        Program::new().file("imdsctl.toml", "external-id = 'hush-hush'\n").line("-vv settings").run().code(0);
    assert!(
        outcome.stdout.contains("external-id is not shown") && !seen(&outcome).contains("hush"),
        "{outcome:?}"
    );
}

fn seen(outcome: &Outcome) -> String {
    format!("{}{}", outcome.stdout, outcome.stderr)
}

#[test]
fn help_and_version_need_no_settings() {
    for line in ["--help", "--version", "audit --help"] {
        Program::new().file("imdsctl.toml", "a = ").line(line).run().code(0);
    }
}

#[test]
fn settings_are_shown_with_where_they_come_from() {
    let file = "all-regions = true\npolicy = ['imdsv2', 'a \"b\" \\u']\n[explain]\ntimeout = 9\n";
    let program = || {
        Program::new().file("imdsctl.toml", file).env("IMDSCTL_API_SHARE", "20").env("IMDSCTL_TIMEUOT", "1")
    };
    let outcome = program().line("settings").run().code(0);
    insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("settings", outcome.stdout);
    });
    assert_eq!(
        outcome.stderr.trim(),
        "WARN the variable IMDSCTL_TIMEUOT is no setting of imdsctl; did you mean IMDSCTL_TIMEOUT?"
    );
    let explain = program().line("settings explain").run().code(0);
    assert!(
        explain.stdout.contains("timeout = 9                              # imdsctl.toml:4:1\n"),
        "{}",
        explain.stdout
    );
    // What is shown is a file of settings that says the same.
    let shown = Program::new().file("imdsctl.toml", &outcome.stdout).line("settings").run().code(0);
    let values = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.split("  #").next().unwrap().trim().to_owned()).collect()
    };
    assert_eq!(values(&shown.stdout), values(&outcome.stdout));
    assert_eq!(
        Program::new().line("settings aduit").run().refused(),
        "there is no command \"aduit\"; did you mean audit?"
    );
}
