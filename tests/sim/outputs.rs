//! Where reports go, what they say twice, and how a run ends.

use std::fs::{File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use crate::cloud::Cloud;
use crate::program::{Outcome, Report};

/// Bad, good, and scaled to zero.
const MIXED: &str = r"
- names: [eu-west-1, us-west-2]
  launch_templates:
    - { name: bad, versions: [{ image: al2023-1.33, metadata_options: { hop_limit: 1 } }] }
    - { name: good, versions: [{ image: al2023-1.33, metadata_options: { http_tokens: required, hop_limit: 2 } }] }
  clusters:
    - name: blue
      self_managed:
        - { name: bad, template: { name: bad }, nodes: 5 }
        - { name: good, template: { name: good }, nodes: 5 }
        - { name: zero, template: { name: bad }, nodes: 0 }
";

const GOOD: &str = r"
- names: [eu-west-1]
  launch_templates:
    - { name: good, versions: [{ image: al2023-1.33, metadata_options: { http_tokens: required, hop_limit: 2 } }] }
  clusters: [{ name: blue, self_managed: [{ name: good, template: { name: good }, nodes: 3 }] }]
";

/// Its only failure is of medium severity.
const MEDIUM: &str = r"
- names: [eu-west-1]
  launch_templates:
    - { name: sealed, versions: [{ image: al2023-1.33, metadata_options: { http_endpoint: disabled } }] }
  clusters: [{ name: blue, self_managed: [{ name: sealed, template: { name: sealed }, nodes: 1 }] }]
";

const AUDIT: &str = "audit --region eu-west-1 --region us-west-2";

pub fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().mode() & 0o777
}

#[test]
fn several_formats_at_once_say_the_same() {
    let cloud = Cloud::with(MIXED);
    let program =
        cloud.imdsctl(AUDIT).line("-o table -o json=a.json -o csv=b.csv -o table=c.txt -o json=d.json");
    let outcome = program.run().code(1);
    assert_eq!(outcome.files(), ["a.json", "b.csv", "c.txt", "d.json"]);
    assert_eq!(outcome.stderr, "");
    assert_eq!(outcome.stdout, outcome.read("c.txt"));
    assert_eq!(outcome.read("a.json"), outcome.read("d.json"));
    let report = Report::parse(&outcome.read("a.json"));
    let csv = outcome.read("b.csv");
    let rows: Vec<_> = csv::Reader::from_reader(csv.as_bytes()).into_records().map(Result::unwrap).collect();
    let ids: Vec<_> = rows.iter().map(|row| row[0].to_owned()).collect();
    let wanted: Vec<_> =
        report.findings().iter().map(|finding| finding["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, wanted);
    for name in outcome.files() {
        assert_eq!(mode(&outcome.path(&name)), 0o600, "{name} is for its owner only");
    }
}

#[test]
fn a_table_is_what_comes_without_asking() {
    let cloud = Cloud::with(MIXED);
    let asked = cloud.imdsctl(AUDIT).line("-o table").run().code(1);
    let unasked = cloud.imdsctl(AUDIT).run().code(1);
    assert_eq!(unasked.table(), asked.table());
    assert!(!unasked.stdout.contains('\u{1b}'), "no colours into a pipe");
    let coloured = cloud.imdsctl(AUDIT).line("--color always").run().code(1);
    assert!(coloured.stdout.contains('\u{1b}'));
}

#[test]
fn an_old_file_is_replaced_as_a_whole() {
    let cloud = Cloud::with(MIXED);
    let old = "x".repeat(1 << 20);
    let program = cloud.imdsctl(AUDIT).line("-o json=report.json").file("report.json", &old);
    let path = program.path("report.json");
    std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    let inode = path.metadata().unwrap().ino();
    // A reader of the old file keeps it, whole.
    let reader = File::open(&path).unwrap();
    let outcome = program.run().code(1);
    Report::parse(&outcome.read("report.json"));
    assert_ne!(outcome.path("report.json").metadata().unwrap().ino(), inode, "written beside, then renamed");
    assert_eq!(std::io::read_to_string(reader).unwrap(), old);
    assert_eq!(mode(&outcome.path("report.json")), 0o600);
    assert_eq!(outcome.files(), ["report.json"]);
}

#[test]
fn a_link_is_written_through() {
    let cloud = Cloud::with(MIXED);
    let program = cloud.imdsctl(AUDIT).line("-o json=link.json").file("target.json", "old");
    symlink("target.json", program.path("link.json")).unwrap();
    let outcome = program.run().code(1);
    assert!(outcome.path("link.json").symlink_metadata().unwrap().is_symlink());
    Report::parse(&outcome.read("target.json"));
    assert_eq!(outcome.files(), ["link.json", "target.json"]);
}

#[test]
fn a_link_to_a_file_that_is_yet_to_be() {
    let cloud = Cloud::with(MIXED);
    let program = cloud.imdsctl(AUDIT).line("-o json=link.json");
    symlink("target.json", program.path("link.json")).unwrap();
    let outcome = program.run().code(1);
    Report::parse(&outcome.read("link.json"));
    assert!(outcome.path("link.json").symlink_metadata().unwrap().is_symlink());
    Report::parse(&outcome.read("target.json"));
    let looping = cloud.imdsctl(AUDIT).line("-o json=loop.json");
    symlink("loop.json", looping.path("loop.json")).unwrap();
    assert_eq!(looping.run().refused(), "cannot write loop.json: it is a link that leads to itself");
}

#[test]
fn a_device_is_written_to_and_not_replaced() {
    let cloud = Cloud::with(MIXED);
    cloud.imdsctl(AUDIT).line("-o json=/dev/null").run().code(1);
    let null = Path::new("/dev/null").metadata().unwrap();
    assert!(!null.is_file());
}

#[test]
fn a_report_that_cannot_be_written_at_the_end_is_incomplete() {
    let cloud = Cloud::with(GOOD);
    let full = File::options().write(true).open("/dev/full").unwrap();
    let outcome = cloud.imdsctl("audit --region eu-west-1 -o json").stdout(full).run().code(4);
    assert!(outcome.stderr.starts_with("error: cannot write to stdout: "), "{}", outcome.stderr);
    // One that fails does not keep the others from being written.
    let outcome =
        cloud.imdsctl("audit --region eu-west-1 -o csv=/dev/full -o json=a.json -o table").run().code(4);
    assert!(outcome.stderr.starts_with("error: cannot write /dev/full: "), "{}", outcome.stderr);
    assert!(!outcome.stdout.is_empty());
    Report::parse(&outcome.read("a.json"));
}

#[test]
fn a_reader_that_has_enough_is_no_error() {
    let cloud = Cloud::with(MIXED);
    for format in ["json", "ndjson", "csv", "table"] {
        let mut started = cloud.imdsctl(AUDIT).args(["-o", format]).spawn();
        drop(started.child.stdout.take());
        let outcome = started.end().code(1);
        assert_eq!(outcome.stderr, "", "{format}");
    }
}

/// The report without `run`, which alone may differ.
pub fn without_run(json: &str) -> String {
    let (before, after) = json.split_once("\"run\"").unwrap();
    let (_, after) = after.split_once("\"policies\"").unwrap();
    format!("{before}\"policies\"{after}")
}

#[test]
fn two_runs_write_the_same_bytes() {
    let cloud = Cloud::with(MIXED);
    let run =
        || cloud.imdsctl(AUDIT).line("--include-passed -o table -o csv=b.csv -o json=a.json").run().code(1);
    let (first, second) = (run(), run());
    assert!(first.table() == second.table(), "the tables differ");
    assert!(first.read("b.csv") == second.read("b.csv"), "the CSV files differ");
    assert!(
        without_run(&first.read("a.json")) == without_run(&second.read("a.json")),
        "the JSON files differ"
    );
    // In whatever order the Regions are named.
    let swapped = "audit --region us-west-2 --region eu-west-1 --include-passed -o json";
    let swapped = cloud.imdsctl(swapped).run().code(1);
    assert!(without_run(&swapped.stdout) == without_run(&first.read("a.json")), "the order of Regions shows");
}

#[test]
fn a_fleet_without_failures_ends_with_0() {
    let cloud = Cloud::with(GOOD);
    let outcome = cloud.imdsctl("audit --region eu-west-1 -o json").run().code(0);
    let report = outcome.report();
    assert_eq!((report.findings().len(), report.count("instances"), report.count("failed")), (0, 3, 0));
    assert_eq!(outcome.stderr, "");
    let account = Cloud::with("- { names: [eu-west-1] }");
    let empty = account.imdsctl("audit --region eu-west-1").run().code(0);
    assert!(!empty.stdout.is_empty());
}

#[test]
fn fail_on_decides_the_code_and_not_the_report() {
    let cloud = Cloud::with(MEDIUM);
    let run = |flags: &str| cloud.imdsctl("audit --region eu-west-1 -o json").line(flags).run();
    let whole = run("");
    for (flags, code) in [
        ("", 1),
        ("--fail-on info", 1),
        ("--fail-on low", 1),
        ("--fail-on medium", 1),
        ("--fail-on high", 0),
        ("--fail-on critical", 0),
        ("--fail-on none", 0),
    ] {
        let outcome = run(flags).code(code);
        assert!(without_run(&outcome.stdout) == without_run(&whole.stdout), "{flags}");
    }
    assert_eq!(whole.report().verdict("sealed", "endpoint-enabled"), "fail disabled launch_template");
}

/// What is unknown counts like a failure.
#[test]
fn unknown_is_not_compliant() {
    let cloud = Cloud::with(
        r"
- names: [eu-west-1]
  images: [{ key: mystery, name: golden-42 }]
  launch_templates: [{ name: odd, versions: [{ image: mystery, metadata_options: { hop_limit: 1 } }] }]
  clusters: [{ name: blue, self_managed: [{ name: odd, template: { name: odd }, nodes: 1 }] }]
",
    );
    let outcome = cloud.imdsctl("audit --region eu-west-1 -o json").run().code(1);
    let report = outcome.report();
    assert!(report.findings().iter().all(|finding| finding["status"] == "unknown"));
    assert_eq!(report.count("failed"), 0);
    cloud.imdsctl("audit --region eu-west-1 --fail-on critical").run().code(0);
}

#[test]
fn what_passed_is_counted_in_any_case_and_listed_when_asked_for() {
    let cloud = Cloud::with(MIXED);
    let run = |flags: &str| cloud.imdsctl(AUDIT).line("-o json").line(flags).run().code(1).report();
    let (short, long) = (run(""), run("--include-passed"));
    assert!(short.0["summary"] == long.0["summary"]);
    let listed = |report: &Report, status: &str| {
        report.findings().iter().filter(|finding| finding["status"] == status).count() as u64
    };
    for (status, count) in
        [("pass", "passed"), ("fail", "failed"), ("unknown", "unknown"), ("not_applicable", "not_applicable")]
    {
        assert_eq!(listed(&long, status), long.count(count), "{status}");
    }
    assert_eq!((listed(&short, "pass"), listed(&short, "not_applicable")), (0, 0));
    assert_eq!(listed(&short, "fail"), listed(&long, "fail"));
    assert_eq!(short.count("instances"), 20);
    // In each Region: the hop limit of five nodes and of the two groups that launch from `bad`.
    assert_eq!(short.count("failed"), 14);
}

#[test]
fn quiet_is_quiet_and_logs_can_be_json() {
    let cloud = Cloud::faulty("- { operation: 'ec2:DescribeRegions', error: access_denied }", GOOD);
    let run =
        |flags: &str| -> Outcome { cloud.imdsctl("audit --region eu-west-1").line(flags).run().code(0) };
    assert!(run("").stderr.contains("may not list Regions"));
    assert_eq!(run("--quiet").stderr, "");
    let json = run("--log-format json -v").stderr;
    for line in json.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    assert!(json.contains("may not list Regions"));
}
