//! Where reports go, and in which format.

use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use tempfile::SpooledTempFile;

use crate::report::{ReportFormat, TableStyle, UnknownFormat, View};

use super::Error;
use super::console::Console;
use super::sink::Sink;

/// How many bytes of findings are kept in memory.
const IN_MEMORY: usize = 16 << 20;

/// `FORMAT` or `FORMAT=PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputArg<F = ReportFormat> {
    format: F,
    /// `None` is stdout.
    path: Option<PathBuf>,
}

impl<F> OutputArg<F> {
    /// A format on stdout.
    pub const fn to_stdout(format: F) -> Self {
        Self { format, path: None }
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
            Some("-") | None => Ok(Self { format, path: None }),
            Some(path) => Ok(Self { format, path: Some(path.into()) }),
        }
    }
}

/// The outputs of a run, opened.
#[derive(Debug)]
pub struct Outputs<F = ReportFormat>(Vec<Output<F>>);

#[derive(Debug)]
struct Output<F> {
    format: F,
    /// `None` is stdout.
    sink: Option<Sink>,
}

impl<F: Copy> Outputs<F> {
    /// Opens all outputs.
    pub fn open(args: &[OutputArg<F>]) -> Result<Self, Error> {
        if args.iter().filter(|arg| arg.path.is_none()).count() > 1 {
            return Err(Error::usage(
                "two formats cannot share stdout: give all but one a file, as in -o json=FILE",
            ));
        }
        let mut outputs = Self(Vec::new());
        for OutputArg { format, path } in args {
            let sink = path.as_deref().map(Sink::open).transpose()?;
            if let (Some(sink), Some(path)) = (&sink, path)
                && outputs.lead_to(sink.path())
            {
                return Err(Error::usage(format!("two formats cannot share {}", path.display())));
            }
            outputs.0.push(Output { format: *format, sink });
        }
        Ok(outputs)
    }

    /// Whether one of them leads to this path.
    pub fn lead_to(&self, path: &Path) -> bool {
        self.0.iter().any(|output| output.sink.as_ref().is_some_and(|sink| sink.path() == path))
    }

    /// Where to keep findings until they are written: in memory while there are few, then in a nameless file. It is
    /// beside the first output, where there is room for as many; without one, in the system's folder for such files.
    pub fn store(&self) -> SpooledTempFile {
        let folder = self.0.iter().find_map(|output| output.sink.as_ref()?.folder());
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
        Error::gather(self.0.into_iter().map(|output| output.write(console, &document)))
    }
}

impl Outputs {
    /// Writes the report everywhere.
    pub fn write(self, report: &View<'_>, console: &Console) -> Result<(), Error> {
        self.write_each(console, |format, style, out| format.writer(style).write(report, out))
    }
}

impl<F: Copy> Output<F> {
    fn write(
        self,
        console: &Console,
        document: impl Fn(F, TableStyle, &mut dyn io::Write) -> io::Result<()>,
    ) -> Result<(), Error> {
        let style = console.table_style(self.sink.is_none());
        match self.sink {
            None => console.stream_stdout(|out| document(self.format, style, out)),
            Some(sink) => sink.write(|out| document(self.format, style, out)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_may_name_a_file() {
        let parse = |text: &str| text.parse::<OutputArg>();
        assert_eq!(parse("json"), Ok(OutputArg { format: ReportFormat::Json, path: None }));
        assert_eq!(parse("json=-"), Ok(OutputArg { format: ReportFormat::Json, path: None }));
        assert_eq!(
            parse("csv=a=b.csv"),
            Ok(OutputArg { format: ReportFormat::Csv, path: Some("a=b.csv".into()) })
        );
        assert!(parse("json=").is_err());
        assert!(parse("yaml").is_err_and(|error| error.contains("table, json, ndjson, csv")));
    }

    #[test]
    fn two_outputs_cannot_share_a_place() {
        let folder = tempfile::tempdir().unwrap();
        let file = |format| OutputArg { format, path: Some(folder.path().join("report")) };
        assert!(Outputs::open(&[file(ReportFormat::Json), file(ReportFormat::Csv)]).is_err());
        assert!(Outputs::open(&[OutputArg::DEFAULT, OutputArg::DEFAULT]).is_err());
        assert!(Outputs::open(&[OutputArg::DEFAULT, file(ReportFormat::Csv)]).is_ok());
    }

    #[test]
    fn nothing_is_left_behind_where_nothing_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        drop(Outputs::open(&[OutputArg { format: ReportFormat::Json, path: Some(path) }]).unwrap());
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    }
}
