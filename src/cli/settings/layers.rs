//! The layers of settings, and which of them counts for a command.

use clap::{Arg, Command, Id};

use super::key::{self, Shape, Use, use_of};
use super::{Error, Note, Problem, Setting, file, files, variables, wrong};

/// What flags make pointless although both may be typed: `--demo` is another world than the one that settings are about,
/// and a trial must not replace the reports of that; a part of the organization is asked for instead of the whole; tags
/// are those of a file of accounts; what is said of the whole is not said of a part; and whoever looks at the file of a
/// report does not import it. The names are those that clap knows flags and their groups by.
const SETS_ASIDE: &[(&str, &[&str])] = &[
    ("demo", &["Where", "outputs", "Delivery", "Against"]),
    ("org_units", &["org", "tags"]),
    ("org", &["tags"]),
    ("shard", &["security_hub"]),
    ("file", &["security_hub"]),
];

/// All that is set, from the layer that counts most.
#[derive(Debug, Default)]
pub struct Layers {
    layers: Vec<Vec<Setting>>,
    notes: Vec<Note>,
}

/// The setting of a flag that counts.
#[derive(Debug)]
pub struct Chosen<'a> {
    /// The flag, as clap calls it.
    pub id: Id,
    /// Whether it is a flag of every command.
    pub global: bool,
    /// What is set.
    pub setting: &'a Setting,
}

impl Chosen<'_> {
    /// The values as they would be typed.
    pub fn texts(&self) -> Vec<String> {
        self.setting.values.iter().map(|value| value.text.clone()).collect()
    }
}

impl Layers {
    /// Reads all layers. All that is wrong with any of them is told at once.
    pub fn read(root: &Command) -> Result<Self, Error> {
        let mut this = Self::default();
        let mut problems = Vec::new();
        match variables::parse(std::env::vars_os(), root) {
            Ok((settings, notes)) => {
                this.notes.extend(notes);
                this.add(&settings);
            }
            Err(found) => problems.extend(found),
        }
        for (path, name) in files(|name| std::env::var_os(name)) {
            let Some(text) = file::read(&path).map_err(Error::usage)? else { continue };
            match file::parse(&name, &text, root) {
                Ok(settings) => this.add(&settings),
                Err(found) => problems.extend(found),
            }
            this.notes.push(Note::Read(name));
        }
        if problems.is_empty() { Ok(this) } else { Err(wrong(problems)) }
    }

    /// Adds a layer beneath those there are. Within it, what is for one command counts more than what is for all.
    pub fn add(&mut self, settings: &[Setting]) {
        let deepest = settings.iter().map(|setting| setting.section.len()).max().unwrap_or(0);
        for depth in (0..=deepest).rev() {
            let of_depth = settings.iter().filter(|setting| setting.section.len() == depth);
            self.layers.push(of_depth.cloned().collect());
        }
    }

    /// What there is to say of how they were found.
    pub fn into_notes(self) -> Vec<Note> {
        self.notes
    }

    /// The settings that count for a command where these flags were typed. A higher layer wins, and takes what its flags
    /// do not go together with out of the lower ones. What is for several commands is passed over by one that does not
    /// take it: `output = "csv=fleet.csv"` is for those that can write it.
    pub fn choose<'a>(
        &'a self,
        command: &Command,
        path: &[String],
        typed: &[Id],
    ) -> Result<Vec<Chosen<'a>>, Vec<Problem>> {
        let mut chosen: Vec<Chosen<'_>> = Vec::new();
        let mut problems = Vec::new();
        // What is on in the layers above.
        let mut above: Vec<Id> = typed.to_vec();
        for layer in &self.layers {
            let of_layer = of_command(layer, command, path)
                .filter(|(arg, _)| !typed.contains(arg.get_id()))
                .filter(|(arg, _)| chosen.iter().all(|higher| higher.id != *arg.get_id()))
                .filter(|(arg, setting)| setting.section == path || refusals(arg, setting).is_empty())
                .filter(|(arg, _)| {
                    above
                        .iter()
                        .all(|other| !conflict(command, arg, other) && !sets_aside(command, other, arg))
                })
                .collect::<Vec<_>>();
            problems.extend(of_layer.iter().flat_map(|(arg, setting)| refusals(arg, setting)));
            problems.extend(contradictions(command, &of_layer));
            above.extend(
                of_layer
                    .iter()
                    .filter(|(arg, setting)| is_on(arg, setting))
                    .map(|(arg, _)| arg.get_id().clone()),
            );
            chosen.extend(of_layer.into_iter().map(|(arg, setting)| Chosen {
                id: arg.get_id().clone(),
                global: arg.is_global_set(),
                setting,
            }));
        }
        if problems.is_empty() { Ok(chosen) } else { Err(problems) }
    }
}

/// What a layer sets of the flags of a command.
fn of_command<'a, 'b>(
    layer: &'a [Setting],
    command: &'b Command,
    path: &'b [String],
) -> impl Iterator<Item = (&'b Arg, &'a Setting)> {
    layer.iter().filter(|setting| path.starts_with(&setting.section)).filter_map(|setting| {
        let has = |arg: &&Arg| arg.get_long() == Some(&setting.key) && matches!(use_of(arg), Use::Set(_));
        Some((command.get_arguments().find(has)?, setting))
    })
}

/// The values that another command takes and this one does not.
fn refusals(arg: &Arg, setting: &Setting) -> Vec<Problem> {
    let refusal = |value: &super::Value| {
        let refusal = key::refusal(arg, &setting.key, &value.text)?;
        Some(Problem::new(&value.place, refusal))
    };
    setting.values.iter().filter_map(refusal).collect()
}

/// Settings of one layer that do not go together.
fn contradictions(command: &Command, layer: &[(&Arg, &Setting)]) -> Vec<Problem> {
    let on: Vec<_> = layer.iter().filter(|(arg, setting)| is_on(arg, setting)).collect();
    let mut problems = Vec::new();
    for (index, (arg, setting)) in on.iter().enumerate() {
        for (other, with) in &on[..index] {
            if conflict(command, arg, other.get_id()) {
                let message = format!("{} and {} cannot both be set", setting.key, with.key);
                problems.push(Problem::new(&setting.place, message));
            }
        }
    }
    problems
}

/// Whether it does something: a switch that is off and an empty list go together with everything.
fn is_on(arg: &Arg, setting: &Setting) -> bool {
    setting.values.iter().any(|value| match use_of(arg) {
        Use::Set(Shape::Switch) => value.text != "false",
        Use::Set(Shape::Count) => value.text != "0",
        _ => true,
    })
}

/// Whether two flags do not go together.
fn conflict(command: &Command, one: &Arg, other: &Id) -> bool {
    let names = |arg: &Arg, id: &Id| {
        command.get_arg_conflicts_with(arg).iter().any(|conflict| conflict.get_id() == id)
    };
    let other_arg = command.get_arguments().find(|arg| arg.get_id() == other);
    names(one, other) || other_arg.is_some_and(|other| names(other, one.get_id()))
}

/// Whether a flag makes a setting pointless.
fn sets_aside(command: &Command, flag: &Id, arg: &Arg) -> bool {
    SETS_ASIDE.iter().any(|(name, aside)| flag == name && aside.iter().any(|it| is_in(command, arg, it)))
}

/// Whether a flag is this one, or of this group.
fn is_in(command: &Command, arg: &Arg, name: &str) -> bool {
    let of_group =
        |group: &clap::ArgGroup| group.get_id() == name && group.get_args().any(|id| id == arg.get_id());
    arg.get_id() == name || command.get_groups().any(of_group)
}
