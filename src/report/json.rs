//! The contract as one JSON object, `summary` last; and how all JSON of a report is written.

use std::io::{self, Write as _};

use serde::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter, PrettyFormatter, Serializer};

use super::text::is_active;
use super::{Format, Report};

/// Pretty JSON with a newline at its end.
///
/// Characters that act on a terminal are escaped beyond what JSON asks, so that `cat report.json` is safe;
/// what a parser reads is the same.
#[derive(Clone, Copy, Debug, Default)]
pub struct Json;

impl Format for Json {
    fn write(&self, report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
        let mut out = io::BufWriter::new(out);
        report.serialize(&mut Serializer::with_formatter(&mut out, Harmless(PrettyFormatter::new())))?;
        out.write_all(b"\n")?;
        out.flush()
    }
}

/// Writes a value as one line. No character that any reader takes for the end of a line is left in it.
pub(super) fn write_line(value: &impl Serialize, out: &mut impl io::Write) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(&mut *out, Harmless(CompactFormatter)))?;
    out.write_all(b"\n")
}

/// Another formatter, with more escapes.
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
