//! `--demo`: the same command against a simulated fleet, in this process and on a loopback port.

#[cfg(feature = "demo")]
pub use with_sim::Demo;
#[cfg(not(feature = "demo"))]
pub use without_sim::Demo;

#[cfg(feature = "demo")]
mod with_sim {
    use std::path::Path;

    use imdsctl_sim::{Fleet, FleetKey, Options, Running, Sim};

    use crate::aws::{ConnectSettings, StaticEndpoint};
    use crate::cli::Error;
    use crate::cli::targets::BaseSettings;

    /// The simulated fleet, running.
    #[derive(Debug)]
    pub struct Demo {
        running: Running,
        keys: Vec<FleetKey>,
    }

    impl Demo {
        /// Starts it, from where `state` left it.
        pub async fn start(state: Option<&Path>) -> Result<Self, Error> {
            let fleet = Fleet::demo().map_err(|error| Error::Bug(error.to_string()))?;
            let keys = fleet.access_keys().into_iter().filter(|key| !key.expired).collect();
            let options = Options { state_file: state.map(Path::to_owned), ..Options::default() };
            let running = Sim::start(fleet, options).await.map_err(Error::usage)?;
            Ok(Self { running, keys })
        }

        /// The credentials of its accounts: of those that profiles name, or of all; of the organization's management
        /// account alone where all others are to be found by it.
        pub fn bases(&self, profiles: &[String], organization: bool) -> Result<Vec<BaseSettings>, Error> {
            let sign_in = |key: &FleetKey| {
                let endpoint = StaticEndpoint {
                    url: self.running.url(),
                    access_key: key.id.clone(),
                    secret_key: "demo".to_owned(),
                };
                BaseSettings {
                    name: Some(key.account_name.clone()),
                    settings: ConnectSettings { endpoint: Some(endpoint), ..ConnectSettings::default() },
                }
            };
            if profiles.is_empty() {
                let bases = if organization { 1 } else { self.keys.len() };
                return Ok(self.keys.iter().take(bases).map(sign_in).collect());
            }
            let names: Vec<_> = self.keys.iter().map(|key| key.account_name.as_str()).collect();
            profiles
                .iter()
                .map(|profile| {
                    let key = self.keys.iter().find(|key| key.account_name == *profile);
                    key.map(sign_in).ok_or_else(|| {
                        Error::usage(format!(
                            "the demo has no profile {profile:?}; its accounts are {}",
                            names.join(", ")
                        ))
                    })
                })
                .collect()
        }

        /// Ends it, and keeps its state if it was asked to.
        pub async fn stop(self) -> Result<(), Error> {
            self.running.shutdown().await.map_err(|error| Error::Output(error.to_string()))
        }
    }
}

#[cfg(not(feature = "demo"))]
#[expect(clippy::unused_async, reason = "the same functions as with the demo, and those wait")]
mod without_sim {
    use std::path::Path;

    use crate::cli::Error;
    use crate::cli::targets::BaseSettings;

    /// Never made: this build has no simulated fleet.
    #[derive(Debug)]
    pub enum Demo {}

    impl Demo {
        pub async fn start(_: Option<&Path>) -> Result<Self, Error> {
            Err(Error::usage("this build has no demo: it was made without the feature `demo`"))
        }

        pub fn bases(&self, _: &[String], _: bool) -> Result<Vec<BaseSettings>, Error> {
            match *self {}
        }

        pub async fn stop(self) -> Result<(), Error> {
            match self {}
        }
    }
}
