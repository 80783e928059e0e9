//! Who is let in: the service's own pages, by encrypted ways or on this machine, and nobody who holds the door open
//! (promises S7, S10, S12).

use crate::support::{open, options, service, service_with};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::json;
use server::serve::{ServeOptions, Service};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

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

/// A certificate for `localhost` that signs itself, with its key; both PEM.
pub fn certificate() -> (String, String) {
    const ED25519: &[u8] = &[0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70];
    let der = |tag: u8, content: &[u8]| {
        let head = match content.len() {
            length @ 0..128 => vec![tag, length as u8],
            length @ 128..256 => vec![tag, 0x81, length as u8],
            length => vec![tag, 0x82, (length >> 8) as u8, length as u8],
        };
        [head, content.to_vec()].concat()
    };
    let bits = |bytes: &[u8]| der(0x03, &[&[0], bytes].concat());
    let key = SigningKey::from_bytes(&[3; 32]);
    let name = der(0x30, &[&[0x06, 0x03, 0x55, 0x04, 0x03][..], &der(0x0c, b"localhost")].concat());
    let name = der(0x30, &der(0x31, &name));
    let alternative = der(0x04, &der(0x30, &der(0x82, b"localhost")));
    let alternative = der(0x30, &[&[0x06, 0x03, 0x55, 0x1d, 0x11][..], &alternative].concat());
    let body = [
        der(0xa0, &[0x02, 0x01, 0x02]),
        vec![0x02, 0x01, 0x01],
        ED25519.to_vec(),
        name.clone(),
        der(0x30, &[der(0x17, b"250101000000Z"), der(0x18, b"20990101000000Z")].concat()),
        name,
        der(0x30, &[ED25519, &bits(key.verifying_key().as_bytes())].concat()),
        der(0xa3, &der(0x30, &alternative)),
    ];
    let body = der(0x30, &body.concat());
    let whole = der(0x30, &[body.clone(), ED25519.to_vec(), bits(&key.sign(&body).to_bytes())].concat());
    let secret = [&[0x30, 0x2e, 0x02, 0x01, 0x00][..], ED25519, &[0x04, 0x22, 0x04, 0x20], key.as_bytes()].concat();
    let pem =
        |kind: &str, der: &[u8]| format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", STANDARD.encode(der));
    (pem("CERTIFICATE", &whole), pem("PRIVATE KEY", &secret))
}

#[test]
fn s12_with_a_certificate_the_service_speaks_tls_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = certificate();
    let paths = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
    std::fs::write(&paths.0, &certificate).unwrap();
    std::fs::write(&paths.1, key).unwrap();
    let running = service_with(ServeOptions { open: false, tls: Some(paths), ..options() });
    let address = running.client.0;
    let ask = async {
        let trusted = reqwest::Certificate::from_pem(certificate.as_bytes()).unwrap();
        let client =
            reqwest::Client::builder().add_root_certificate(trusted).resolve("localhost", address).build().unwrap();
        let answer = client.get(format!("https://localhost:{}/api/v1/me", address.port())).send().await.unwrap();
        (answer.status().as_u16(), answer.headers().get("strict-transport-security").cloned())
    };
    let (status, hsts) = running.wait(ask);
    assert_eq!((status, hsts.unwrap().to_str().unwrap()), (200, "max-age=31536000"));

    let mut plain = TcpStream::connect(address).unwrap();
    plain.write_all(b"GET /api/v1/me HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "it answered in the clear: {}", String::from_utf8_lossy(&answer));
}

#[test]
fn s7_a_head_that_never_ends_is_closed() {
    let running = service();
    let address = running.client.0;
    // Once as the first request of a connection, once as a later one.
    let closed = |begin: &'static [u8]| {
        move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            stream.write_all(begin).unwrap();
            stream.write_all(b"GET /api/v1/me HTTP/1.1\r\nhost: localhost\r\nx-slow: ").unwrap();
            let began = Instant::now();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).expect("the connection was kept for 30 s");
            began.elapsed()
        }
    };
    std::thread::scope(|scope| {
        let first = scope.spawn(closed(b""));
        let later = scope.spawn(closed(b"GET /api/v1/me HTTP/1.1\r\nhost: localhost\r\n\r\n"));
        for took in [first.join().unwrap(), later.join().unwrap()] {
            assert!(took < Duration::from_secs(15), "{took:?}");
        }
    });
}
