//! The one place that writes to the terminal.

use std::io::{self, IsTerminal, Write};

use crate::report::{TableStyle, sanitize};

use super::{Color, Error, Global, LogFormat};

/// What is known of stdout and stderr.
#[derive(Clone, Debug)]
pub struct Console {
    quiet: bool,
    verbose: bool,
    logs_json: bool,
    color: Color,
}

impl Console {
    pub fn new(global: &Global) -> Self {
        Self {
            quiet: global.quiet,
            verbose: global.verbose > 0,
            logs_json: global.log_format == LogFormat::Json,
            color: global.color,
        }
    }

    /// An error, on stderr, whatever flags say.
    pub fn error(&self, message: &str) {
        self.to_stderr("error", "\u{1b}[1;31m", message);
    }

    /// A line on stderr for people, unless they want quiet or only log lines.
    pub fn note(&self, message: &str) {
        if self.quiet || self.logs_json {
            return;
        }
        // There is nobody left to tell if stderr is gone.
        let _ = io::stderr().lock().write_all(format!("{}\n", printable(message)).as_bytes());
    }

    /// Whether somebody can be asked.
    #[expect(clippy::unused_self, reason = "who has no console cannot ask")]
    pub fn can_ask(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Shows a document to whoever is about to be asked, on stderr.
    pub fn show(
        &self,
        write: impl FnOnce(TableStyle, &mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Error> {
        let stderr = io::stderr();
        let width = terminal_size::terminal_size_of(&stderr).map(|(width, _)| usize::from(width.0));
        let style = TableStyle { width, color: self.colors(&stderr), unicode: speaks_unicode() };
        let shown = write(style, &mut stderr.lock());
        shown.map_err(|error| Error::Output(format!("cannot write to stderr: {error}")))
    }

    /// Asks, and takes nothing but a yes for a yes.
    #[expect(clippy::unused_self, reason = "who has no console cannot ask")]
    pub fn ask(&self, question: &str) -> Result<bool, Error> {
        let failed = |error| Error::Output(format!("cannot ask: {error}"));
        let mut stderr = io::stderr().lock();
        write!(stderr, "{} [y/N] ", printable(question)).and_then(|()| stderr.flush()).map_err(failed)?;
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).map_err(failed)?;
        Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
    }

    /// Whether bars may be drawn: on a terminal, with nothing else written to it.
    pub fn shows_progress(&self) -> bool {
        !self.quiet && !self.verbose && io::stderr().is_terminal() && std::env::var_os("CI").is_none()
    }

    /// How a table is to look on stdout, or in a file.
    pub fn table_style(&self, to_stdout: bool) -> TableStyle {
        if !to_stdout {
            return TableStyle::PIPED;
        }
        let stdout = io::stdout();
        let width = stdout.is_terminal().then(terminal_size::terminal_size).flatten();
        TableStyle {
            width: width.map(|(width, _)| usize::from(width.0)),
            color: self.colors(&stdout),
            unicode: speaks_unicode(),
        }
    }

    /// Writes data to stdout, whatever flags say. A reader that has gone away (`| head`) wanted no more, and that is no error.
    pub fn write_stdout(&self, data: &[u8]) -> Result<(), Error> {
        self.stream_stdout(|out| out.write_all(data))
    }

    /// The same, of data that is made while it is written.
    #[expect(clippy::unused_self, reason = "who has no console cannot write to it")]
    pub fn stream_stdout(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Error> {
        let mut stdout = Stdout { out: io::stdout().lock(), gone: false };
        match write(&mut stdout).and_then(|()| stdout.flush()) {
            Err(_) if stdout.gone => Ok(()),
            written => written.map_err(|error| Error::Output(format!("cannot write to stdout: {error}"))),
        }
    }

    fn colors(&self, stream: &(impl IsTerminal + anstream::stream::RawStream)) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => anstream::AutoStream::choice(stream) != anstream::ColorChoice::Never,
        }
    }

    fn to_stderr(&self, word: &str, color: &str, message: &str) {
        let stderr = io::stderr();
        let message = printable(message);
        let line = if self.colors(&stderr) {
            format!("{color}{word}\u{1b}[0m: {message}\n")
        } else {
            format!("{word}: {message}\n")
        };
        // There is nobody left to tell if stderr is gone.
        let _ = stderr.lock().write_all(line.as_bytes());
    }
}

/// Knows whether its reader has gone away, whatever becomes of the error on its way through a format.
struct Stdout<'a> {
    out: io::StdoutLock<'a>,
    gone: bool,
}

impl Stdout<'_> {
    fn note<T>(&mut self, done: io::Result<T>) -> io::Result<T> {
        done.inspect_err(|error| self.gone |= error.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl Write for Stdout<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let written = self.out.write(data);
        self.note(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.out.flush();
        self.note(flushed)
    }
}

/// Messages may quote what AWS or a file said, and that may not steer the terminal.
fn printable(message: &str) -> String {
    message.lines().map(|line| sanitize(line, false)).collect::<Vec<_>>().join("\n")
}

/// Whether the locale can show more than ASCII. Where none is set, most terminals can.
fn speaks_unicode() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty());
    locale.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8") || locale.starts_with("c.")
    })
}
