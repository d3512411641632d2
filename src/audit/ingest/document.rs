//! JSON as other products send it: read member by member, so that a refusal names its place, and looked through before it is kept.

use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::{Error, Result};

/// Deepest nesting of objects and lists.
const MAX_DEPTH: usize = 32;

/// Longest key in bytes.
const MAX_KEY_BYTES: usize = 256;

/// An object of which members are taken, by name.
pub(crate) struct Object<'a> {
    path: String,
    members: Vec<(String, &'a RawValue)>,
}

impl<'a> Object<'a> {
    /// Reads the object at `path`.
    pub(crate) fn parse(path: &str, json: &'a RawValue) -> Result<Self> {
        let whole = if path.is_empty() { "body" } else { path };
        let Members(members) = read(whole, json, "This is a JSON object.")?;
        let mut keys = HashSet::new();
        match members.iter().find(|(key, _)| !keys.insert(key)) {
            Some((key, _)) => Err(Error::invalid(join(path, key), "This is there twice.")),
            None => Ok(Self { path: path.to_owned(), members }),
        }
    }

    /// Where a member is.
    pub(crate) fn path(&self, name: &str) -> String {
        join(&self.path, name)
    }

    /// Takes a member; nothing where it is absent or null.
    pub(crate) fn take(&mut self, name: &str) -> Option<&'a RawValue> {
        let place = self.members.iter().position(|(key, _)| key == name)?;
        let (_, json) = self.members.swap_remove(place);
        (json.get() != "null").then_some(json)
    }

    /// Takes an object.
    pub(crate) fn object(&mut self, name: &str) -> Result<Option<Self>> {
        self.take(name).map(|json| Self::parse(&self.path(name), json)).transpose()
    }

    /// Takes a text of 1 to `most` bytes without control characters.
    pub(crate) fn text(&mut self, name: &str, most: usize) -> Result<Option<String>> {
        let Some(json) = self.take(name) else { return Ok(None) };
        let allowed = format!("This is a text of 1 to {most} bytes without control characters.");
        let text: String = read(&self.path(name), json, &allowed)?;
        let sound = (1..=most).contains(&text.len()) && !text.contains(char::is_control);
        if sound { Ok(Some(text)) } else { Err(Error::invalid(self.path(name), allowed)) }
    }

    /// Takes an object that is to be kept as it is.
    pub(crate) fn document(&mut self, name: &str) -> Result<Option<String>> {
        let Some(json) = self.take(name) else { return Ok(None) };
        if !json.get().starts_with('{') {
            return Err(Error::invalid(self.path(name), "This is a JSON object or null."));
        }
        check(&self.path(name), json, 1)?;
        Ok(Some(json.get().to_owned()))
    }

    /// Refuses members that nobody has taken.
    pub(crate) fn finish(self) -> Result<()> {
        match self.members.first() {
            Some((key, _)) => Err(Error::invalid(join(&self.path, key), "There is no such field.")),
            None => Ok(()),
        }
    }
}

/// Refuses what cannot be kept anywhere in an object that is kept as it is.
pub(crate) fn check_kept(path: &str, json: &RawValue) -> Result<()> {
    check(path, json, 1)
}

/// Reads a value of a known type, or says what is `allowed`.
fn read<'a, T: Deserialize<'a>>(path: &str, json: &'a RawValue, allowed: &str) -> Result<T> {
    serde_json::from_str(json.get()).map_err(|_| Error::invalid(path, allowed))
}

/// Refuses a key that is there twice or too long, a NUL, and too deep a nesting. What is no JSON, no UTF-8 or half of a surrogate pair was
/// refused when its member was read, or is here.
fn check(path: &str, json: &RawValue, depth: usize) -> Result<()> {
    if depth > MAX_DEPTH {
        return Err(Error::invalid(path, format!("This is nested deeper than {MAX_DEPTH}.")));
    }
    match json.get().as_bytes().first() {
        Some(b'{') => {
            let object = Object::parse(path, json)?;
            for (key, value) in &object.members {
                check_key(path, key)?;
                check(&object.path(key), value, depth + 1)?;
            }
            Ok(())
        }
        Some(b'[') => {
            let values: Vec<&RawValue> = read(path, json, "This is a JSON list.")?;
            values.into_iter().enumerate().try_for_each(|(at, value)| check(&format!("{path}[{at}]"), value, depth + 1))
        }
        Some(b'"') => check_text(path, &read::<String>(path, json, "This is a text in UTF-8.")?),
        _ => Ok(()),
    }
}

fn check_key(path: &str, key: &str) -> Result<()> {
    if key.len() > MAX_KEY_BYTES {
        return Err(Error::invalid(path, format!("A key has at most {MAX_KEY_BYTES} bytes.")));
    }
    check_text(path, key)
}

fn check_text(path: &str, text: &str) -> Result<()> {
    if text.contains('\0') { Err(Error::invalid(path, "The character U+0000 cannot be kept.")) } else { Ok(()) }
}

fn join(path: &str, name: &str) -> String {
    // A refusal repeats what was sent: not at any length.
    let name: String = name.chars().take(100).collect();
    if path.is_empty() { name } else { format!("{path}.{name}") }
}

/// The members of an object, in their order.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Members<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = object.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}
