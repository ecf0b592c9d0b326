//! Opening accounts without reading anything of them.

use std::future::Future;

use futures::StreamExt;

use super::OPENING;
use super::prospect::Prospect;
use crate::model::{Coverage, Region};

/// What would be read of an account.
#[derive(Clone, Debug)]
pub struct Surveyed {
    /// The account, and how to get in.
    pub prospect: Prospect,
    /// The Regions that would be read.
    pub regions: Vec<Region>,
    /// Those that would not be, and why.
    pub unread: Vec<Coverage>,
}

/// Opens all prospects, and says what a scan would read of each. Nothing, where `stop` completes before that is
/// known.
pub async fn survey(prospects: Vec<Prospect>, stop: impl Future<Output = ()>) -> Option<Vec<Surveyed>> {
    let opening = futures::stream::iter(prospects).map(|prospect| async move {
        let opened = Box::pin(prospect.open()).await;
        let regions = opened.targets.into_iter().map(|target| target.scope.region).collect();
        let unread = opened.unread.into_iter().map(|(_, coverage)| coverage).collect();
        Surveyed { prospect, regions, unread }
    });
    let surveyed = opening.buffered(OPENING).collect();
    tokio::select! {
        surveyed = surveyed => Some(surveyed),
        () = stop => None,
    }
}
