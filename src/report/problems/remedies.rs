//! What to do about a problem.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::is_node;
use crate::finding::{Finding, FixKind};

/// How many nodes that are each their own target are kept by name. A fix of thousands of instances is told by its number.
const NAMED: usize = 2;

/// A kind of fix with all that it is done to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remedy<'a> {
    /// What is done.
    pub kind: FixKind,
    /// What it is done to: id, and name where it has one beside its id. Each once; of nodes, only the first.
    pub targets: Vec<(&'a str, Option<&'a str>)>,
    /// How many targets there are.
    pub all: u64,
    /// Whether imdsctl may do it to all of them.
    pub automatic: bool,
    /// What to know about it, each once.
    pub notes: Vec<&'a str>,
}

/// Where something is said first: by groups before nodes, by the finding's place in the report, by its place in the
/// finding. The fixes of a group are the whole way, an instance's may be only what is left of it.
pub(super) type Position = (bool, u64, usize);

/// Text with where it is said first.
pub(super) type Said = HashMap<String, Position>;

/// Takes note of a text.
pub(super) fn say(said: &mut Said, text: &str, position: Position) {
    if let Some(first) = said.get_mut(text) {
        *first = position.min(*first);
    } else {
        said.insert(text.to_owned(), position);
    }
}

/// The texts in the order in which they are said.
pub(super) fn in_order(said: &Said) -> Vec<&str> {
    let mut texts: Vec<_> = said.iter().collect();
    texts.sort_by_key(|(_, position)| **position);
    texts.into_iter().map(|(text, _)| text.as_str()).collect()
}

/// All fixes by their kind.
#[derive(Clone, Debug, Default)]
pub(super) struct Remedies(HashMap<FixKind, Steps>);

#[derive(Clone, Debug)]
struct Steps {
    first: Position,
    automatic: bool,
    targets: HashMap<String, (Position, Option<String>)>,
    own: Own,
    notes: Said,
}

/// Nodes that are each their own target. There may be as many as findings, so only the first are kept.
#[derive(Clone, Debug, Default)]
struct Own {
    count: u64,
    /// The same for the same nodes, in whatever order.
    sum: u64,
    first: Vec<(Position, String, Option<String>)>,
}

impl Own {
    fn add(&mut self, position: Position, target: &str, name: Option<&str>) {
        let mut hasher = DefaultHasher::new();
        (target, name).hash(&mut hasher);
        self.sum = self.sum.wrapping_add(hasher.finish());
        self.count += 1;
        if self.first.len() < NAMED || self.first.last().is_some_and(|(last, ..)| position < *last) {
            self.keep((position, target.to_owned(), name.map(str::to_owned)));
        }
    }

    fn keep(&mut self, node: (Position, String, Option<String>)) {
        self.first.push(node);
        self.first.sort();
        self.first.truncate(NAMED);
    }

    fn absorb(&mut self, other: Self) {
        self.count += other.count;
        self.sum = self.sum.wrapping_add(other.sum);
        other.first.into_iter().for_each(|node| self.keep(node));
    }
}

impl Remedies {
    /// Adds the fixes of a finding, which stands in this place of the report.
    pub fn add(&mut self, finding: &Finding, at: u64) {
        let node = is_node(finding);
        for (step, fix) in finding.fixes.iter().enumerate() {
            let position = (node, at, step);
            let steps = self.0.entry(fix.kind).or_insert_with(|| Steps {
                first: position,
                automatic: true,
                targets: HashMap::new(),
                own: Own::default(),
                notes: Said::new(),
            });
            steps.first = steps.first.min(position);
            steps.automatic &= fix.automatic;
            let name = fix.target_name.as_deref();
            match fix.target.as_deref() {
                Some(target) if node && target == finding.resource.id => {
                    steps.own.add(position, target, name);
                }
                Some(target) => steps.add(position, target, name),
                None => {}
            }
            if let Some(note) = &fix.note {
                say(&mut steps.notes, note, position);
            }
        }
    }

    pub fn absorb(&mut self, others: Self) {
        for (kind, other) in others.0 {
            let Some(steps) = self.0.get_mut(&kind) else {
                self.0.insert(kind, other);
                continue;
            };
            steps.first = steps.first.min(other.first);
            steps.automatic &= other.automatic;
            for (target, (position, name)) in &other.targets {
                steps.add(*position, target, name.as_deref());
            }
            steps.own.absorb(other.own);
            for (note, position) in &other.notes {
                say(&mut steps.notes, note, *position);
            }
        }
    }

    /// In order, each kind once.
    pub fn in_order(&self) -> Vec<Remedy<'_>> {
        let mut steps: Vec<_> = self.0.iter().collect();
        steps.sort_by_key(|(kind, steps)| (turn(**kind), steps.first));
        steps.into_iter().map(|(kind, steps)| steps.remedy(*kind)).collect()
    }

    /// The name of what a fix changes, by its id.
    pub fn target_name(&self, id: &str) -> Option<&str> {
        let targets = self.0.values().filter_map(|steps| steps.targets.get(id));
        targets.min_by_key(|(position, _)| *position).and_then(|(_, name)| name.as_deref())
    }

    /// Whether the same is done, in the same order.
    pub fn are_those_of(&self, other: &Self) -> bool {
        let (mine, others) = (self.in_order(), other.in_order());
        mine.len() == others.len()
            && mine.iter().zip(&others).all(|(one, other)| {
                (one.kind, one.automatic, one.all, &one.targets)
                    == (other.kind, other.automatic, other.all, &other.targets)
            })
            && self
                .0
                .iter()
                .all(|(kind, steps)| other.0.get(kind).is_some_and(|others| steps.own.sum == others.own.sum))
    }
}

/// When a kind of fix has its turn. Of different groups one may need what another does not, and be said first.
const fn turn(kind: FixKind) -> u8 {
    match kind {
        FixKind::PatchLaunchTemplate | FixKind::EditIac => 0,
        FixKind::SetDefaultVersion => 1,
        FixKind::UpdateNodeGroup | FixKind::UpdateAutoScalingGroup => 2,
        FixKind::RefreshInstances => 3,
        _ => 4,
    }
}

impl Steps {
    fn add(&mut self, position: Position, target: &str, name: Option<&str>) {
        match self.targets.get_mut(target) {
            Some(known) if known.0 <= position => {}
            Some(known) => *known = (position, name.map(str::to_owned)),
            None => {
                self.targets.insert(target.to_owned(), (position, name.map(str::to_owned)));
            }
        }
    }

    fn remedy(&self, kind: FixKind) -> Remedy<'_> {
        let of_groups = self.targets.iter().map(|(id, (at, name))| (*at, id.as_str(), name.as_deref()));
        let own = self.own.first.iter().map(|(at, id, name)| (*at, id.as_str(), name.as_deref()));
        let mut targets: Vec<_> = of_groups.chain(own).collect();
        targets.sort_unstable();
        Remedy {
            kind,
            targets: targets.into_iter().map(|(_, id, name)| (id, name)).collect(),
            all: self.targets.len() as u64 + self.own.count,
            automatic: self.automatic,
            notes: in_order(&self.notes),
        }
    }
}
