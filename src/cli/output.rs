//! Where reports go, and in which format.

use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use tempfile::{NamedTempFile, SpooledTempFile};

use crate::deliver::{BadObject, Object, ObjectPattern};
use crate::report::{ReportFormat, TableStyle, UnknownFormat, View};

use super::Error;
use super::console::Console;
use super::deliver::{self, Parcel};
use super::sink::Sink;

/// How many bytes of findings are kept in memory.
const IN_MEMORY: usize = 16 << 20;

/// `FORMAT`, `FORMAT=PATH` or `FORMAT=s3://BUCKET/KEY`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputArg<F = ReportFormat> {
    format: F,
    place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Stdout,
    File(PathBuf),
    Object(ObjectPattern),
}

impl<F> OutputArg<F> {
    /// A format on stdout.
    pub const fn to_stdout(format: F) -> Self {
        Self { format, place: Place::Stdout }
    }
}

impl OutputArg {
    /// What is written where nothing is asked for.
    pub const DEFAULT: Self = Self::to_stdout(ReportFormat::Table);
}

impl<F: FromStr<Err = UnknownFormat>> FromStr for OutputArg<F> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (format, path) = match text.split_once('=') {
            Some((format, path)) => (format, Some(path)),
            None => (text, None),
        };
        let format = format.parse().map_err(|error: UnknownFormat| error.to_string())?;
        match path {
            Some("") => Err(format!("{text:?} names no file after the equals sign")),
            Some("-") | None => Ok(Self { format, place: Place::Stdout }),
            Some(object) if ObjectPattern::is_meant(object) => {
                let object: ObjectPattern = object.parse().map_err(|error: BadObject| error.to_string())?;
                Ok(Self { format, place: Place::Object(object) })
            }
            Some(path) => Ok(Self { format, place: Place::File(path.into()) }),
        }
    }
}

/// The outputs of a run, opened.
#[derive(Debug)]
pub struct Outputs<F = ReportFormat>(Vec<Output<F>>);

#[derive(Debug)]
struct Output<F> {
    format: F,
    way: Way,
}

#[derive(Debug)]
enum Way {
    Stdout,
    File(Sink),
    /// Written here first: an object is put in one piece.
    Object(ObjectPattern, NamedTempFile),
}

impl Way {
    const fn file(&self) -> Option<&Sink> {
        match self {
            Self::File(sink) => Some(sink),
            Self::Stdout | Self::Object(..) => None,
        }
    }
}

impl<F: Copy> Outputs<F> {
    /// Opens all outputs, each on this machine.
    pub fn open(args: &[OutputArg<F>]) -> Result<Self, Error> {
        let object = args.iter().find_map(|arg| match &arg.place {
            Place::Object(object) => Some(object),
            Place::Stdout | Place::File(_) => None,
        });
        match object {
            Some(object) => Err(Error::usage(format!("{object}: only reports can be put on S3"))),
            None => Self::open_all(args),
        }
    }

    fn open_all(args: &[OutputArg<F>]) -> Result<Self, Error> {
        let mut outputs = Self(Vec::new());
        for OutputArg { format, place } in args {
            let way = outputs.way(place)?;
            outputs.0.push(Output { format: *format, way });
        }
        Ok(outputs)
    }

    /// Opens a place where none of the others goes.
    fn way(&self, place: &Place) -> Result<Way, Error> {
        match place {
            Place::Stdout if self.0.iter().any(|other| matches!(other.way, Way::Stdout)) => Err(
                Error::usage("two formats cannot share stdout: give all but one a file, as in -o json=FILE"),
            ),
            Place::Stdout => Ok(Way::Stdout),
            Place::File(path) => {
                let sink = Sink::open(path)?;
                if self.lead_to(sink.path()) {
                    return Err(Error::usage(format!("two formats cannot share {}", path.display())));
                }
                Ok(Way::File(sink))
            }
            Place::Object(object) => {
                let same = |other: &Output<F>| matches!(&other.way, Way::Object(other, _) if other == object);
                if self.0.iter().any(same) {
                    return Err(Error::usage(format!("two formats cannot share {object}")));
                }
                Ok(Way::Object(object.clone(), deliver::kept(object)?))
            }
        }
    }

    /// Whether one of them leads to this path.
    pub fn lead_to(&self, path: &Path) -> bool {
        self.0.iter().any(|output| output.way.file().is_some_and(|sink| sink.path() == path))
    }

    /// Whether one of them is put on S3 as this object in every run.
    pub fn put(&self, object: &Object) -> bool {
        let is = |way: &Way| matches!(way, Way::Object(to, _) if to.constant() == Some(object));
        self.0.iter().any(|output| is(&output.way))
    }

    /// Whether one of them leaves this machine.
    pub fn leave(&self) -> bool {
        self.0.iter().any(|output| matches!(output.way, Way::Object(..)))
    }

    /// Where to keep findings until they are written: in memory while there are few, then in a nameless file. It is
    /// beside the first output, where there is room for as many; without one, in the system's folder for such files.
    pub fn store(&self) -> SpooledTempFile {
        let folder = self.0.iter().find_map(|output| output.way.file()?.folder());
        match folder {
            Some(folder) => tempfile::spooled_tempfile_in(IN_MEMORY, folder),
            None => tempfile::spooled_tempfile(IN_MEMORY),
        }
    }

    /// Writes a document everywhere. One output that fails does not keep the others from being written.
    pub fn write_each(
        self,
        console: &Console,
        document: impl Fn(F, TableStyle, &mut dyn io::Write) -> io::Result<()>,
    ) -> Result<(), Error> {
        // None of what `open` opens is to be carried.
        self.write_all(console, document).1
    }

    fn write_all(
        self,
        console: &Console,
        document: impl Fn(F, TableStyle, &mut dyn io::Write) -> io::Result<()>,
    ) -> (Vec<Parcel>, Result<(), Error>) {
        let mut parcels = Vec::new();
        let written = self.0.into_iter().map(|output| {
            parcels.extend(output.write(console, &document)?);
            Ok(())
        });
        let written = Error::gather(written);
        (parcels, written)
    }
}

impl Outputs {
    /// Opens all outputs, wherever they are.
    pub fn open_anywhere(args: &[OutputArg]) -> Result<Self, Error> {
        Self::open_all(args)
    }

    /// Writes the report everywhere, as [`Self::write_each`] does. What belongs beyond this machine is still to be
    /// carried there.
    pub fn write(self, report: &View<'_>, console: &Console) -> (Vec<Parcel>, Result<(), Error>) {
        self.write_all(console, |format, style, out| format.writer(style).write(report, out))
    }
}

impl<F: Copy> Output<F> {
    fn write(
        self,
        console: &Console,
        document: impl Fn(F, TableStyle, &mut dyn io::Write) -> io::Result<()>,
    ) -> Result<Option<Parcel>, Error> {
        let style = console.table_style(matches!(self.way, Way::Stdout));
        match self.way {
            Way::Stdout => console.stream_stdout(|out| document(self.format, style, out))?,
            Way::File(sink) => sink.write(|out| document(self.format, style, out))?,
            Way::Object(to, mut file) => {
                let mut out = BufWriter::new(file.as_file_mut());
                let written = document(self.format, style, &mut out).and_then(|()| out.flush());
                drop(out);
                written.map_err(|error| {
                    Error::Output(format!("cannot keep what is to be {to} until it is whole: {error}"))
                })?;
                return Ok(Some(Parcel { to, file }));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_may_name_a_file() {
        let parse = |text: &str| text.parse::<OutputArg>();
        assert_eq!(parse("json"), Ok(OutputArg::to_stdout(ReportFormat::Json)));
        assert_eq!(parse("json=-"), Ok(OutputArg::to_stdout(ReportFormat::Json)));
        assert_eq!(
            parse("csv=a=b.csv"),
            Ok(OutputArg { format: ReportFormat::Csv, place: Place::File("a=b.csv".into()) })
        );
        assert!(parse("json=").is_err());
        assert!(
            parse("json=s3://reports/{date}.json").is_ok_and(|arg| matches!(arg.place, Place::Object(_)))
        );
        assert!(parse("json=s3://reports").is_err());
        assert!(parse("yaml").is_err_and(|error| error.contains("table, json, ndjson, csv")));
    }

    #[test]
    fn two_outputs_cannot_share_a_place() {
        let folder = tempfile::tempdir().unwrap();
        let file = |format| OutputArg { format, place: Place::File(folder.path().join("report")) };
        assert!(Outputs::open(&[file(ReportFormat::Json), file(ReportFormat::Csv)]).is_err());
        assert!(Outputs::open(&[OutputArg::DEFAULT, OutputArg::DEFAULT]).is_err());
        assert!(Outputs::open(&[OutputArg::DEFAULT, file(ReportFormat::Csv)]).is_ok());
        let object = |key: &str| format!("json=s3://reports/{key}").parse::<OutputArg>().unwrap();
        assert!(Outputs::open_anywhere(&[object("a"), object("a")]).is_err());
        assert!(Outputs::open_anywhere(&[object("a"), object("b")]).is_ok_and(|outputs| outputs.leave()));
        assert!(Outputs::open(&[object("a")]).is_err());
    }

    #[test]
    fn nothing_is_left_behind_where_nothing_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        drop(Outputs::open(&[OutputArg { format: ReportFormat::Json, place: Place::File(path) }]).unwrap());
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    }
}
