//! The master key in AWS KMS, by a stand-in on loopback that keeps its keys to itself: it wraps under the key that is named, bound to
//! the context that is given, and answers nobody who does not sign the request.

use std::collections::HashMap;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use admit::key::MasterKey;
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

const KEY: &str = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555";
const OTHER: &str = "arn:aws:kms:eu-central-1:123456789012:key/99999999-2222-3333-4444-555555555555";
const ACCESS_KEY: &str = "AKIDSYNTHETIC";

/// What the stand-in knows, and what it was asked.
struct Kms {
    keys: HashMap<&'static str, RandomizedNonceKey>,
    asked: Mutex<Vec<String>>,
}

/// A folder with a database, and the stand-in.
struct Stage {
    dir: TempDir,
    kms: Arc<Kms>,
    endpoint: String,
}

impl Kms {
    fn answer(&self, headers: &HeaderMap, body: &Value) -> Result<Value, (StatusCode, &'static str)> {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let signed = header("authorization");
        let scope = format!("AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{}/eu-central-1/kms/aws4_request", &header("x-amz-date")[..8]);
        if !signed.starts_with(&scope) || !signed.contains("Signature=") || header("content-type") != "application/x-amz-json-1.1" {
            return Err((StatusCode::BAD_REQUEST, "IncompleteSignatureException"));
        }
        let refused = (StatusCode::BAD_REQUEST, "InvalidCiphertextException");
        let target = header("x-amz-target").trim_start_matches("TrentService.").to_owned();
        self.asked.lock().expect("the list").push(target.clone());
        let id = body["KeyId"].as_str().expect("a key is named");
        let (id, key) = self.keys.get_key_value(id).ok_or((StatusCode::BAD_REQUEST, "NotFoundException"))?;
        // Serialized in the order of the names: the context is a set.
        let context = body["EncryptionContext"].to_string();
        assert_eq!(context, r#"{"app":"admit","tenant":"default"}"#);
        match target.as_str() {
            "GenerateDataKeyWithoutPlaintext" => {
                assert_eq!(body["NumberOfBytes"], 32);
                let made = MasterKey::generate();
                let mut wrapped = admit::token::from_base64url(&made.expose()).expect("our own key");
                let nonce = key.seal_in_place_append_tag(Aad::from(&context), &mut wrapped).expect("sealed");
                let blob = STANDARD.encode([nonce.as_ref().as_slice(), &wrapped].concat());
                Ok(json!({ "KeyId": id, "CiphertextBlob": blob }))
            }
            "Decrypt" => {
                let mut nonce = STANDARD.decode(body["CiphertextBlob"].as_str().expect("a blob")).expect("base64");
                let mut wrapped = nonce.split_off(NONCE_LEN);
                let nonce = Nonce::try_assume_unique_for_key(&nonce).expect("a nonce");
                let plain = key.open_in_place(nonce, Aad::from(&context), &mut wrapped).map_err(|_| refused)?;
                Ok(json!({ "KeyId": id, "Plaintext": STANDARD.encode(plain), "EncryptionAlgorithm": "SYMMETRIC_DEFAULT" }))
            }
            _ => Err((StatusCode::BAD_REQUEST, "UnknownOperationException")),
        }
    }
}

async fn answer(State(kms): State<Arc<Kms>>, headers: HeaderMap, body: Bytes) -> Response {
    let body = serde_json::from_slice(&body).expect("JSON");
    match kms.answer(&headers, &body) {
        Ok(answer) => answer.to_string().into_response(),
        Err((status, kind)) => (status, json!({ "__type": kind, "message": kind }).to_string()).into_response(),
    }
}

impl Stage {
    async fn set() -> Self {
        let key = || RandomizedNonceKey::new(&AES_256_GCM, &admit::secret::random::<32>()).expect("a key");
        let kms = Arc::new(Kms { keys: HashMap::from([(KEY, key()), (OTHER, key())]), asked: Mutex::default() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let routes = Router::new().fallback(answer).with_state(Arc::clone(&kms));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { dir: tempfile::tempdir().expect("a temporary folder"), kms, endpoint }
    }

    /// What was asked of KMS since this was last wanted.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.kms.asked.lock().expect("the list"))
    }

    /// Runs a command with this master key.
    async fn run(&self, master_key: &str, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_admit"));
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| ["ADMIT_", "AWS_"].iter().any(|own| name.to_string_lossy().starts_with(own)))
        {
            command.env_remove(name);
        }
        command.current_dir(&self.dir).args(["--database", "test.db"]).args(args).arg("--json");
        command.env("ADMIT_MASTER_KEY", master_key).env("AWS_ENDPOINT_URL_KMS", &self.endpoint).env("AWS_REGION", "eu-central-1");
        command.env("AWS_ACCESS_KEY_ID", ACCESS_KEY).env("AWS_SECRET_ACCESS_KEY", "synthetic").env("HOME", self.dir.path());
        tokio::task::spawn_blocking(move || command.output()).await.expect("it ends").expect("the program starts")
    }

    async fn json(&self, master_key: &str, args: &[&str]) -> Value {
        let done = self.run(master_key, args).await;
        assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
        serde_json::from_slice(&done.stdout).expect("JSON")
    }

    async fn fails(&self, master_key: &str, args: &[&str]) -> String {
        let done = self.run(master_key, args).await;
        assert!(!done.status.success() && done.stdout.is_empty(), "{args:?}");
        String::from_utf8(done.stderr).expect("UTF-8")
    }

    async fn sealed_under(&self, master_key: &str) -> Vec<Value> {
        let keys = self.json(master_key, &["key", "list"]).await;
        keys.as_array().expect("a list").iter().map(|key| key["master_key"].clone()).collect()
    }
}

const BASE: [&str; 5] = ["fhir-base", "add", "main", "--url", "https://fhir.test/r4"];

/// KMS makes the master key once, and opens it once for each program that needs it.
#[tokio::test]
async fn kms_makes_the_master_key_once_and_opens_it_at_each_start() {
    let stage = Stage::set().await;
    let kms = format!("kms:{KEY}");
    stage.json(&kms, &BASE).await;
    assert_eq!(stage.asked(), ["GenerateDataKeyWithoutPlaintext", "Decrypt"]);
    stage.json(&kms, &["key", "rotate"]).await;
    assert_eq!(stage.asked(), ["Decrypt"]);
    let under = stage.sealed_under(&kms).await;
    assert!(under.len() == 2 && under[0] == under[1], "{under:?}");
    // Another key of KMS has wrapped nothing, and takes over nothing by mistake.
    let said = stage.fails(&format!("kms:{OTHER}"), &["key", "rotate", "--after", "6m"]).await;
    assert!(said.contains("another master key") && said.contains("reseal"), "{said}");
    let said = stage.fails(&format!("kms:{KEY}-unknown"), &["key", "rotate", "--after", "6m"]).await;
    assert!(said.contains("another master key"), "{said}");
    assert_eq!(stage.asked(), Vec::<String>::new());
}

/// From a file to KMS, from one key of KMS to another, and back: the same steps each time.
#[tokio::test]
async fn the_master_key_moves_into_kms_and_out_again() {
    let stage = Stage::set().await;
    let own = MasterKey::generate();
    let own_text = own.expose();
    stage.json(&own_text, &BASE).await;
    let mut before = own_text.to_string();
    for next in [format!("kms:{KEY}"), format!("kms:{OTHER}"), own_text.to_string()] {
        let both = format!("{next} {before}");
        let was = stage.sealed_under(&both).await;
        assert_eq!(stage.json(&both, &["key", "reseal"]).await["resealed"], 1);
        assert_ne!(stage.sealed_under(&next).await, was);
        assert_eq!(stage.json(&next, &["key", "reseal"]).await["resealed"], 0);
        before = next;
    }
    assert_eq!(stage.sealed_under(&own_text).await, [own.id()]);
}

/// What KMS refuses is said, and so is what it wrapped for somebody else.
#[tokio::test]
async fn what_kms_refuses_is_said_and_nothing_is_made() {
    let stage = Stage::set().await;
    let said = stage.fails("kms:alias/unknown", &BASE).await;
    assert!(said.contains("alias/unknown") && said.contains("NotFoundException"), "{said}");
    let kms = format!("kms:{KEY}");
    stage.json(&kms, &BASE).await;
    let database = format!("sqlite:{}", stage.dir.path().join("test.db").display());
    let mut connection = <sqlx::SqliteConnection as sqlx::Connection>::connect(&database).await.expect("the database");
    sqlx::query("update wrapped_master_key set wrapped = substr(wrapped, 1, 40) || 'AAAA' || substr(wrapped, 45)")
        .execute(&mut connection)
        .await
        .expect("changed");
    let said = stage.fails(&kms, &["key", "rotate"]).await;
    assert!(said.contains("InvalidCiphertextException"), "{said}");
}
