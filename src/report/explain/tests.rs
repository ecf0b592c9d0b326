use jiff::civil::date;
use unicode_width::UnicodeWidthStr as _;

use super::{EXPLANATION_SCHEMA, Explained, ExplanationFormat, MOST};
use crate::explain::{Explanation, Query, explain};
use crate::model::OptionValue::{Optional, Required};
use crate::model::{
    Coverage, CoverageStatus, GroupLaunch, Inventory, LaunchOverride, Read, ReadError, VersionRef,
};
use crate::policy::load;
use crate::report::{Run, TableStyle};
use crate::testing::{
    AL2_IMAGE, AL2023_IMAGE, LAUNCHED_BY_WORKERS, actual, al2023, group, instance, inventory, node_group,
    options, reference, template,
};

const PLAIN: TableStyle = TableStyle { width: Some(100), color: false, unicode: true };

/// A cluster with a managed node group, a mixed group and a node by itself.
fn fleet() -> Inventory {
    let mut inventory = inventory();
    inventory.scope.account_name = Some("platform".to_owned());
    template(&mut inventory, "lt-user", &[options(Some(Required), None)], &al2023());
    template(&mut inventory, "lt-copy", &[options(Some(Required), Some(1))], &al2023());
    template(&mut inventory, "lt-other", &[options(Some(Optional), Some(2))], &al2023());
    let users = reference("lt-user", VersionRef::Number(1));
    node_group(&mut inventory, "workers", "lt-copy", Some(users));
    let one = |id| LaunchOverride {
        instance_type: None,
        template: Some(reference(id, VersionRef::Default)),
        image: None,
    };
    let base = reference("lt-user", VersionRef::Default);
    let overrides = vec![one("lt-user"), one("lt-other")];
    group(&mut inventory, "mixed", GroupLaunch::Mixed { base, overrides });
    instance(&mut inventory, "i-same", AL2023_IMAGE, actual(Required, 1), &LAUNCHED_BY_WORKERS);
    instance(&mut inventory, "i-changed", AL2023_IMAGE, actual(Optional, 2), &LAUNCHED_BY_WORKERS);
    instance(&mut inventory, "i-old", AL2_IMAGE, actual(Optional, 1), &[("Name", "bastion")]);
    inventory
}

fn found(inventory: &Inventory, resource: &str) -> Vec<Explanation> {
    let policies = [load("al2023").unwrap()];
    explain(inventory, &policies, date(2026, 11, 15), &Query::parse(resource).unwrap())
}

fn written(explanations: &[Explanation], style: TableStyle) -> String {
    text(&explained(explanations), ExplanationFormat::Table, style)
}

fn explained(explanations: &[Explanation]) -> Explained {
    let at = jiff::Timestamp::UNIX_EPOCH;
    Explained {
        schema: EXPLANATION_SCHEMA.to_owned(),
        run: Run {
            tool: "imdsctl".to_owned(),
            version: "0.0.0".to_owned(),
            started_at: at,
            finished_at: at,
            api_calls: [("eks:ListClusters".to_owned(), 1)].into(),
            api_throttled: 0,
            interrupted: false,
        },
        policies: Vec::new(),
        resource: "what was asked for".to_owned(),
        found: explanations.len() as u64,
        explanations: explanations.to_vec(),
        scopes: 1,
        holes: Vec::new(),
    }
}

fn text(explained: &Explained, format: ExplanationFormat, style: TableStyle) -> String {
    let mut bytes = Vec::new();
    format.write(explained, style, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// Everything that the fleet holds, in one text.
fn all(inventory: &Inventory, style: TableStyle) -> String {
    ["blue", "blue/workers", "mixed", "lt-user", "i-changed", "i-old"]
        .into_iter()
        .map(|resource| written(&found(inventory, resource), style))
        .collect::<Vec<_>>()
        .join("\n\n\n")
}

fn snapshot(name: &str, text: &str) {
    insta::with_settings!({ snapshot_path => "../../../tests/offline/report_snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, text);
    });
}

#[test]
fn plain() {
    snapshot("explain", &all(&fleet(), PLAIN));
}

#[test]
fn ascii() {
    let text = all(&fleet(), TableStyle { unicode: false, ..PLAIN });
    assert!(text.is_ascii());
    snapshot("explain-ascii", &text);
}

#[test]
fn what_could_not_be_read() {
    let mut inventory = fleet();
    inventory.launch_templates.clear();
    inventory.templates_read = false;
    inventory.account_defaults = Read::Failed;
    inventory.coverage.status = CoverageStatus::Partial;
    inventory.coverage.errors.push(ReadError {
        service: "ec2".to_owned(),
        operation: "DescribeLaunchTemplateVersions".to_owned(),
        code: "UnauthorizedOperation".to_owned(),
        message: "the credentials may not do this".to_owned(),
    });
    let mut explained = explained(&found(&inventory, "blue/workers"));
    explained.holes = ["eu-west-1", "eu-west-2", "eu-west-3"]
        .map(|region| Coverage { region: region.into(), ..inventory.coverage.clone() })
        .into();
    snapshot("explain-unread", &text(&explained, ExplanationFormat::Table, PLAIN));
}

#[test]
fn it_fits_every_width_and_cuts_no_identifier() {
    for width in [20, 60, 72, 80, 100, 120, 200] {
        let text = all(&fleet(), TableStyle { width: Some(width), ..PLAIN });
        for line in text.lines() {
            // A single word that is wider than the page stays whole.
            let words = line.split_whitespace().filter(|word| !matches!(*word, "│" | "├" | "└")).count();
            let fits = line.width() <= width.clamp(60, 120);
            assert!(fits || words == 1, "{} columns at {width}: {line}", line.width());
            assert_eq!(line, line.trim_end());
        }
        for id in ["lt-user-name", "lt-copy", "eks-workers", "i-changed", AL2023_IMAGE] {
            assert!(text.contains(id), "{id} at {width}");
        }
    }
}

#[test]
fn colours() {
    let text = written(&found(&fleet(), "blue/workers"), TableStyle { color: true, ..PLAIN });
    assert!(text.contains("\u{1b}[31;1m✗"), "{text:?}");
    assert!(!text.contains("\u{1b}[0m\u{1b}[0m"));
}

#[test]
fn names_that_do_harm_do_none() {
    let mut inventory = fleet();
    let name = "\u{1b}[31mred\u{202e}\nnew line";
    group(&mut inventory, name, GroupLaunch::Template(reference("lt-user", VersionRef::Latest)));
    inventory.launch_templates.get_mut(&"lt-user".into()).unwrap().name = name.to_owned();
    inventory.images.get_mut(&AL2023_IMAGE.into()).unwrap().name = Some(name.to_owned());
    for resource in [name, "blue", "blue/workers"] {
        let explanations = found(&inventory, resource);
        assert!(!explanations.is_empty());
        let text = written(&explanations, PLAIN);
        assert!(text.contains(r"\u{1b}[31mred\u{202e}\nnew"), "{text}");
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
        let json = self::text(&explained(&explanations), ExplanationFormat::Json, PLAIN);
        assert!(!json.contains(['\u{1b}', '\u{202e}']), "{json:?}");
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert!(read.to_string().contains("\u{202e}"), "a parser reads it as it is");
    }
}

#[test]
fn no_more_than_so_many_are_shown() {
    let explanations = vec![found(&fleet(), "blue").remove(0); MOST];
    let explained = Explained { found: 23, ..explained(&explanations) };
    let text = text(&explained, ExplanationFormat::Table, PLAIN);
    assert!(text.starts_with("23 resources have that name; the first 10 are shown: "), "{text}");
}

#[test]
fn json() {
    let all: Vec<_> =
        ["blue", "mixed", "i-changed", "lt-user"].iter().flat_map(|one| found(&fleet(), one)).collect();
    snapshot("explain-json", &text(&explained(&all), ExplanationFormat::Json, PLAIN));
}
