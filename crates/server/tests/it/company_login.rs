//! The company's login against a small provider on loopback, whose key is made here (promise S9).

use crate::people::{House, Person, house};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What the provider says about whoever logs in; tests change it.
#[derive(Clone)]
struct Said {
    subject: String,
    email: String,
    verified: bool,
    /// Instead of the nonce that was asked for.
    nonce: Option<String>,
    /// Instead of our client id.
    audience: Option<String>,
    /// Signed with another key.
    forged: bool,
}

/// A provider of logins.
struct Provider {
    issuer: String,
    said: Arc<Mutex<Said>>,
    /// Code → (nonce, PKCE challenge) of the logins it was asked for.
    asked: Arc<Mutex<HashMap<String, (String, String)>>>,
}

impl Provider {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let said = Arc::new(Mutex::new(Said {
            subject: "subject-1".into(),
            email: "ann@example.org".into(),
            verified: true,
            nonce: None,
            audience: None,
            forged: false,
        }));
        let asked: Arc<Mutex<HashMap<String, (String, String)>>> = Arc::default();
        let provider = Self { issuer: issuer.clone(), said: said.clone(), asked: asked.clone() };
        // The thread ends with the process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = answer(stream, &issuer, &said.lock().unwrap().clone(), &asked.lock().unwrap());
            }
        });
        provider
    }

    /// What the person's browser does at the provider: reads the address and comes back with a code.
    fn approve(&self, url: &str) -> (String, String) {
        let query: HashMap<String, String> = reqwest::Url::parse(url).unwrap().query_pairs().into_owned().collect();
        assert_eq!((query["response_type"].as_str(), query["code_challenge_method"].as_str()), ("code", "S256"));
        let mut asked = self.asked.lock().unwrap();
        let code = format!("code-{}", asked.len());
        asked.insert(code.clone(), (query["nonce"].clone(), query["code_challenge"].clone()));
        (code, query["state"].clone())
    }
}

fn answer(
    mut stream: TcpStream,
    issuer: &str,
    said: &Said,
    asked: &HashMap<String, (String, String)>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_owned());
    }
    let length = lines.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let path = lines.first().and_then(|line| line.split(' ').nth(1)).unwrap_or("").to_owned();
    let (status, answer) = match path.as_str() {
        "/.well-known/openid-configuration" => ("200 OK", metadata(issuer)),
        "/keys" => ("200 OK", json!({ "keys": [public_key(&signing_key(false))] })),
        "/token" => match token(issuer, said, asked, &String::from_utf8_lossy(&body)) {
            Some(token) => ("200 OK", token),
            None => ("400 Bad Request", json!({ "error": "invalid_grant" })),
        },
        _ => ("404 Not Found", json!({})),
    };
    let answer = answer.to_string();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}",
        answer.len()
    );
    stream.write_all(format!("{head}\r\n\r\n{answer}").as_bytes())
}

fn metadata(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
    })
}

fn signing_key(another: bool) -> SigningKey {
    SigningKey::from_bytes(&[if another { 2 } else { 1 }; 32])
}

fn public_key(key: &SigningKey) -> Value {
    let x = URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
    json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": "key-1", "x": x })
}

/// Gives a token for a code, if the verifier fits the challenge that came with it.
fn token(issuer: &str, said: &Said, asked: &HashMap<String, (String, String)>, body: &str) -> Option<Value> {
    let url = reqwest::Url::parse(&format!("http://form/?{body}")).ok()?;
    let form: HashMap<String, String> = url.query_pairs().into_owned().collect();
    let (nonce, challenge) = asked.get(form.get("code")?)?;
    let shown = URL_SAFE_NO_PAD.encode(Sha256::digest(form.get("code_verifier")?.as_bytes()));
    if shown != *challenge {
        return None;
    }
    let now = server::jobs::runner::now_us() / 1_000_000;
    let claims = json!({
        "iss": issuer, "sub": said.subject, "aud": said.audience.as_deref().unwrap_or("lode"), "exp": now + 300, "iat": now,
        "nonce": said.nonce.as_ref().unwrap_or(nonce), "email": said.email, "email_verified": said.verified,
    });
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(json!({ "alg": "EdDSA", "kid": "key-1" })), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(signing_key(said.forged).sign(text.as_bytes()).to_bytes());
    Some(
        json!({ "access_token": "x", "token_type": "Bearer", "expires_in": 60, "id_token": format!("{text}.{signature}") }),
    )
}

/// A service whose people log in at the provider; the admin has made an account for ann.
fn house_with(provider: &Provider) -> (House, Person) {
    let house = house();
    let admin = house.person("admin", true);
    let oidc = json!({ "issuer": provider.issuer, "client_id": "lode", "name": "Company login", "secret": "s" });
    admin.put("/service/settings", json!({ "oidc": oidc })).expect(200);
    admin.post("/accounts", json!({ "email": "ann@example.org", "name": "Ann" })).expect(201);
    (house, admin)
}

fn header<'h>(head: &'h str, name: &str) -> &'h str {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or("")
}

/// Logs in at the provider; gives where the browser ends, and its session.
fn log_in(house: &House, provider: &Provider, same_browser: bool) -> (String, Option<String>) {
    let begun = house.running.client.get_with("/oidc/start", &[]);
    assert_eq!(begun.status, 303, "{}", begun.text());
    let url = header(&begun.raw_head, "location").to_owned();
    let cookie = header(&begun.raw_head, "set-cookie").split(';').next().unwrap().to_owned();
    let (code, state) = provider.approve(&url);
    let cookie = if same_browser { format!("cookie: {cookie}") } else { "cookie: a=b".into() };
    let path = format!("/oidc/callback?code={code}&state={state}");
    // The provider's page sends the browser, so the browser says that it comes from another site.
    let ended = house.running.client.get_with(&path, &[&cookie, "sec-fetch-site: cross-site"]);
    assert_eq!(ended.status, 303, "{}", ended.text());
    (header(&ended.raw_head, "location").to_owned(), ended.cookie)
}

#[test]
fn s9_people_come_in_through_the_companys_login() {
    let provider = Provider::start();
    let (house, admin) = house_with(&provider);
    let (to, cookie) = log_in(&house, &provider, true);
    assert_eq!(to, "/");
    let ann = Person { credential: cookie.unwrap(), ..house.nobody() };
    let me = ann.get("/me").expect(200);
    assert_eq!((&me["account"]["email"], &me["account"]["oidc"]), (&json!("ann@example.org"), &json!(true)), "{me}");

    // From now on the subject is who she is, whatever her address says.
    provider.said.lock().unwrap().email = "ann.married@example.org".into();
    assert_eq!(log_in(&house, &provider, true).0, "/");
    // Somebody else with her address is somebody else.
    provider.said.lock().unwrap().subject = "subject-2".into();
    provider.said.lock().unwrap().email = "ann@example.org".into();
    let (to, cookie) = log_in(&house, &provider, true);
    assert_eq!((to.as_str(), cookie), ("/login?error=company_login_unknown", None));

    provider.said.lock().unwrap().subject = "subject-1".into();
    let id = me["account"]["id"].as_str().unwrap();
    admin.patch(&format!("/accounts/{id}"), json!({ "disabled": true })).expect(200);
    assert_eq!(log_in(&house, &provider, true).0, "/login?error=company_login_unknown");
    ann.get("/me/sessions").expect(401);
}

#[test]
fn s9_a_company_login_that_does_not_hold_lets_nobody_in() {
    let provider = Provider::start();
    let (house, _) = house_with(&provider);
    let fails = |change: fn(&mut Said), same_browser: bool, why: &str| {
        let before = provider.said.lock().unwrap().clone();
        change(&mut provider.said.lock().unwrap());
        let (to, cookie) = log_in(&house, &provider, same_browser);
        assert!(to.starts_with("/login?error=company_login_") && cookie.is_none(), "{why}: {to}");
        *provider.said.lock().unwrap() = before;
    };
    fails(|said| said.forged = true, true, "another key signed it");
    fails(|said| said.nonce = Some("another".into()), true, "it answers another login");
    fails(|said| said.audience = Some("another".into()), true, "it is for another service");
    fails(|said| said.verified = false, true, "nobody checked the address");
    fails(|said| said.email = "stranger@example.org".into(), true, "nobody has this account");
    fails(|_| {}, false, "another browser began it");
    // A login ends once.
    let begun = house.running.client.get_with("/oidc/start", &[]);
    let cookie = header(&begun.raw_head, "set-cookie").split(';').next().unwrap().to_owned();
    let (code, state) = provider.approve(header(&begun.raw_head, "location"));
    let path = format!("/oidc/callback?code={code}&state={state}");
    let cookie = format!("cookie: {cookie}");
    let ends =
        [(); 2].map(|()| header(&house.running.client.get_with(&path, &[&cookie]).raw_head, "location").to_owned());
    assert_eq!(ends, ["/", "/login?error=company_login_failed"]);
}
