//! Moments in the one form of the trail's exports: RFC 3339, UTC, microseconds, `Z`.

use chrono::{DateTime, Datelike, NaiveDateTime, Timelike};

/// 0001-01-01T00:00:00.000000Z and 9999-12-31T23:59:59.999999Z, in microseconds since 1970.
const YEARS_0001_TO_9999: std::ops::RangeInclusive<i64> = -62_135_596_800_000_000..=253_402_300_799_999_999;

/// Appends a moment, given in microseconds since 1970, as 27 bytes: `2026-11-22T03:11:39.000000Z`.
///
/// Years 0001 to 9999; what lies outside is written as the nearest moment inside.
pub fn write_timestamp(out: &mut Vec<u8>, micros: i64) {
    let micros = micros.clamp(*YEARS_0001_TO_9999.start(), *YEARS_0001_TO_9999.end());
    let moment = DateTime::from_timestamp_micros(micros).unwrap_or_default().naive_utc();
    out.extend_from_slice(&printed(moment));
}

fn printed(moment: NaiveDateTime) -> [u8; 27] {
    let mut text = *b"0000-00-00T00:00:00.000000Z";
    digits(&mut text[0..4], moment.year().unsigned_abs());
    digits(&mut text[5..7], moment.month());
    digits(&mut text[8..10], moment.day());
    digits(&mut text[11..13], moment.hour());
    digits(&mut text[14..16], moment.minute());
    digits(&mut text[17..19], moment.second());
    digits(&mut text[20..26], moment.nanosecond() / 1_000);
    text
}

/// Fills `place` with the decimal digits of `number`, zeros in front.
fn digits(place: &mut [u8], mut number: u32) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use chrono::SecondsFormat;
    use proptest::prelude::*;

    use super::*;

    fn written(micros: i64) -> String {
        let mut out = Vec::new();
        write_timestamp(&mut out, micros);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn moments_have_27_bytes() {
        assert_eq!(written(1_795_317_099_000_001), "2026-11-22T03:11:39.000001Z");
        assert_eq!(written(-1), "1969-12-31T23:59:59.999999Z");
        assert_eq!(written(i64::MIN), "0001-01-01T00:00:00.000000Z");
        assert_eq!(written(i64::MAX), "9999-12-31T23:59:59.999999Z");
    }

    proptest! {
        #[test]
        fn moments_are_written_as_chrono_does(micros in YEARS_0001_TO_9999) {
            let moment = DateTime::from_timestamp_micros(micros).unwrap();
            prop_assert_eq!(written(micros), moment.to_rfc3339_opts(SecondsFormat::Micros, true));
        }
    }
}
