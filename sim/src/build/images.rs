//! Images of a Region: those the Region describes, and those of the fleet and of the catalogue that something uses.

use super::catalogue::{self, Published};
use super::{DAY, Outcome, RegionBuilder};
use crate::fleet::schema::{ImageSpec, RegionSpec};
use crate::ids;
use crate::world::{Image, ImageStatus, Tags};

/// An image that something names, and the text that a template would hold for it.
pub(super) struct ImageUse {
    pub id: String,
    /// The id, or `resolve:ssm:…`.
    pub text: String,
}

impl RegionBuilder<'_> {
    pub(super) fn add_images(&mut self, spec: &RegionSpec) -> Outcome<()> {
        for image in &spec.images {
            self.add_image(image)?;
        }
        Ok(())
    }

    fn add_image(&mut self, spec: &ImageSpec) -> Outcome<()> {
        let owner = spec.owner.clone().unwrap_or_else(|| self.account.id.clone());
        let own = owner == self.account.id;
        let id = ids::ec2("ami", &[&owner, self.name, &spec.name]);
        if self.image_keys.insert(spec.key.clone(), id.clone()).is_some() {
            return Err(self.problem(&format!("image {}", spec.key), "is described twice"));
        }
        let source_image = match &spec.source_image {
            Some(reference) => Some(self.image(reference)?.id),
            None => None,
        };
        let created = self.now - 30 * DAY - i64::try_from(ids::below(200, &[&id])).unwrap_or(0) * DAY;
        let image = Image {
            id: id.clone(),
            name: spec.name.clone(),
            owner,
            owner_alias: spec.owner_alias.clone(),
            imds_v2: spec.imds_v2,
            description: spec.description.clone(),
            tags: if own { spec.tags.clone() } else { Tags::new() },
            source: source_image,
            architecture: spec.architecture.clone(),
            windows: spec.windows,
            public: spec.public,
            status: spec.status,
            created,
            deprecated: (spec.status == ImageStatus::Deprecated).then_some(self.now - 7 * DAY),
        };
        self.region.images.insert(id, image);
        Ok(())
    }

    /// The image that a fleet names: one of its own, or one of the catalogue; `ssm:` before it makes it a parameter.
    pub(super) fn image(&mut self, reference: &str) -> Outcome<ImageUse> {
        let (parameter, key) = match reference.strip_prefix("ssm:") {
            Some(key) => (true, key),
            None => (false, reference),
        };
        let shared = self.shared_images;
        if !self.image_keys.contains_key(key)
            && let Some(spec) = shared.iter().find(|spec| spec.key == key)
        {
            self.add_image(spec)?;
        }
        if let Some(id) = self.image_keys.get(key) {
            let text = if parameter { format!("resolve:ssm:/golden-images/{key}") } else { id.clone() };
            return Ok(ImageUse { id: id.clone(), text });
        }
        let Some(published) = catalogue::published(key, self.name) else {
            return Err(self.problem(&format!("image {key}"), "is neither described nor in the catalogue"));
        };
        let name = published.parameter.clone().filter(|_| parameter);
        let id = self.add_published(published);
        let text = name.map_or_else(|| id.clone(), |name| format!("resolve:ssm:{name}"));
        Ok(ImageUse { id, text })
    }

    fn add_published(&mut self, image: Published) -> String {
        let image = published(image, self.name, self.now);
        let id = image.id.clone();
        self.region.images.entry(id.clone()).or_insert(image);
        id
    }
}

/// An image of the catalogue, as everyone in a Region sees it.
pub(super) fn published(published: Published, region: &str, now: i64) -> Image {
    let id = ids::ec2("ami", &[&published.owner, region, &published.name]);
    let created = published
        .date
        .parse::<jiff::civil::Date>()
        .ok()
        .and_then(|date| date.to_zoned(jiff::tz::TimeZone::UTC).ok())
        .map_or(now - 90 * DAY, |zoned| zoned.timestamp().as_second());
    let deprecated = created + 730 * DAY;
    Image {
        id,
        name: published.name,
        owner: published.owner,
        owner_alias: published.owner_alias.map(str::to_owned),
        imds_v2: published.imds_v2,
        description: Some(published.description),
        tags: Tags::new(),
        source: None,
        architecture: published.architecture.to_owned(),
        windows: published.windows,
        public: true,
        status: if deprecated < now { ImageStatus::Deprecated } else { ImageStatus::Available },
        created,
        deprecated: Some(deprecated),
    }
}
