//! What an Auto Scaling group launches from while steps are taken on it.

use super::{NamedVersion, Repoint, VersionChoice};
use crate::model::{GroupLaunch, TemplateId, TemplateRef, VersionRef};

/// What a group launches from by now: what it was seen to launch from, and what steps made of that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launching(GroupLaunch);

/// A reference that changes, with numbers in the place of choices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The template.
    pub template: TemplateId,
    /// What the group names.
    pub from: VersionRef,
    /// What it is to name.
    pub to: VersionRef,
}

impl NamedVersion {
    /// What a group names; nothing, where a version has no number yet.
    pub fn reference(&self, number: impl FnOnce(&VersionChoice) -> Option<i64>) -> Option<VersionRef> {
        match self {
            Self::Number(choice) => number(choice).map(VersionRef::Number),
            Self::Latest => Some(VersionRef::Latest),
            Self::Default => Some(VersionRef::Default),
        }
    }
}

impl From<VersionRef> for NamedVersion {
    fn from(reference: VersionRef) -> Self {
        match reference {
            VersionRef::Number(number) => Self::Number(VersionChoice::Existing(number)),
            VersionRef::Latest => Self::Latest,
            VersionRef::Default => Self::Default,
        }
    }
}

/// What a step changes of a group's references; nothing, where a version has no number yet.
pub fn moves(repoint: &[Repoint], number: impl Fn(&VersionChoice) -> Option<i64>) -> Option<Vec<Moved>> {
    let numbered = |one: &Repoint| {
        Some(Moved {
            template: one.template.clone(),
            from: one.from.reference(&number)?,
            to: one.to.reference(&number)?,
        })
    };
    repoint.iter().map(numbered).collect()
}

impl Launching {
    /// Before the first step.
    pub fn new(seen: &GroupLaunch) -> Self {
        Self(seen.clone())
    }

    /// Takes a step.
    pub fn take(&mut self, moves: &[Moved]) {
        self.0 = self.0.with_versions(|reference| {
            let mut about = moves.iter().filter(|one| one.is_about(reference));
            about.find(|one| one.from == reference.version).map_or(reference.version, |one| one.to)
        });
    }

    /// Whether a step makes one of references that differ, so that nobody can tell them apart again.
    pub fn blurs(&self, moves: &[Moved]) -> bool {
        let references = self.0.references();
        moves.iter().enumerate().any(|(at, one)| {
            let goes = |reference: &TemplateRef| {
                moves.iter().any(|one| one.is_about(reference) && one.from == reference.version)
            };
            let stays = references
                .iter()
                .any(|reference| one.is_about(reference) && reference.version == one.to && !goes(reference));
            let joins = moves[..at].iter().any(|other| other.template == one.template && other.to == one.to);
            stays || joins
        })
    }

    /// What it launches from now.
    pub const fn launch(&self) -> &GroupLaunch {
        &self.0
    }
}

impl Moved {
    /// Whether it is a reference to its template.
    pub fn is_about(&self, reference: &TemplateRef) -> bool {
        reference.id.as_ref() == Some(&self.template)
    }

    /// The way back.
    #[must_use]
    pub fn back(&self) -> Self {
        Self { template: self.template.clone(), from: self.to, to: self.from }
    }
}

impl From<Moved> for Repoint {
    fn from(moved: Moved) -> Self {
        Self { template: moved.template, from: moved.from.into(), to: moved.to.into() }
    }
}
