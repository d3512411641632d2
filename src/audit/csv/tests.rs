//! What is written is what the `csv` crate writes and reads, and as long as was said.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

fn line(fields: &[&str], escaping: Escaping) -> String {
    let fields: Vec<_> = fields.iter().map(|field| field.as_bytes()).collect();
    let mut out = Vec::new();
    write_record(&mut out, &fields, escaping);
    String::from_utf8(out).unwrap()
}

fn safe(field: &str) -> String {
    line(&[field], Escaping::FormulaSafe)
}

#[test]
fn every_field_is_quoted() {
    assert_eq!(line(&["a", "", "b\"c", "d,e\r\nf"], Escaping::Raw), "\"a\",\"\",\"b\"\"c\",\"d,e\r\nf\"\r\n");
    assert_eq!(line(&[""], Escaping::FormulaSafe), "\"\"\r\n");
}

#[test]
fn what_could_be_a_formula_gets_one_apostrophe() {
    for first in ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "'"] {
        assert_eq!(safe(&format!("{first}1")), format!("\"'{first}1\"\r\n"));
    }
    for spaced in [" =1", "   ＠x", " \t"] {
        assert_eq!(safe(spaced), format!("\"'{spaced}\"\r\n"));
    }
}

#[test]
fn everything_else_is_left_alone() {
    for field in ["", " ", "1-1", "{\"a\":\"=1\"}", " 'a", "\u{a0}=1", "\u{3000}=1", "＃", "ｱ", "a'b"] {
        assert!(!safe(field).starts_with("\"'"), "{field:?}");
        assert_eq!(safe(field), line(&[field], Escaping::Raw));
    }
}

#[test]
fn raw_is_byte_exact() {
    assert_eq!(line(&["=1", "'a", "\t"], Escaping::Raw), "\"=1\",\"'a\",\"\t\"\r\n");
}

#[test]
fn headers_are_the_seeds_nine_columns_and_full_begins_with_them() {
    let mut out = Vec::new();
    write_header(&mut out, &COLUMNS, Escaping::FormulaSafe, false);
    let seed = "timestamp,actor_access_token_id,actor_access_token_name,actor_user_id,actor_user_name,actor_user_email,action,previous,next";
    assert_eq!(String::from_utf8(out).unwrap(), format!("\"{}\"\r\n", seed.replace(',', "\",\"")));
    assert_eq!(FULL_COLUMNS[..9], COLUMNS);
}

#[test]
fn the_header_knows_its_length() {
    for (escaping, bom) in [(Escaping::Raw, true), (Escaping::FormulaSafe, false)] {
        let mut out = Vec::new();
        write_header(&mut out, &["=a", "b\""], escaping, bom);
        assert_eq!(out.len(), header_length(&["=a", "b\""], escaping, bom));
        assert_eq!(out.starts_with(b"\xEF\xBB\xBF"), bom);
    }
}

/// Fields like those of the trail, and fields made to break CSV.
fn any_field() -> impl Strategy<Value = String> {
    prop_oneof!["[ \"',\\r\\n\\t=+@＝＋－＠a-]{0,12}", any::<String>(), "\\{\"[a-z]{1,9}\":\"[^\"]{0,40}\"\\}"]
}

fn any_escaping() -> impl Strategy<Value = Escaping> {
    select(vec![Escaping::FormulaSafe, Escaping::Raw])
}

proptest! {
    #[test]
    fn what_is_written_can_be_read(records in vec(vec(any_field(), 9), 1..4), escaping in any_escaping()) {
        let mut out = Vec::new();
        for record in &records {
            let fields: Vec<_> = record.iter().map(String::as_bytes).collect();
            let before = out.len();
            write_record(&mut out, &fields, escaping);
            prop_assert_eq!(out.len() - before, record_length(&fields, escaping));
        }
        let reader = csv::ReaderBuilder::new().has_headers(false).from_reader(out.as_slice());
        let read: Vec<csv::StringRecord> = reader.into_records().map(Result::unwrap).collect();
        let undo = |field: &str| if escaping == Escaping::Raw { field.to_owned() } else { decode(field).to_owned() };
        let read: Vec<Vec<String>> = read.iter().map(|record| record.iter().map(undo).collect()).collect();
        prop_assert_eq!(read, records);
    }

    #[test]
    fn raw_is_what_the_csv_crate_writes(record in vec(any_field(), 9)) {
        let mut theirs = csv::WriterBuilder::new()
            .quote_style(csv::QuoteStyle::Always)
            .terminator(csv::Terminator::CRLF)
            .from_writer(Vec::new());
        theirs.write_record(&record).unwrap();
        let fields: Vec<_> = record.iter().map(String::as_str).collect();
        prop_assert_eq!(line(&fields, Escaping::Raw).into_bytes(), theirs.into_inner().unwrap());
    }

    #[test]
    fn no_safe_field_begins_like_a_formula(field in any_field()) {
        let written = safe(&field);
        let shown = written[1..].trim_start_matches(' ');
        prop_assert!(!shown.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']));
    }
}
