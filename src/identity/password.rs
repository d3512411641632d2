//! Passwords: which are accepted, and how they are kept (Argon2id, R-14, R-15).

use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use futures::future::BoxFuture;

use crate::{Error, Result};

/// A password that needs no more guesses than this is one of the lists' 30,000 common ones, or a simple variation or repetition of one.
const COMMON_GUESSES: u64 = 100_000;

/// Words of the product, as guessable here as the common ones.
const PRODUCT_WORDS: [&str; 4] = ["orgtrail", "audit logs", "auditlogs", "organization"];

/// Where password work runs: it takes tens of milliseconds and 19 MiB each, so a bounded number at a time, off the request's thread.
pub trait HashingPool: Send + Sync {
    /// Runs `work` when there is room.
    ///
    /// # Errors
    /// [`Error::Unavailable`] at once if too many wait already; those of [`Work::run`].
    fn run(&self, work: Work) -> BoxFuture<'static, Result<Verdict>>;
}

/// Work on a password; never shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Work {
    /// Make the hash of one that shall be set.
    Hash(NewPassword),
    /// Check what was typed against a stored hash. Without one the same work is done against a dummy, so that nobody learns by time whether an
    /// address exists.
    Verify {
        /// As typed.
        typed: String,
        /// PHC string.
        stored: Option<String>,
    },
}

impl Work {
    /// Does it, which takes its time.
    ///
    /// # Errors
    /// [`Error::Internal`] if Argon2 fails, or what is stored is no hash.
    pub fn run(self) -> Result<Verdict> {
        match self {
            Self::Hash(password) => Ok(Verdict::Hash(hash(&password.0)?)),
            Self::Verify { typed, stored } => verify(&typed, stored.as_deref()),
        }
    }
}

/// What password work comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// A new hash (PHC string).
    Hash(String),
    /// Whether the password was right, and a new hash where the stored one has weaker parameters than today's.
    Verified {
        /// The password was right.
        right: bool,
        /// The hash to store instead.
        rehashed: Option<String>,
    },
}

/// A password that may be set: 12–128 characters, any Unicode, not a common one; never shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct NewPassword(String);

impl std::fmt::Debug for NewPassword {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("NewPassword")
    }
}

impl NewPassword {
    /// Accepts a password to be set. No rule of composition, no truncation.
    ///
    /// # Errors
    /// [`Error::Invalid`] for the field `password`.
    pub fn parse(typed: &str) -> Result<Self> {
        let characters = typed.chars().count();
        if !(12..=128).contains(&characters) {
            return Err(Error::invalid(
                "password",
                format!("A password has 12 to 128 characters; this one has {characters}."),
            ));
        }
        // The whole of it is guessed as one word (contract §9): parts may be common.
        if zxcvbn::zxcvbn(typed, &PRODUCT_WORDS).guesses() <= COMMON_GUESSES {
            return Err(Error::invalid("password", "This password is one of the most common ones: choose another."));
        }
        Ok(Self(typed.to_owned()))
    }
}

fn verify(typed: &str, stored: Option<&str>) -> Result<Verdict> {
    let parsed = PasswordHash::new(stored.unwrap_or(DUMMY)).map_err(|cause| Error::internal(cause.to_string()))?;
    let right = argon2().verify_password(typed.as_bytes(), &parsed).is_ok() && stored.is_some();
    let is_weak = |params: Params| params.m_cost() < Params::DEFAULT_M_COST || params.t_cost() < Params::DEFAULT_T_COST;
    let rehashed = if right && Params::try_from(&parsed).is_ok_and(is_weak) { Some(hash(typed)?) } else { None };
    Ok(Verdict::Verified { right, rehashed })
}

/// A hash of nothing anybody knows, with today's parameters.
const DUMMY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$9uDKMoUWIGvUrHkM4SNQGpbGqIUrrPNHSdIaVUXT5Wk";

fn argon2() -> Argon2<'static> {
    // The crate's defaults are R-14's floor: m = 19,456 KiB, t = 2, p = 1.
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT)
}

fn hash(password: &str) -> Result<String> {
    let salt = SaltString::generate(&mut OsRng);
    let hashed =
        argon2().hash_password(password.as_bytes(), &salt).map_err(|cause| Error::internal(cause.to_string()))?;
    Ok(hashed.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(typed: &str, stored: Option<String>) -> Verdict {
        Work::Verify { typed: typed.to_owned(), stored }.run().unwrap()
    }

    #[test]
    fn a_hash_verifies_its_password_and_no_other() {
        let password = NewPassword::parse("correct horse battery").unwrap();
        let Verdict::Hash(stored) = Work::Hash(password).run().unwrap() else { panic!("no hash") };
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_eq!(
            verdict("correct horse battery", Some(stored.clone())),
            Verdict::Verified { right: true, rehashed: None }
        );
        assert_eq!(verdict("correct horse batterz", Some(stored)), Verdict::Verified { right: false, rehashed: None });
    }

    #[test]
    fn nobody_signs_in_without_a_stored_hash() {
        assert_eq!(verdict("", None), Verdict::Verified { right: false, rehashed: None });
    }

    #[test]
    fn a_weaker_hash_is_replaced() {
        let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8, 1, 1, None).unwrap());
        let stored =
            weak.hash_password(b"correct horse battery", &SaltString::generate(&mut OsRng)).unwrap().to_string();
        let Verdict::Verified { right: true, rehashed: Some(hash) } = verdict("correct horse battery", Some(stored))
        else {
            panic!("not rehashed")
        };
        assert!(hash.contains("m=19456,t=2"));
    }

    #[test]
    fn length_counts_characters_and_common_ones_are_refused() {
        let twelve = "éàüöçñßøåæþð";
        assert!(NewPassword::parse(twelve).is_ok());
        assert!(NewPassword::parse(&"kéàüöçñß".repeat(16)).is_ok());
        assert!(NewPassword::parse("orgtrail-demo-password").is_ok());
        for typed in [
            "short",
            &"x".repeat(11),
            &"x".repeat(129),
            "Password1234",
            "qwertyuiop123",
            "aaaaaaaaaaaa",
            "orgtrailorgtrail",
            "organization",
        ] {
            assert!(NewPassword::parse(typed).is_err(), "{typed}");
        }
    }
}
