//! Numbers as people read them.

/// A number with a comma between each three digits: `2,417`.
#[must_use]
pub fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let parts: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|part| str::from_utf8(part).ok()).collect();
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}", parts.join(","))
}

/// A number of things: `1 event`, `2,391 events`.
#[must_use]
pub fn counted(number: i64, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", grouped(number))
}

#[cfg(test)]
mod tests {
    use super::{counted, grouped};

    #[test]
    fn groups_digits_by_three() {
        let printed = [0, 7, 999, 1_000, 12_407, 1_000_000, -1_234].map(grouped);
        assert_eq!(printed, ["0", "7", "999", "1,000", "12,407", "1,000,000", "-1,234"]);
    }

    #[test]
    fn one_is_no_plural() {
        assert_eq!([0, 1, 2_391].map(|number| counted(number, "event")), ["0 events", "1 event", "2,391 events"]);
    }
}
