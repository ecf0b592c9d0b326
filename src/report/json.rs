//! The contract as one JSON object, `summary` last.

use std::io::{self, Write as _};

use serde::Serialize as _;
use serde_json::ser::{CharEscape, Formatter, PrettyFormatter, Serializer};

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
        report.serialize(&mut Serializer::with_formatter(&mut out, Harmless::default()))?;
        out.write_all(b"\n")?;
        out.flush()
    }
}

/// [`PrettyFormatter`], with more escapes.
#[derive(Default)]
struct Harmless(PrettyFormatter<'static>);

/// Passes the calls that shape the document on.
macro_rules! as_pretty {
    ($($name:ident($($argument:ident: $type:ty),*)),+ $(,)?) => {
        $(fn $name<W: ?Sized + io::Write>(&mut self, writer: &mut W, $($argument: $type),*) -> io::Result<()> {
            self.0.$name(writer, $($argument),*)
        })+
    };
}

impl Formatter for Harmless {
    as_pretty! {
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
