//! The actors of generated events: 400 people and 40 tokens of the other products, some of them much busier than others.

use orgtrail::audit::event::{Actor, ActorToken, ActorUser};

const USERS: usize = 400;
const TOKENS: usize = 40;

const GIVEN: [&str; 24] = [
    "Mira",
    "Jonas",
    "Aisha",
    "Pavel",
    "Lin",
    "Renée",
    "Óscar",
    "Günther",
    "Ewa",
    "Søren",
    "Chidi",
    "Yara",
    "Анна",
    "Δήμητρα",
    "小红",
    "さくら",
    "민준",
    "ليلى",
    "दीपक",
    "Noah",
    "İpek",
    "Đức",
    "Nadia",
    "D'Arcy",
];
const FAMILY: [&str; 20] = [
    "Abendroth",
    "Bakker",
    "Castillo-Vega",
    "Dąbrowski",
    "Ek",
    "Fontaine",
    "Gruber",
    "Haddad",
    "Ionescu",
    "Jørgensen",
    "Kimura",
    "Лебедев",
    "Müller-Lüdenscheidt",
    "Nguyễn",
    "O'Malley",
    "Pereira",
    "Quispe",
    "Rossi",
    "Szabó",
    "王",
];

/// Names as programs have them; a few would be formulas in a spreadsheet.
const WORKERS: [&str; 10] = [
    "invoice-worker",
    "ledger sync",
    "@deploy-bot",
    "fleet-controller",
    "=importer",
    "+webhooks",
    "nightly \"full\" backup",
    "-cleanup",
    "CI runner",
    "gateway",
];

/// Actors, with how often each acts.
pub(super) struct Cast {
    users: Vec<ActorUser>,
    tokens: Vec<ActorToken>,
    user_weights: Vec<f64>,
    token_weights: Vec<f64>,
}

impl Cast {
    /// The same for every seed of a writer: actors come back.
    pub(super) fn new() -> Self {
        let mut random = fastrand::Rng::with_seed(400);
        Self {
            users: (0..USERS).map(|number| user(number, &mut random)).collect(),
            tokens: (0..TOKENS).map(token).collect(),
            user_weights: harmonic(USERS),
            token_weights: harmonic(TOKENS),
        }
    }

    /// Somebody: mostly a person, often a token, now and then a person by a token of theirs.
    pub(super) fn choose(&self, random: &mut fastrand::Rng) -> Actor {
        let user = self.users[choose(&self.user_weights, random)].clone();
        let token = self.tokens[choose(&self.token_weights, random)].clone();
        match random.u8(0..10) {
            0..=6 => Actor { user: Some(user), access_token: None },
            7 | 8 => Actor { user: None, access_token: Some(token) },
            _ => Actor { user: Some(user), access_token: Some(token) },
        }
    }
}

fn user(number: usize, random: &mut fastrand::Rng) -> ActorUser {
    let (given, family) = (GIVEN[random.usize(0..GIVEN.len())], FAMILY[random.usize(0..FAMILY.len())]);
    let customer = ["nordwind", "contoso", "umbra", "globex"][number % 4];
    ActorUser {
        id: format!("usr_{:05}", 10_000 + number * 37),
        name: Some(format!("{given} {family}")),
        email: Some(format!("person{number}@{customer}.example")),
    }
}

fn token(number: usize) -> ActorToken {
    ActorToken {
        id: format!("tok_{:04}", 1_000 + number * 13),
        name: Some(format!("{} {}", WORKERS[number % WORKERS.len()], number / WORKERS.len() + 1)),
    }
}

/// The weight of each with all before it, where the n-th acts a n-th as often as the first (Zipf).
pub(super) fn harmonic(count: usize) -> Vec<f64> {
    let mut sum = 0.0;
    let weights = (1..=u32::try_from(count).unwrap_or(u32::MAX)).map(|rank| {
        sum += 1.0 / f64::from(rank);
        sum
    });
    weights.collect()
}

/// A position, as often as its weight says.
pub(super) fn choose(weights: &[f64], random: &mut fastrand::Rng) -> usize {
    let wanted = random.f64() * weights.last().copied().unwrap_or_default();
    weights.partition_point(|weight| *weight <= wanted).min(weights.len().saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_acts_and_some_act_much_more() {
        let (cast, mut random) = (Cast::new(), fastrand::Rng::with_seed(7));
        let mut acts = std::collections::HashMap::<_, u32>::new();
        for _ in 0..100_000 {
            let actor = cast.choose(&mut random);
            assert!(actor.user.is_some() || actor.access_token.is_some());
            *acts.entry(actor.user.map(|user| user.id)).or_default() += 1;
        }
        acts.remove(&None);
        let (most, least) = (acts.values().max().unwrap(), acts.values().min().unwrap());
        assert_eq!(acts.len(), USERS);
        assert!(*most > 100 * *least, "{most} {least}");
    }
}
