//! Exports as they ought to be, made by other means than the product's: rows read past every policy, CSV by the `csv` crate.

use csv::{QuoteStyle, Terminator, WriterBuilder};
use orgtrail::audit::csv::FULL_COLUMNS;
use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

/// The fields of one event, in the order of [`FULL_COLUMNS`].
pub type Row = Vec<Option<String>>;

/// The seed's columns come first.
pub const STANDARD: usize = 9;

/// The events of an organization that `condition` lets through, newest first.
pub async fn rows(superuser: &PgPool, organization: Uuid, condition: &str) -> Vec<Row> {
    let fields: Vec<String> = FULL_COLUMNS.iter().map(|column| text(column)).collect();
    let sql = format!(
        "select array[{}] from orgtrail.events where organization_id = $1 and {condition} order by occurred_at desc, index desc",
        fields.join(", ")
    );
    sqlx::query_scalar(AssertSqlSafe(sql)).bind(organization).fetch_all(superuser).await.unwrap()
}

/// The text that a column is exported as.
fn text(column: &str) -> String {
    let moment = |column: &str| format!(r#"to_char({column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"#);
    match column {
        "timestamp" => moment("occurred_at"),
        "recorded_at" => moment("recorded_at"),
        "operation_root_fields" => "array_to_json(operation_root_fields)::text".to_owned(),
        "operation_document_sha256" | "export_sha256" => format!("encode({column}, 'hex')"),
        other => format!("{other}::text"),
    }
}

/// The file, header included.
pub fn csv(rows: &[Row], columns: usize, safe: bool) -> Vec<u8> {
    let mut writer =
        WriterBuilder::new().quote_style(QuoteStyle::Always).terminator(Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(&FULL_COLUMNS[..columns]).unwrap();
    for row in rows {
        let fields = row[..columns].iter().map(|field| guarded(field.as_deref().unwrap_or_default(), safe));
        writer.write_record(fields).unwrap();
    }
    writer.into_inner().unwrap()
}

/// One record, as long as the whole file without its header.
pub fn record_length(row: &Row, safe: bool) -> usize {
    csv(std::slice::from_ref(row), STANDARD, safe).len() - csv(&[], STANDARD, safe).len()
}

/// Contract §4, word for word.
fn guarded(field: &str, safe: bool) -> String {
    let first = field.trim_start_matches(' ').chars().next();
    let formula = first.is_some_and(|first| "=+-@\t\r\n＝＋－＠".contains(first));
    if safe && (formula || field.starts_with('\'')) { format!("'{field}") } else { field.to_owned() }
}

/// The lines of NDJSON.
pub fn ndjson(rows: &[Row]) -> Vec<u8> {
    let mut out = Vec::new();
    for row in rows {
        let members: Vec<String> = FULL_COLUMNS
            .iter()
            .zip(row)
            .map(|(column, value)| format!("\"{column}\":{}", json(column, value.as_deref())))
            .collect();
        out.extend_from_slice(format!("{{{}}}\n", members.join(",")).as_bytes());
    }
    out
}

fn json(column: &str, value: Option<&str>) -> String {
    match (column, value) {
        (_, None) => "null".to_owned(),
        ("index" | "export_rows", Some(number)) => number.to_owned(),
        ("previous" | "next" | "operation_variables", Some(document)) => document.replace(['\n', '\r'], " "),
        (_, Some(text)) => serde_json::to_string(text).unwrap(),
    }
}
