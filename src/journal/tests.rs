use std::io;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::model::{
    AccountDefaults, CoverageStatus, GroupLaunch, MetadataOptions, OptionName, OptionValue, Scope,
    TemplateRef, VersionRef,
};
use crate::plan::{
    Action, Choices, NamedVersion, NodeGroupSeen, Repoint, ScopePlan, Step, TemplateSeen, VersionChoice,
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn required() -> MetadataOptions {
    let mut options = MetadataOptions::default();
    options.set(OptionName::HttpTokens, Some(OptionValue::Required));
    options
}

fn step(id: &str, after: &[&str], action: Action) -> Step {
    let after = after.iter().map(|id| StepId((*id).to_owned())).collect();
    Step { after, ..Step::new(StepId(id.to_owned()), action) }
}

fn made() -> VersionChoice {
    VersionChoice::MadeBy(StepId("make".to_owned()))
}

fn group(version: VersionRef) -> GroupLaunch {
    let base = TemplateRef { id: Some("lt-1".into()), name: Some("web".to_owned()), version };
    GroupLaunch::Template(base)
}

fn repoint(from: NamedVersion, to: NamedVersion) -> Vec<Repoint> {
    vec![Repoint { template: "lt-1".into(), from, to }]
}

fn update(seen: VersionRef, from: NamedVersion, to: NamedVersion) -> Action {
    let (group, seen, repoint) = ("web".to_owned(), group(seen), repoint(from, to));
    Action::UpdateAutoScalingGroup { group, arn: None, seen, repoint }
}

/// One of each: a template whose group names `$Latest`, a node group, an instance and the defaults.
fn steps() -> Vec<Step> {
    let three = || NamedVersion::Number(VersionChoice::Existing(3));
    vec![
        step("hold", &[], update(VersionRef::Latest, NamedVersion::Latest, three())),
        step(
            "make",
            &["hold"],
            Action::CreateTemplateVersion {
                template: "lt-1".into(),
                name: "web".to_owned(),
                source: 3,
                metadata: required(),
                seen: TemplateSeen { latest: 3, default: 1, source_metadata: MetadataOptions::default() },
                client_token: "token".to_owned(),
                description: "imdsctl".to_owned(),
                may_create: true,
            },
        ),
        step(
            "default",
            &["make"],
            Action::SetDefaultVersion {
                template: "lt-1".into(),
                name: "web".to_owned(),
                from: 1,
                to: made(),
            },
        ),
        step(
            "nodes",
            &["make"],
            Action::UpdateNodeGroup {
                cluster: "blue".to_owned(),
                node_group: "apps".to_owned(),
                arn: "arn:aws:eks:eu-west-1:111122223333:nodegroup/blue/apps/1".into(),
                template: "lt-1".into(),
                to: made(),
                pin: None,
                seen: NodeGroupSeen { version: 2, status: "ACTIVE".to_owned() },
                force: false,
            },
        ),
        step(
            "refresh",
            &["make", "hold"],
            Action::RefreshInstances {
                group: "web".to_owned(),
                arn: None,
                seen: group(VersionRef::Latest),
                repoint: repoint(three(), NamedVersion::Number(made())),
                min_healthy_percentage: 90,
            },
        ),
        step(
            "again",
            &["refresh"],
            update(VersionRef::Latest, NamedVersion::Number(made()), NamedVersion::Latest),
        ),
        step(
            "instance",
            &[],
            Action::ModifyInstance {
                instance: "i-1".into(),
                seen: MetadataOptions::default(),
                metadata: required(),
            },
        ),
        step(
            "defaults",
            &[],
            Action::ModifyAccountDefaults { seen: AccountDefaults::default(), metadata: required() },
        ),
    ]
}

fn begin() -> Begin {
    let scope = Scope {
        partition: "aws".into(),
        account_id: "111122223333".into(),
        account_name: None,
        region: "eu-west-1".into(),
    };
    let part = ScopePlan {
        scope,
        coverage: CoverageStatus::Complete,
        steps: steps(),
        manual: Vec::new(),
        skipped: Vec::new(),
        risks: Vec::new(),
    };
    let plan = Plan {
        schema: crate::plan::SCHEMA.to_owned(),
        tool: "imdsctl".to_owned(),
        version: "0.1.0".to_owned(),
        made_at: at(0),
        choices: Choices::default(),
        policies: Vec::new(),
        scopes: vec![part],
    };
    Begin {
        schema: SCHEMA.to_owned(),
        tool: "imdsctl".to_owned(),
        version: "0.1.0".to_owned(),
        began_at: at(1),
        undoes: None,
        plan,
    }
}

fn intent(step: &str) -> Entry {
    Entry::Intent {
        at: at(2),
        step: StepId(step.to_owned()),
        does: "something".to_owned(),
        before: "something else".to_owned(),
        token: None,
        known: Vec::new(),
    }
}

fn sent(step: &str) -> Entry {
    Entry::Sent { at: at(3), step: StepId(step.to_owned()), effect: effect(step) }
}

fn effect(step: &str) -> Effect {
    if step == "make" { Effect::version(4) } else { Effect::default() }
}

fn outcome(step: &str, outcome: Outcome) -> Entry {
    Entry::Outcome { at: at(4), step: StepId(step.to_owned()), outcome }
}

fn done(step: &str) -> Entry {
    outcome(step, Outcome::Done { effect: effect(step), found: false })
}

/// A whole run: each step is about to be sent, taken on and done.
fn run() -> Vec<Entry> {
    let steps = steps();
    steps.iter().map(|step| step.id.0.as_str()).flat_map(|id| [intent(id), sent(id), done(id)]).collect()
}

fn written(entries: &[Entry]) -> Vec<u8> {
    let mut journal = Journal::begin(Vec::new(), begin()).unwrap();
    for entry in entries {
        journal.add(entry).unwrap();
    }
    journal.into_medium()
}

fn history(entries: &[Entry]) -> History {
    read(&*written(entries)).unwrap().0
}

impl Medium for Vec<u8> {
    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_is_written_is_read_again() {
    let bytes = written(&run());
    let (history, whole) = read(&*bytes).unwrap();
    assert_eq!(whole, bytes.len() as u64);
    assert_eq!(history.begin, begin());
    assert_eq!(history.effect(&StepId("make".to_owned())), Some(&Effect::version(4)));
    assert_eq!(history.open().count(), 0);
}

#[test]
fn a_journal_looks_as_its_page_says() {
    let mut entries = vec![intent("make"), done("make")];
    entries.push(outcome("nodes", Outcome::Refused { why: "the node group is UPDATING".to_owned() }));
    entries.push(Entry::End { at: at(5), how: Ending::Stopped, why: Some("it was refused".to_owned()) });
    let text = String::from_utf8(written(&entries)).unwrap();
    let (_, rest) = text.split_once('\n').unwrap();
    insta::assert_snapshot!(rest);
}

#[test]
fn only_a_last_line_may_be_in_pieces() {
    let bytes = written(&[intent("make"), done("make"), intent("default")]);
    let lines: Vec<usize> =
        bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect();
    for cut in lines[0]..bytes.len() {
        let (_, whole) = read(&bytes[..cut]).unwrap();
        assert_eq!(whole, *lines.iter().rfind(|end| **end <= cut).unwrap() as u64);
    }
    for cut in 0..lines[0] {
        assert!(matches!(read(&bytes[..cut]), Err(ReadError::NotBegun)), "cut at {cut}");
    }
    let mut damaged = bytes.clone();
    damaged[lines[0]] = b'}';
    assert!(matches!(read(&*damaged), Err(ReadError::Line { line: 2, .. })));
    let mut torn = bytes.clone();
    torn.truncate(lines[2] - 5);
    torn.extend_from_slice(&bytes[lines[2]..]);
    assert!(matches!(read(&*torn), Err(ReadError::Line { line: 3, .. })), "a torn line in the middle");
}

#[test]
fn what_cannot_have_been_written_is_refused_by_its_line() {
    let first = written(&[]);
    let line = |entry: &Entry| {
        let mut line = first.clone();
        crate::harmless::write_line(entry, &mut line).unwrap();
        line
    };
    for (entry, said) in [
        (done("make"), "was never begun"),
        (sent("make"), "was never begun"),
        (intent("other"), "not one of the plan"),
        (Entry::Begin(Box::new(begin())), "begins only once"),
    ] {
        match read(&*line(&entry)) {
            Err(ReadError::Line { line: 2, message, .. }) => assert!(message.contains(said), "{message}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn other_files_are_no_journals() {
    for (text, said) in [
        ("hello\n", "its first line does not say"),
        ("{\"schema\":\"imdsctl.report/v1\"}\n", "but of schema \"imdsctl.report/v1\""),
        ("{\"schema\":\"imdsctl.journal/v9\"}\n", "this imdsctl reads \"imdsctl.journal/v1\""),
        ("{\"schema\":\"imdsctl.plan/v1\"}", "but of schema \"imdsctl.plan/v1\""),
    ] {
        match read(text.as_bytes()) {
            Err(ReadError::NotAJournal(message)) => assert!(message.contains(said), "{message}"),
            other => panic!("{other:?}"),
        }
    }
}

/// Fails to write from a number of bytes on, as a full disk does: with part of the line written.
struct Full {
    room: usize,
    bytes: Vec<u8>,
}

impl io::Write for Full {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let length = data.len().min(self.room);
        if length == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.room -= length;
        self.bytes.extend_from_slice(&data[..length]);
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Medium for Full {
    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn nothing_is_written_behind_a_line_that_a_full_disk_cut() {
    let room = written(&[intent("make")]).len() + 10;
    let mut journal = Journal::begin(Full { room, bytes: Vec::new() }, begin()).unwrap();
    journal.add(&intent("make")).unwrap();
    journal.add(&done("make")).unwrap_err();
    journal.medium_mut().room = 1 << 20;
    journal.add(&done("make")).unwrap_err();
    let (history, _) = read(&*journal.into_medium().bytes).unwrap();
    assert!(history.of(&StepId("make".to_owned())).unwrap().is_open());
}

#[test]
fn everything_is_undone_in_reverse() {
    let undoing = undo(&history(&run()), at(9), "0.1.0");
    assert_eq!(undoing.unsettled, []);
    let steps: Vec<_> =
        undoing.plan.steps().map(|(_, step)| (step.id.0.as_str(), does(&step.action))).collect();
    insta::assert_debug_snapshot!(steps);
    let steps: Vec<_> = undoing.plan.steps().map(|(_, step)| step).collect();
    for (at, step) in steps.iter().enumerate() {
        assert!(step.blocked.is_none(), "{}", step.id);
        for needed in &step.after {
            assert!(steps[..at].iter().any(|earlier| earlier.id == *needed), "{} after {needed}", step.id);
        }
    }
    let after = |id: &str| -> Vec<&str> {
        let step = steps.iter().find(|step| step.id.0 == id).unwrap();
        step.after.iter().map(|id| id.0.as_str()).collect()
    };
    assert_eq!(after("undo-make"), ["undo-default", "undo-nodes", "undo-refresh"]);
    assert!(
        after("undo-hold").contains(&"undo-make"),
        "$Latest means what it meant once the version is gone"
    );
}

#[test]
fn what_was_so_already_is_not_undone() {
    let already = |step: &str| {
        outcome(
            step,
            Outcome::Already { effect: effect(step), why: "version 4 has these options".to_owned() },
        )
    };
    let entries = [already("make"), intent("default"), done("default")];
    let undoing = undo(&history(&entries), at(9), "0.1.0");
    let ids: Vec<_> = undoing.plan.steps().map(|(_, step)| step.id.0.clone()).collect();
    assert_eq!(ids, ["undo-default"]);
}

#[test]
fn an_option_that_had_no_preference_has_none_again() {
    let entries = [intent("defaults"), done("defaults")];
    let undoing = undo(&history(&entries), at(9), "0.1.0");
    let (_, step) = undoing.plan.steps().next().unwrap();
    let set = AccountDefaults { metadata: required(), ..AccountDefaults::default() };
    let restored = Action::RestoreAccountDefaults { seen: set, metadata: MetadataOptions::default() };
    assert_eq!(step.action, restored);
}

#[test]
fn a_failure_is_undone_if_something_may_have_been_changed() {
    let failed = |perhaps| {
        outcome("default", Outcome::Failed { code: "X".to_owned(), message: "no".to_owned(), perhaps })
    };
    let inverses = |entries: &[Entry]| undo(&history(entries), at(9), "0.1.0").plan.steps().count();
    let made = [intent("make"), done("make"), intent("default")];
    assert_eq!(inverses(&[&made[..], &[failed(true)]].concat()), 2);
    assert_eq!(inverses(&[&made[..], &[failed(false)]].concat()), 1);
    assert_eq!(inverses(&[&made[..], &[sent("default"), failed(false)]].concat()), 2);
}

/// A journal that ends anywhere, with some steps refused, failed or found as they should be.
fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let fates = proptest::collection::vec(0..6_u8, steps().len());
    (fates, 0..64_usize).prop_map(|(fates, length)| {
        let mut entries = Vec::new();
        for (step, fate) in steps().iter().zip(fates) {
            let id = step.id.0.as_str();
            let failed =
                |perhaps| Outcome::Failed { code: "X".to_owned(), message: "no".to_owned(), perhaps };
            match fate {
                0 => entries.push(outcome(id, Outcome::Refused { why: "changed".to_owned() })),
                1 => entries.extend([intent(id), outcome(id, failed(false))]),
                2 => entries.extend([intent(id), outcome(id, failed(true))]),
                3 => {
                    let effect = effect(id);
                    entries.push(outcome(id, Outcome::Already { effect, why: "so".to_owned() }));
                }
                4 => entries.extend([intent(id), sent(id), done(id)]),
                _ => entries.extend([intent(id), done(id)]),
            }
        }
        entries.truncate(length);
        entries
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn undoing_covers_what_was_done_or_may_have_been_and_nothing_else(entries in entries()) {
        let history = history(&entries);
        let undoing = undo(&history, at(9), "0.1.0");
        let mut covered: Vec<String> = undoing
            .plan
            .steps()
            .map(|(_, step)| step.id.0.strip_prefix("undo-").unwrap().to_owned())
            .chain(undoing.unsettled.iter().map(|step| step.0.clone()))
            .collect();
        covered.sort();
        // Told from the lines alone: begun, and not known to have come to nothing.
        let mut expected = Vec::new();
        for step in steps() {
            let of_step = entries.iter().filter(|entry| match entry {
                Entry::Intent { step: of, .. } | Entry::Sent { step: of, .. } | Entry::Outcome { step: of, .. } => {
                    *of == step.id
                }
                _ => false,
            });
            let begun = of_step.clone().any(|entry| matches!(entry, Entry::Intent { .. }));
            let failed = of_step.clone().any(|entry| {
                matches!(entry, Entry::Outcome { outcome: Outcome::Failed { perhaps: false, .. }, .. })
            });
            if begun && !failed {
                expected.push(step.id.0);
            }
        }
        expected.sort();
        prop_assert_eq!(covered, expected);
    }
}
