//! Makes one of elements that are alike.
//!
//! The instances of a group have the same image, type, options and tags: a thousand of them are as much to parse as
//! a thousand ids and one instance. Texts are compared, byte by byte, so that what becomes one could not have been
//! understood as two.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

/// Stands between the keys of elements that became one. It is for private use, and AWS uses it for nothing.
pub(in crate::aws) const BETWEEN: char = '\u{e000}';

/// What has been kept so far of elements that may be alike.
#[derive(Debug, Default)]
pub(super) struct Fold {
    /// Where the element begins that is being read.
    start: usize,
    /// Where its key is; empty if it has none that can be told from others.
    key: Range<usize>,
    kinds: Vec<Kind>,
    /// Kinds by a hash of their text.
    by_hash: HashMap<u64, Vec<usize>>,
}

/// Elements that are alike: where the first of them has been kept, and the keys of the others.
#[derive(Debug)]
struct Kind {
    element: Range<usize>,
    key: Range<usize>,
    others: String,
}

impl Kind {
    /// What has to be the same.
    fn text<'k>(&self, kept: &'k str) -> [&'k str; 2] {
        [&kept[self.element.start..self.key.start], &kept[self.key.end..self.element.end]]
    }
}

impl Fold {
    /// An element begins where what is kept ends.
    pub fn begin(&mut self, kept: &str) {
        self.start = kept.len();
        self.key = 0..0;
    }

    /// From here on what is kept is the key of the element. Of two the last counts, as it does to the SDK.
    pub fn tell(&mut self, kept: &str, start: usize) {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        self.key = if kept[start..].bytes().all(is_plain) { start..kept.len() } else { 0..0 };
    }

    /// The element ends where what is kept ends. If it is like one before it, only its key stays.
    pub fn end(&mut self, kept: &mut String) {
        if self.key.is_empty() {
            return;
        }
        let kind = Kind { element: self.start..kept.len(), key: self.key.clone(), others: String::new() };
        let text = kind.text(kept);
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let alike = self.by_hash.entry(hasher.finish()).or_default();
        if let Some(same) = alike.iter().copied().find(|other| self.kinds[*other].text(kept) == text) {
            let others = &mut self.kinds[same].others;
            others.push(BETWEEN);
            others.push_str(&kept[kind.key]);
            kept.truncate(kind.element.start);
        } else {
            alike.push(self.kinds.len());
            self.kinds.push(kind);
        }
    }

    /// What has been kept, with the keys of all in the first of each kind.
    pub fn finished(self, kept: String) -> String {
        let others: usize = self.kinds.iter().map(|kind| kind.others.len()).sum();
        if others == 0 {
            return kept;
        }
        let mut whole = String::with_capacity(kept.len() + others);
        let mut copied = 0;
        for kind in self.kinds {
            whole.push_str(&kept[copied..kind.key.end]);
            whole.push_str(&kind.others);
            copied = kind.key.end;
        }
        whole.push_str(&kept[copied..]);
        whole
    }
}
