//! Writes generated events: an endless supply that is the same for the same seed.

use chrono::{DateTime, Days, Utc};
use orgtrail::audit::append::Draft;
use orgtrail::audit::event::Kind;
use orgtrail::identity::viewer::Origin;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::cast::{Cast, choose};
use super::product::{Effect, LABELS, NOTES, SORTS, Sort, Values};
use super::times::Times;

/// Makes one event after the other.
pub(super) struct Writer {
    random: fastrand::Rng,
    times: Times,
    cast: Cast,
    /// The tokens that send them, by [`Sort::source`].
    sources: [Option<Uuid>; 2],
    /// Every action with its sort, and its weight with all before it.
    actions: Vec<(&'static Sort, &'static str, Effect)>,
    weights: Vec<f64>,
}

impl Writer {
    /// A writer of as many events as there are times.
    pub(super) fn new(random: fastrand::Rng, times: Times, sources: [Option<Uuid>; 2]) -> Self {
        let all = || SORTS.iter().flat_map(|sort| sort.actions.iter().map(move |action| (sort, action)));
        let mut sum = 0.0;
        let weights = all().map(|(_, (_, weight, _))| {
            sum += f64::from(*weight);
            sum
        });
        let weights = weights.collect();
        let actions = all().map(|(sort, (name, _, effect))| (sort, *name, *effect)).collect();
        Self { random, times, cast: Cast::new(), sources, actions, weights }
    }

    fn write(&mut self, at: DateTime<Utc>) -> Draft {
        let (sort, action, effect) = self.actions[choose(&self.weights, &mut self.random)];
        let mut draft = Draft::named(Kind::Change, action, sort.object_type);
        draft.claimed_at = Some(at);
        draft.actor = self.cast.choose(&mut self.random);
        draft.origin = self.origin(draft.actor.user.is_some());
        draft.source_access_token_id = self.sources[sort.source];
        self.describe(&mut draft, sort, effect, at);
        draft
    }

    /// The object, and its state before and after.
    fn describe(&mut self, draft: &mut Draft, sort: &'static Sort, effect: Effect, at: DateTime<Utc>) {
        let number = self.random.u32(0..sort.count);
        let id = format!("{}_{number:05}", sort.prefix);
        // The name follows from the number: an object keeps it.
        let name = format!("{} {number}", sort.names[number as usize % sort.names.len()]);
        let before = self.state(sort, &id, &name, at);
        if effect != Effect::Creates {
            draft.previous = Some(Value::Object(before.clone()).to_string());
        }
        if effect != Effect::Deletes {
            draft.next = Some(Value::Object(self.after(before, sort, effect, at)).to_string());
        }
        (draft.object_id, draft.object_name) = (Some(id), Some(name));
    }

    fn state(&mut self, sort: &Sort, id: &str, name: &str, at: DateTime<Utc>) -> Map<String, Value> {
        let mut state = Map::with_capacity(sort.fields.len() + 4);
        state.insert("id".to_owned(), id.into());
        state.insert("name".to_owned(), name.into());
        state.insert("status".to_owned(), "open".into());
        for (field, values) in sort.fields {
            state.insert((*field).to_owned(), self.value(*values, at));
        }
        state.insert("version".to_owned(), self.random.u8(1..60).into());
        state
    }

    fn after(
        &mut self,
        mut state: Map<String, Value>,
        sort: &Sort,
        effect: Effect,
        at: DateTime<Utc>,
    ) -> Map<String, Value> {
        match effect {
            Effect::Becomes(status) => drop(state.insert("status".to_owned(), status.into())),
            Effect::Alters(position) => {
                let (field, values) = sort.fields[position];
                let value = self.value(values, at);
                state.insert(field.to_owned(), value);
            }
            Effect::Creates | Effect::Deletes => return state,
        }
        let version = state.get("version").and_then(Value::as_u64).unwrap_or_default();
        state.insert("version".to_owned(), (version + 1).into());
        state
    }

    fn value(&mut self, values: Values, at: DateTime<Utc>) -> Value {
        let random = &mut self.random;
        match values {
            Values::Of(words) => words[random.usize(0..words.len())].into(),
            Values::Amount => format!("{}.{:02}", random.u32(5..9_000), random.u8(0..100)).into(),
            Values::Below(limit) => random.u32(0..limit).into(),
            Values::Day => (at.date_naive() + Days::new(random.u64(3..45))).to_string().into(),
            Values::Note => NOTES[random.usize(0..NOTES.len())].into(),
            Values::Person => self.person(),
            Values::Flag => random.bool().into(),
            Values::Labels => json!([LABELS[random.usize(0..LABELS.len())], LABELS[random.usize(0..LABELS.len())]]),
        }
    }

    fn person(&mut self) -> Value {
        let user = loop {
            if let Some(user) = self.cast.choose(&mut self.random).user {
                break user;
            }
        };
        json!({ "id": user.id, "name": user.name })
    }

    /// People come from their offices, programs from a machine room; a few events say nothing of it.
    fn origin(&mut self, is_person: bool) -> Origin {
        let random = &mut self.random;
        if random.u8(0..20) == 0 {
            return Origin::default();
        }
        let ip = match random.u8(0..4) {
            _ if !is_person => format!("198.51.100.{}", random.u8(30..60)),
            0 => format!("2001:db8:{:x}::{:x}", random.u8(16..80), random.u8(1..250)),
            1 => format!("203.0.113.{}", random.u8(1..250)),
            _ => format!("192.0.2.{}", random.u8(1..250)),
        };
        let user_agent = if is_person { "AcmeConsole/11.2 (web)" } else { "acme-worker/3.9" };
        Origin {
            ip: Some(ip),
            user_agent: Some(user_agent.to_owned()),
            request_id: Some(format!("acme-{:016x}", random.u64(..))),
            mutation: None,
        }
    }
}

impl Iterator for Writer {
    type Item = Draft;

    fn next(&mut self) -> Option<Draft> {
        let at = self.times.next(&mut self.random)?;
        Some(self.write(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    fn drafts(seed: u64, count: u64) -> Vec<Draft> {
        let end = DateTime::from_timestamp(1_795_230_699, 0).unwrap();
        let times = Times::new(end - TimeDelta::days(89), end, count);
        Writer::new(fastrand::Rng::with_seed(seed), times, [None, Some(Uuid::nil())]).collect()
    }

    #[test]
    fn states_are_json_of_believable_length() {
        let drafts = drafts(1, 5_000);
        let states: Vec<_> = drafts.iter().flat_map(|draft| [&draft.previous, &draft.next]).flatten().collect();
        assert!(states.iter().all(|state| serde_json::from_str::<Map<String, Value>>(state).is_ok()));
        let (shortest, longest) = (
            states.iter().map(|state| state.len()).min().unwrap(),
            states.iter().map(|state| state.len()).max().unwrap(),
        );
        let total: usize = states.iter().map(|state| state.len()).sum();
        assert!(shortest >= 100 && longest <= 600, "{shortest} to {longest}");
        assert!((150..300).contains(&(total / states.len())), "{}", total / states.len());
        assert!(drafts.iter().all(|draft| draft.previous.is_some() || draft.next.is_some()));
    }

    #[test]
    fn the_same_seed_writes_the_same_and_another_does_not() {
        let text = |seed| format!("{:?}", drafts(seed, 50));
        assert_eq!(text(1), text(1));
        assert_ne!(text(1), text(2));
    }

    #[test]
    fn every_action_occurs() {
        let actions: std::collections::HashSet<_> = drafts(1, 5_000).into_iter().map(|draft| draft.action).collect();
        assert_eq!(actions.len(), SORTS.iter().map(|sort| sort.actions.len()).sum::<usize>());
    }
}
