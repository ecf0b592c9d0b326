//! The simulator from outside: fleets in, bytes out.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it, too")]

mod client;
mod errors;
mod faults;
mod fleets;
mod lists;
mod load;
mod metrics;
mod organizations;
mod other_tools;
mod policies;
mod roles;
mod rollouts;
mod semantics;
mod state;
mod versions;
mod writes;

use client::Client;
use imdsctl_sim::{Fleet, Options, Running, Sim};

const KEY: &str = "AKIATEST000000000001";

/// Serves a fleet of one account with one Region, us-east-1; `region` is the YAML inside the Region.
async fn serve(region: &str) -> (Running, Client) {
    serve_with("", region).await
}

/// The same, with more at the top of the file.
async fn serve_with(top: &str, region: &str) -> (Running, Client) {
    let running = Sim::start(fleet(top, region), Options::default()).await.unwrap();
    let client = Client::new(&running.url(), KEY, "us-east-1");
    (running, client)
}

fn fleet(top: &str, region: &str) -> Fleet {
    Fleet::from_yaml(&yaml(top, region), "test.yaml").unwrap()
}

fn yaml(top: &str, region: &str) -> String {
    let inside: Vec<String> = region.lines().map(|line| format!("        {line}")).collect();
    let inside = inside.join("\n");
    format!(
        "name: test\n{top}\naccounts:\n  - id: \"111122223333\"\n    name: test\n    access_keys:\n      \
         - {{ id: {KEY} }}\n      - {{ id: AKIAEXPIRED000000001, expired: true }}\n    regions:\n      \
         - names: [us-east-1]\n{inside}\n"
    )
}
