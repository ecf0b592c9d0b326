//! Leaves elements out of an XML document, and folds those that are alike.
//!
//! The document is only walked through, from tag to tag, for that has to cost a fraction of what parsing does: general
//! parsers were measured at five to eight times as long. In return it takes the plain XML that AWS writes and nothing
//! else. Comments, CDATA sections, processing instructions, prefixes, attributes below the root, tags that do not match,
//! an end that is missing: with any of these the document is left alone, for the SDK to make something of it.

use memchr::memchr;

use super::Keep;
use super::fold::Fold;

/// The document without the elements that are not kept, or nothing if it is not as plain as it has to be.
pub(super) fn pruned(document: &str, keep: Keep) -> Option<String> {
    let (root, start) = root(document)?;
    let mut walk = Walk {
        document,
        open: vec![Element { name: root, keep: Some(keep), inside: start }],
        kept: String::with_capacity(document.len() / 8),
        copied: 0,
        fold: Fold::default(),
    };
    let end = walk.through(start)?;
    document[end..].trim().is_empty().then(|| walk.finished())
}

/// The name of the root element, and where what is in it begins.
fn root(document: &str) -> Option<(&str, usize)> {
    let body = match document.strip_prefix("<?xml ") {
        Some(declaration) => declaration.split_once("?>")?.1.trim_start(),
        None => document,
    };
    let (tag, inside) = body.strip_prefix('<')?.split_once('>')?;
    let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
    // A quote that is open means that this was not the end of the tag; and one that ends in a slash has nothing in it.
    let is_plain = attributes.matches('"').count() % 2 == 0 && !attributes.contains(['\'', '<']);
    (is_name(name) && is_plain && !attributes.ends_with('/')).then(|| (name, document.len() - inside.len()))
}

/// An element that is open.
#[derive(Clone, Copy)]
struct Element<'a> {
    name: &'a str,
    /// Nothing, if it is being left out.
    keep: Option<Keep>,
    /// Where what is in it begins.
    inside: usize,
}

impl Element<'_> {
    /// What is kept of an element right below.
    fn keep_of(self, name: &str) -> Option<Keep> {
        match self.keep? {
            Keep::All => Some(Keep::All),
            Keep::Only(some) | Keep::Alike(_, some) => {
                some.iter().find(|(kept, _)| *kept == name).map(|(_, keep)| *keep)
            }
        }
    }
}

struct Walk<'a> {
    document: &'a str,
    /// The elements that the walk is in, from the root on.
    open: Vec<Element<'a>>,
    kept: String,
    /// Up to where the document has been copied or left out.
    copied: usize,
    fold: Fold,
}

impl<'a> Walk<'a> {
    /// Walks from here to the end of the root element, and says where that is.
    fn through(&mut self, mut here: usize) -> Option<usize> {
        while let Some(element) = self.open.last().copied() {
            let start = here + memchr(b'<', &self.document.as_bytes()[here..])?;
            let tag = &self.document[start + 1..];
            let tag = &tag[..memchr(b'>', tag.as_bytes())?];
            let end = start + tag.len() + 2;
            if let Some(name) = tag.strip_prefix('/') {
                if name != element.name {
                    return None;
                }
                self.open.pop();
                self.tell(element, start);
                self.leave(element, end);
            } else if let Some(name) = tag.strip_suffix('/') {
                let empty = self.enter(element, name, start, end)?;
                self.leave(empty, end);
            } else {
                let inner = self.enter(element, tag, start, end)?;
                self.open.push(inner);
            }
            here = end;
        }
        Some(here)
    }

    /// An element begins, inside another: where it is the first to be left out, what came before it is kept.
    fn enter(
        &mut self,
        outer: Element<'a>,
        name: &'a str,
        start: usize,
        inside: usize,
    ) -> Option<Element<'a>> {
        let keep = outer.keep_of(name);
        if outer.keep.is_some() && keep.is_none() {
            self.copy(start);
        }
        if let Some(Keep::Alike(..)) = keep {
            self.copy(start);
            self.fold.begin(&self.kept);
        }
        is_name(name).then_some(Element { name, keep, inside })
    }

    /// An element is about to end: one in whose text alone those around it may differ is where they are told apart.
    fn tell(&mut self, element: Element<'a>, end: usize) {
        if let Some(Element { keep: Some(Keep::Alike(key, _)), .. }) = self.open.last()
            && *key == element.name
        {
            self.copy(element.inside);
            let start = self.kept.len();
            self.copy(end);
            self.fold.tell(&self.kept, start);
        }
    }

    /// An element ends: one that is left out is as good as copied, and so is one that is like one before it.
    fn leave(&mut self, element: Element<'a>, end: usize) {
        match element.keep {
            None => self.copied = end,
            Some(Keep::Alike(..)) => {
                self.copy(end);
                self.fold.end(&mut self.kept);
            }
            Some(Keep::All | Keep::Only(_)) => {}
        }
    }

    /// Keeps the document up to here.
    fn copy(&mut self, here: usize) {
        self.kept.push_str(&self.document[self.copied..here]);
        self.copied = here;
    }

    fn finished(mut self) -> String {
        self.copy(self.document.len());
        self.fold.finished(self.kept)
    }
}

/// Whether this is all there is in a tag, and has no prefix: the SDK looks only at what follows one.
fn is_name(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    !text.is_empty() && text.bytes().all(is_part)
}
