//! The engine against an AWS in memory, cut off at every point.

mod fleet;
mod random;
mod world;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::journal::{Begin, Ending, History, Journal, Medium, SCHEMA, read, undo};
use crate::model::{OptionName, OptionValue, VersionRef};
use crate::plan::{Action, Plan, StepId};

use fleet::{fleet, options, plan, scope};
use world::{Fate, State, World};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

/// What survives when a machine is cut off. It may be full.
#[derive(Clone, Debug)]
struct Disk {
    bytes: Rc<RefCell<Vec<u8>>>,
    lines_left: Rc<Cell<usize>>,
}

impl Disk {
    fn new() -> Self {
        Self { bytes: Rc::default(), lines_left: Rc::new(Cell::new(usize::MAX)) }
    }
}

impl io::Write for Disk {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let left = self.lines_left.get().checked_sub(1).ok_or(io::ErrorKind::StorageFull)?;
        self.lines_left.set(left);
        self.bytes.borrow_mut().extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Medium for Disk {
    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const OPTIONS: Options = Options {
    parallel_clusters: NonZeroUsize::MIN,
    canary: false,
    max_changes: None,
    poll: Duration::ZERO,
    settle_only: false,
};

fn begin(plan: &Plan) -> Begin {
    Begin {
        schema: SCHEMA.to_owned(),
        tool: "imdsctl".to_owned(),
        version: "0.1.0".to_owned(),
        began_at: at(1),
        undoes: None,
        plan: plan.clone(),
    }
}

/// An account and Region, and the journals of what is done to it.
struct Bench {
    clouds: BTreeMap<Scope, World>,
    disk: Disk,
    told: Vec<String>,
}

impl Bench {
    fn new() -> Self {
        Self::of(fleet())
    }

    fn of(world: World) -> Self {
        Self { clouds: BTreeMap::from([(scope(), world)]), disk: Disk::new(), told: Vec::new() }
    }

    fn world(&self) -> &World {
        &self.clouds[&scope()]
    }

    fn state(&self) -> State {
        self.world().state.borrow().clone()
    }

    fn history(&self) -> History {
        read(&**self.disk.bytes.borrow()).unwrap().0
    }

    fn outcome(&self, step: &str) -> Option<Outcome> {
        self.history().of(&StepId(step.to_owned()))?.outcome.clone()
    }

    /// Begins a journal of its own.
    fn begin(&mut self, plan: &Plan, options: Options) -> Option<Applied> {
        self.disk = Disk::new();
        let journal = Journal::begin(self.disk.clone(), begin(plan)).unwrap();
        self.run(journal, plan, options, std::future::pending())
    }

    /// Goes on with the journal.
    fn resume(&mut self, options: Options) -> Option<Applied> {
        self.world().on();
        let (history, whole) = read(&**self.disk.bytes.borrow()).unwrap();
        self.disk.bytes.borrow_mut().truncate(usize::try_from(whole).unwrap());
        let plan = history.begin.plan.clone();
        let journal = Journal::resume(self.disk.clone(), history);
        self.run(journal, &plan, options, std::future::pending())
    }

    /// Settles what is open, and takes back what the journal says was done.
    fn roll_back(&mut self) -> Option<Applied> {
        self.resume(Options { settle_only: true, ..OPTIONS }).unwrap();
        let undoing = undo(&self.history(), at(5), "0.1.0");
        assert_eq!(undoing.unsettled, []);
        self.begin(&undoing.plan, OPTIONS)
    }

    /// Nothing, where the machine was cut off.
    fn run(
        &mut self,
        mut journal: Journal<Disk>,
        plan: &Plan,
        options: Options,
        stop: impl Future<Output = ()>,
    ) -> Option<Applied> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let second = Cell::new(2);
        let clock = || {
            second.set(second.get() + 1);
            at(second.get())
        };
        let told = &mut self.told;
        let mut events = |event: Event<'_>| {
            told.push(match event {
                Event::Sending { step, .. } => format!("sending {}", step.id),
                Event::Observed { step, what, .. } => format!("{}: {what}", step.id),
                Event::Ended { step, .. } => format!("ended {}", step.id),
                Event::CanaryPassed { nodes, .. } => format!("canary: {nodes} nodes"),
                Event::Stopping => "stopping".to_owned(),
            });
        };
        let world = &self.clouds[&scope()];
        let run = Run {
            plan,
            options,
            clouds: &self.clouds,
            journal: &mut journal,
            clock: &clock,
            events: &mut events,
        };
        runtime.block_on(async {
            tokio::select! {
                biased;
                () = world.cut_off() => None,
                applied = run.go(stop) => Some(applied),
            }
        })
    }
}

/// What instances there are, but for their ids.
fn leveled(state: &State) -> (State, Vec<(String, String)>) {
    let mut rest = state.clone();
    let instances = std::mem::take(&mut rest.instances).into_iter();
    let owner = |id: &str| id.split('/').next().unwrap_or_default().to_owned();
    (rest, instances.map(|(id, options)| (owner(id.as_str()), format!("{options:?}"))).collect())
}

#[test]
fn a_plan_is_carried_out_and_nothing_else() {
    let mut bench = Bench::new();
    let before = bench.state();
    let applied = bench.begin(&plan(), OPTIONS).unwrap();
    assert_eq!((applied.ending, applied.why, applied.changes), (Ending::Finished, None, 8));
    let after = bench.state();
    let web = |state: &State| state.templates[&"lt-1".into()].clone();
    assert_eq!(web(&after).default, 4);
    assert_eq!(web(&after).versions[&4].metadata, options("required", 2));
    assert_eq!(web(&after).versions[&4].rest, web(&before).versions[&3].rest);
    assert_eq!(after.node_groups["blue/apps"].version, 4);
    assert_eq!(after.groups["web"].references()[0].version, VersionRef::Latest);
    let right = after.instances.iter().filter(|(_, has)| **has == options("required", 2)).count();
    assert_eq!((right, after.instances.len()), (5, 5));
    assert_eq!(after.templates[&"lt-2".into()], before.templates[&"lt-2".into()]);
}

#[test]
fn cut_off_at_any_change_it_is_finished_without_doing_anything_twice() {
    let mut whole = Bench::new();
    let changes = whole.begin(&plan(), OPTIONS).unwrap().changes;
    for number in 1..=changes {
        for fate in [Fate::CutOffBefore, Fate::CutOffAfter] {
            let mut bench = Bench::new();
            bench.world().fate.set(Some((number, fate)));
            assert!(bench.begin(&plan(), OPTIONS).is_none());
            let applied = bench.resume(OPTIONS).unwrap();
            assert_eq!(applied.ending, Ending::Finished, "{number} {fate:?}: {:?}", applied.why);
            assert_eq!(leveled(&bench.state()), leveled(&whole.state()), "{number} {fate:?}");
            assert_eq!(*bench.world().done.borrow(), *whole.world().done.borrow(), "{number} {fate:?}");
        }
    }
}

#[test]
fn cut_off_at_any_line_of_the_journal_it_is_finished_all_the_same() {
    let mut whole = Bench::new();
    whole.begin(&plan(), OPTIONS).unwrap();
    let lines = whole.disk.bytes.borrow().split(|byte| *byte == b'\n').count() - 1;
    for line in 1..lines {
        let mut bench = Bench::new();
        bench.disk = Disk::new();
        let journal = Journal::begin(bench.disk.clone(), begin(&plan())).unwrap();
        bench.disk.lines_left.set(line - 1);
        let applied = bench.run(journal, &plan(), OPTIONS, std::future::pending()).unwrap();
        assert!(applied.unwritten.is_some(), "line {line}");
        let done = bench.world().done.borrow().len();
        let intents =
            bench.disk.bytes.borrow().windows(17).filter(|text| text == b"\"entry\":\"intent\",").count();
        assert_eq!(done, intents, "nothing is sent whose intent is not on the disk");
        bench.disk.lines_left.set(usize::MAX);
        let applied = bench.resume(OPTIONS).unwrap();
        assert_eq!(applied.ending, Ending::Finished, "line {line}: {:?}", applied.why);
        assert_eq!(*bench.world().done.borrow(), *whole.world().done.borrow(), "line {line}");
    }
}

#[test]
fn an_answer_that_is_lost_is_asked_for_and_nothing_is_sent_twice() {
    let mut whole = Bench::new();
    let changes = whole.begin(&plan(), OPTIONS).unwrap().changes;
    for number in 1..=changes {
        let mut bench = Bench::new();
        bench.world().fate.set(Some((number, Fate::AnswerLost)));
        let applied = bench.begin(&plan(), OPTIONS).unwrap();
        assert_eq!(applied.ending, Ending::Finished, "{number}: {:?}", applied.why);
        assert_eq!(*bench.world().done.borrow(), *whole.world().done.borrow(), "{number}");

        let mut bench = Bench::new();
        bench.world().fate.set(Some((number, Fate::RequestLost)));
        let applied = bench.begin(&plan(), OPTIONS).unwrap();
        assert_eq!(applied.ending, Ending::Stopped, "{number}");
        assert!(applied.why.unwrap().contains("AWS shows nothing of it so far"));
        assert_eq!(bench.resume(OPTIONS).unwrap().ending, Ending::Finished, "{number}");
        assert_eq!(*bench.world().done.borrow(), *whole.world().done.borrow(), "{number}");
    }
}

#[test]
fn rolled_back_from_any_point_it_is_as_it_was() {
    let before = Bench::new().state();
    let changes = Bench::new().begin(&plan(), OPTIONS).unwrap().changes;
    for number in 1..=changes + 1 {
        for fate in [Fate::CutOffBefore, Fate::CutOffAfter, Fate::Denied] {
            let mut bench = Bench::new();
            bench.world().fate.set(Some((number, fate)));
            bench.begin(&plan(), OPTIONS);
            let applied = bench.roll_back().unwrap();
            assert_eq!(applied.ending, Ending::Finished, "{number} {fate:?}: {:?}", applied.why);
            assert_eq!(leveled(&bench.state()), leveled(&before), "{number} {fate:?}");
        }
    }
}

#[test]
fn a_rollback_that_is_cut_off_is_finished_too() {
    let before = Bench::new().state();
    for number in 1..=8 {
        let mut bench = Bench::new();
        bench.begin(&plan(), OPTIONS);
        let undoing = undo(&bench.history(), at(5), "0.1.0");
        bench.world().on();
        bench.world().fate.set(Some((number, Fate::CutOffAfter)));
        assert!(bench.begin(&undoing.plan, OPTIONS).is_none(), "{number}");
        assert_eq!(bench.resume(OPTIONS).unwrap().ending, Ending::Finished, "{number}");
        assert_eq!(leveled(&bench.state()), leveled(&before), "{number}");
    }
}

#[test]
fn what_was_rolled_back_can_be_done_again() {
    let mut bench = Bench::new();
    bench.begin(&plan(), OPTIONS).unwrap();
    bench.roll_back().unwrap();
    // EC2 still knows the token of the version that was made first.
    let applied = bench.begin(&plan(), OPTIONS).unwrap();
    assert_eq!(applied.ending, Ending::Finished, "{:?}", applied.why);
    assert_eq!(bench.state().node_groups["blue/apps"].version, 4);
}

#[test]
fn ten_runs_make_one_version() {
    let mut bench = Bench::new();
    let mut only = plan();
    only.scopes[0].steps.retain(|step| step.id.0 == "make");
    only.scopes[0].steps[0].after.clear();
    for _ in 0..10 {
        assert_eq!(bench.begin(&only, OPTIONS).unwrap().ending, Ending::Finished);
    }
    assert_eq!(bench.world().done.borrow().len(), 1);
    assert!(
        matches!(bench.outcome("make"), Some(Outcome::Already { effect, .. }) if effect.version == Some(4))
    );
    bench.roll_back().unwrap();
    assert_eq!(bench.state().templates[&"lt-1".into()].versions.len(), 4, "it was made by another run");
}

/// Changes something between plan and apply, and says how that is refused.
fn refusal(step: &str, meddle: impl FnOnce(&mut State)) -> String {
    let mut bench = Bench::new();
    meddle(&mut bench.world().state.borrow_mut());
    let mut only = plan();
    only.scopes[0].steps.push(fleet::existing());
    only.scopes[0].steps.retain(|other| other.id.0 == step);
    only.scopes[0].steps.iter_mut().for_each(|step| step.after.clear());
    let applied = bench.begin(&only, OPTIONS).unwrap();
    assert_eq!((applied.ending, applied.changes), (Ending::Stopped, 0));
    assert_eq!(*bench.world().done.borrow(), [""; 0]);
    match bench.outcome(step) {
        Some(Outcome::Refused { why }) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_has_changed_since_the_plan_is_refused_with_what_changed() {
    let made = |state: &mut State| {
        let versions = &mut state.templates.get_mut(&"lt-1".into()).unwrap().versions;
        let mut new = versions[&3].clone();
        new.description = Some("by hand".to_owned());
        new.rest = world::Text("other".to_owned());
        versions.insert(4, new);
    };
    let why = refusal("make", made);
    assert_eq!(
        why,
        "the template has moved on: version 4 (\"by hand\") was made since its latest was version 3"
    );
    let default = |state: &mut State| state.templates.get_mut(&"lt-1".into()).unwrap().default = 3;
    assert_eq!(refusal("make", default), "its default version is 3, and was 1");
    let updating = |state: &mut State| {
        state.node_groups.get_mut("blue/apps").unwrap().status = "UPDATING".to_owned();
    };
    assert_eq!(refusal("existing", updating), "the node group is UPDATING");
    let moved = |state: &mut State| state.node_groups.get_mut("blue/apps").unwrap().version = 1;
    assert_eq!(refusal("existing", moved), "the node group is at version 1, and was at 2");
    let group = |state: &mut State| {
        let launch = state.groups.get_mut("web").unwrap();
        *launch = launch.with_versions(|_| VersionRef::Default);
    };
    assert_eq!(
        refusal("hold", group),
        "the group launches from version $Default of lt-1, and not from version $Latest of lt-1 any more"
    );
    let instance = |state: &mut State| {
        state.instances.insert("alone/0000".into(), options("optional", 3));
    };
    assert_eq!(
        refusal("instance", instance),
        "the instance has other options than it had: http_put_response_hop_limit is 3, and was 1"
    );
    let defaults = |state: &mut State| {
        state.defaults.metadata.set(OptionName::HttpPutResponseHopLimit, Some(OptionValue::Number(1)));
    };
    assert_eq!(
        refusal("defaults", defaults),
        "the defaults are not what they were: http_put_response_hop_limit is 1, and was not set"
    );
}

#[test]
fn a_version_that_differs_in_more_than_was_asked_for_is_used_by_nothing() {
    let mut bench = Bench::new();
    *bench.world().meddling.borrow_mut() = Some("without user data".to_owned());
    let applied = bench.begin(&plan(), OPTIONS).unwrap();
    assert_eq!(applied.ending, Ending::Stopped);
    assert!(applied.why.unwrap().contains("in more than was asked for: user_data; nothing uses it"));
    assert_eq!(*bench.world().done.borrow(), ["update web", "create a version of lt-1 from 3"]);
    bench.roll_back().unwrap();
    assert_eq!(leveled(&bench.state()), leveled(&Bench::new().state()));
}

#[test]
fn an_update_that_fails_ends_the_run_with_its_reason() {
    let mut bench = Bench::new();
    bench.world().rollouts_fail.set(true);
    let applied = bench.begin(&plan(), OPTIONS).unwrap();
    assert_eq!(applied.ending, Ending::Stopped);
    assert_eq!(applied.why.unwrap(), "update u-0: PodEvictionFailure: no (UpdateFailed)");
    assert!(!bench.world().done.borrow().iter().any(|done| done.starts_with("refresh")));
    // The next attempt is another update.
    bench.world().rollouts_fail.set(false);
    assert_eq!(bench.resume(OPTIONS).unwrap().ending, Ending::Finished);
    let updates = bench.world().done.borrow().iter().filter(|done| done.starts_with("update blue")).count();
    assert_eq!(updates, 2);
}

#[test]
fn a_refresh_that_rolls_back_is_a_failure_with_its_reason() {
    let mut bench = Bench::new();
    let mut without_node_group = plan();
    without_node_group.scopes[0].steps.retain(|step| step.id.0 != "nodes");
    bench.world().rollouts_fail.set(true);
    let applied = bench.begin(&without_node_group, OPTIONS).unwrap();
    let why = applied.why.unwrap();
    assert_eq!(
        why,
        "refresh r-0 of web is RollbackSuccessful: an instance was unhealthy (RefreshRollbackSuccessful)"
    );
    bench.world().rollouts_fail.set(false);
    bench.roll_back().unwrap();
    assert_eq!(leveled(&bench.state()), leveled(&Bench::new().state()));
}

#[test]
fn a_denied_change_leaves_the_truth_in_the_journal() {
    let mut bench = Bench::new();
    bench.world().fate.set(Some((3, Fate::Denied)));
    let applied = bench.begin(&plan(), OPTIONS).unwrap();
    assert_eq!((applied.ending, applied.changes), (Ending::Stopped, 3));
    let denied = Outcome::Failed {
        code: "UnauthorizedOperation".to_owned(),
        message: "ec2:InMemory: UnauthorizedOperation in memory".to_owned(),
        perhaps: false,
    };
    assert_eq!(bench.outcome("default"), Some(denied));
    assert_eq!(bench.outcome("nodes"), None);
}

#[test]
fn the_canary_stops_the_rest() {
    let canary = Options { canary: true, ..OPTIONS };
    let mut bench = Bench::new();
    bench.world().nodes_get.set(Some(options("optional", 1)));
    let applied = bench.begin(&plan(), canary).unwrap();
    let why = applied.why.unwrap();
    assert!(why.contains("http_tokens is optional, not required"), "{why}");
    assert!(!bench.world().done.borrow().iter().any(|done| done.starts_with("refresh")));
    // And it is looked at again before anything else.
    let applied = bench.resume(canary).unwrap();
    assert_eq!((applied.ending, applied.changes), (Ending::Stopped, 0));

    let mut bench = Bench::new();
    assert_eq!(bench.begin(&plan(), canary).unwrap().ending, Ending::Finished);
    assert!(bench.told.contains(&"canary: 2 nodes".to_owned()), "{:?}", bench.told);
}

#[test]
fn only_as_much_is_changed_as_is_allowed() {
    let most = |changes| Options { max_changes: Some(changes), ..OPTIONS };
    let mut bench = Bench::new();
    let applied = bench.begin(&plan(), most(3)).unwrap();
    assert_eq!((applied.ending, applied.changes), (Ending::Stopped, 3));
    assert_eq!(bench.world().done.borrow().len(), 3);
    assert_eq!(bench.resume(most(5)).unwrap().ending, Ending::Finished);
}

#[test]
fn clusters_are_updated_side_by_side_only_where_that_is_asked_for() {
    for (parallel, expected) in [(1, 1), (2, 2), (8, 2)] {
        let parallel_clusters = NonZeroUsize::new(parallel).unwrap();
        let mut bench = Bench::new();
        bench.begin(&plan(), Options { parallel_clusters, ..OPTIONS }).unwrap();
        assert_eq!(bench.world().most_at_once.get(), expected, "{parallel}");
    }
    // Two groups of one cluster are never updated at once.
    let mut bench = Bench::new();
    let mut one_cluster = plan();
    for step in &mut one_cluster.scopes[0].steps {
        if matches!(step.action, Action::RefreshInstances { .. }) {
            step.reach.clusters = vec!["blue".to_owned()];
        }
    }
    let parallel_clusters = NonZeroUsize::new(8).unwrap();
    bench.begin(&one_cluster, Options { parallel_clusters, ..OPTIONS }).unwrap();
    assert_eq!(bench.world().most_at_once.get(), 1);
}

#[test]
fn asked_to_stop_it_leaves_a_rollout_to_aws_and_finds_it_again() {
    let mut bench = Bench::new();
    let journal = Journal::begin(bench.disk.clone(), begin(&plan())).unwrap();
    let disk = bench.disk.clone();
    // As soon as the journal has the update.
    let stop = std::future::poll_fn(move |context| {
        let text = String::from_utf8_lossy(&disk.bytes.borrow()).into_owned();
        if text.contains("\"entry\":\"sent\"") && text.contains("\"update_id\":\"u-0\"") {
            return std::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    });
    let applied = bench.run(journal, &plan(), OPTIONS, stop).unwrap();
    assert_eq!(applied.ending, Ending::Interrupted);
    assert_eq!(bench.outcome("nodes"), None);
    assert_eq!(bench.resume(OPTIONS).unwrap().ending, Ending::Finished);
    let updates = bench.world().done.borrow().iter().filter(|done| done.starts_with("update blue")).count();
    assert_eq!(updates, 1);
}

#[test]
fn a_version_that_is_still_used_is_kept_and_the_rest_is_taken_back() {
    let mut bench = Bench::new();
    bench.begin(&plan(), OPTIONS).unwrap();
    bench.world().state.borrow_mut().node_groups.get_mut("green/apps").unwrap().template = "lt-1".into();
    bench.world().state.borrow_mut().node_groups.get_mut("green/apps").unwrap().version = 4;
    let applied = bench.roll_back().unwrap();
    assert_eq!(applied.ending, Ending::Finished);
    let why = match bench.outcome("undo-make") {
        Some(Outcome::Refused { why }) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(why, "version 4 is kept: it is used by node group green/apps (by 4)");
    assert_eq!(bench.state().templates[&"lt-1".into()].default, 1);
}
