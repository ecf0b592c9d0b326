use std::collections::BTreeSet;

use imdsctl::aws::Task;

#[test]
fn the_permissions_page_lists_what_an_audit_calls_and_nothing_else() {
    let page = include_str!("../../docs/permissions.md");
    let policy = page.split("```").nth(1).unwrap().strip_prefix("json").unwrap();
    let policy: serde_json::Value = serde_json::from_str(policy).unwrap();
    let listed: BTreeSet<String> = policy["Statement"][0]["Action"]
        .as_array()
        .unwrap()
        .iter()
        .map(|action| action.as_str().unwrap().to_owned())
        .collect();
    let called: BTreeSet<String> = Task::Audit.entries().map(|entry| entry.operation.to_string()).collect();
    assert_eq!(listed, called);
}

#[test]
fn links_between_documents_lead_somewhere() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages: Vec<_> =
        std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.extend(["README.md", "reports/README.md", "sim/README.md"].map(|page| root.join(page)));
    let mut links = 0;
    for page in pages {
        let text = std::fs::read_to_string(&page).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.contains("://") || target.starts_with('#') {
                continue;
            }
            let path = page.parent().unwrap().join(target.split('#').next().unwrap());
            assert!(path.exists(), "{} links to {target}", page.display());
            links += 1;
        }
    }
    assert!(links > 10);
}
