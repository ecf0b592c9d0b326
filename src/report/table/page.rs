//! Lines on a page: words that wrap with a hanging indent, and colours.

use std::borrow::Cow;
use std::io::{self, Write};

use owo_colors::{OwoColorize as _, Style};

use super::TableStyle;
use crate::finding::Severity;
use crate::report::text::{sanitize, truncate, width};

/// No identifier of AWS is longer (an Auto Scaling group's name); what is, is no identifier.
const LONGEST_ID: usize = 255;
/// Names stand beside an id, and need not be copied.
const LONGEST_NAME: usize = 64;
/// A message of AWS can hold an encoded authorization context of some thousand characters.
const LONGEST_PROSE: usize = 400;

/// Stands for a space in words that stay on one line; written as a space.
const NO_BREAK: &str = "\u{a0}";

/// How something is shown where there are colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::report) enum Paint {
    Plain,
    Strong,
    Faint,
    Good,
    Bad,
    Warning,
    Severity(Severity),
}

impl Paint {
    fn style(self) -> Option<Style> {
        Some(match self {
            Self::Plain => return None,
            Self::Strong | Self::Severity(Severity::Info) => Style::new().bold(),
            Self::Faint => Style::new().dimmed(),
            Self::Good => Style::new().green(),
            Self::Bad | Self::Severity(Severity::High) => Style::new().red().bold(),
            Self::Warning => Style::new().yellow(),
            Self::Severity(Severity::Critical) => Style::new().red().bold().reversed(),
            Self::Severity(Severity::Medium) => Style::new().yellow().bold(),
            Self::Severity(Severity::Low) => Style::new().cyan().bold(),
        })
    }
}

/// Pieces of a paragraph, each with its paint. Spaces in them are where it may wrap.
#[derive(Clone, Debug)]
pub(in crate::report) struct Text {
    ascii: bool,
    pieces: Vec<(String, Paint)>,
}

impl Text {
    /// Words of ours.
    pub fn say(mut self, words: impl Into<String>) -> Self {
        self.pieces.push((words.into(), Paint::Plain));
        self
    }

    /// Words of ours that are painted.
    pub fn paint(mut self, paint: Paint, words: impl Into<String>) -> Self {
        self.pieces.push((words.into(), paint));
        self
    }

    /// Words of ours that stay on one line.
    pub fn fact(self, paint: Paint, words: &str) -> Self {
        self.paint(paint, words.replace(' ', NO_BREAK))
    }

    /// An identifier from outside that the eye should catch: whole, so that it can be copied.
    pub fn id(self, id: &str) -> Self {
        self.outside(id, LONGEST_ID, Paint::Strong)
    }

    /// An identifier from outside within a sentence: whole as well.
    pub fn word(self, word: &str) -> Self {
        self.outside(word, LONGEST_ID, Paint::Plain)
    }

    /// A name from outside that stands beside an id.
    pub fn name(self, name: &str) -> Self {
        self.outside(name, LONGEST_NAME, Paint::Plain)
    }

    /// A sentence from outside.
    pub fn prose(self, prose: &str) -> Self {
        self.outside(prose, LONGEST_PROSE, Paint::Plain)
    }

    /// A few words, some of them from outside, that stay on one line.
    pub fn phrase(mut self, phrase: &str) -> Self {
        let phrase = truncate(sanitize(phrase, self.ascii), LONGEST_NAME, self.ascii);
        self.pieces.push((phrase.replace(' ', NO_BREAK), Paint::Plain));
        self
    }

    /// A line to be copied, of words of ours and from outside: whole, and on one line.
    pub fn verbatim(mut self, line: &str) -> Self {
        let line = sanitize(line, self.ascii).replace(' ', NO_BREAK);
        self.pieces.push((line, Paint::Plain));
        self
    }

    /// What separates facts on a line.
    pub fn dot(self) -> Self {
        let dot = if self.ascii { " | " } else { " · " };
        self.paint(Paint::Faint, dot)
    }

    /// An empty text for the same page.
    pub const fn empty(&self) -> Self {
        Self { ascii: self.ascii, pieces: Vec::new() }
    }

    /// Whether there is nothing in it.
    pub const fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Another text behind it.
    pub fn append(mut self, other: Self) -> Self {
        self.pieces.extend(other.pieces);
        self
    }

    /// Spaces up to a column; nothing where the text is that wide already.
    pub fn padded(self, column: usize) -> Self {
        let columns = column.saturating_sub(self.width());
        self.say(" ".repeat(columns))
    }

    /// Facts in brackets behind it, where there are any.
    pub fn in_brackets(self, facts: Vec<Self>) -> Self {
        if facts.is_empty() {
            return self;
        }
        let mut text = self.say(" (");
        for (at, fact) in facts.into_iter().enumerate() {
            text = if at == 0 { text } else { text.say(", ") }.append(fact);
        }
        text.say(")")
    }

    fn outside(mut self, text: &str, columns: usize, paint: Paint) -> Self {
        let text = truncate(sanitize(text, self.ascii), columns, self.ascii);
        self.pieces.push((text.into_owned(), paint));
        self
    }

    /// How wide it is on one line.
    pub fn width(&self) -> usize {
        self.pieces.iter().map(|(text, _)| width(text)).sum()
    }

    /// Its words, each a run of pieces without a space.
    fn words(&self) -> impl Iterator<Item = Vec<(&str, Paint)>> {
        let mut words = vec![Vec::new()];
        for (text, paint) in &self.pieces {
            for (at, part) in text.split(' ').enumerate() {
                if at > 0 {
                    words.push(Vec::new());
                }
                if let Some(word) = words.last_mut()
                    && !part.is_empty()
                {
                    word.push((part, *paint));
                }
            }
        }
        words.into_iter()
    }
}

/// Where the lines go, and how wide they are.
pub(in crate::report) struct Page<'o> {
    out: &'o mut dyn Write,
    style: TableStyle,
    columns: usize,
}

impl<'o> Page<'o> {
    pub fn new(out: &'o mut dyn Write, style: TableStyle) -> Self {
        Self { out, style, columns: style.columns() }
    }

    /// An empty text to build on.
    pub fn text(&self) -> Text {
        Text { ascii: !self.style.unicode, pieces: Vec::new() }
    }

    /// How many columns there are.
    pub const fn columns(&self) -> usize {
        self.columns
    }

    /// Whether more than ASCII can be shown.
    pub const fn unicode(&self) -> bool {
        self.style.unicode
    }

    /// An empty line.
    pub fn gap(&mut self) -> io::Result<()> {
        self.out.write_all(b"\n")
    }

    /// The title of a section, with a line to the right of it.
    pub fn title(&mut self, title: &str) -> io::Result<()> {
        let line = if self.style.unicode { "─" } else { "-" };
        let rest = self.columns.saturating_sub(width(title) + 4);
        self.gap()?;
        self.put(&format!("{line}{line} "), Paint::Faint)?;
        self.put(title, Paint::Strong)?;
        self.put(&format!(" {}", line.repeat(rest)), Paint::Faint)?;
        self.gap()?;
        self.gap()
    }

    /// A paragraph whose every line begins at column `indent`.
    pub fn paragraph(&mut self, indent: usize, text: &Text) -> io::Result<()> {
        self.labelled(&self.text(), 0, indent, text)
    }

    /// A paragraph with a label to the left of its first line, `at` columns from the edge.
    pub fn labelled(&mut self, label: &Text, at: usize, indent: usize, text: &Text) -> io::Result<()> {
        self.railed(label, &self.text(), at, indent, text)
    }

    /// The same, with a rail drawn down the left of every further line.
    pub fn railed(
        &mut self,
        label: &Text,
        rail: &Text,
        at: usize,
        indent: usize,
        text: &Text,
    ) -> io::Result<()> {
        let mut column = if label.pieces.is_empty() { 0 } else { at + label.width() };
        if column > 0 {
            self.pad(at)?;
            self.pieces(label)?;
        }
        let mut begun = false;
        let mut pending = 0;
        for word in text.words() {
            let wide: usize = word.iter().map(|(part, _)| width(part)).sum();
            pending += if begun { 1 } else { indent.saturating_sub(column) };
            if wide == 0 {
                begun = true;
                continue;
            }
            if begun && column > indent && column + pending + wide > self.columns {
                self.gap()?;
                column = self.rail(rail, at)?;
                pending = indent.saturating_sub(column);
            }
            self.pad(pending)?;
            for (part, paint) in word {
                self.put(part, paint)?;
            }
            column += pending + wide;
            (begun, pending) = (true, 0);
        }
        self.gap()
    }

    /// Draws a rail at column `at`, and says where it ends.
    fn rail(&mut self, rail: &Text, at: usize) -> io::Result<usize> {
        if rail.is_empty() {
            return Ok(0);
        }
        self.pad(at)?;
        self.pieces(rail)?;
        Ok(at + rail.width())
    }

    fn pieces(&mut self, text: &Text) -> io::Result<()> {
        text.pieces.iter().try_for_each(|(piece, paint)| self.put(piece, *paint))
    }

    fn pad(&mut self, columns: usize) -> io::Result<()> {
        write!(self.out, "{:columns$}", "")
    }

    fn put(&mut self, text: &str, paint: Paint) -> io::Result<()> {
        let text =
            &*if text.contains(NO_BREAK) { text.replace(NO_BREAK, " ").into() } else { Cow::Borrowed(text) };
        match paint.style().filter(|_| self.style.color) {
            Some(style) => write!(self.out, "{}", text.style(style)),
            None => self.out.write_all(text.as_bytes()),
        }
    }
}
