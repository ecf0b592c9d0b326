//! What is written is safe to show: characters from outside that act on a terminal, and how JSON is written without any.

use std::io::{self, Write as _};

use serde::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter, PrettyFormatter, Serializer};

/// Whether a character acts on whatever shows it instead of being shown: control characters, the ones that
/// reorder text (bidi), line separators, and the invisible ones that hide text in other text.
///
/// The joiners and variation selectors that emoji and scripts are built with are left alone.
pub const fn is_active(character: char) -> bool {
    matches!(
        character,
        '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// Writes a value as one line. No character that any reader takes for the end of a line is left in it.
pub fn write_line(value: &impl Serialize, out: &mut (impl io::Write + ?Sized)) -> io::Result<()> {
    let mut out = out;
    value.serialize(&mut Serializer::with_formatter(&mut out, Harmless(CompactFormatter)))?;
    out.write_all(b"\n")
}

/// A buffer that holds as much as a pipe does: standard output passes on whatever it gets up to the last line's end, and
/// keeps the rest, so that each time takes two writes.
pub fn buffered<W: io::Write>(out: W) -> io::BufWriter<W> {
    io::BufWriter::with_capacity(64 << 10, out)
}

/// Writes a value as a document of its own: pretty JSON with a newline at its end, so that it is safe to `cat`.
pub fn write_document(value: &impl Serialize, out: &mut (impl io::Write + ?Sized)) -> io::Result<()> {
    let mut out = buffered(out);
    value.serialize(&mut Serializer::with_formatter(&mut out, Harmless(PrettyFormatter::new())))?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Another formatter of JSON, with more escapes: what a parser reads is the same.
#[derive(Clone, Debug)]
struct Harmless<F>(F);

/// Passes the calls that shape the document on.
macro_rules! as_inner {
    ($($name:ident($($argument:ident: $type:ty),*)),+ $(,)?) => {
        $(fn $name<W: ?Sized + io::Write>(&mut self, writer: &mut W, $($argument: $type),*) -> io::Result<()> {
            self.0.$name(writer, $($argument),*)
        })+
    };
}

impl<F: Formatter> Formatter for Harmless<F> {
    as_inner! {
        begin_array(), end_array(), begin_array_value(first: bool), end_array_value(),
        begin_object(), end_object(), begin_object_key(first: bool), begin_object_value(), end_object_value(),
        write_char_escape(escape: CharEscape),
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        // Nearly all text is plain, and looking at its bytes takes a fraction of looking at its characters.
        if fragment.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return writer.write_all(fragment.as_bytes());
        }
        let mut plain = 0;
        for (at, character) in fragment.match_indices(is_active) {
            writer.write_all(&fragment.as_bytes()[plain..at])?;
            for unit in character.encode_utf16() {
                write!(writer, "\\u{unit:04x}")?;
            }
            plain = at + character.len();
        }
        writer.write_all(&fragment.as_bytes()[plain..])
    }
}
