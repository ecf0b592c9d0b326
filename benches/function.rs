//! How large the program of the function is, and how soon it asks for its first event: `cargo bench --bench function`.
//!
//! Lambda starts it anew where it has none that is idle. That Lambda has to fetch and unpack it before is in no figure
//! here.

#![allow(clippy::cast_precision_loss, reason = "what a benchmark counts is small")]

#[path = "support/mod.rs"]
mod support;

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use support::Failure;

const RUNS: usize = 50;

/// Where a function asks for its next event.
const NEXT: &str = "GET /2018-06-01/runtime/invocation/next ";

fn main() -> Result<(), Failure> {
    let program = env!("CARGO_BIN_EXE_bootstrap");
    let size = std::fs::metadata(program)?.len();
    let mut starts = (0..RUNS).map(|_| start(program)).collect::<Result<Vec<_>, _>>()?;
    starts.sort();
    let peak = starts.iter().map(|(_, peak)| *peak).max().unwrap_or_default();
    let mut out = io::stdout().lock();
    writeln!(out, "the program                {:.1} MiB", size as f64 / f64::from(1 << 20))?;
    writeln!(
        out,
        "until it asks for an event {:?}, at most {:?} of {RUNS} starts",
        starts[RUNS / 2].0,
        starts[RUNS - 1].0
    )?;
    writeln!(out, "memory by then             {:.1} MiB", peak as f64 / 1024.0)?;
    Ok(())
}

/// Starts it, and says how long it took to ask, and how many KiB of memory.
fn start(program: &str) -> Result<(Duration, u64), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", listener.local_addr()?.to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", "imdsctl")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1769")
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    let started = Instant::now();
    let mut child = command.spawn()?;
    let asked = asked(&listener, &mut child).map(|connection| (started.elapsed(), connection));
    let peak = support::peak_kib(child.id());
    child.kill()?;
    child.wait()?;
    // Until here it has waited for an answer.
    let (time, _connection) = asked?;
    Ok((time, peak.ok_or("the kernel does not say how much memory it has")?))
}

/// Waits until it has asked, on a connection that stays open.
fn asked(listener: &TcpListener, child: &mut Child) -> Result<BufReader<TcpStream>, Failure> {
    let stream: TcpStream = loop {
        match listener.accept() {
            Ok((stream, _)) => break stream,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
        if let Some(status) = child.try_wait()? {
            return Err(format!("it ended before it asked: {status}").into());
        }
        std::thread::sleep(Duration::from_micros(50));
    };
    stream.set_nonblocking(false)?;
    let mut line = String::new();
    let mut reader = BufReader::new(stream);
    reader.read_line(&mut line)?;
    if line.starts_with(NEXT) {
        Ok(reader)
    } else {
        Err(format!("it asked for something else: {line}").into())
    }
}
