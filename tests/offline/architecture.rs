//! The rules of `src/lib.rs`, held against the sources: who may name whom, who may ask the environment, and who
//! may print.

use std::fmt::Write as _;
use std::path::Path;

/// The modules of the library and what each may name besides itself. `cli` may name all.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("exit", &[]),
    ("harmless", &[]),
    ("explain", &["finding", "lineage", "model", "policy", "resolve"]),
    ("model", &[]),
    ("finding", &["model"]),
    ("resolve", &["finding", "model"]),
    ("lineage", &["finding", "model", "resolve"]),
    ("policy", &["finding", "lineage", "model", "resolve", "yaml"]),
    ("asff", &[]),
    ("deliver", &["asff", "model"]),
    ("schema", &[]),
    ("yaml", &[]),
    ("plan", &["finding", "model", "schema"]),
    ("remediate", &["finding", "lineage", "model", "plan", "policy", "resolve"]),
    ("apply", &["aws", "finding", "journal", "model", "plan"]),
    ("journal", &["harmless", "model", "plan", "schema"]),
    ("report", &["asff", "explain", "finding", "harmless", "model", "plan", "schema"]),
    ("inventory", &["harmless", "model", "schema"]),
    ("aws", &["asff", "model"]),
    ("scan", &["aws", "model", "scope"]),
    ("scope", &["model", "yaml"]),
    ("function", &["aws", "cli", "deliver", "exit", "model", "report", "scan"]),
    (
        "cli",
        &[
            "apply",
            "asff",
            "aws",
            "deliver",
            "exit",
            "explain",
            "finding",
            "harmless",
            "inventory",
            "journal",
            "lineage",
            "model",
            "plan",
            "policy",
            "remediate",
            "report",
            "resolve",
            "scan",
            "scope",
        ],
    ),
];

/// What only the two edges, `cli` and `function`, and the programs themselves may do.
const WORLDLY: &[(&str, &str)] = &[
    ("std::env", "asks for arguments or the environment"),
    ("SystemTime", "asks for the time"),
    ("Timestamp::now", "asks for the time"),
    ("Zoned::now", "asks for the time"),
    ("Instant::now", "asks for the time"),
    ("println!", "prints"),
    ("print!", "prints"),
    ("eprintln!", "prints"),
    ("eprint!", "prints"),
    ("dbg!", "prints"),
    ("io::stdout", "prints"),
    ("io::stderr", "prints"),
    ("process::exit", "ends the process"),
];

/// The one clock below `cli`: for how fast to ask. Nothing that is reported depends on it.
const CLOCK: &str = "aws/pace/clock.rs";

/// The most lines of a program.
const MAIN_LINES: usize = 60;

/// Everything in the sources that breaks a rule: `path: what`.
fn violations(sources: &[(String, String)]) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in sources {
        let mut say = |what: &str| found.push(format!("{path}: {what}"));
        let code = code_of(text);
        if let Some(inside) = path.strip_prefix("src/") {
            in_library(inside, text, &code, &mut say);
        } else if path.starts_with("sim/") {
            if names(&code, "imdsctl::") {
                say("the simulator names imdsctl");
            }
            if path == "sim/Cargo.toml" && text.lines().any(|line| line.trim_start().starts_with("imdsctl")) {
                say("the simulator depends on imdsctl");
            }
        }
    }
    found
}

fn in_library(inside: &str, text: &str, code: &str, say: &mut dyn FnMut(&str)) {
    if (inside == "main.rs" || inside.starts_with("bin/")) && text.lines().count() >= MAIN_LINES {
        say(&format!("{MAIN_LINES} lines or more"));
    }
    let path: Vec<&str> = inside.trim_end_matches(".rs").trim_end_matches("/mod").split('/').collect();
    let module = path[0];
    if matches!(module, "lib" | "main" | "bin" | "testing") || path.last() == Some(&"tests") {
        return;
    }
    let Some((_, allowed)) = MAY_NAME.iter().find(|(name, _)| *name == module) else {
        say("a module that the rules say nothing of");
        return;
    };
    for named in named_modules(code, path.len()) {
        if named != module && !allowed.contains(&named.as_str()) && named != "testing" {
            say(&format!("{module} names {named}"));
        }
    }
    if module != "aws" {
        if names_a_crate_of_aws(code) {
            say("names a crate of the AWS SDK");
        }
        if names(code, "user_data") || names(code, "UserData") {
            say("names user data");
        }
    }
    if !matches!(module, "cli" | "function") && inside != CLOCK {
        for (word, what) in WORLDLY {
            if names(code, word) {
                say(&format!("{what}: {word}"));
            }
        }
    }
}

/// Whether the code has this word, at the beginning of one.
fn names(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| !code[..at].ends_with(is_word))
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn names_a_crate_of_aws(code: &str) -> bool {
    code.match_indices("aws_").any(|(at, _)| {
        let before = &code[..at];
        let after = code[at..].trim_start_matches(is_word);
        let whole = before.ends_with("use ") || before.ends_with("crate ") || before.ends_with("use ::");
        !before.ends_with(is_word) && (whole || after.starts_with("::"))
    })
}

/// The top-level modules that the code of a module `depth` levels down names, by `crate::` or by enough `super::`.
fn named_modules(code: &str, depth: usize) -> Vec<String> {
    let root = "super::".repeat(depth);
    let mut found = Vec::new();
    for start in ["crate::", root.as_str()] {
        for (at, _) in code.match_indices(start) {
            let before = &code[..at];
            if before.ends_with(is_word) || before.ends_with("super::") {
                continue;
            }
            found.extend(heads(&code[at + start.len()..]));
        }
    }
    found.retain(|name| !matches!(name.as_str(), "super" | "self"));
    found.sort();
    found.dedup();
    found
}

/// The first names of a path, or of each path in braces.
fn heads(path: &str) -> Vec<String> {
    let Some(inside) = path.strip_prefix('{') else {
        return vec![path.chars().take_while(|character| is_word(*character)).collect()];
    };
    let mut depth = 0;
    let mut heads = vec![String::new()];
    let mut at_head = true;
    for character in inside.chars() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                heads.push(String::new());
                at_head = true;
            }
            _ if !is_word(character) && !character.is_whitespace() => at_head = false,
            _ if at_head && depth == 0 && is_word(character) => {
                heads.last_mut().unwrap().push(character);
            }
            _ => {}
        }
    }
    heads
}

/// The code without comments, the insides of strings, and the unit tests at its end.
fn code_of(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let skipped = match character {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |at| at + 2),
            '"' => string_length(rest),
            'r' if !code.ends_with(is_word) => raw_string_length(rest),
            '\'' => char_length(rest),
            _ => 0,
        };
        if skipped > 0 {
            rest = &rest[skipped..];
        } else {
            code.push(character);
            rest = &rest[character.len_utf8()..];
        }
    }
    code
}

/// The length of a string at the beginning.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of a raw string at the beginning; 0 where there is none.
fn raw_string_length(text: &str) -> usize {
    let hashes = text[1..].chars().take_while(|character| *character == '#').count();
    if !text[1 + hashes..].starts_with('"') {
        return 0;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let start = 2 + hashes;
    text[start..].find(&end).map_or(text.len(), |at| start + at + end.len())
}

/// The length of a character literal at the beginning; 0 for a lifetime.
fn char_length(text: &str) -> usize {
    let mut characters = text.char_indices().skip(1);
    match (characters.next(), characters.next()) {
        (Some((_, '\\')), Some((after, escaped))) => {
            let after = after + escaped.len_utf8();
            text[after..].find('\'').map_or(0, |at| after + at + 1)
        }
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 0,
    }
}

fn read(folder: &Path, root: &Path, found: &mut Vec<(String, String)>) {
    let mut entries: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            read(&path, root, found);
        } else if path.extension().is_some_and(|end| end == "rs" || end == "toml") {
            let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
            found.push((name, std::fs::read_to_string(&path).unwrap()));
        }
    }
}

fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    read(&root.join("src"), root, &mut found);
    read(&root.join("sim"), root, &mut found);
    found
}

#[test]
fn the_sources_keep_the_rules() {
    let sources = sources();
    assert!(sources.len() > 100, "the sources were not found");
    let found = violations(&sources);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_module_has_a_rule() {
    let (_, lib) = sources().into_iter().find(|(path, _)| path == "src/lib.rs").unwrap();
    let modules: Vec<_> =
        lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let mut ruled: Vec<_> = MAY_NAME.iter().map(|(name, _)| *name).collect();
    ruled.sort_unstable();
    assert_eq!(modules, ruled);
}

/// The library as it is, with one line added to one file.
fn doctored(path: &str, line: &str) -> Vec<String> {
    let mut sources = sources();
    match sources.iter_mut().find(|(name, _)| name == path) {
        Some((_, text)) => *text = format!("{line}\n{text}"),
        None => sources.push((path.to_owned(), line.to_owned())),
    }
    violations(&sources)
}

#[test]
fn each_rule_can_be_broken() {
    for (path, line, what) in [
        ("src/model/ids.rs", "use crate::finding::Source;", "model names finding"),
        ("src/model/ids.rs", "use super::super::policy;", "model names policy"),
        ("src/finding.rs", "use super::policy::Rule;", "finding names policy"),
        (
            "src/resolve/mod.rs",
            "use crate::{finding::Source, lineage::{self, Subject}};",
            "resolve names lineage",
        ),
        ("src/lineage/mod.rs", "fn f() -> crate::policy::Rule {}", "lineage names policy"),
        ("src/explain/build.rs", "use crate::report::TableStyle;", "explain names report"),
        ("src/policy/fixes.rs", "use crate::explain::Query;", "policy names explain"),
        ("src/report/csv.rs", "use crate::lineage;", "report names lineage"),
        ("src/report/csv.rs", "use crate::aws::Aws;", "report names aws"),
        ("src/aws/pages.rs", "use crate::report::Report;", "aws names report"),
        ("src/scan/mod.rs", "use crate::policy;", "scan names policy"),
        ("src/scope/regions.rs", "use crate::aws::Base;", "scope names aws"),
        ("src/policy/load.rs", "use crate::aws;", "policy names aws"),
        ("src/harmless.rs", "use crate::model::Region;", "harmless names model"),
        ("src/inventory/read.rs", "use crate::aws::Needs;", "inventory names aws"),
        (
            "src/inventory/write.rs",
            "fn f() { std::env::temp_dir(); }",
            "asks for arguments or the environment: std::env",
        ),
        ("src/exit.rs", "use crate::cli;", "exit names cli"),
        ("src/extra.rs", "", "a module that the rules say nothing of"),
        ("src/cli/audit.rs", "use aws_sdk_ec2::Client;", "names a crate of the AWS SDK"),
        ("src/scan/mod.rs", "use aws_config as a;", "names a crate of the AWS SDK"),
        ("src/model/ids.rs", "type T = aws_types::region::Region;", "names a crate of the AWS SDK"),
        (
            "src/policy/load.rs",
            "fn f() { std::env::var(\"X\"); }",
            "asks for arguments or the environment: std::env",
        ),
        ("src/aws/pages.rs", "fn f() { jiff::Timestamp::now(); }", "asks for the time: Timestamp::now"),
        ("src/scan/mod.rs", "use std::time::SystemTime;", "asks for the time: SystemTime"),
        ("src/report/csv.rs", "fn f() { println!(\"x\"); }", "prints: println!"),
        ("src/report/csv.rs", "fn f() { std::io::stderr(); }", "prints: io::stderr"),
        ("src/model/template.rs", "struct S { user_data: String }", "names user data"),
        ("src/main.rs", &"\n".repeat(60), "60 lines or more"),
        ("src/bin/bootstrap.rs", &"\n".repeat(60), "60 lines or more"),
        ("src/function/mod.rs", "use crate::policy;", "function names policy"),
        ("src/cli/mod.rs", "use crate::function;", "cli names function"),
        ("sim/src/lib.rs", "use imdsctl::model::Region;", "the simulator names imdsctl"),
        ("sim/Cargo.toml", "imdsctl = { path = \"..\" }", "the simulator depends on imdsctl"),
    ] {
        assert_eq!(doctored(path, line), [format!("{path}: {what}")], "{line}");
    }
}

#[test]
fn what_is_not_code_breaks_no_rule() {
    let mut text = String::new();
    for line in [
        "// use crate::cli;",
        "//! [`crate::cli`] println!",
        "/* use crate::cli; */",
        "const A: &str = \"use crate::cli; \\\" std::env\";",
        "const B: &str = r#\"use crate::cli; \" println!(\"#;",
        "const C: char = '\"'; const D: &'static str = \"println!\"; const E: char = '\\'';",
        "#[cfg(test)]\nmod tests {\n    use crate::cli;\n}",
    ] {
        writeln!(text, "{line}").unwrap();
    }
    assert_eq!(violations(&[("src/model/ids.rs".to_owned(), text)]), [""; 0]);
}
