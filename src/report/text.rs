//! Text from outside, made harmless for a terminal: names, tag values and messages that anyone may have written.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

pub(super) use crate::harmless::is_active;

/// Shows what acts as its escape, `\u{1b}`; where the output is ASCII, all that is not ASCII as well.
pub fn sanitize(text: &str, ascii: bool) -> Cow<'_, str> {
    let harmful = |character: char| is_active(character) || (ascii && !character.is_ascii());
    if !text.contains(harmful) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if harmful(character) {
            escape(character, &mut clean);
        } else {
            clean.push(character);
        }
    }
    Cow::Owned(clean)
}

/// Writes a character as Rust would in a string literal.
pub(super) fn escape(character: char, into: &mut String) {
    match character {
        '\n' => into.push_str("\\n"),
        '\r' => into.push_str("\\r"),
        '\t' => into.push_str("\\t"),
        other => into.extend(other.escape_unicode()),
    }
}

/// How many columns a terminal takes to show it.
pub(super) fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
}

/// Cuts a text that is wider than `columns`, and shows that it did.
pub(super) fn truncate(text: Cow<'_, str>, columns: usize, ascii: bool) -> Cow<'_, str> {
    // No character takes more columns than it has bytes, so short text needs no measuring.
    if text.len() <= columns || width(&text) <= columns {
        return text;
    }
    let mark = if ascii { "..." } else { "…" };
    let room = columns.saturating_sub(width(mark));
    let mut used = 0;
    let end = text.char_indices().find_map(|(at, character)| {
        used += character.width().unwrap_or(0);
        (used > room).then_some(at)
    });
    let mut cut = text[..end.unwrap_or(text.len())].to_owned();
    cut.push_str(mark);
    Cow::Owned(cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_shown_instead() {
        assert_eq!(sanitize("a\u{1b}[31mred\u{7}", false), r"a\u{1b}[31mred\u{7}");
        assert_eq!(sanitize("two\nlines\r\n", false), r"two\nlines\r\n");
        assert_eq!(sanitize("\u{202e}evil\u{2066}\u{9b}1m", false), r"\u{202e}evil\u{2066}\u{9b}1m");
    }

    #[test]
    fn harmless_text_is_left_alone() {
        for text in ["eks-workers", "größe", "👩‍👩‍👧‍👦 ❤️", "<b>&amp;</b>"] {
            assert!(matches!(sanitize(text, false), Cow::Borrowed(same) if same == text));
        }
        assert_eq!(sanitize("größe", true), r"gr\u{f6}\u{df}e");
    }

    #[test]
    fn long_text_is_cut_by_columns_and_says_so() {
        assert_eq!(truncate("short".into(), 5, false), "short");
        assert_eq!(truncate("too long".into(), 5, false), "too …");
        assert_eq!(truncate("too long".into(), 5, true), "to...");
        let emoji = "🚀".repeat(256);
        let cut = truncate(emoji.into(), 20, false);
        assert!(width(&cut) <= 20 && cut.ends_with('…'), "{cut}");
    }
}
