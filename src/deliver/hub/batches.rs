//! Batches as `BatchImportFindings` takes them: of so many findings, and of so many bytes.

use std::io;

use crate::asff::SecurityFinding;

/// What Security Hub takes at once.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// The most findings of a batch.
    findings: usize,
    /// The most bytes of a finding: 240 KB, by whichever way of counting that is less.
    finding: usize,
    /// The most bytes of a batch. AWS takes 6 MB, and counts how its own clients write the findings.
    batch: usize,
}

const AWS: Limits = Limits { findings: 100, finding: 240_000, batch: 5_000_000 };

/// Findings on their way into batches. No more than one batch is held.
#[derive(Debug)]
pub struct Batches {
    limits: Limits,
    batch: Vec<SecurityFinding>,
    bytes: usize,
}

impl Default for Batches {
    fn default() -> Self {
        Self { limits: AWS, batch: Vec::new(), bytes: 0 }
    }
}

/// A finding that Security Hub would not take.
#[derive(Debug, PartialEq)]
pub struct TooLarge(pub Box<SecurityFinding>);

impl Batches {
    /// Adds a finding, and hands out the batch that has no space for it.
    ///
    /// # Errors
    /// When it is too large for any batch: it is not added.
    pub fn add(&mut self, finding: SecurityFinding) -> Result<Option<Vec<SecurityFinding>>, TooLarge> {
        let bytes = size(&finding);
        if bytes > self.limits.finding {
            return Err(TooLarge(Box::new(finding)));
        }
        let Limits { findings, batch, .. } = self.limits;
        let is_full = self.batch.len() == findings || self.bytes + bytes > batch;
        let full = is_full.then(|| std::mem::take(&mut self.batch));
        self.bytes = if is_full { bytes } else { self.bytes + bytes };
        self.batch.push(finding);
        Ok(full)
    }

    /// The last batch, where there is one.
    pub fn rest(self) -> Option<Vec<SecurityFinding>> {
        (!self.batch.is_empty()).then_some(self.batch)
    }
}

/// How many bytes a finding has as JSON.
fn size(finding: &SecurityFinding) -> usize {
    let mut count = Count(0);
    // It counts, which cannot fail; nor can a finding be no JSON.
    let _ = serde_json::to_writer(&mut count, finding);
    count.0
}

struct Count(usize);

impl io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::deliver::hub::tests::finding;

    fn of_size(number: usize, description: usize) -> SecurityFinding {
        SecurityFinding { description: "x".repeat(description), ..finding(&format!("{number:06}")) }
    }

    #[test]
    fn a_batch_is_as_large_as_aws_takes_it() {
        let mut batches = Batches::default();
        let full = |batches: &mut Batches| batches.add(of_size(1, 0)).unwrap();
        assert!((0..100).all(|_| full(&mut batches).is_none()));
        assert_eq!(full(&mut batches).unwrap().len(), 100);
        assert!(batches.add(of_size(1, 240_000)).is_err());
        let large = |batches: &mut Batches| batches.add(of_size(1, 230_000)).unwrap();
        assert!((0..20).all(|_| large(&mut batches).is_none()));
        assert_eq!(std::iter::repeat_with(|| large(&mut batches)).take(3).flatten().count(), 1);
    }

    proptest! {
        /// Whatever comes, all that fits goes out in order, in batches that are taken, and none before it is full.
        #[test]
        fn all_that_fits_goes_out_in_order(sizes in prop::collection::vec(0_usize..2_500, 0..60)) {
            let limits = Limits { findings: 8, finding: 2_400, batch: 12_000 };
            let mut batches = Batches { limits, ..Batches::default() };
            let (mut out, mut large) = (Vec::new(), Vec::new());
            let findings: Vec<_> = sizes.iter().enumerate().map(|(number, size)| of_size(number, *size)).collect();
            for finding in findings.clone() {
                match batches.add(finding) {
                    Ok(full) => out.extend(full),
                    Err(TooLarge(finding)) => large.push(*finding),
                }
            }
            out.extend(batches.rest());
            let fits = |finding: &&SecurityFinding| size(finding) <= limits.finding;
            let sent: Vec<_> = out.iter().flatten().collect();
            prop_assert_eq!(sent, findings.iter().filter(fits).collect::<Vec<_>>());
            prop_assert!(large.iter().all(|finding| size(finding) > limits.finding));
            let bytes = |batch: &[SecurityFinding]| batch.iter().map(size).sum::<usize>();
            for batch in &out {
                prop_assert!((1..=limits.findings).contains(&batch.len()) && bytes(batch) <= limits.batch);
            }
            for pair in out.windows(2) {
                let full = pair[0].len() == limits.findings || bytes(&pair[0]) + size(&pair[1][0]) > limits.batch;
                prop_assert!(full, "a batch goes out when it has no space");
            }
        }
    }
}
