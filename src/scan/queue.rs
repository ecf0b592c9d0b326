//! Which scope is read next: one of the account of which the fewest are being read.
//!
//! In the order of arrival, the Regions of an account that hardly answers would come one after another and take every
//! place there is, while nobody reads the others.

use std::collections::{BTreeMap, VecDeque};

/// What waits to be read, by the number of its account in the scan.
#[derive(Debug)]
pub(super) struct Queue<T> {
    waiting: BTreeMap<usize, VecDeque<T>>,
    reading: BTreeMap<usize, usize>,
}

impl<T> Queue<T> {
    pub const fn new() -> Self {
        Self { waiting: BTreeMap::new(), reading: BTreeMap::new() }
    }

    /// Adds what is to be read of an account.
    pub fn extend(&mut self, account: usize, scopes: impl IntoIterator<Item = T>) {
        let mut scopes = scopes.into_iter().peekable();
        if scopes.peek().is_some() {
            self.waiting.entry(account).or_default().extend(scopes);
        }
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.values().map(VecDeque::len).sum()
    }

    /// What to read next, and of which account. It counts as being read until it is [`Self::done`].
    pub fn next(&mut self) -> Option<(usize, T)> {
        let reading = |account: &usize| self.reading.get(account).copied().unwrap_or_default();
        let account = self.waiting.keys().copied().min_by_key(reading)?;
        let scopes = self.waiting.get_mut(&account)?;
        let next = scopes.pop_front()?;
        if scopes.is_empty() {
            self.waiting.remove(&account);
        }
        *self.reading.entry(account).or_default() += 1;
        Some((account, next))
    }

    /// A scope of this account has been read.
    pub fn done(&mut self, account: usize) {
        if let Some(reading) = self.reading.get_mut(&account) {
            *reading -= 1;
            if *reading == 0 {
                self.reading.remove(&account);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_take_turns() {
        let mut queue = Queue::new();
        queue.extend(0, ["a1", "a2", "a3"]);
        queue.extend(1, ["b1"]);
        queue.extend(2, ["c1", "c2"]);
        let order: Vec<_> = std::iter::from_fn(|| queue.next()).map(|(_, scope)| scope).collect();
        assert_eq!(order, ["a1", "b1", "c1", "a2", "c2", "a3"]);
        assert_eq!(queue.len(), 0);
    }

    /// Four places, and an account none of whose Regions ever ends.
    #[test]
    fn an_account_that_is_stuck_leaves_places_to_others() {
        let mut queue = Queue::new();
        queue.extend(0, std::iter::repeat_n("stuck", 17));
        for account in 1..100 {
            queue.extend(account, ["good"; 17]);
        }
        let mut good = 0;
        // Towards the end nobody else wants the places.
        let mut places: VecDeque<(usize, &str)> = VecDeque::new();
        while good < 90 * 17 {
            while places.len() < 4 {
                places.push_back(queue.next().unwrap());
            }
            let ends = places.iter().position(|(_, scope)| *scope == "good");
            let (account, _) = places.remove(ends.expect("a place for the others")).unwrap();
            queue.done(account);
            good += 1;
        }
        assert_eq!(places.iter().filter(|(_, scope)| *scope == "stuck").count(), 1);
    }
}
