//! Every field of GraphQL, as the schema describes itself: a new one is asked for without anybody thinking of it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use fastrand::Rng;
use serde_json::{Value, json};

use super::hostile::{other_than, text};

/// Types with the types that they are made of: `[Int!]!` has three around its name.
const DESCRIPTION: &str = "{ __schema { queryType { name } types {
    name enumValues { name } inputFields { name type { ...T } } fields { name type { ...T } args { name defaultValue type { ...T } } }
} } } fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";

/// Longest way of names from the root to a field that a document may have.
const LONGEST_WAY: usize = 15;

/// The types of a schema.
pub struct Schema {
    types: BTreeMap<String, Value>,
    root: String,
}

/// A field, with those in which it is: the first one is at the root.
pub type Way = Vec<Value>;

impl Schema {
    /// The request whose answer describes one.
    pub fn request() -> Value {
        json!({ "query": DESCRIPTION })
    }

    /// As described.
    pub fn read(answer: &Value) -> Self {
        let schema = &answer["data"]["__schema"];
        let types = list(&schema["types"]).iter().map(|of| (name(of).to_owned(), of.clone())).collect();
        Self { types, root: name(&schema["queryType"]).to_owned() }
    }

    /// The way to each field that takes arguments or has fields of its own. Others are asked for with what has them.
    pub fn ways(&self) -> Vec<Way> {
        let (mut ways, mut seen) = (Vec::new(), BTreeSet::new());
        let mut next = VecDeque::from([(self.root.as_str(), Way::new())]);
        while let Some((of, way)) = next.pop_front() {
            if !seen.insert(of) || way.len() == LONGEST_WAY {
                continue;
            }
            for field in self.fields(of) {
                let of = named(&field["type"]);
                if self.fields(of).is_empty() && list(&field["args"]).is_empty() {
                    continue;
                }
                let way = [way.as_slice(), std::slice::from_ref(field)].concat();
                next.push_back((of, way.clone()));
                ways.push(way);
            }
        }
        ways
    }

    fn fields(&self, of: &str) -> &[Value] {
        list(&self.types[of]["fields"])
    }

    /// A request for the last field of a way, with all that it has and that takes no arguments. Arguments are those that are `known`; with
    /// `random`, some are others.
    pub fn request_for(
        &self,
        way: &Way,
        known: impl Fn(&str, &str) -> Option<Value>,
        mut random: Option<&mut Rng>,
    ) -> Value {
        let (mut declared, mut variables, mut query) = (String::new(), json!({}), String::new());
        for field in way {
            let mut arguments = String::new();
            for argument in list(&field["args"]) {
                let known = known(name(field), name(argument));
                let is_other = random.as_deref_mut().is_some_and(|random| random.u8(..4) == 0);
                let value = match &mut random {
                    Some(random) if is_other => Some(self.other(&argument["type"], known.as_ref(), random)),
                    _ => known,
                };
                let Some(value) = value else { continue };
                let variable = format!("v{}", variables.as_object().map_or(0, |variables| variables.len()));
                declared += &format!("${variable}: {} ", spelled(&argument["type"]));
                arguments += &format!("{}: ${variable} ", name(argument));
                variables[variable] = value;
            }
            let arguments = if arguments.is_empty() { arguments } else { format!("({arguments})") };
            query += &format!("{{ {}{arguments} ", name(field));
        }
        let of = self.fields(named(&way[way.len() - 1]["type"]));
        let plain = of.iter().filter(|field| list(&field["args"]).is_empty());
        let plain = plain.filter(|field| self.fields(named(&field["type"])).is_empty()).map(name);
        let plain = plain.collect::<Vec<_>>().join(" ");
        let last = if of.is_empty() { String::new() } else { format!("{{ __typename {plain} }}") };
        let declared = if declared.is_empty() { declared } else { format!("({declared})") };
        json!({ "query": format!("query {declared} {query}{last}{}", "}".repeat(way.len())), "variables": variables })
    }

    /// A value of a type, or one that is none of it, other than the one that is known.
    fn other(&self, of: &Value, known: Option<&Value>, random: &mut Rng) -> Value {
        if random.u8(..4) == 0 {
            return anything(random);
        }
        match (of["kind"].as_str(), known.and_then(Value::as_str)) {
            (Some("NON_NULL"), _) => self.other(&of["ofType"], known, random),
            (Some("LIST"), _) => (0..random.usize(..4)).map(|_| self.other(&of["ofType"], None, random)).collect(),
            (Some("ENUM"), _) => {
                let values = list(&self.types[name(of)]["enumValues"]);
                json!(name(&values[random.usize(..values.len())]))
            }
            (Some("INPUT_OBJECT"), _) => {
                let fields = list(&self.types[name(of)]["inputFields"]).iter().filter(|_| random.bool());
                let fields: Vec<_> = fields.collect();
                let value = |field: &&Value| (name(field).to_owned(), self.other(&field["type"], None, random));
                Value::Object(fields.iter().map(value).collect())
            }
            (_, Some(known)) => json!(other_than(known, random)),
            _ if name(of) == "Int" => json!(random.i32(-2..200)),
            _ if name(of) == "Boolean" => json!(random.bool()),
            _ => json!(other_than("2026-01-01T00:00:00Z", random)),
        }
    }
}

/// Any value at all.
pub fn anything(random: &mut Rng) -> Value {
    match random.u8(..8) {
        0 => json!(random.i64(..)),
        1 => json!(f64::MAX),
        2 => json!([]),
        3 => json!({ "a": null }),
        4 => Value::Null,
        5 => json!(random.bool()),
        _ => json!(text(random)),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn name(value: &Value) -> &str {
    value["name"].as_str().unwrap()
}

/// The name of a type, without what is around it.
fn named(of: &Value) -> &str {
    of["name"].as_str().unwrap_or_else(|| named(&of["ofType"]))
}

/// A type as documents write it.
fn spelled(of: &Value) -> String {
    match of["kind"].as_str() {
        Some("NON_NULL") => format!("{}!", spelled(&of["ofType"])),
        Some("LIST") => format!("[{}]", spelled(&of["ofType"])),
        _ => name(of).to_owned(),
    }
}
