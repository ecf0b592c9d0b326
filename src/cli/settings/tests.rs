use std::collections::BTreeSet;
use std::ffi::OsString;

use clap::{Arg, Command, CommandFactory, Id};
use proptest::prelude::*;

use super::key::{Use, names, nearest, use_of};
use super::layers::{Chosen, Layers};
use super::{Note, Problem, Setting, command_at, file, files, variables};
use crate::cli::Cli;

fn root() -> Command {
    let mut root = Cli::command();
    root.build();
    root
}

fn from_file(text: &str) -> Result<Vec<Setting>, Vec<Problem>> {
    file::parse("imdsctl.toml", text, &root())
}

#[track_caller]
fn problem(text: &str) -> String {
    let problems = from_file(text).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems[0].to_string()
}

fn from_variables(variables: &[(&str, &str)]) -> Result<(Vec<Setting>, Vec<Note>), Vec<Problem>> {
    let variables = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
    variables::parse(variables, &root())
}

/// What counts for `imdsctl COMMAND` where these flags were typed: `key=value,value`, or what is wrong.
fn chosen(layers: &[Vec<Setting>], command: &str, typed: &[&str]) -> Result<Vec<String>, Vec<String>> {
    let mut all = Layers::default();
    for layer in layers {
        all.add(layer);
    }
    let path: Vec<String> = command.split(' ').map(str::to_owned).collect();
    let root = root();
    let leaf = command_at(&root, &path);
    let typed: Vec<Id> = typed.iter().map(|flag| id_of(leaf, flag)).collect();
    let told = |chosen: Chosen<'_>| format!("{}={}", chosen.setting.key, chosen.texts().join(","));
    let chosen = all.choose(leaf, &path, &typed);
    chosen
        .map(|chosen| chosen.into_iter().map(told).collect())
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

fn id_of(command: &Command, flag: &str) -> Id {
    command.get_arguments().find(|arg| arg.get_long() == Some(flag)).unwrap().get_id().clone()
}

fn layer(text: &str) -> Vec<Setting> {
    from_file(text).unwrap()
}

/// The flags of a command, and of those below it, that have to be typed.
fn typed_flags(command: &Command) -> Vec<String> {
    let own = command.get_arguments().filter(|arg| use_of(arg) == Use::Typed);
    let own = own.filter_map(Arg::get_long).map(|long| format!("--{long}"));
    own.chain(command.get_subcommands().flat_map(typed_flags)).collect()
}

/// A new flag is a setting, unless someone thinks of it and says that it has to be typed.
#[test]
fn the_documentation_lists_every_setting_and_every_flag_that_has_to_be_typed() {
    let page = include_str!("../../../docs/settings.md");
    let rows = |after: &str| -> BTreeSet<String> {
        let rows = page.split(after).nth(1).unwrap().lines().skip_while(|line| !line.starts_with("| `"));
        let rows = rows.take_while(|line| line.starts_with("| `"));
        rows.map(|line| line.split('`').nth(1).unwrap().to_owned()).collect()
    };
    let root = root();
    let settings: BTreeSet<String> = names(&root).map(str::to_owned).collect();
    assert_eq!(rows("\n## Settings\n"), settings);
    // Policies are printed once, and asked for once.
    let commands = root.get_subcommands().filter(|command| command.get_name() != "iam-policy");
    let typed: BTreeSet<String> = commands.flat_map(typed_flags).collect();
    assert_eq!(rows("\n## What has to be typed\n"), typed);
    for (line, key) in
        page.lines().filter_map(|line| Some((line, line.strip_prefix("| `")?.split('`').next()?)))
    {
        if settings.contains(key) {
            assert!(line.contains(&format!("| `{}` |", variables::variable(key))), "{line}");
        }
    }
}

#[test]
fn a_setting_is_written_as_its_flag_is_typed() {
    let settings = layer(
        "all-regions = true\npolicy = ['imdsv2', \"./a.yaml\"]\nprofile = 'one'\ntimeout = 20\napi-share = '30'\nverbose = 2\n",
    );
    let told: Vec<String> = settings
        .iter()
        .map(|setting| {
            let values: Vec<_> = setting.values.iter().map(|value| value.text.as_str()).collect();
            format!("{} {} {}", setting.place, setting.key, values.join(" "))
        })
        .collect();
    assert_eq!(
        told.iter().map(String::as_str).collect::<BTreeSet<_>>(),
        BTreeSet::from([
            "imdsctl.toml:1:1 all-regions true",
            "imdsctl.toml:2:1 policy imdsv2 ./a.yaml",
            "imdsctl.toml:3:1 profile one",
            "imdsctl.toml:4:1 timeout 20",
            "imdsctl.toml:5:1 api-share 30",
            "imdsctl.toml:6:1 verbose 2",
        ])
    );
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_what_was_expected() {
    for (text, said) in [
        ("\nregoin = 'x'", "imdsctl.toml:2:1: there is no setting \"regoin\"; did you mean region?"),
        ("mars = 'x'", "imdsctl.toml:1:1: there is no setting \"mars\""),
        (
            "[audit]\nregoin = 'x'",
            "imdsctl.toml:2:1: there is no setting \"regoin\" of `imdsctl audit`; did you mean region?",
        ),
        (
            "[explain]\nfail-on = 'low'",
            "imdsctl.toml:2:1: there is no setting \"fail-on\" of `imdsctl explain`",
        ),
        ("[aduit]\nregion = 'x'", "imdsctl.toml:1:2: there is no setting \"aduit\""),
        ("resource = 'x'", "imdsctl.toml:1:1: there is no setting \"resource\""),
        ("help = true", "imdsctl.toml:1:1: there is no setting \"help\""),
        ("all-regions = 'yes'", "imdsctl.toml:1:15: all-regions is true or false, not a string"),
        ("all-regions = 1", "imdsctl.toml:1:15: all-regions is true or false, not 1"),
        ("region = true", "imdsctl.toml:1:10: region is a list of strings, not true"),
        (
            "region = ['a', 1.5]",
            "imdsctl.toml:1:10: region is a list of strings, not a list of something else",
        ),
        ("[policy]\nx = 1", "imdsctl.toml:1:1: policy is a list of strings, not a table"),
        ("timeout = ['1']", "imdsctl.toml:1:11: timeout is a string or a number, not a list"),
        ("role = 2026-01-01", "imdsctl.toml:1:8: role is a string or a number, not a date"),
        ("verbose = 256", "imdsctl.toml:1:11: verbose is a number from 0 to 255, not 256"),
        ("timeout = 0", "imdsctl.toml:1:11: timeout cannot be \"0\": 0 is not in 1..=65535"),
        (
            "api-share = 101",
            "imdsctl.toml:1:13: api-share cannot be \"101\": expected a number from 1 to 100",
        ),
        (
            "fail-on = 'lwo'",
            "imdsctl.toml:1:11: fail-on cannot be \"lwo\": it is one of critical, high, medium, low, info, none; did you mean low?",
        ),
        ("demo = true", "imdsctl.toml:1:1: --demo has to be typed each time: it cannot be set here"),
        ("a = ", "imdsctl.toml:1:5: not TOML: string values must be quoted, expected literal string"),
    ] {
        assert_eq!(problem(text), said, "{text}");
    }
    assert!(problem("region = ['x']\nregion = ['y']").starts_with("imdsctl.toml:2:1: not TOML: "));
    // A value in a list is told where it stands.
    assert!(
        problem("output = ['json',\n  'yaml']").starts_with("imdsctl.toml:2:3: output cannot be \"yaml\": ")
    );
    // Columns are counted in characters.
    assert!(problem("output = ['json=é', 'yaml']").starts_with("imdsctl.toml:1:21: "));
}

#[test]
fn a_secret_is_not_repeated() {
    let said = problem("external-id = 'hush hush'");
    assert!(said.starts_with("imdsctl.toml:1:15: external-id cannot be that: "), "{said}");
    assert!(!said.contains("hush"), "{said}");
    let said = from_variables(&[("IMDSCTL_EXTERNAL_ID", "hush hush")]).unwrap_err();
    assert!(!said[0].to_string().contains("hush"), "{said:?}");
}

#[test]
fn a_variable_is_named_as_its_flag() {
    let (settings, notes) = from_variables(&[
        ("IMDSCTL_REGION", "eu-west-1, us-east-1,"),
        ("IMDSCTL_ALL_REGIONS", "0"),
        ("IMDSCTL_ORG", "true"),
        ("IMDSCTL_API_SHARE", "30"),
        ("IMDSCTL_TIMEOUT", ""),
        ("IMDSCTL_VERSION", "1.2.3"),
        ("IMDSCTL_REGOIN", "x"),
        ("imdsctl_policy", "x"),
        ("REGION", "x"),
    ])
    .unwrap();
    let told: Vec<String> = settings
        .iter()
        .map(|it| format!("{} {:?}", it.place, it.values.iter().map(|value| &value.text).collect::<Vec<_>>()))
        .collect();
    assert_eq!(
        told,
        [
            "IMDSCTL_ALL_REGIONS [\"false\"]",
            "IMDSCTL_API_SHARE [\"30\"]",
            "IMDSCTL_ORG [\"true\"]",
            "IMDSCTL_REGION [\"eu-west-1\", \"us-east-1\"]",
        ]
    );
    let notes: Vec<String> = notes
        .into_iter()
        .map(|note| match note {
            Note::UnknownVariable(message) => message,
            Note::Read(file) => file,
        })
        .collect();
    assert_eq!(
        notes,
        [
            "the variable IMDSCTL_REGOIN is no setting of imdsctl; did you mean IMDSCTL_REGION?",
            "the variable IMDSCTL_VERSION is no setting of imdsctl",
        ]
    );
}

#[test]
fn a_variable_with_a_bad_value_is_told_by_its_name() {
    for (name, value, said) in [
        ("IMDSCTL_ALL_REGIONS", "yes", "IMDSCTL_ALL_REGIONS: all-regions is true or false, not \"yes\""),
        ("IMDSCTL_VERBOSE", "much", "IMDSCTL_VERBOSE: verbose is a number from 0 to 255, not \"much\""),
        (
            "IMDSCTL_API_SHARE",
            "0",
            "IMDSCTL_API_SHARE: api-share cannot be \"0\": expected a number from 1 to 100",
        ),
        ("IMDSCTL_DEMO", "1", "IMDSCTL_DEMO: --demo has to be typed each time: it cannot be set"),
    ] {
        assert_eq!(from_variables(&[(name, value)]).unwrap_err()[0].to_string(), said);
    }
}

#[test]
fn a_higher_layer_wins_and_its_list_replaces_the_lower_one() {
    let high = layer("region = ['a']\npolicy = []");
    let low = layer("region = ['b', 'c']\npolicy = ['imdsv2']\ntimeout = 9");
    assert_eq!(chosen(&[high, low], "audit", &[]).unwrap(), ["policy=", "region=a", "timeout=9"]);
}

#[test]
fn what_is_for_one_command_counts_more_and_for_no_other() {
    let layers = || vec![layer("timeout = 1\npolicy = ['imdsv2']\n[audit]\ntimeout = 2\nfail-on = 'none'")];
    assert_eq!(chosen(&layers(), "audit", &[]).unwrap(), ["fail-on=none", "timeout=2", "policy=imdsv2"]);
    assert_eq!(chosen(&layers(), "explain", &[]).unwrap(), ["policy=imdsv2", "timeout=1"]);
    assert_eq!(chosen(&layers(), "policy list", &[]).unwrap(), [""; 0]);
}

#[test]
fn what_is_for_all_commands_is_passed_over_by_those_that_do_not_take_it() {
    let layers = || vec![layer("output = ['csv=fleet.csv']\ntimeout = 1")];
    assert_eq!(chosen(&layers(), "audit", &[]).unwrap(), ["output=csv=fleet.csv", "timeout=1"]);
    assert_eq!(chosen(&layers(), "explain", &[]).unwrap(), ["timeout=1"]);
}

#[test]
fn what_does_not_go_together_is_decided_by_the_higher_layer() {
    let low = || layer("all-regions = true");
    assert_eq!(chosen(&[low()], "audit", &["region"]).unwrap(), [""; 0]);
    assert_eq!(chosen(&[layer("region = ['a']"), low()], "audit", &[]).unwrap(), ["region=a"]);
    assert_eq!(chosen(&[layer("region = ['a']")], "audit", &["all-regions"]).unwrap(), [""; 0]);
    // What is off does not exclude.
    let off = layer("all-regions = false");
    assert_eq!(
        chosen(&[off, layer("region = ['a']")], "audit", &[]).unwrap(),
        ["all-regions=false", "region=a"]
    );
    let none = layer("region = []");
    assert_eq!(chosen(&[none, low()], "audit", &[]).unwrap(), ["region=", "all-regions=true"]);
    assert_eq!(chosen(&[layer("quiet = true")], "audit", &["verbose"]).unwrap(), [""; 0]);
    // Within one layer, nobody can tell what is meant.
    assert_eq!(
        chosen(&[layer("region = ['a']\nall-regions = true")], "audit", &[]).unwrap_err(),
        ["imdsctl.toml:1:1: region and all-regions cannot both be set"]
    );
    // Whoever asks for a part of the organization does not get the whole.
    assert_eq!(chosen(&[layer("org = true")], "audit", &["org-unit"]).unwrap(), [""; 0]);
    // Tags are those of a file of accounts, and go with it.
    let tagged = layer("accounts = 'accounts.yml'\ntag = ['env:prod']");
    assert_eq!(chosen(&[tagged], "audit", &["org"]).unwrap(), [""; 0]);
}

/// Every setting of where to look and as whom, and how fast.
#[test]
fn what_only_makes_sense_on_aws_is_ignored_without_it() {
    let root = root();
    let audit = command_at(&root, &["audit".to_owned()]);
    let group = audit.get_groups().find(|group| group.get_id() == "Where").unwrap();
    assert!(group.get_args().count() >= 10, "the flags that say where to look are a group");
    let live = || {
        vec![layer(
            "all-regions = true\nprofile = 'p'\norg = true\nrole = 'r'\nexternal-id = 'secret'\ninclude-account = 'a'\noutput = 'json=a'\nbaseline = 'b'\napi-share = 9\ntimeout = 3\npolicy = 'imdsv2'",
        )]
    };
    assert_eq!(
        chosen(&live(), "audit", &["inventory"]).unwrap(),
        ["baseline=b", "output=json=a", "policy=imdsv2"]
    );
    assert_eq!(chosen(&live(), "audit", &["demo"]).unwrap(), ["api-share=9", "policy=imdsv2", "timeout=3"]);
}

#[test]
fn what_is_said_of_the_whole_is_not_said_of_a_part() {
    let night = layer("baseline = 'b'\nupdate-baseline = true\nsecurity-hub = true\nnotify = 'x'");
    assert_eq!(chosen(&[night], "audit", &["shard"]).unwrap(), ["notify=x"]);
}

#[test]
fn whoever_looks_at_a_report_does_not_import_it() {
    let mut all = Layers::default();
    let import = layer("security-hub = true");
    all.add(&import);
    let root = root();
    let asked = |command: &str, typed: &str| {
        let path = ["report", command].map(str::to_owned);
        all.choose(command_at(&root, &path), &path, &[Id::from(typed.to_owned())]).unwrap().len()
    };
    assert_eq!(asked("show", "file"), 0);
    assert_eq!(asked("merge", "files"), 1);
}

#[test]
fn the_files_are_where_the_platform_says() {
    let of = |variables: &[(&str, &str)]| -> Vec<String> {
        let variable =
            |name: &str| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| value.into());
        files(variable).into_iter().map(|(_, name)| name).collect()
    };
    let home = ("HOME", "/home/me");
    assert_eq!(of(&[home]), ["imdsctl.toml", "/home/me/.config/imdsctl/imdsctl.toml"]);
    assert_eq!(of(&[home, ("XDG_CONFIG_HOME", "/etc/x")]), ["imdsctl.toml", "/etc/x/imdsctl/imdsctl.toml"]);
    // A relative path is not valid, as the specification of these folders says.
    assert_eq!(
        of(&[home, ("XDG_CONFIG_HOME", "x")]),
        ["imdsctl.toml", "/home/me/.config/imdsctl/imdsctl.toml"]
    );
    assert_eq!(of(&[("HOME", "")]), ["imdsctl.toml"]);
}

#[test]
fn a_slip_is_answered_with_the_name_that_is_meant() {
    let names = || ["region", "org", "role"].into_iter();
    assert_eq!(nearest("regions", names()).as_deref(), Some("region"));
    assert_eq!(nearest("rgeion", names()).as_deref(), Some("region"));
    assert_eq!(nearest("colour", names()), None);
}

proptest! {
    #[test]
    fn no_file_is_too_strange(text in "\\PC{0,40}|[a-z-]{1,8} = [\\[\\]'\"\\w\\n.,{}#-]{0,24}") {
        if let Err(problems) = from_file(&text) {
            prop_assert!(problems.iter().all(|problem| !problem.message.is_empty()));
        }
    }
}
