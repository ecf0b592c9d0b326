//! A writer of XML.

use std::fmt::{Display, Write as _};

/// XML as it is written.
#[derive(Debug, Default)]
pub struct Xml {
    text: String,
}

impl Xml {
    /// What has been written.
    pub fn into_string(self) -> String {
        self.text
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

    /// What another writer has written.
    pub fn raw(&mut self, written: &str) {
        self.text.push_str(written);
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
