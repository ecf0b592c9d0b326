//! Pages: sizes, and tokens that only the same question may use.

use std::cell::Cell;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::ids;

/// What became of the list that a request asks for. An operation without pages leaves it as it is.
#[derive(Debug, Default)]
pub struct Turn {
    number: Cell<u32>,
    more: Cell<bool>,
    endless: Cell<bool>,
}

impl Turn {
    /// Of a list whose every page has a token for itself.
    pub fn endless() -> Self {
        Self { endless: Cell::new(true), ..Self::default() }
    }

    /// The number of the page, from 1; `None` where the request asked for no list.
    pub fn number(&self) -> Option<u32> {
        Some(self.number.get()).filter(|number| *number > 0)
    }

    /// Did the request have a token?
    pub fn continues(&self) -> bool {
        self.number.get() > 1
    }

    /// Has the answer a token for another page?
    pub fn has_more(&self) -> bool {
        self.more.get()
    }
}

/// A page of a list that is being asked for.
#[derive(Debug, Clone, Copy)]
pub struct Page<'t> {
    size: usize,
    offset: usize,
    question: u64,
    empty: bool,
    turn: &'t Turn,
}

impl<'t> Page<'t> {
    /// The page that a token asks for, or the first; `None` where the token is not one of ours for this question.
    /// With `empty_first` the first page has nothing but a token.
    pub fn new(
        size: usize,
        token: Option<&str>,
        question: &str,
        empty_first: bool,
        turn: &'t Turn,
    ) -> Option<Self> {
        let question = ids::number(&[question]);
        let offset = match token {
            None => 0,
            Some(token) => offset_of(token, question)?,
        };
        // A token for the first items is what an empty page, or a list that never ends, has given.
        let number = offset / size.max(1) + 1 + usize::from(empty_first && token.is_some());
        let number = if token.is_some() { number.max(2) } else { 1 };
        turn.number.set(u32::try_from(number).unwrap_or(u32::MAX));
        Some(Self { size, offset, question, empty: empty_first && token.is_none(), turn })
    }

    /// The items of this page, and the token for the next.
    pub fn of<'i, T>(&self, items: &'i [T]) -> (&'i [T], Option<String>) {
        let (part, next) = self.part(items);
        let next = if self.turn.endless.get() { Some(self.offset) } else { next };
        self.turn.more.set(next.is_some());
        (part, next.map(|offset| token_of(offset, self.question)))
    }

    /// The items of this page, and where the next one begins.
    fn part<'i, T>(&self, items: &'i [T]) -> (&'i [T], Option<usize>) {
        if self.empty && !items.is_empty() {
            return (&[], Some(0));
        }
        let start = self.offset.min(items.len());
        let end = start.saturating_add(self.size).min(items.len());
        (&items[start..end], (end < items.len()).then_some(end))
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
        let mut numbers = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..10 {
            let turn = Turn::default();
            let page = Page::new(3, token.as_deref(), "q", true, &turn).unwrap();
            let (part, next) = page.of(&items);
            seen.extend_from_slice(part);
            numbers.push((turn.number().unwrap(), turn.continues(), turn.has_more()));
            token = next;
            if token.is_none() {
                break;
            }
            assert!(Page::new(3, token.as_deref(), "another", true, &turn).is_none());
        }
        assert_eq!(seen, items);
        assert_eq!(numbers, [(1, false, true), (2, true, true), (3, true, true), (4, true, false)]);
        assert!(Page::new(3, Some("made-up"), "q", false, &Turn::default()).is_none());
    }

    #[test]
    fn a_list_that_never_ends_gives_the_same_page_again() {
        let items: Vec<u32> = (0..7).collect();
        let turn = Turn::endless();
        let (first, token) = Page::new(3, None, "q", false, &turn).unwrap().of(&items);
        let (second, again) = Page::new(3, token.as_deref(), "q", false, &turn).unwrap().of(&items);
        assert_eq!((first, second, again), (&items[..3], &items[..3], token));
        assert!(turn.continues() && turn.has_more());
    }
}
