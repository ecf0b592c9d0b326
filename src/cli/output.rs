//! Where reports go. Paths are tried before the scan, and a file is whole or absent.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use tempfile::NamedTempFile;

use crate::report::{Report, ReportFormat};

use super::Error;
use super::console::Console;

/// As many links as Linux follows.
const MAX_LINKS: usize = 40;

/// `FORMAT` or `FORMAT=PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputArg {
    format: ReportFormat,
    /// `None` is stdout.
    path: Option<PathBuf>,
}

impl OutputArg {
    /// What is written where nothing is asked for.
    pub const DEFAULT: Self = Self { format: ReportFormat::Table, path: None };
}

impl FromStr for OutputArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (format, path) = match text.split_once('=') {
            Some((format, path)) => (format, Some(path)),
            None => (text, None),
        };
        let format = format.parse().map_err(|error: crate::report::UnknownFormat| error.to_string())?;
        match path {
            Some("") => Err(format!("{text:?} names no file after the equals sign")),
            Some("-") | None => Ok(Self { format, path: None }),
            Some(path) => Ok(Self { format, path: Some(path.into()) }),
        }
    }
}

/// The outputs of a run, opened.
#[derive(Debug)]
pub struct Outputs(Vec<Output>);

#[derive(Debug)]
struct Output {
    format: ReportFormat,
    sink: Sink,
}

#[derive(Debug)]
enum Sink {
    Stdout,
    /// Written beside its path, and renamed when it is whole. Readable by its owner only.
    File {
        beside: NamedTempFile,
        path: PathBuf,
    },
    /// A pipe or a device, which cannot be renamed over.
    Stream {
        file: File,
        path: PathBuf,
    },
}

impl Outputs {
    /// Opens all outputs.
    pub fn open(args: &[OutputArg]) -> Result<Self, Error> {
        if args.iter().filter(|arg| arg.path.is_none()).count() > 1 {
            return Err(Error::usage(
                "two formats cannot share stdout: give all but one a file, as in -o json=FILE",
            ));
        }
        let mut outputs: Vec<Output> = Vec::new();
        for arg in args {
            let sink = match &arg.path {
                None => Sink::Stdout,
                Some(path) => open(path)
                    .map_err(|error| Error::usage(format!("cannot write {}: {error}", path.display())))?,
            };
            let taken =
                outputs.iter().any(|output| output.sink.path().is_some_and(|path| sink.path() == Some(path)));
            if taken {
                let path = arg.path.as_deref().unwrap_or(Path::new("-"));
                return Err(Error::usage(format!("two formats cannot share {}", path.display())));
            }
            outputs.push(Output { format: arg.format, sink });
        }
        Ok(Self(outputs))
    }

    /// Writes the report everywhere. One output that fails does not keep the others from being written.
    pub fn write(self, report: &Report, console: &Console) -> Result<(), Error> {
        let mut failures = Vec::new();
        for output in self.0 {
            if let Err(error) = output.write(report, console) {
                failures.push(error.to_string());
            }
        }
        if failures.is_empty() { Ok(()) } else { Err(Error::Output(failures.join("\n"))) }
    }
}

impl Output {
    fn write(self, report: &Report, console: &Console) -> Result<(), Error> {
        let to_stdout = matches!(self.sink, Sink::Stdout);
        let format = self.format.writer(console.table_style(to_stdout));
        let failed = |path: &Path| {
            let path = path.display().to_string();
            move |error: io::Error| Error::Output(format!("cannot write {path}: {error}"))
        };
        match self.sink {
            Sink::Stdout => {
                let mut data = Vec::new();
                format.write(report, &mut data).map_err(|error| Error::Bug(error.to_string()))?;
                console.write_stdout(&data)
            }
            Sink::File { mut beside, path } => {
                write_to(beside.as_file_mut(), |out| format.write(report, out)).map_err(failed(&path))?;
                beside.as_file().sync_all().map_err(failed(&path))?;
                beside.persist(&path).map_err(|error| failed(&path)(error.error))?;
                Ok(())
            }
            Sink::Stream { mut file, path } => {
                write_to(&mut file, |out| format.write(report, out)).map_err(failed(&path))
            }
        }
    }
}

impl Sink {
    fn path(&self) -> Option<&Path> {
        match self {
            Self::Stdout => None,
            Self::File { path, .. } | Self::Stream { path, .. } => Some(path),
        }
    }
}

fn write_to(file: &mut File, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    write(&mut out)?;
    out.flush()
}

fn open(path: &Path) -> io::Result<Sink> {
    let path = target(path)?;
    let existing = path.metadata().ok();
    if existing.as_ref().is_some_and(std::fs::Metadata::is_dir) {
        return Err(io::Error::other("it is a directory"));
    }
    if existing.is_some_and(|metadata| !metadata.is_file()) {
        let file = OpenOptions::new().write(true).open(&path)?;
        return Ok(Sink::Stream { file, path });
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(io::Error::other(format!("there is no folder {}", folder.display())));
    }
    let beside = tempfile::Builder::new().prefix(".imdsctl-").tempfile_in(folder)?;
    Ok(Sink::File { beside, path })
}

/// Where a path leads. A link is written through, as every other tool would, to a file that is yet to be as well.
fn target(path: &Path) -> io::Result<PathBuf> {
    if path.exists() {
        return path.canonicalize();
    }
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let Ok(next) = path.read_link() else { return Ok(path) };
        // Relative to the folder that the link is in; an absolute path replaces it.
        path = path.parent().map_or_else(|| next.clone(), |folder| folder.join(&next));
    }
    Err(io::Error::other("it is a link that leads to itself"))
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
