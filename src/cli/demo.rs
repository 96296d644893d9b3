//! `admit demo`: everything on this machine, with synthetic people.

use clap::Args;
use url::Url;

use super::Failure;
use crate::demo::{Demo, Ports};

/// Where the demo looks for free ports.
#[derive(Args, Clone, Debug)]
pub struct DemoArgs {
    /// The authorization server's port; the next free one is taken where it is not free
    #[arg(long, default_value_t = 8080, value_name = "PORT")]
    port: u16,
    /// The FHIR stand-in's port, likewise
    #[arg(long, default_value_t = 8081, value_name = "PORT")]
    fhir_port: u16,
    /// The sample app's port, likewise
    #[arg(long, default_value_t = 8082, value_name = "PORT")]
    app_port: u16,
    /// Where the launch pad opens your own app, my-app (SMART App Launch: EHR launch)
    #[arg(long, value_name = "URL", value_parser = web_address)]
    launch_url: Option<String>,
}

fn web_address(text: &str) -> Result<String, &'static str> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.fragment().is_none() => Ok(text.to_owned()),
        _ => Err("it has to be an http or https URL, without a fragment"),
    }
}

pub(super) async fn run(args: DemoArgs) -> Result<(), Failure> {
    let wanted = Ports { server: args.port, fhir: args.fhir_port, app: args.app_port };
    let demo = Demo::start(wanted, args.launch_url).await.map_err(|error| Failure::failed(&format!("the demo cannot start: {error}")))?;
    for (url, port, flag) in [
        (&demo.issuer, args.port, "--port"),
        (&demo.fhir_base, args.fhir_port, "--fhir-port"),
        (&demo.app_url, args.app_port, "--app-port"),
    ] {
        if !url.contains(&format!(":{port}")) {
            eprintln!("Port {port} is taken; {url} instead ({flag} chooses another).");
        }
    }
    print(&demo);
    wait_for_signal().await;
    eprintln!("\nStopping; nothing is kept.");
    demo.stop().await;
    Ok(())
}

fn print(demo: &Demo) {
    println!("Admit, the demonstration. Every person and record here is synthetic; everything is gone when it ends.\n");
    println!("  Open    {}/    four ways to a health record, with sample apps", demo.app_url);
    println!("  Server  {}     FHIR stand-in  {}\n", demo.issuer, demo.fhir_base);
    println!("Sign in with the password \"{}\" as", demo.password);
    for person in &demo.people {
        println!("  {:<18} {:<10} {}", person.username, person.kind.as_str(), person.note);
    }
    let (service, secret) = &demo.service;
    println!("\nA backend service's token, and a look at the store with it:");
    println!(
        "  TOKEN=$(curl -s {}/token -u {service}:{} -d grant_type=client_credentials -d 'scope=system/*.rs' | sed 's/.*\"access_token\":\"\\([^\"]*\\).*/\\1/')",
        demo.issuer,
        secret.expose()
    );
    println!("  curl -s '{}/Patient?_summary=count' -H \"Authorization: Bearer $TOKEN\"", demo.fhir_base);
    let keyed = &demo.keyed_service;
    println!("\nA backend service with a key instead of a secret, as SMART has it (docs/backend-service.md has the program):");
    println!(
        "  FHIR_BASE={} CLIENT_ID={} KEY_ID={} KEY_FILE={} python3 backend-service.py",
        demo.fhir_base,
        keyed.client_id,
        keyed.key_id,
        keyed.key_file.display()
    );
    let (gateway, secret) = &demo.gateway;
    println!("\nWhat the validator that HealthLake calls says of it:");
    println!(
        "  curl -s {}/validate -u {gateway}:{} -d '{{\"datastoreEndpoint\":\"{}/\",\"operationName\":\"ReadResource\",\"bearerToken\":\"'$TOKEN'\"}}'",
        demo.issuer,
        secret.expose(),
        demo.fhir_base
    );
    println!("\nThe same, check by check:");
    println!(
        "  printf %s \"$TOKEN\" | admit validate --token - --explain --issuer {0} --jwks {0}/.well-known/jwks.json --datastore {1}/",
        demo.issuer, demo.fhir_base
    );
    println!("\nYour own app: client_id my-app (public, PKCE), redirect URI http://127.0.0.1:ANY/callback, aud {}", demo.fhir_base);
    println!("The launch pad opens it where you start the demo with --launch-url URL.");
    println!("\nPostman, and the REST clients of editors (docs/try has the requests):");
    println!("  {}", demo.environment.postman.display());
    println!("  cp {} docs/try/.env", demo.environment.dotenv.display());
    println!("\nCtrl-C ends it.");
}

async fn wait_for_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
