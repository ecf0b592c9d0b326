//! What belongs to a cluster or a group, and who launches from a template: a tree of one line each.

use std::io;

use super::LABEL;
use super::options::mark;
use crate::explain::{Explanation, Kind, Member, MemberKind};
use crate::finding::Status;
use crate::report::table::page::{Page, Paint, Text};
use crate::report::words::{self, count};

/// How many are listed.
const LISTED: usize = 50;

pub(super) fn write(page: &mut Page<'_>, explanation: &Explanation) -> io::Result<()> {
    let members = &explanation.members[..];
    match explanation.kind {
        Kind::NodeGroup | Kind::AutoScalingGroup => own_nodes(page, members),
        // A template of Karpenter's is a group of its own.
        Kind::LaunchTemplate if explanation.managed_by.is_some() => own_nodes(page, members),
        Kind::Cluster if members.is_empty() => {
            super::heading(page, "no nodes, and nothing that would launch any")
        }
        Kind::LaunchTemplate if members.is_empty() => {
            super::heading(page, "no group that was read launches from it")
        }
        Kind::Cluster => {
            super::heading(page, &title(members))?;
            tree(page, members)
        }
        Kind::LaunchTemplate => {
            super::heading(page, "who launches from it")?;
            tree(page, members)
        }
        Kind::Instance => Ok(()),
    }
}

fn title(members: &[Member]) -> String {
    let nodes = members.iter().map(|member| member.nodes).sum();
    let failing: u64 = members.iter().map(|member| member.failing).sum();
    let failing =
        if failing > 0 { format!(", {} failing now", words::grouped(failing)) } else { String::new() };
    format!("{}{failing}", count(nodes, "node"))
}

fn own_nodes(page: &mut Page<'_>, members: &[Member]) -> io::Result<()> {
    for member in members {
        page.gap()?;
        let noun = words::plural(2, member.noun());
        let label = page.text().paint(Paint::Strong, &*noun);
        page.labelled(&label, 0, noun.len() + 2, &detail(page, member))?;
    }
    Ok(())
}

fn tree(page: &mut Page<'_>, members: &[Member]) -> io::Result<()> {
    let shown = &members[..members.len().min(LISTED)];
    let names: Vec<Text> = shown.iter().map(|member| name(page.text(), member)).collect();
    let widest = page.columns().saturating_sub(LABEL + 40);
    let column = names.iter().map(Text::width).filter(|width| *width <= widest).max().unwrap_or(0);
    let (stop, last, down) = if page.unicode() { ("├ ", "└ ", "│ ") } else { ("+ ", "+ ", "| ") };
    for (at, (member, name)) in shown.iter().zip(names).enumerate() {
        let end = at + 1 == members.len();
        let head = page.text().paint(Paint::Faint, if end { last } else { stop });
        let under = page.text().paint(Paint::Faint, if end { "  " } else { down });
        let indent = LABEL + 2 + column + 2;
        if name.width() > column {
            page.railed(&head.append(name), &under, LABEL, indent, &page.text())?;
            page.railed(&under, &under, LABEL, indent, &detail(page, member))?;
        } else {
            page.railed(&head.append(name), &under, LABEL, indent, &detail(page, member))?;
        }
    }
    if members.len() > shown.len() {
        let more = format!("and {} more", members.len() - shown.len());
        page.paragraph(LABEL, &page.text().paint(Paint::Faint, more))?;
    }
    Ok(())
}

fn name(text: Text, member: &Member) -> Text {
    match member.kind {
        MemberKind::NodeGroup => text.say("node group ").id(&member.id),
        MemberKind::AutoScalingGroup => text.say("Auto Scaling group ").id(&member.id),
        MemberKind::Karpenter => {
            let text = text.say("Karpenter ");
            match &member.name {
                Some(name) => text.id(name).say(" (").word(&member.id).say(")"),
                None => text.id(&member.id),
            }
        }
        MemberKind::Nodes(by) => {
            let text = text.say(words::managed_by(by));
            if member.id.is_empty() { text.say(", other nodes") } else { text.say(" ").id(&member.id) }
        }
    }
}

/// How its nodes fare, and its next.
fn detail(page: &Page<'_>, member: &Member) -> Text {
    let nodes = count(member.nodes, member.noun());
    let text = match member.version {
        Some(version) => page.text().fact(Paint::Plain, &format!("version {version}")).dot(),
        None => page.text(),
    };
    if !member.judged {
        return text.say(nodes).dot().paint(Paint::Faint, "no rule is for it");
    }
    let now = match (member.failing, member.unknown) {
        (0, 0) => Status::Pass,
        (0, _) => Status::Unknown,
        _ => Status::Fail,
    };
    let worst = member.next.map_or(now, |next| next.min(now));
    let (mark, paint) = mark(page.unicode(), worst);
    let text = text.fact(paint, &format!("{mark} ")).say(reach(member, now, &nodes));
    if member.rules.is_empty() { text } else { text.dot().word(&member.rules.join(", ")) }
}

/// Which of its nodes, existing and next, are meant.
fn reach(member: &Member, now: Status, nodes: &str) -> String {
    let some = if member.failing > 0 { member.failing } else { member.unknown };
    let some = match some {
        some if some == 0 || some == member.nodes => nodes.to_owned(),
        some => format!("{} of {nodes}", words::grouped(some)),
    };
    let Some(next) = member.next else { return some };
    match (now, next) {
        _ if member.nodes == 0 => format!("no {} now, but the next", member.noun()),
        (Status::Fail, Status::Unknown) => format!("{some}, perhaps the next"),
        (Status::Unknown, Status::Fail) => format!("the next, perhaps {some} now"),
        (Status::Fail | Status::Unknown, Status::Fail | Status::Unknown) => format!("{some} and the next"),
        (Status::Fail | Status::Unknown, _) => format!("{some}, not the next"),
        (_, Status::Fail | Status::Unknown) => format!("the next, none of {nodes} now"),
        _ => format!("{some} and the next"),
    }
}
