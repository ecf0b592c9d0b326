//! Filters: every filter must match, with any of its values.

use std::borrow::Cow;
use std::fmt::Display;

use super::error::ApiError;
use crate::world::Tags;

/// A filter of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// What to look at.
    pub name: String,
    /// What it may be.
    pub values: Vec<String>,
}

/// What an item has under a filter's name; nothing where it does not have it.
pub type Values<'a> = Vec<Cow<'a, str>>;

/// Refuses names that the operation does not have.
pub fn known(filters: &[Filter], names: &[&str]) -> Result<(), ApiError> {
    for filter in filters {
        let tag = filter.name.starts_with("tag:") && names.contains(&"tag:");
        if !tag && !names.contains(&filter.name.as_str()) {
            return Err(ApiError::bad(
                "InvalidParameterValue",
                format!("The filter '{}' is invalid", filter.name),
            ));
        }
    }
    Ok(())
}

/// Do all filters match? Values may hold `*` and `?`, as EC2's may; a backslash makes them plain.
pub fn matches<'f, 'a>(
    filters: impl IntoIterator<Item = &'f Filter>,
    values: impl Fn(&str) -> Values<'a>,
) -> bool {
    filters.into_iter().all(|filter| {
        let has = values(&filter.name);
        has.iter().any(|value| filter.values.iter().any(|pattern| like(pattern, value)))
    })
}

/// What tags have under `tag-key`, `tag-value` and `tag:KEY`; none of these is `None`.
pub fn of_tags<'a>(tags: &'a Tags, name: &str) -> Option<Values<'a>> {
    match name {
        "tag-key" => Some(tags.keys().map(|key| Cow::Borrowed(key.as_str())).collect()),
        "tag-value" => Some(tags.values().map(|value| Cow::Borrowed(value.as_str())).collect()),
        _ => {
            let key = name.strip_prefix("tag:")?;
            Some(tags.get(key).map(|value| Cow::Borrowed(value.as_str())).into_iter().collect())
        }
    }
}

/// One value, if there is one.
pub fn one<'a>(value: impl Into<Option<&'a str>>) -> Values<'a> {
    value.into().map(Cow::Borrowed).into_iter().collect()
}

/// One value that has to be written down first.
pub fn made<'a>(value: impl Display) -> Values<'a> {
    vec![Cow::Owned(format!("{value}"))]
}

/// Does a pattern with `*`, `?` and backslashes match?
pub fn like(pattern: &str, text: &str) -> bool {
    if !pattern.contains(['*', '?', '\\']) {
        return pattern == text;
    }
    let pattern: Vec<Part> = parts(pattern);
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut here) = (0, 0);
    // The last star, and where in the text it stopped: on a mismatch it swallows one character more.
    let mut star: Option<(usize, usize)> = None;
    while here < text.len() {
        match pattern.get(at) {
            Some(Part::Star) => {
                star = Some((at, here));
                at += 1;
            }
            Some(Part::Any) => {
                at += 1;
                here += 1;
            }
            Some(Part::Plain(plain)) if *plain == text[here] => {
                at += 1;
                here += 1;
            }
            _ => match star {
                Some((position, swallowed)) => {
                    star = Some((position, swallowed + 1));
                    at = position + 1;
                    here = swallowed + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|part| matches!(part, Part::Star))
}

enum Part {
    Star,
    Any,
    Plain(char),
}

fn parts(pattern: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        parts.push(match character {
            '*' => Part::Star,
            '?' => Part::Any,
            '\\' => Part::Plain(characters.next().unwrap_or('\\')),
            plain => Part::Plain(plain),
        });
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_work_as_in_ec2() {
        assert!(like("kubernetes.io/cluster/*", "kubernetes.io/cluster/web"));
        assert!(like("*a*b?", "xaxxbc"));
        assert!(!like("*a*b?", "xaxxb"));
        assert!(like("literal\\*", "literal*"));
        assert!(!like("literal\\*", "literally"));
        assert!(!like("Case", "case"));
    }
}
