//! Pagination that ends, whatever the server says.

use std::collections::HashSet;

use super::errors::{CallError, ErrorKind};
use super::operations::Operation;

/// More pages than any account has: 1,000 instances each for DescribeInstances.
const PAGE_LIMIT: usize = 1_000;

/// What a listing yielded: all of it, or the part before a page failed.
#[derive(Debug)]
pub(super) struct Listed<T> {
    /// What was read.
    pub items: Vec<T>,
    /// Why the rest is missing, if it is.
    pub error: Option<CallError>,
}

impl<T> Listed<T> {
    /// What was read, where that is all there is.
    pub fn complete(self) -> Result<Vec<T>, CallError> {
        self.error.map_or(Ok(self.items), Err)
    }
}

/// A page: its items, and the token of the next one. An empty page may have a next one.
pub(super) type Page<T> = (Vec<T>, Option<String>);

/// Reads page after page, until there is no token.
pub(super) async fn collect<T, F, P>(operation: Operation, mut fetch: F) -> Listed<T>
where
    F: FnMut(Option<String>) -> P,
    P: Future<Output = Result<Page<T>, CallError>>,
{
    let mut items = Vec::new();
    let mut seen = HashSet::new();
    let mut token = None;
    loop {
        match fetch(token.take()).await {
            Ok((page, next)) => {
                items.extend(page);
                token = next.filter(|token| !token.is_empty());
            }
            Err(error) => return Listed { items, error: Some(error) },
        }
        let Some(next) = &token else { return Listed { items, error: None } };
        if !seen.insert(next.clone()) || seen.len() >= PAGE_LIMIT {
            let message = format!("the listing does not end: page {} leads back or too far", seen.len() + 1);
            let error = CallError::new(operation, ErrorKind::Other, "EndlessPagination", message);
            return Listed { items, error: Some(error) };
        }
    }
}

/// Reads what the ids name, `chunk` of them in a call, where one id that does not exist fails a whole call.
///
/// Ids that the error names are left out of the next attempt; if it names none, the chunk is halved. What
/// is missing in the end is only absent from the answer.
pub(super) async fn by_ids<T, F, P>(
    operation: Operation,
    ids: Vec<String>,
    chunk: usize,
    mut fetch: F,
) -> Listed<T>
where
    F: FnMut(Vec<String>, Option<String>) -> P,
    P: Future<Output = Result<Page<T>, CallError>>,
{
    let mut items = Vec::new();
    let mut batches: Vec<Vec<String>> = ids.chunks(chunk).map(<[String]>::to_vec).collect();
    while let Some(batch) = batches.pop() {
        let found = collect(operation, |token| fetch(batch.clone(), token)).await;
        items.extend(found.items);
        match found.error {
            None => {}
            Some(error) if error.kind == ErrorKind::NotFound => {
                batches.extend(without_missing(batch, &error));
            }
            Some(error) => return Listed { items, error: Some(error) },
        }
    }
    Listed { items, error: None }
}

/// What of a batch is worth asking for again.
fn without_missing(mut batch: Vec<String>, error: &CallError) -> Vec<Vec<String>> {
    let words: HashSet<&str> =
        error.message.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').collect();
    let before = batch.len();
    batch.retain(|id| !words.contains(id.as_str()));
    if batch.is_empty() || before == 1 {
        return Vec::new();
    }
    if batch.len() < before {
        return vec![batch];
    }
    let half = batch.split_off(before / 2);
    vec![batch, half]
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::future::ready;

    use super::super::operations::{DESCRIBE_IMAGES, DESCRIBE_INSTANCES};
    use super::*;

    fn run<T>(listing: impl Future<Output = Listed<T>>) -> Listed<T> {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(listing)
    }

    fn failure(kind: ErrorKind, message: &str) -> CallError {
        CallError::new(DESCRIBE_IMAGES, kind, "X", message)
    }

    #[test]
    fn an_empty_page_is_not_the_end() {
        let listed = run(collect(DESCRIBE_INSTANCES, |token| {
            ready(Ok(match token.as_deref() {
                None => (vec![], Some("a".to_owned())),
                Some("a") => (vec![1], Some("b".to_owned())),
                _ => (vec![2], Some(String::new())),
            }))
        }));
        assert_eq!(listed.items, [1, 2]);
        assert_eq!(listed.error, None);
    }

    #[test]
    fn pages_that_go_in_circles_end() {
        let listed = run(collect(DESCRIBE_INSTANCES, |_| ready(Ok((vec![1], Some("a".to_owned()))))));
        assert_eq!(listed.items, [1, 1]);
        assert_eq!(listed.error.unwrap().code, "EndlessPagination");
        let count = RefCell::new(0);
        let listed = run(collect(DESCRIBE_INSTANCES, |_| {
            *count.borrow_mut() += 1;
            ready(Ok((vec![()], Some(count.borrow().to_string()))))
        }));
        assert_eq!(listed.items.len(), PAGE_LIMIT);
        assert!(listed.error.is_some());
    }

    #[test]
    fn a_page_that_fails_keeps_the_ones_before() {
        let listed = run(collect(DESCRIBE_INSTANCES, |token| {
            ready(match token {
                None => Ok((vec![1], Some("a".to_owned()))),
                Some(_) => Err(failure(ErrorKind::Throttled, "slow down")),
            })
        }));
        assert_eq!(listed.items, [1]);
        assert_eq!(listed.error.unwrap().kind, ErrorKind::Throttled);
    }

    /// Reads from a service that has every id but `missing`, and says so in `message`.
    fn read(ids: &[&str], missing: &[&str], message: &str) -> (Vec<String>, usize) {
        let calls = RefCell::new(0);
        let listed =
            run(by_ids(DESCRIBE_IMAGES, ids.iter().map(ToString::to_string).collect(), 100, |batch, _| {
                *calls.borrow_mut() += 1;
                let bad = batch.iter().any(|id| missing.contains(&id.as_str()));
                ready(if bad { Err(failure(ErrorKind::NotFound, message)) } else { Ok((batch, None)) })
            }));
        assert_eq!(listed.error, None);
        let mut items = listed.items;
        items.sort();
        (items, calls.into_inner())
    }

    #[test]
    fn ids_that_the_error_names_are_left_out() {
        let named = "The image ids '[ami-12, ami-3]' do not exist";
        let (found, calls) = read(&["ami-1", "ami-12", "ami-3", "ami-4"], &["ami-12", "ami-3"], named);
        assert_eq!(found, ["ami-1", "ami-4"], "ami-1 is not ami-12");
        assert_eq!(calls, 2);
    }

    #[test]
    fn an_error_that_names_nothing_halves_the_batch() {
        let (found, _) = read(&["a", "b", "c", "d", "e"], &["b", "e"], "one of these does not exist");
        assert_eq!(found, ["a", "c", "d"]);
        let (found, calls) = read(&["a"], &["a"], "it does not exist");
        assert!(found.is_empty());
        assert_eq!(calls, 1);
    }
}
