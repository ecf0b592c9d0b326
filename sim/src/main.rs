//! Serves a fleet until it is told to stop.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use imdsctl_sim::{Fleet, Options, Running, Sim, Size, Throttling};
use tokio::signal::unix::{SignalKind, signal};

/// A simulated AWS on a loopback port, for imdsctl, boto3, the aws CLI or anything else that speaks to AWS.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    /// The fleet to serve
    #[arg(long, value_name = "FILE", required_unless_present_any = ["demo", "generated"])]
    fleet: Option<PathBuf>,
    /// Serve the built-in fleet
    #[arg(long, conflicts_with = "fleet")]
    demo: bool,
    /// Serve an organisation of this size: numbers of accounts, clusters and instances
    #[arg(long, value_name = "A,C,I", conflicts_with_all = ["fleet", "demo"])]
    generated: Option<Size>,
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Keep what becomes of the fleet in this file
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Write every request to this file, one line of JSON each
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// How long every answer takes, in milliseconds, instead of what the fleet says
    #[arg(long, value_name = "MS")]
    latency_ms: Option<u64>,
    /// Refuse too many requests as AWS does, with its token buckets times this number
    #[arg(long, value_name = "SCALE", num_args = 0..=1, default_missing_value = "1")]
    throttling: Option<f64>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The one place that writes to stderr; there is nothing to do about a closed one.
            let _ = writeln!(io::stderr(), "imdsctl-sim: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let mut fleet = match (&arguments.fleet, arguments.generated) {
        (None, None) => Fleet::demo()?,
        (None, Some(size)) => Fleet::generated(size)?,
        (Some(path), _) => {
            let origin = path.display().to_string();
            let text = std::fs::read_to_string(path).map_err(|error| format!("{origin}: {error}"))?;
            Fleet::from_yaml(&text, &origin)?
        }
    };
    if let Some(latency) = arguments.latency_ms {
        fleet = fleet.with_latency(Duration::from_millis(latency));
    }
    if let Some(scale) = arguments.throttling {
        fleet = fleet.with_throttling(Some(Throttling::aws().scaled(scale)));
    }
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let description = describe(&fleet);
    let options = Options {
        port: arguments.port,
        state_file: arguments.state,
        log_file: arguments.log,
        // Nobody asks this process for its requests: the file has them.
        counts_only: true,
    };
    let running = Sim::start(fleet, options).await?;
    announce(&running, &description)?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    running.shutdown().await?;
    Ok(())
}

/// What to put into the environment.
fn describe(fleet: &Fleet) -> String {
    let mut lines = vec![format!("# fleet: {}", fleet.name())];
    let keys = fleet.access_keys();
    for (index, key) in keys.iter().enumerate() {
        let expired = if key.expired { ", expired" } else { "" };
        let regions = key.regions.join(" ");
        // The first key is ready to use, the others are there to choose from.
        let comment = if index == 0 { "" } else { "# " };
        lines.push(format!(
            "{comment}export AWS_ACCESS_KEY_ID={}  # {} ({}){expired}: {regions}",
            key.id, key.account_id, key.account_name
        ));
    }
    let region = keys.first().and_then(|key| key.regions.first()).map_or("us-east-1", String::as_str);
    // boto3 and the aws CLI before version 2 read only AWS_DEFAULT_REGION.
    lines.push(format!("export AWS_SECRET_ACCESS_KEY=any AWS_REGION={region} AWS_DEFAULT_REGION={region}"));
    lines.join("\n")
}

/// The one place that writes to stdout.
fn announce(running: &Running, description: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", running.url())?;
    writeln!(out, "export AWS_ENDPOINT_URL={}", running.url())?;
    writeln!(out, "{description}")?;
    out.flush()
}
