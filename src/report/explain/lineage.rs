//! The lineage: a rail down the left, a stop for every place that has a say.

use std::io;

use super::LABEL;
use super::options::mark;
use crate::explain::{Explanation, Kind, Link, Says, Stage, StageKind};
use crate::finding::{Source, Status};
use crate::model::OptionName;
use crate::report::table::page::{Page, Paint, Text};

/// Below this width a stage's label has a line of its own, so that an image's name fits under it.
const NARROW: usize = 80;

/// The characters of the rail.
struct Rail {
    first: &'static str,
    stop: &'static str,
    last: &'static str,
    only: &'static str,
    down: &'static str,
}

const UNICODE: Rail = Rail { first: "┌ ", stop: "├ ", last: "└ ", only: "─ ", down: "│ " };
const ASCII: Rail = Rail { first: "+ ", stop: "+ ", last: "+ ", only: "- ", down: "| " };

/// A stop: what is drawn before its line, what before its further lines, and itself.
struct Stop<'a> {
    before: String,
    under: String,
    stage: &'a Stage,
    /// The way that it is on, where there are several.
    way: Option<usize>,
}

pub(super) fn write(page: &mut Page<'_>, explanation: &Explanation) -> io::Result<()> {
    if explanation.lineage.is_empty() {
        return Ok(());
    }
    super::heading(page, "lineage")?;
    let rail = if page.unicode() { UNICODE } else { ASCII };
    let stops = stops(&explanation.lineage, &rail);
    let before = |stop: &Stop<'_>| stop.before.chars().count();
    let widest = stops.iter().map(|stop| before(stop) + label(stop.stage.kind).len()).max().unwrap_or(0);
    let deepest = stops.iter().map(before).max().unwrap_or(0);
    let beside = page.columns() >= NARROW;
    let indent = LABEL + 2 + if beside { widest } else { deepest };
    for stop in stops {
        let head = page.text().paint(Paint::Faint, &*stop.before).say(label(stop.stage.kind));
        let under = page.text().paint(Paint::Faint, &*stop.under);
        let says = says(page, stop.stage, &blamed(explanation, &stop));
        let lines = [is(page.text(), stop.stage), says].into_iter().filter(|text| !text.is_empty());
        let mut head = Some(head);
        if !beside && let Some(head) = head.take() {
            page.labelled(&head, LABEL, 0, &page.text())?;
        }
        for line in lines {
            page.railed(&head.take().unwrap_or_else(|| under.clone()), &under, LABEL, indent, &line)?;
        }
    }
    Ok(())
}

/// The stops in one list; each way of several has a rail of its own beside the main one.
fn stops<'a>(lineage: &'a [Link], rail: &Rail) -> Vec<Stop<'a>> {
    let mut stops = Vec::new();
    for (at, link) in lineage.iter().enumerate() {
        let (first, last) = (at == 0, at + 1 == lineage.len());
        match link {
            Link::One(stage) => {
                let under = if last { "  " } else { rail.down };
                stops.push(Stop {
                    before: joint(rail, first, last).to_owned(),
                    under: under.to_owned(),
                    stage,
                    way: None,
                });
            }
            Link::Ways(ways) => {
                for (number, way) in ways.iter().enumerate() {
                    let (main, below) = match (first && number == 0, last && number + 1 == ways.len()) {
                        (_, true) => (rail.last, "  "),
                        (first, false) => (joint(rail, first, false), rail.down),
                    };
                    of_way(&mut stops, rail, (main, below), number, way);
                }
            }
        }
    }
    stops
}

fn of_way<'a>(
    stops: &mut Vec<Stop<'a>>,
    rail: &Rail,
    (main, below): (&str, &str),
    at_way: usize,
    way: &'a [Stage],
) {
    for (at, stage) in way.iter().enumerate() {
        let own = joint(rail, at == 0, at + 1 == way.len());
        let number = if at == 0 { format!("{} ", at_way + 1) } else { "  ".to_owned() };
        let own_below = if at + 1 == way.len() { "  " } else { rail.down };
        let main = if at == 0 { main } else { below };
        stops.push(Stop {
            before: format!("{main}{number}{own}"),
            under: format!("{below}  {own_below}"),
            stage,
            way: Some(at_way),
        });
    }
}

const fn joint(rail: &Rail, first: bool, last: bool) -> &'static str {
    match (first, last) {
        (true, true) => rail.only,
        (true, false) => rail.first,
        (false, true) => rail.last,
        (false, false) => rail.stop,
    }
}

/// What a stage is called, in the lineage and as what decides an option.
const fn label(kind: StageKind) -> &'static str {
    match kind {
        StageKind::AccountDefault => "account default",
        StageKind::Image => "image",
        StageKind::LaunchTemplate => "launch template",
        StageKind::EksTemplate => "EKS's template",
        StageKind::NodeClass => "EC2NodeClass",
        StageKind::KarpenterTemplate => "Karpenter's template",
        StageKind::LaunchConfiguration => "launch configuration",
        StageKind::AutoMode => "EKS Auto Mode",
        StageKind::AutoScalingGroup => "Auto Scaling group",
        StageKind::NodeGroup => "node group",
        StageKind::Instance => "instance",
    }
}

/// Its name, id, version and facts.
fn is(text: Text, stage: &Stage) -> Text {
    let name = stage.name.as_deref().filter(|name| !name.is_empty());
    let mut text = match (name, stage.id.as_deref()) {
        // An image's name is long, and its id has a line to itself.
        (Some(name), Some(_)) if stage.kind == StageKind::Image => text.id(name),
        (Some(name), Some(id)) if stage.kind == StageKind::Instance => {
            text.id(id).say(" (").name(name).say(")")
        }
        (Some(name), Some(id)) => text.id(name).say(" (").word(id).say(")"),
        (Some(only), None) | (None, Some(only)) => text.id(only),
        (None, None) => text,
    };
    if let Some(version) = stage.version {
        text = text.say(" ").fact(Paint::Strong, &format!("version {version}"));
    }
    for fact in &stage.facts {
        if !text.is_empty() {
            text = text.dot();
        }
        text = text.phrase(fact);
    }
    text
}

/// The options that a stage decides and that break a rule, or may.
fn blamed(explanation: &Explanation, stop: &Stop<'_>) -> Vec<(OptionName, Status)> {
    let ways = match (stop.way, explanation.kind) {
        (Some(way), _) => explanation.ways.get(way..=way),
        // What comes behind an instance's own options is about its group's next node.
        (None, Kind::Instance) => explanation.ways.get(..1),
        (None, _) => Some(&explanation.ways[..]),
    };
    let lines = ways.unwrap_or_default().iter().flat_map(|way| &way.options);
    lines
        .filter(|line| decides(stop.stage.kind, line.source))
        .filter_map(|line| {
            let worst = line.checks.iter().map(|check| check.status).min()?;
            matches!(worst, Status::Fail | Status::Unknown).then_some((line.option, worst))
        })
        .collect()
}

/// Whether a stage is what decides values of this source.
const fn decides(kind: StageKind, source: Source) -> bool {
    matches!(
        (kind, source),
        (StageKind::LaunchTemplate | StageKind::KarpenterTemplate, Source::LaunchTemplate)
            | (StageKind::EksTemplate, Source::EksLaunchTemplate)
            | (StageKind::LaunchConfiguration, Source::LaunchConfiguration)
            | (StageKind::AccountDefault, Source::AccountDefault)
            | (StageKind::Image, Source::Image)
            | (StageKind::Instance, Source::Instance)
    )
}

/// What decided a value, called as in the lineage. Karpenter's templates are no one else's, and under Auto Mode
/// whatever template there is is AWS's own.
pub(super) fn source(explanation: &Explanation, source: Source) -> &'static str {
    let has = |kind: StageKind| {
        explanation.lineage.iter().any(|link| matches!(link, Link::One(stage) if stage.kind == kind))
    };
    if has(StageKind::AutoMode) {
        return label(StageKind::AutoMode);
    }
    label(match source {
        Source::Instance => return "the instance itself",
        Source::BuiltIn => return "EC2's own default",
        Source::Unresolved => return "not known",
        Source::LaunchTemplate if has(StageKind::KarpenterTemplate) => StageKind::KarpenterTemplate,
        Source::LaunchTemplate => StageKind::LaunchTemplate,
        Source::EksLaunchTemplate => StageKind::EksTemplate,
        Source::LaunchConfiguration => StageKind::LaunchConfiguration,
        Source::AccountDefault => StageKind::AccountDefault,
        Source::Image => StageKind::Image,
    })
}

/// What an option is called in a sentence.
const fn short(option: OptionName) -> &'static str {
    match option {
        OptionName::HttpTokens => "tokens",
        OptionName::HttpPutResponseHopLimit => "hop limit",
        OptionName::HttpEndpoint => "endpoint",
        OptionName::HttpProtocolIpv6 => "IPv6",
        OptionName::InstanceMetadataTags => "instance tags",
    }
}

/// What it says about the options.
fn says(page: &Page<'_>, stage: &Stage, blamed: &[(OptionName, Status)]) -> Text {
    let text = match (&stage.name, &stage.id) {
        (Some(_), Some(id)) if stage.kind == StageKind::Image => page.text().word(id).dot(),
        _ => page.text(),
    };
    let (verb, nothing, options) = match &stage.says {
        Says::Nothing if stage.kind == StageKind::NodeClass => {
            return text.paint(Paint::Faint, "decides all of it; EC2 does not show it");
        }
        Says::Nothing if stage.kind == StageKind::AutoMode => {
            return text.paint(Paint::Faint, "decides all of it");
        }
        Says::Nothing => return page.text(),
        Says::Unread => return text.paint(Paint::Warning, "could not be read"),
        Says::Gone => return text.paint(Paint::Warning, "no longer exists"),
        Says::Sets(options) if stage.kind == StageKind::Image => ("asks for ", "asks for nothing", options),
        Says::Sets(options) => ("sets ", "sets nothing", options),
        Says::Adds(options) => ("copies that and adds ", "copies that", options),
        Says::Differs(options) => ("has instead ", "", options),
    };
    if options.is_empty() {
        return text.paint(Paint::Faint, nothing);
    }
    let mut text = text.say(verb);
    for (at, (option, value)) in options.iter().enumerate() {
        text = if at == 0 { text } else { text.say(", ") };
        let said = format!("{} {value}", short(*option));
        text = match blamed.iter().find(|(blamed, _)| blamed == option) {
            Some((_, status)) => {
                let (mark, paint) = mark(page.unicode(), *status);
                text.fact(paint, &format!("{mark} {said}"))
            }
            None => text.fact(Paint::Plain, &said),
        };
    }
    text
}
