//! A moto server of this process's own.

use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::support::python::Environment;

/// How long a server may take to come up. It takes two seconds, on a machine with nothing else to do.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server that runs until this process ends, however it ends: it watches its standard input, of which this
/// process holds the other end.
#[derive(Debug)]
pub struct Server {
    /// Its base URL.
    pub endpoint: String,
    process: Child,
}

impl Server {
    /// Starts one, with the images of `images.json` in every Region, and waits until it listens.
    pub fn start(python: &Environment) -> Result<Self, String> {
        Self::start_with(python, &[])
    }

    /// The same with more variables.
    pub fn start_with(python: &Environment, variables: &[(&str, &str)]) -> Result<Self, String> {
        let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/moto/images.json");
        let mut process = python
            .script("moto_serve.py")
            .env("MOTO_AMIS_PATH", images)
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start moto: {error}"))?;
        let log = BufReader::new(process.stderr.take().ok_or("moto has no log")?);
        match listening(log) {
            Ok(endpoint) => Ok(Self { endpoint, process }),
            Err(problem) => {
                let _ = process.kill();
                let _ = process.wait();
                Err(problem)
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Follows the log up to the line that names the address, and then reads on, so that the pipe never fills.
fn listening(mut log: BufReader<impl std::io::Read + Send + 'static>) -> Result<String, String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut before = String::new();
        let address = loop {
            let start = before.len();
            match log.read_line(&mut before) {
                Ok(1..) => {}
                Ok(0) | Err(_) => break Err(format!("moto ended before it listened: {}", before.trim())),
            }
            if let Some((_, address)) = before[start..].split_once("Running on ") {
                break Ok(address.trim().to_owned());
            }
        };
        let _ = sender.send(address);
        let _ = std::io::copy(&mut log.by_ref(), &mut std::io::sink());
    });
    receiver.recv_timeout(PATIENCE).map_err(|_| format!("moto does not listen after {PATIENCE:?}"))?
}
