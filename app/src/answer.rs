//! Answers of server functions: one type of resource for all of them, holding JSON that is read where it is shown.
//!
//! Every further type of resource, and every further way to decode a type, would cost some 20 KB of WebAssembly.

use std::marker::PhantomData;
use std::pin::Pin;

use leptos::prelude::*;
use leptos::serde_json;
use leptos::server_fn::codec::Post;
use leptos::server_fn::{Bytes, ContentType, Decodes, Encodes, Format, FormatType};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::wire::Refusal;

/// What a server function tells: a `T` as JSON.
pub struct Told<T> {
    json: String,
    of: PhantomData<fn() -> T>,
}

impl<T> Told<T> {
    fn from_json(json: String) -> Self {
        Self { json, of: PhantomData }
    }

    /// The same, where there might have been nothing.
    #[must_use]
    pub fn some(self) -> Told<Option<T>> {
        Told::from_json(self.json)
    }
}

impl<T> Told<Option<T>> {
    /// Nothing.
    #[must_use]
    pub fn none() -> Self {
        Self::from_json("null".to_owned())
    }
}

impl<T: Serialize> Told<T> {
    /// Puts a value into words.
    #[must_use]
    pub fn tell(value: T) -> Self {
        // Views are plain structs of text and numbers: they cannot fail to be JSON.
        Self::from_json(serde_json::to_string(&value).unwrap_or_default())
    }
}

/// The output encoding of server functions that return [`Told`].
pub type ToldJson = Post<ToldCodec>;

/// JSON that is passed on as it is.
pub struct ToldCodec;

impl ContentType for ToldCodec {
    const CONTENT_TYPE: &'static str = "application/json";
}

impl FormatType for ToldCodec {
    const FORMAT_TYPE: Format = Format::Text;
}

impl<T> Encodes<Told<T>> for ToldCodec {
    type Error = std::convert::Infallible;

    fn encode(told: &Told<T>) -> Result<Bytes, Self::Error> {
        Ok(Bytes::copy_from_slice(told.json.as_bytes()))
    }
}

impl<T> Decodes<Told<T>> for ToldCodec {
    type Error = std::string::FromUtf8Error;

    fn decode(bytes: Bytes) -> Result<Told<T>, Self::Error> {
        String::from_utf8(bytes.into()).map(Told::from_json)
    }
}

type Fetch = Box<dyn Fn() -> Pin<Box<dyn Future<Output = Result<String, Refusal>> + Send>> + Send + Sync>;
type Key = Box<dyn Fn() -> String + Send + Sync>;

/// The answer to a question of a page.
pub struct Answer<T> {
    resource: Resource<Result<String, Refusal>>,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Answer<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Answer<T> {}

impl<T: DeserializeOwned + 'static> Answer<T> {
    /// Asks, and has the response wait for the answer; asks again when what `key` returns has changed.
    pub fn to<F>(key: impl Fn() -> String + Send + Sync + 'static, ask: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Told<T>, Refusal>> + Send + 'static,
    {
        Self { resource: resource(Box::new(key), fetch(ask)), of: PhantomData }
    }

    /// Waits for the answer.
    ///
    /// # Errors
    /// What the server refused; 500 for what cannot be read, as from a newer server.
    pub async fn read(self) -> Result<T, Refusal> {
        let json = self.resource.await?;
        serde_json::from_str(&json)
            .map_err(|_| Refusal::new(500, "INTERNAL", "The answer cannot be read. Load the page again."))
    }

    /// Waits for the answer, to know only whether it is one.
    pub async fn is_refused(self) -> bool {
        self.resource.await.is_err()
    }
}

fn fetch<T: 'static, F>(ask: impl Fn() -> F + Send + Sync + 'static) -> Fetch
where
    F: Future<Output = Result<Told<T>, Refusal>> + Send + 'static,
{
    Box::new(move || {
        let asked = ask();
        Box::pin(async move { asked.await.map(|told| told.json) })
    })
}

fn resource(key: Key, fetch: Fetch) -> Resource<Result<String, Refusal>> {
    Resource::new_blocking(key, move |_| fetch())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_json_as_it_is() {
        let told = Told::tell(vec![1, 2]);
        let sent = ToldCodec::encode(&told).unwrap();
        assert_eq!(&sent[..], b"[1,2]");
        let received: Told<Vec<i32>> = ToldCodec::decode(sent).unwrap();
        assert_eq!(received.some().json, "[1,2]");
        assert_eq!(Told::<Option<i32>>::none().json, "null");
    }
}
