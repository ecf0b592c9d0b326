use imdsctl::aws::{PolicyDocument, Task};

/// The code blocks of a page in a language.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let blocks = page.split("```").skip(1).step_by(2);
    blocks.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n')).collect()
}

#[test]
fn the_permissions_page_lists_what_is_called_and_nothing_else() {
    let page = include_str!("../../docs/permissions.md");
    let partition = "aws".into();
    let role = vec!["arn:aws:iam::*:role/ImdsctlAudit".to_owned()];
    let printed = [
        PolicyDocument::of_reads(Task::Audit, &partition, None),
        PolicyDocument::of_reads(Task::Plan, &partition, None),
        PolicyDocument::of_changes(&partition, None),
        PolicyDocument::of_base(&partition, role, true),
        PolicyDocument::of_imports(&partition, None),
        PolicyDocument::of_trust("111122223333", Some("EXTERNAL-ID")).within_organization("o-a1b2c3d4e5"),
    ];
    assert_eq!(blocks(page, "json"), printed.each_ref().map(PolicyDocument::pretty));
}

#[test]
fn links_between_documents_lead_somewhere() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages: Vec<_> =
        std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.extend(
        ["README.md", "deploy/README.md", "reports/README.md", "sim/README.md"].map(|page| root.join(page)),
    );
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
