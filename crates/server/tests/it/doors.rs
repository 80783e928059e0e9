//! Who is let in: this machine and its own pages, nobody else (promises S10, S12).

use crate::support::{open, options, service};
use serde_json::json;
use server::serve::{ServeOptions, Service};

#[tokio::test(flavor = "multi_thread")]
async fn s12_an_address_that_other_machines_reach_needs_encryption_and_accounts() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let refused = async |options: ServeOptions| {
        let address = options.listen;
        let error = Service::bind(store.clone(), options).await.err();
        error.unwrap_or_else(|| panic!("{address} was taken")).to_string()
    };
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.7:0"] {
        for open in [true, false] {
            let error = refused(ServeOptions { listen: address.parse().unwrap(), open, ..options() }).await;
            assert!(error.contains("listens on this machine only"), "{error}");
        }
    }
    let behind = ServeOptions { open: false, proxies: vec!["10.0.0.0/8".parse().unwrap()], ..options() };
    let everywhere = ServeOptions { listen: "0.0.0.0:0".parse().unwrap(), ..behind };
    assert!(refused(ServeOptions { open: true, ..everywhere.clone() }).await.contains("this machine only"));
    assert!(refused(everywhere.clone()).await.contains("--public-url"));
    let named = |url: &str| ServeOptions { public_url: Some(url.into()), ..everywhere.clone() };
    assert!(refused(named("http://lode.example.org")).await.contains("in the clear"));
    Service::bind(store.clone(), named("https://lode.example.org")).await.unwrap();
    Service::bind(store.clone(), options()).await.unwrap();
}

#[test]
fn s10_a_page_of_another_origin_cannot_ask_or_change() {
    let running = service();
    let client = running.client;
    let port = client.0.port();
    for origin in [
        "https://evil.example".to_owned(),
        "null".to_owned(),
        format!("http://evil.example:{port}"),
        "http://127.0.0.1.evil.example".to_owned(),
        // Another program's page on this machine is another origin.
        "http://localhost:1".to_owned(),
    ] {
        let origin = format!("origin: {origin}");
        client.send("GET", "/projects", &[&origin], b"").expect(403);
        let body = json!({ "name": "Evil" }).to_string();
        let headers = ["content-type: application/json", origin.as_str()];
        client.send("POST", "/projects", &headers, body.as_bytes()).expect(403);
        client.send("DELETE", "/projects/orders", &[&origin], b"").expect(403);
    }
    assert_eq!(client.get("/projects").expect(200)["projects"], json!([]));
    let own = format!("origin: http://127.0.0.1:{port}");
    client.send("GET", "/projects", &[&own], b"").expect(200);
}

#[test]
fn s10_a_name_that_is_not_this_machines_is_refused() {
    let running = service();
    for host in ["host: evil.example", "host: 127.0.0.1.evil.example:7700", "host: 192.0.2.7:7700"] {
        running.client.send("GET", "/status", &[host], b"").expect(403);
    }
    let own = format!("host: localhost:{}", running.client.0.port());
    running.client.send("GET", "/status", &[&own], b"").expect(200);
}

#[test]
fn s10_a_change_needs_a_content_type_that_no_form_can_send() {
    let running = service();
    let body = json!({ "name": "Evil" }).to_string();
    for kind in ["text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", ""] {
        let header = format!("content-type: {kind}");
        let answer = running.client.send("POST", "/projects", &[&header], body.as_bytes());
        assert_eq!(answer.expect(400)["error"]["code"], "bad_request", "{kind}");
    }
    assert_eq!(running.client.get("/projects").expect(200)["projects"], json!([]));
}

#[test]
fn s10_pages_carry_the_headers_that_keep_strangers_out() {
    let head = service().client.send("GET", "//", &[], b"").head;
    for line in [
        "content-security-policy: default-src 'self'",
        "x-content-type-options: nosniff",
        "referrer-policy: no-referrer",
        "cross-origin-opener-policy: same-origin",
        "cross-origin-resource-policy: same-origin",
    ] {
        assert!(head.contains(line), "{line} is missing:\n{head}");
    }
}
