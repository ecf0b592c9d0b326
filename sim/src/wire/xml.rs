//! A writer of XML.

use std::convert::Infallible;
use std::fmt::{Display, Write as _};

/// XML as it is written. What is written once for many things has holes (`H`) where they differ.
#[derive(Debug)]
pub struct Xml<H = Infallible> {
    text: String,
    /// Where the holes are, and what belongs there.
    holes: Vec<(usize, H)>,
}

impl Default for Xml {
    fn default() -> Self {
        Self { text: String::new(), holes: Vec::new() }
    }
}

impl Xml {
    /// What has been written.
    pub fn into_string(self) -> String {
        self.text
    }

    /// Makes room for so many bytes more.
    pub fn reserve(&mut self, bytes: usize) {
        self.text.reserve(bytes);
    }

    /// What another writer has written.
    pub fn raw(&mut self, written: &str) {
        self.text.push_str(written);
    }

    /// An element with others inside; none where there is nothing inside.
    pub fn unless_empty(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
        let before = self.text.len();
        self.open(name);
        let opened = self.text.len();
        inside(self);
        if self.text.len() == opened {
            self.text.truncate(before);
        } else {
            self.close(name);
        }
    }

    /// Text that is written by hand, without anything that needs to be escaped.
    pub fn by_hand(&mut self, write: impl FnOnce(&mut String)) {
        write(&mut self.text);
    }

    /// What was written with holes, each hole filled by `fill`.
    pub fn filled<H: Copy>(&mut self, shape: &Xml<H>, mut fill: impl FnMut(&mut Self, H)) {
        let mut from = 0;
        for (at, hole) in &shape.holes {
            self.text.push_str(&shape.text[from..*at]);
            fill(self, *hole);
            from = *at;
        }
        self.text.push_str(&shape.text[from..]);
    }
}

impl<H> Xml<H> {
    /// How long what has been written is.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Nothing yet, for something with holes.
    pub fn shape() -> Self {
        Self { text: String::new(), holes: Vec::new() }
    }

    /// An element whose text is filled in later.
    pub fn hole(&mut self, name: &str, hole: H) {
        self.open(name);
        self.holes.push((self.text.len(), hole));
        self.close(name);
    }

    /// An element with others inside.
    pub fn element(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
        self.open(name);
        inside(self);
        self.close(name);
    }

    /// An element that says which namespace it is in.
    pub fn root(&mut self, name: &str, namespace: &str, inside: impl FnOnce(&mut Self)) {
        self.text.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<");
        self.text.push_str(name);
        self.text.push_str(" xmlns=\"");
        self.text.push_str(namespace);
        self.text.push_str("\">");
        inside(self);
        self.close(name);
    }

    /// An element with text.
    pub fn text(&mut self, name: &str, value: &str) {
        self.open(name);
        self.escape(value);
        self.close(name);
    }

    /// An element with a number, or true or false.
    pub fn value(&mut self, name: &str, value: impl Display) {
        self.open(name);
        // Writing to a String cannot fail.
        let _ = write!(self.text, "{value}");
        self.close(name);
    }

    /// An element with text, if there is any.
    pub fn optional(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    /// An element that holds a list; an empty list is an empty element.
    pub fn list<I: IntoIterator>(
        &mut self,
        name: &str,
        item: &str,
        items: I,
        mut each: impl FnMut(&mut Self, I::Item),
    ) {
        self.open(name);
        for one in items {
            self.open(item);
            each(self, one);
            self.close(item);
        }
        self.close(name);
    }

    /// Text inside the element that is open.
    pub fn plain(&mut self, text: &str) {
        self.escape(text);
    }

    /// A list of texts.
    pub fn texts<'t>(&mut self, name: &str, item: &str, texts: impl IntoIterator<Item = &'t String>) {
        self.list(name, item, texts, |xml, text| xml.escape(text));
    }

    fn open(&mut self, name: &str) {
        self.text.push('<');
        self.text.push_str(name);
        self.text.push('>');
    }

    fn close(&mut self, name: &str) {
        self.text.push_str("</");
        self.text.push_str(name);
        self.text.push('>');
    }

    /// Control characters become references. XML 1.0 has none for most of them: a strict reader refuses those,
    /// others take them, and a fleet that has them wants to see which.
    fn escape(&mut self, text: &str) {
        // Hardly any text needs it. The controls above 7F begin with C2 in UTF-8.
        let plain = |byte: u8| byte >= b' ' && !matches!(byte, b'&' | b'<' | b'>' | b'"' | 0x7f | 0xc2);
        if text.bytes().all(plain) {
            self.text.push_str(text);
            return;
        }
        for character in text.chars() {
            match character {
                '&' => self.text.push_str("&amp;"),
                '<' => self.text.push_str("&lt;"),
                '>' => self.text.push_str("&gt;"),
                '"' => self.text.push_str("&quot;"),
                control if control < ' ' || ('\u{7f}'..='\u{9f}').contains(&control) => {
                    let _ = write!(self.text, "&#x{:X};", u32::from(control));
                }
                plain => self.text.push(plain),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_filled_in_and_what_would_be_markup_is_escaped() {
        let mut shape = Xml::shape();
        shape.element("item", |xml| {
            xml.text("same", "a&b");
            xml.hole("own", 'x');
            xml.hole("own", 'y');
        });
        let mut xml = Xml::default();
        for value in ["<1>", "\u{85}é"] {
            xml.filled(&shape, |xml, hole| xml.plain(&format!("{hole}{value}")));
        }
        assert_eq!(
            xml.into_string(),
            "<item><same>a&amp;b</same><own>x&lt;1&gt;</own><own>y&lt;1&gt;</own></item>\
             <item><same>a&amp;b</same><own>x&#x85;é</own><own>y&#x85;é</own></item>"
        );
    }
}
