//! Every server function there is, called with what does not belong there.

use fastrand::Rng;
use leptos::server_fn::axum::server_fn_paths;
use reqwest::Method;

use super::faulty::assert_every_fault_is_found;
use super::hostile::other_than;
use super::judge::{Asked, patient_cast};
use super::routes::{Askers, OWNER};
use crate::amount::rounds;
use crate::routes::Cast;
use crate::support::Client;

/// Arguments that stay as they are, where another would change who everybody here is.
fn must_stay(path: &str, name: &str) -> bool {
    matches!((path, name), ("/api/update_organization", "slug") | ("/api/confirm_email", "secret"))
}

/// Arguments with which the function succeeds, but that some are other than they should be.
pub async fn arguments(
    cast: &Cast,
    client: &Client,
    path: &str,
    number: usize,
    random: &mut Rng,
) -> Vec<(&'static str, String)> {
    let mut fields = cast.arguments(OWNER, client, path, number).await;
    for (name, value) in &mut fields {
        if random.u8(..5) == 0 && !must_stay(path, name) {
            *value = other_than(value, random);
        }
    }
    if path == "/api/change_password" {
        fields.retain(|(name, _)| *name != "current_password"); // everybody here signs in with it
    }
    fields.retain(|_| random.u8(..20) > 0);
    fields
}

/// Calls every server function once; answers what is wrong.
async fn call_functions(
    cast: &Cast,
    askers: &mut Askers,
    asked: &Asked,
    number: usize,
    random: &mut Rng,
) -> Vec<String> {
    let mut wrong = Vec::new();
    for (at, (path, _)) in server_fn_paths().filter(|(_, method)| *method == Method::POST).enumerate() {
        let fields = arguments(cast, &askers.browser, path, number * 1000 + at, random).await;
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let client = askers.browser.at(&asked.url);
        let is_form = random.u8(..3) == 0;
        let form = || client.request(Method::POST, path).form(&fields);
        let request = if is_form { form() } else { client.calling(path, &fields) };
        wrong.extend(asked.complaint(request, || format!("{path} {fields:?}")).await);
        askers.renew(cast).await;
    }
    wrong
}

#[tokio::test]
async fn no_server_function_answers_with_a_fault_of_ours() {
    for mut random in rounds("server functions", 2) {
        let cast = patient_cast().await;
        let (mut askers, asked) = (Askers::of(&cast).await, Asked::of(&cast.app));
        let mut wrong = Vec::new();
        for number in 0..2 {
            wrong.extend(call_functions(&cast, &mut askers, &asked, number, &mut random).await);
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

#[tokio::test]
async fn a_fault_of_a_server_function_is_found() {
    let cast = patient_cast().await;
    let (mut askers, mut number) = (Askers::of(&cast).await, 0);
    assert_every_fault_is_found(async |asked, random| {
        number += 1;
        call_functions(&cast, &mut askers, asked, number, random).await
    })
    .await;
}
