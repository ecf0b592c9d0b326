//! Which of many accounts are read.

use globset::{GlobBuilder, GlobMatcher};

use super::candidate::Candidate;

/// What an account must be, to be read. Without any condition, every account is.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    include: Vec<Pattern>,
    exclude: Vec<Pattern>,
    tags: Vec<String>,
}

/// An account by its number or its name, `*` and `?` standing for what they do in file names.
#[derive(Clone, Debug)]
struct Pattern {
    text: String,
    glob: GlobMatcher,
}

impl Filter {
    /// Accounts that any of `include` names, if there is any, and none of `exclude`, and that have all of `tags`.
    ///
    /// # Errors
    /// In a sentence, when a pattern is none.
    pub fn new(include: &[String], exclude: &[String], tags: &[String]) -> Result<Self, String> {
        Ok(Self { include: patterns(include)?, exclude: patterns(exclude)?, tags: tags.to_vec() })
    }

    /// Whether an account is read.
    pub fn admits(&self, candidate: &Candidate) -> bool {
        let any = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.is(candidate));
        (self.include.is_empty() || any(&self.include))
            && !any(&self.exclude)
            && self.tags.iter().all(|tag| candidate.tags.contains(tag))
    }

    /// What is asked for and there is not: patterns of `include` that are no account's, tags that no account has.
    pub fn unmet<'a>(&'a self, all: &[&Candidate]) -> Vec<&'a str> {
        let names = self.include.iter().filter(|pattern| !all.iter().any(|one| pattern.is(one)));
        let tags = self.tags.iter().filter(|tag| !all.iter().any(|one| one.tags.contains(tag)));
        names.map(|pattern| pattern.text.as_str()).chain(tags.map(String::as_str)).collect()
    }
}

impl Pattern {
    fn is(&self, candidate: &Candidate) -> bool {
        self.glob.is_match(candidate.account_id.as_str())
            || candidate.name.as_ref().is_some_and(|name| self.glob.is_match(name))
    }
}

fn patterns(texts: &[String]) -> Result<Vec<Pattern>, String> {
    let pattern = |text: &String| {
        let glob = GlobBuilder::new(text).build();
        let glob = glob.map_err(|error| format!("{text:?} is not a pattern: {}", error.kind()))?;
        Ok(Pattern { text: text.clone(), glob: glob.compile_matcher() })
    };
    texts.iter().map(pattern).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(id: &str, name: &str, tags: &[&str]) -> Candidate {
        let tags = tags.iter().map(ToString::to_string).collect();
        Candidate { name: Some(name.to_owned()), tags, ..Candidate::new(id.into()) }
    }

    fn filter(include: &[&str], exclude: &[&str], tags: &[&str]) -> Filter {
        let owned = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        Filter::new(&owned(include), &owned(exclude), &owned(tags)).unwrap()
    }

    fn accounts() -> Vec<Candidate> {
        vec![
            account("111111111111", "payments-prod", &["env:prod", "team:pay"]),
            account("222222222222", "payments-test", &["env:test", "team:pay"]),
            account("333333333333", "data/lake", &["env:prod"]),
        ]
    }

    #[track_caller]
    fn admitted(filter: &Filter) -> String {
        let accounts = accounts();
        let admitted = accounts.iter().filter(|account| filter.admits(account));
        admitted.map(|account| &account.account_id.as_str()[..1]).collect()
    }

    #[test]
    fn numbers_and_names_are_matched_as_wholes() {
        assert_eq!(admitted(&filter(&[], &[], &[])), "123");
        assert_eq!(admitted(&filter(&["payments-*"], &[], &[])), "12");
        assert_eq!(admitted(&filter(&["payments"], &[], &[])), "");
        assert_eq!(admitted(&filter(&["data*", "2*"], &[], &[])), "23");
        assert_eq!(admitted(&filter(&[], &["*-test", "333333333333"], &[])), "1");
        assert_eq!(admitted(&filter(&["payments-*"], &["*-prod"], &[])), "2");
    }

    #[test]
    fn an_account_must_have_all_tags() {
        assert_eq!(admitted(&filter(&[], &[], &["env:prod"])), "13");
        assert_eq!(admitted(&filter(&[], &[], &["env:prod", "team:pay"])), "1");
        assert_eq!(admitted(&filter(&[], &[], &["env"])), "");
    }

    #[test]
    fn what_nobody_is_or_has_is_told() {
        let filter = filter(&["payments-*", "paymnets"], &["nobody"], &["env:prod", "env:dev"]);
        let accounts = accounts();
        assert_eq!(filter.unmet(&accounts.iter().collect::<Vec<_>>()), ["paymnets", "env:dev"]);
        assert!(
            Filter::new(&["[".to_owned()], &[], &[]).unwrap_err().starts_with("\"[\" is not a pattern: ")
        );
    }
}
