//! Ctrl-C and SIGTERM.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

use crate::exit::Exit;

use super::Error;

/// A future that completes at the first SIGINT or SIGTERM. The second ends the process at once: whoever
/// asks twice does not want to wait for reports.
pub fn interruption() -> Result<impl Future<Output = ()>, Error> {
    let failed = |error| Error::Bug(format!("cannot listen for signals: {error}"));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            std::process::exit(i32::from(Exit::Interrupted.code()));
        });
    })
}

/// The same for work that does not wait for futures: says whether it is to stop.
pub fn stopped(runtime: &Runtime) -> Result<impl Fn() -> bool, Error> {
    let stop = runtime.block_on(async { interruption() })?;
    let stopped = Arc::new(AtomicBool::new(false));
    let stopping = Arc::clone(&stopped);
    runtime.spawn(async move {
        stop.await;
        stopping.store(true, Ordering::Relaxed);
    });
    Ok(move || stopped.load(Ordering::Relaxed))
}
