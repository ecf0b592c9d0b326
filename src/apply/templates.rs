//! Launch templates: a version that differs from its source only in its metadata options, the default, and a version
//! that goes away again.

use super::changes::{Answer, At, Found, Look, Progress, gone};
use super::cloud::{Cloud, Comparable, Version};
use crate::aws::{CallError, ErrorKind, NewVersion, TemplateNow};
use crate::journal::{Effect, Medium};
use crate::model::{MetadataOptions, TemplateId};
use crate::plan::{Action, StepId, TemplateSeen, VersionChoice};

/// How often a version that EC2 says it has made is looked for before it is taken for deleted.
const LOOKS: u32 = 4;

/// The members of [`Action::CreateTemplateVersion`].
struct Creation<'a> {
    template: &'a TemplateId,
    source: i64,
    metadata: &'a MetadataOptions,
    seen: &'a TemplateSeen,
    description: &'a str,
    may_create: bool,
}

impl<'a, C: Cloud, M: Medium> At<'_, 'a, C, M> {
    fn creation(&self) -> Option<Creation<'a>> {
        match &self.step.action {
            Action::CreateTemplateVersion {
                template,
                source,
                metadata,
                seen,
                description,
                may_create,
                ..
            } => {
                let (source, may_create) = (*source, *may_create);
                Some(Creation { template, source, metadata, seen, description, may_create })
            }
            _ => None,
        }
    }

    pub(super) async fn look_at_template(&self) -> Result<Look, CallError> {
        let Some(Creation { template, source, metadata, seen, may_create, .. }) = self.creation() else {
            return Ok(Look::Due);
        };
        let now = match self.cloud.template(template).await {
            Ok(now) => now,
            Err(error) => return gone(error, || format!("launch template {template} is gone")),
        };
        let from = match self.cloud.version(template, source).await {
            Ok(from) => from,
            Err(error) => return gone(error, || format!("version {source}, which it is made from, is gone")),
        };
        if from.metadata != seen.source_metadata {
            return Ok(Look::Refused(format!("version {source} has other metadata options than were seen")));
        }
        let later = self.cloud.versions_since(template, source).await?;
        if let Some(same) = later.iter().rfind(|version| is_patched(version, &from, metadata)) {
            let why = format!("version {} is version {source} with these options already", same.number);
            return Ok(Look::Already(Effect::version(same.number), why));
        }
        if !may_create {
            return Ok(Look::Refused(format!(
                "no later version is version {source} with these options, and an infrastructure tool owns the template"
            )));
        }
        Ok(match self.moved_on(template, seen, &now, &later) {
            Some(why) => Look::Refused(why),
            None => Look::Due,
        })
    }

    /// What somebody else has changed of a template.
    fn moved_on(
        &self,
        template: &TemplateId,
        seen: &TemplateSeen,
        now: &TemplateNow,
        later: &[Version<C::Rest>],
    ) -> Option<String> {
        let made = self.context.made(self.scope, template);
        let new = later.iter().filter(|version| version.number > seen.latest);
        let new: Vec<_> = new.filter(|version| !made.contains(&version.number)).collect();
        if !new.is_empty() {
            let told = |version: &&Version<C::Rest>| match &version.description {
                Some(description) => format!("version {} ({description:?})", version.number),
                None => format!("version {}", version.number),
            };
            let told: Vec<_> = new.iter().map(told).collect();
            return Some(format!(
                "the template has moved on: {} was made since its latest was version {}",
                told.join(" and "),
                seen.latest
            ));
        }
        let latest = made.iter().copied().fold(seen.latest, i64::max);
        if now.latest_version != latest {
            return Some(format!("its latest version is {}, and was {latest}", now.latest_version));
        }
        let default = self.default_by_now(template).unwrap_or(seen.default);
        (now.default_version != default)
            .then(|| format!("its default version is {}, and was {default}", now.default_version))
    }

    /// The default that was set under this journal.
    fn default_by_now(&self, template: &TemplateId) -> Option<i64> {
        let steps = self.context.plan.steps().filter(|(scope, _)| *scope == self.scope);
        let set = steps.filter_map(|(_, step)| match &step.action {
            Action::SetDefaultVersion { template: of, to, .. }
                if of == template && self.context.is_done(&step.id) =>
            {
                self.context.number(to)
            }
            _ => None,
        });
        set.last()
    }

    pub(super) async fn create_version(&self, token: &str) -> Result<Answer, CallError> {
        let Some(creation) = self.creation() else { return Ok(Effect::default().into()) };
        let new = |client_token: String| NewVersion {
            template: creation.template.clone(),
            source: creation.source,
            metadata: *creation.metadata,
            description: creation.description.to_owned(),
            client_token,
        };
        let mut created = self.cloud.create_version(&new(token.to_owned())).await?;
        // EC2 answers a token that it knows with the version of then, though it be deleted by now: after a rollback.
        if !self.appears(creation.template, created.number).await? {
            let again = format!("{token}-after-{}", created.number);
            created = self.cloud.create_version(&new(again)).await?;
        }
        Ok(Answer { effect: Effect::version(created.number), warnings: created.warnings })
    }

    /// Whether a version is there, or soon is.
    async fn appears(&self, template: &TemplateId, number: i64) -> Result<bool, CallError> {
        for look in 1..=LOOKS {
            match self.cloud.version(template, number).await {
                Ok(_) => return Ok(true),
                Err(error) if error.kind == ErrorKind::NotFound && look < LOOKS => {
                    self.context.stopping.pause(self.context.options.poll / 4).await;
                }
                Err(error) if error.kind == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    pub(super) async fn find_version(&self) -> Result<Found, CallError> {
        let Some(Creation { template, source, metadata, seen, description, .. }) = self.creation() else {
            return Ok(Found::Nothing);
        };
        let from = self.cloud.version(template, source).await?;
        let others = self.made_by_others(template);
        let later = self.cloud.versions_since(template, seen.latest).await?;
        let ours = later.iter().find(|version| {
            let said = version.description.as_deref() == Some(description);
            said && !others.contains(&version.number) && is_patched(version, &from, metadata)
        });
        Ok(ours.map_or(Found::Nothing, |version| Found::Sent(Effect::version(version.number))))
    }

    /// The versions that other steps of the plan have made or found.
    fn made_by_others(&self, template: &TemplateId) -> Vec<i64> {
        let steps = self.context.plan.steps().filter(|(scope, _)| *scope == self.scope);
        let others: Vec<StepId> = steps
            .filter(|(_, step)| step.id != self.step.id)
            .filter(|(_, step)| {
                matches!(&step.action, Action::CreateTemplateVersion { template: of, .. } if of == template)
            })
            .map(|(_, step)| step.id.clone())
            .collect();
        others.into_iter().filter_map(|id| self.context.number(&VersionChoice::MadeBy(id))).collect()
    }

    pub(super) async fn check_version(&self, effect: &Effect) -> Result<Progress, CallError> {
        let (Some(creation), Some(number)) = (self.creation(), effect.version) else {
            return Ok(Progress::failed("NoVersion", "EC2 named no version"));
        };
        let Creation { template, source, metadata, .. } = creation;
        let made = match self.cloud.version(template, number).await {
            Err(error) if error.kind == ErrorKind::NotFound => {
                return Ok(Progress::NotYet(format!("version {number} is not to be seen yet")));
            }
            made => made?,
        };
        let from = self.cloud.version(template, source).await?;
        let mut differs = made.rest.differences(&from.rest);
        if made.metadata != *metadata {
            differs.insert(0, "metadata options that were not asked for".to_owned());
        }
        if differs.is_empty() {
            return Ok(Progress::Done);
        }
        let message = format!(
            "version {number} differs from version {source} in more than was asked for: {}; nothing uses it",
            differs.join(", ")
        );
        Ok(Progress::failed("VersionDiffers", message))
    }

    pub(super) async fn look_at_default(
        &self,
        template: &TemplateId,
        from: i64,
        to: &VersionChoice,
    ) -> Result<Look, CallError> {
        let Some(to) = self.context.number(to) else {
            return Ok(Look::Refused("the version that it is to be was not made".to_owned()));
        };
        let now = match self.cloud.template(template).await {
            Ok(now) => now,
            Err(error) => return gone(error, || format!("launch template {template} is gone")),
        };
        if now.default_version == to {
            return Ok(Look::Already(Effect::version(to), format!("version {to} is the default already")));
        }
        if now.default_version != from {
            let now = now.default_version;
            return Ok(Look::Refused(format!("its default version is {now}, and was {from}")));
        }
        match self.cloud.version(template, to).await {
            Ok(_) => Ok(Look::Due),
            Err(error) => gone(error, || format!("version {to} is gone")),
        }
    }

    pub(super) async fn set_default(
        &self,
        template: &TemplateId,
        to: &VersionChoice,
    ) -> Result<Answer, CallError> {
        let number = self.context.number(to).unwrap_or_default();
        self.cloud.set_default(template, number).await.map(|()| Effect::version(number).into())
    }

    pub(super) async fn look_at_made(
        &self,
        template: &TemplateId,
        number: i64,
        metadata: &MetadataOptions,
    ) -> Result<Look, CallError> {
        let already = |why| Look::Already(Effect::version(number), why);
        let (now, version) =
            match (self.cloud.template(template).await, self.cloud.version(template, number).await) {
                (Err(error), _) if error.kind == ErrorKind::NotFound => {
                    return Ok(already(format!("launch template {template} is gone")));
                }
                (Ok(_), Err(error)) if error.kind == ErrorKind::NotFound => {
                    return Ok(already(format!("version {number} is gone already")));
                }
                (now, version) => (now?, version?),
            };
        if version.metadata != *metadata {
            return Ok(Look::Refused(format!(
                "version {number} is kept: it has other options than were made"
            )));
        }
        if now.default_version == number {
            return Ok(Look::Refused(format!("version {number} is kept: it is the template's default")));
        }
        let uses = self.cloud.uses_of(template, number).await?;
        if uses.is_empty() {
            return Ok(Look::Due);
        }
        let told: Vec<_> = uses.iter().map(|one| format!("{} (by {})", one.user, one.by)).collect();
        Ok(Look::Refused(format!("version {number} is kept: it is used by {}", told.join(", "))))
    }
}

/// Whether a version is another with these metadata options, and nothing else.
fn is_patched<R: Comparable>(version: &Version<R>, from: &Version<R>, metadata: &MetadataOptions) -> bool {
    version.metadata == *metadata && version.rest.differences(&from.rest).is_empty()
}
