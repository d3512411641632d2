//! The models of the demo: what happens to one, and the records that are added.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

/// Name of the token with which the fleet sends records, and a warehouse takes them out.
pub(super) const TELEMETRY: &str = "Fleet telemetry";

/// The model that counts.
pub(super) const GRIPPERS: &str = "gripper-failure";

/// The one of a demonstration: its exports are not among the organization's.
pub(super) const SAMPLE: &str = "sample-data";

/// Something that happens to a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnModel {
    /// It is made.
    Make { description: &'static str, demo: bool },
    /// Records of the day before are added.
    Add { records: u32 },
    /// The records of the last days are taken out.
    Export { days: u64, format: &'static str },
}

/// The records that are added at a moment: evenly over the day before it, and different from robot to robot.
pub(super) fn records(at: DateTime<Utc>, count: u32) -> String {
    let mut random = fastrand::Rng::with_seed(at.timestamp_micros().unsigned_abs());
    let apart = TimeDelta::days(1) / i32::try_from(count.max(1)).unwrap_or(i32::MAX);
    let line = |number: u32| {
        let time = at - apart * i32::try_from(count - number).unwrap_or_default();
        let (robot, slips) = (random.u32(1..240), random.u32(0..9));
        let score = f64::from(random.u32(0..1_000)) / 1_000.0;
        let verdict = if score > 0.9 { "replace" } else { "fine" };
        format!(
            "{{\"time\":\"{}\",\"robot\":\"R-{robot:04}\",\"slips\":{slips},\"score\":{score:.3},\"verdict\":\"{verdict}\"}}\n",
            time.to_rfc3339_opts(SecondsFormat::Millis, true)
        )
    };
    (0..count).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_the_same_records_each_time() {
        let at = DateTime::from_timestamp(1_795_230_699, 0).unwrap();
        let lines = records(at, 24);
        assert_eq!(lines, records(at, 24));
        assert_eq!(lines.lines().count(), 24);
        assert!(lines.starts_with("{\"time\":\"2026-11-20T03:11:39.000Z\",\"robot\":\"R-0"), "{lines}");
    }
}
