//! The state machine of `deploy/`, run by moto's interpreter, with the real function behind it and a simulated AWS behind
//! that.
//!
//! ```text
//! moto: interpreter ── Invoke ──> [`Lambda`] ──> bootstrap ──┬── EC2, EKS, STS… ──> simulated AWS
//!         S3 <──────────────────────────────────────────────┘
//! ```

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use imdsctl::model::Scope;
use imdsctl::scan::Shard;
use imdsctl_sim::Fault;
use serde_json::{Value, json};

use crate::cloud::Cloud;
use crate::fleet::succeeded;
use crate::http::{Request, Response, Server as Router};
use crate::lambda::{Function, Invoked};
use crate::server::Server;
use crate::support::python::{self, Environment};

/// Four accounts in three Regions. One has no role that could be assumed.
const ORGANIZATION: &str = r#"
name: organization
organizations: [{ id: o-exampleorg1, management_account: "111111111111" }]
roles: [{ name: ImdsctlAudit }]
accounts:
  - id: "111111111111"
    name: management
    access_keys: [{ id: AKIATESTTESTTEST0001, user: auditor }]
    regions: &regions
      - names: [eu-west-1, us-east-1, us-west-2]
        launch_templates:
          - { name: bad, versions: [{ image: al2023-1.33, metadata_options: { hop_limit: 1 } }] }
          - { name: good, versions: [{ image: al2023-1.33, metadata_options: { http_tokens: required, hop_limit: 2 } }] }
        clusters:
          - name: blue
            self_managed:
              - { name: workers, template: { name: bad }, nodes: 2 }
              - { name: others, template: { name: good }, nodes: 1 }
  - { id: "222222222222", name: payments, regions: *regions }
  - { id: "333333333333", name: data, regions: *regions }
  - { id: "444444444444", name: bare, without_roles: [ImdsctlAudit], regions: *regions }
"#;

const REGIONS: [&str; 3] = ["eu-west-1", "us-east-1", "us-west-2"];

/// The accounts that can be read.
const READABLE: [&str; 3] = ["111111111111", "222222222222", "333333333333"];

const SHARDS: u32 = 5;

const REPORT: &str = "reports/report.json";

/// An account in a Region.
type Place = (String, String);

/// The shard that an account in a Region is in, as events name it.
fn shard_of(account: &str, region: &str) -> String {
    let scope = Scope {
        partition: "aws".into(),
        account_id: account.into(),
        account_name: None,
        region: region.into(),
    };
    let mut shards = (1..=SHARDS).map(|number| format!("hash:{number}/{SHARDS}"));
    shards.find(|shard| shard.parse::<Shard>().unwrap().holds(&scope)).unwrap()
}

/// What befalls a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    /// The first time its deadline comes while AWS does not answer.
    Deadline,
    /// The first time it is killed before it has begun.
    Killed,
    /// Its function is set up wrongly, each time.
    Broken,
}

/// A function for each trouble, and one without.
struct Lambda {
    patient: Function,
    hurried: Function,
    breathless: Function,
    broken: Function,
    troubles: Mutex<BTreeMap<String, Trouble>>,
    told: Mutex<Vec<(Value, Invoked)>>,
}

impl Lambda {
    fn start(cloud: &Cloud, moto: &str, bucket: &str) -> Self {
        let function = |timeout: Duration, policy: &str| {
            let variables = [
                ("AWS_ENDPOINT_URL", cloud.url()),
                ("AWS_ENDPOINT_URL_S3", moto.to_owned()),
                ("AWS_ACCESS_KEY_ID", cloud.keys()[0].id.clone()),
                ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
                ("AWS_MAX_ATTEMPTS", "2".to_owned()),
                ("IMDSCTL_ORG", "true".to_owned()),
                ("IMDSCTL_REGION", REGIONS.join(",")),
                ("IMDSCTL_POLICY", policy.to_owned()),
                ("IMDSCTL_RUNS", format!("s3://{bucket}/work")),
                ("IMDSCTL_OUTPUT", format!("json=s3://{bucket}/{REPORT}")),
            ];
            let plan =
                variables.into_iter().fold(Function::new(), |plan, (name, value)| plan.env(name, value));
            plan.timeout(timeout).start()
        };
        Self {
            patient: function(Duration::from_mins(5), "al2023"),
            hurried: function(Duration::from_secs(8), "al2023"),
            breathless: function(Duration::from_millis(1), "al2023"),
            broken: function(Duration::from_mins(5), "no-such-policy"),
            troubles: Mutex::default(),
            told: Mutex::default(),
        }
    }

    fn invoke(&self, event: &Value) -> Invoked {
        let invoked = self.function(event["shard"].as_str().unwrap_or_default()).invoke(event);
        self.told.lock().unwrap().push((event.clone(), invoked.clone()));
        invoked
    }

    fn function(&self, shard: &str) -> &Function {
        let mut troubles = self.troubles.lock().unwrap();
        let trouble = troubles.get(shard).copied();
        if trouble != Some(Trouble::Broken) {
            troubles.remove(shard);
        }
        match trouble {
            None => &self.patient,
            Some(Trouble::Deadline) => &self.hurried,
            Some(Trouble::Killed) => &self.breathless,
            Some(Trouble::Broken) => &self.broken,
        }
    }

    fn answer(&self, request: &Request) -> Response {
        let invoked = self.invoke(&serde_json::from_slice(&request.body).unwrap());
        let response = Response::json(200, invoked.payload.to_string());
        match invoked.error {
            Some(error) => response.header("x-amz-function-error", error),
            None => response,
        }
    }
}

/// The machine, and what it is made of.
struct Machine {
    python: &'static Environment,
    cloud: Cloud,
    moto: Server,
    lambda: Arc<OnceLock<Lambda>>,
    _router: Router,
}

/// How a run of the machine ended.
struct Ended {
    output: Value,
    objects: Value,
}

impl Machine {
    fn start(python: &'static Environment) -> Self {
        let lambda: Arc<OnceLock<Lambda>> = Arc::default();
        let invoked = Arc::clone(&lambda);
        let router = Router::start(move |request| Some(invoked.get().unwrap().answer(&request)));
        let endpoint = format!("http://{}", router.address());
        let moto = Server::start_with(python, &[("LAMBDA_ENDPOINT", &endpoint)]).unwrap();
        let cloud = Cloud::start(ORGANIZATION);
        let machine = Self { python, cloud, moto, lambda, _router: router };
        let definition = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/state-machine.asl.json");
        let seeded = machine.ask("seed", definition.to_str().unwrap());
        let bucket = seeded["bucket"].as_str().unwrap();
        let lambda = Lambda::start(&machine.cloud, &machine.moto.endpoint, bucket);
        assert!(machine.lambda.set(lambda).is_ok());
        machine
    }

    fn ask(&self, what: &str, of: &str) -> Value {
        let mut script = self.python.script("moto_state_machine.py");
        let asked = script.args(["--endpoint", &self.moto.endpoint, what, of]).output().unwrap();
        serde_json::from_slice(&succeeded("moto_state_machine.py", asked).unwrap()).unwrap()
    }

    fn lambda(&self) -> &Lambda {
        self.lambda.get().unwrap()
    }

    /// What befalls shards from now on.
    fn set_troubles<const N: usize>(&self, troubles: [(&str, Trouble); N]) {
        *self.lambda().troubles.lock().unwrap() =
            troubles.map(|(shard, trouble)| (shard.to_owned(), trouble)).into();
        self.lambda().told.lock().unwrap().clear();
    }

    /// Starts it, and waits for its end.
    #[track_caller]
    fn run(&self, input: &Value) -> Ended {
        let mut ended = self.ask("run", &input.to_string());
        assert_eq!(ended["status"], "SUCCEEDED", "{} {}", ended["why"], self.lambda().patient.log());
        Ended { output: ended["output"].take(), objects: ended["objects"].take() }
    }

    /// The report of one process that reads all of it.
    fn of_one_process(&self) -> Value {
        let regions = REGIONS.iter().flat_map(|region| ["--region", region]);
        let audit = self.cloud.imdsctl("audit --org -o json").args(regions);
        without_run(&audit.run().code(4).stdout)
    }

    /// How each shard was told to have ended, time after time.
    fn told(&self) -> BTreeMap<String, Vec<String>> {
        let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (event, invoked) in &*self.lambda().told.lock().unwrap() {
            let what = event["shard"].as_str().or_else(|| event["action"].as_str()).unwrap();
            let how = ["errorType", "status"].iter().find_map(|name| invoked.payload[name].as_str());
            told.entry(what.to_owned()).or_default().push(how.unwrap_or_default().to_owned());
        }
        told
    }

    /// What `PlanScopes` said.
    fn planned(&self) -> Value {
        let told = self.lambda().told.lock().unwrap();
        told.iter().find(|(event, _)| event["action"] == "plan-scopes").unwrap().1.clone().succeeded()
    }

    /// How often each account in a Region was read.
    fn reads(&self) -> BTreeMap<Place, usize> {
        let mut reads = BTreeMap::new();
        for request in self.cloud.requests() {
            if request.operation == "ListClusters" && request.status == 200 {
                *reads.entry((request.account, request.region)).or_default() += 1;
            }
        }
        reads
    }
}

impl Ended {
    /// The merged report.
    fn report(&self) -> Value {
        without_run(self.objects[REPORT].as_str().unwrap())
    }
}

/// A report but for what changes from run to run.
fn without_run(report: &str) -> Value {
    let mut report: Value = serde_json::from_str(report).unwrap();
    report.as_object_mut().unwrap().remove("run").unwrap();
    report
}

fn fault(account: &str, region: &str, error: &str, times: u32) -> Fault {
    let fault = json!({
        "account": account, "region": region, "operation": "eks:ListClusters", "error": error, "times": times,
    });
    serde_json::from_value(fault).unwrap()
}

/// The accounts and Regions that can be read.
fn readable() -> impl Iterator<Item = Place> {
    READABLE.iter().flat_map(|account| REGIONS.map(|region| ((*account).to_owned(), region.to_owned())))
}

fn place(of: &Value) -> Place {
    let text = |name: &str| of[name].as_str().unwrap().to_owned();
    (text("account_id"), text("region"))
}

#[test]
fn whatever_befalls_shards_their_merged_report_is_that_of_one_process() {
    let Some(python) = python::environment() else { return };
    let machine = Machine::start(python);
    let whole = machine.of_one_process();
    let throttled = shard_of("222222222222", "us-east-1");
    let late = shard_of("333333333333", "eu-west-1");
    let killed = shard_of("333333333333", "us-west-2");
    // Both attempts of the first time; and an answer that never comes.
    machine.cloud.set_faults(&[
        fault("222222222222", "us-east-1", "throttled", 2),
        fault("333333333333", "eu-west-1", "hang", 1),
    ]);
    machine.set_troubles([(&late, Trouble::Deadline), (&killed, Trouble::Killed)]);
    let ended = machine.run(&json!({ "shards": SHARDS }));

    let told = machine.told();
    assert_eq!(told[&throttled][0], "Imdsctl.Incomplete");
    assert_eq!(told[&late][0], "Imdsctl.Incomplete");
    assert_eq!(told[&killed][0], "Sandbox.Timedout");
    for (what, how) in &told {
        let troubled = [&throttled, &late, &killed].contains(&what);
        assert_eq!(how.len(), if troubled { 2 } else { 1 }, "{what}: {how:?}");
    }
    // An account is denied, which no retry mends.
    assert_eq!((&ended.output["exit"], &ended.output["status"]), (&4.into(), &"incomplete".into()));
    let report = ended.report();
    assert_eq!(report["coverage"], whole["coverage"]);
    assert!(report == whole, "it differs from the report of one process");
    // What was read before it was throttled is not read again.
    let reads = machine.reads();
    assert!(readable().filter(|(account, region)| shard_of(account, region) == throttled).count() > 1);
    for (account, region) in readable() {
        let times = reads[&(account.clone(), region.clone())];
        let shard = shard_of(&account, &region);
        assert!(times == 1 || shard == late || shard == killed, "{account} {region}: {times}");
    }
}

#[test]
fn what_a_lost_shard_was_to_read_is_failed_coverage_until_the_machine_is_started_again() {
    let Some(python) = python::environment() else { return };
    let machine = Machine::start(python);
    let whole = machine.of_one_process();
    let lost = shard_of("111111111111", "us-west-2");
    machine.set_troubles([(&lost, Trouble::Broken)]);
    let ended = machine.run(&json!({ "shards": SHARDS }));
    assert_eq!(
        machine.told()[&lost],
        ["Imdsctl.BadSettings"],
        "what does not become better is not tried again"
    );
    let planned = machine.planned();
    let report = ended.report();
    let is_lost = |of: &Value| {
        let (account, region) = place(of);
        shard_of(&account, &region) == lost
    };
    let kept: Vec<_> = whole["findings"].as_array().unwrap().iter().filter(|one| !is_lost(one)).collect();
    assert_eq!(report["findings"].as_array().unwrap().iter().collect::<Vec<_>>(), kept);
    let scopes = report["coverage"].as_array().unwrap();
    assert_eq!(scopes.len(), whole["coverage"].as_array().unwrap().len());
    assert!(scopes.iter().any(is_lost) && !scopes.iter().all(is_lost));
    for (scope, before) in scopes.iter().zip(whole["coverage"].as_array().unwrap()) {
        if is_lost(scope) {
            let how = (&scope["status"], &scope["errors"][0]["code"]);
            assert_eq!(how, (&"failed".into(), &"NoReport".into()), "{scope}");
        } else {
            assert_eq!(scope, before);
        }
    }

    machine.set_troubles([]);
    machine.cloud.set_faults(&[]);
    let ended = machine.run(&planned);
    assert!(ended.report() == whole, "it differs from the report of one process");
    assert!(!machine.told().contains_key("plan-scopes"));
    let of_lost = readable().filter(|(account, region)| shard_of(account, region) == lost);
    assert_eq!(machine.reads(), of_lost.map(|place| (place, 1)).collect(), "only what was missing is read");
}
