//! Pages: sizes, and tokens that only the same question may use.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::ids;

/// A page of a list that is being asked for.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    size: usize,
    offset: usize,
    question: u64,
    empty: bool,
}

impl Page {
    /// The page that a token asks for, or the first; `None` where the token is not one of ours for this question.
    /// With `empty_first` the first page has nothing but a token.
    pub fn new(size: usize, token: Option<&str>, question: &str, empty_first: bool) -> Option<Self> {
        let question = ids::number(&[question]);
        let offset = match token {
            None => 0,
            Some(token) => offset_of(token, question)?,
        };
        Some(Self { size, offset, question, empty: empty_first && token.is_none() })
    }

    /// The items of this page, and the token for the next.
    pub fn of<'i, T>(&self, items: &'i [T]) -> (&'i [T], Option<String>) {
        if self.empty && !items.is_empty() {
            return (&[], Some(token_of(0, self.question)));
        }
        let start = self.offset.min(items.len());
        let end = start.saturating_add(self.size).min(items.len());
        let next = (end < items.len()).then(|| token_of(end, self.question));
        (&items[start..end], next)
    }
}

fn token_of(offset: usize, question: u64) -> String {
    let check = ids::number(&["token", &offset.to_string(), &question.to_string()]);
    URL_SAFE_NO_PAD.encode(format!("{question:016x}.{offset:x}.{check:016x}"))
}

fn offset_of(token: &str, question: u64) -> Option<usize> {
    let decoded = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let offset = usize::from_str_radix(decoded.split('.').nth(1)?, 16).ok()?;
    (token_of(offset, question) == token).then_some(offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_cover_everything_once_and_tokens_belong_to_their_question() {
        let items: Vec<u32> = (0..7).collect();
        let mut seen = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..10 {
            let page = Page::new(3, token.as_deref(), "q", true).unwrap();
            let (part, next) = page.of(&items);
            seen.extend_from_slice(part);
            token = next;
            if token.is_none() {
                break;
            }
            assert!(Page::new(3, token.as_deref(), "another", true).is_none());
        }
        assert_eq!(seen, items);
        assert!(Page::new(3, Some("made-up"), "q", false).is_none());
    }
}
