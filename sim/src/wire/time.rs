//! Moments as the services write them.

/// `2026-11-15T09:00:00.000Z`.
pub fn iso(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .map(|moment| moment.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string())
        .unwrap_or_default()
}
