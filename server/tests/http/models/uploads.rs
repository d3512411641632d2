//! The form of a model's page: what is uploaded or pasted there.

use orgtrail::model::registry;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;

use super::{make, owner};
use crate::support::{ACME, Answer, Client, TestApplication};

/// A form with a file, as a browser sends it.
async fn upload(client: &Client, organization: &str, pasted: &str, file: impl Into<Vec<u8>>) -> Answer {
    upload_from(client, "", &[("organization", organization), ("records", pasted)], file).await
}

/// Likewise, from a page that has said what stands for it.
async fn upload_from(client: &Client, page: &str, fields: &[(&str, &str)], file: impl Into<Vec<u8>>) -> Answer {
    let (boundary, mut body) = ("----boundary", Vec::new());
    for (name, value) in [&[("model", "fraud"), ("once", page)], fields].concat() {
        let part = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(part.as_bytes());
    }
    let head = "Content-Disposition: form-data; name=\"file\"; filename=\"r.ndjson\"\r\nContent-Type: application/octet-stream";
    body.extend_from_slice(format!("--{boundary}\r\n{head}\r\n\r\n").as_bytes());
    body.extend_from_slice(&file.into());
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    let request = client.request(Method::POST, "/api/add_records");
    let content_type = format!("multipart/form-data; boundary={boundary}");
    Answer::read(request.header(CONTENT_TYPE, content_type).body(body)).await
}

#[tokio::test]
async fn a_member_uploads_a_file_and_sees_its_records() {
    let app = TestApplication::start().await;
    let owner = app.owner().await;
    let made = owner.form("/api/create_model", &[("organization", ACME), ("name", "fraud")]).await;
    assert_eq!((made.status, made.location.as_deref()), (303, Some("/acme/models/fraud")), "{}", made.body);
    let member = app.member().await;
    let empty = member.get("/acme/models/fraud").await.body;
    assert!(empty.contains("No records yet") && !empty.contains("Delete this model"), "{empty}");
    let lines = format!("{{\"a\":\"{}\"}}\n", "x".repeat(60_000)).repeat(60);
    for (pasted, file) in [("", lines.as_str()), ("{\"card\":\"<b>&\"}\r\n{}", "")] {
        let sent = upload(&member, ACME, pasted, file).await;
        assert_eq!((sent.status, sent.location.as_deref()), (303, Some("/acme/models/fraud")), "{}", sent.body);
    }
    let page = member.get("/acme/models/fraud").await.body;
    assert!(page.contains("2 records added to fraud."), "{page}");
    assert!(page.contains("62 records") && page.contains("&lt;b&gt;&amp;") && page.contains("Older records"), "{page}");
    assert!(
        page.contains("/api/export_model/acme/fraud?start=") && page.contains("the rest is in the export"),
        "{page}"
    );
    let list = member.get("/acme/models").await.body;
    assert!(list.contains("62 records") && !list.contains("New model"), "{list}");
    // What was sent is on the trail, a long text as its hash and size.
    let sent: Vec<Value> = sqlx::query_scalar(
        "select operation_variables from orgtrail.events where operation_name = 'add_records' order by index",
    )
    .fetch_all(&app.superuser)
    .await
    .unwrap();
    assert!(sent.len() == 2 && sent[0].to_string().len() < 1_000, "{sent:?}");
}

/// What stands for the page of the model in its form.
async fn once(client: &Client) -> String {
    let page = client.get("/acme/models/fraud").await.body;
    let (_, behind) = page.split_once("name=\"once\"").unwrap();
    behind.split_once("value=\"").unwrap().1.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_form_that_is_sent_twice_adds_its_records_once() {
    let app = TestApplication::start().await;
    make(&app, "fraud", String::new(), false).await;
    let member = app.member().await;
    let (page, fields) = (once(&member).await, [("organization", ACME)]);
    let send = |page: String, file: &'static str| {
        let member = member.clone();
        async move { upload_from(&member, &page, &fields, file).await }
    };
    let (first, second) = tokio::join!(send(page.clone(), "{}\n{}"), send(page.clone(), "{}\n{}"));
    assert_eq!((first.status, second.status), (303, 303), "{} {}", first.body, second.body);
    let told = member.get("/acme/models/fraud").await.body;
    assert!(told.contains("2 records added to fraud."), "{told}");
    let added = || async { registry::list(&app.platform, &owner(&app), ACME).await.unwrap().models[0].records };
    assert_eq!(added().await, 2);
    assert_eq!(send(page.clone(), "{}\n{}").await.status, 303);
    let told = member.get("/acme/models/fraud").await.body;
    assert!(told.contains("They were sent twice from the same page, and added once."), "{told}");
    // Control: another file from the same page is another one, and so is the same one from another page, or from somebody else's.
    for (client, page, file, records) in
        [(&member, page.clone(), "{}", 3), (&member, once(&member).await, "{}", 4), (&app.admin().await, page, "{}", 5)]
    {
        assert_eq!(upload_from(client, &page, &fields, file).await.status, 303);
        assert_eq!(added().await, records);
    }
}

#[tokio::test]
async fn a_refused_upload_names_its_lines_on_the_page() {
    let app = TestApplication::start().await;
    make(&app, "fraud", String::new(), false).await;
    let member = app.member().await;
    for (pasted, file, said) in
        [("", "{}\n[1]\nnull", "line 3"), ("{}", "{}", "not both"), ("", "", "Send 1 to 10000 records")]
    {
        let sent = upload(&member, ACME, pasted, file).await;
        assert_eq!((sent.status, sent.location.as_deref()), (303, Some("/acme/models/fraud")), "{}", sent.body);
        let page = member.get("/acme/models/fraud").await.body;
        assert!(page.contains(said) && page.contains("No records yet"), "{said}: {page}");
    }
    assert_eq!(upload(&member, ACME, "", b"{\"a\":\"\xff\"}".to_vec()).await.status, 422);
    assert_eq!(upload(&member, ACME, "", vec![b'x'; 9 * 1024 * 1024]).await.status, 413);
    assert_eq!(upload(&app.anonymous(), ACME, "", "{}").await.status, 401);
    let stranger = upload(&app.stranger().await, ACME, "", "{}").await;
    assert_eq!((stranger.status, stranger.location.as_deref()), (303, Some("/acme/models/fraud")));
    let page = registry::list(&app.platform, &owner(&app), ACME).await.unwrap();
    assert_eq!(page.models[0].records, 0);
}
