//! Audit entries as FHIR R4 `AuditEvent`s, after the IHE profile "Basic Audit Log Patterns" (BALP 1.1.4)
//! and the codes of DICOM PS3.16. Tokens that were issued follow its `IHE.IUA.71`; whatever was done with
//! a token names it as its `OAUTHaccessTokenUse.Minimal` says.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::chain::{Sealed, rfc3339};

const DCM: &str = "http://dicom.nema.org/resources/ontology/DCM";
const ITI: &str = "urn:ihe:event-type-code";
const AUTHZ: &str = "https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType";
const AGENTS: &str = "https://profiles.ihe.net/ITI/BALP/CodeSystem/UserAgentTypes";
const ENTITIES: &str = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType";
const ROLES: &str = "http://terminology.hl7.org/CodeSystem/extra-security-role-type";
const TAKES_PART: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
const ENTITY: &str = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
const OBJECT: &str = "http://terminology.hl7.org/CodeSystem/object-role";
const SOURCE: &str = "http://terminology.hl7.org/CodeSystem/security-source-type";
const TOKEN_ISSUED: &str = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.IUA.71";
const TOKEN_USED: &str = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.OAUTHaccessTokenUse.Minimal";

/// What kind of event it is: type, subtype, and what was done (create, read, update, delete, execute).
type Kind = ((&'static str, &'static str), (&'static str, &'static str, &'static str), &'static str);

const AUTHENTICATION: (&str, &str) = ("110114", "User Authentication");
const SECURITY: (&str, &str) = ("110113", "Security Alert");
const PATIENT_RECORD: (&str, &str) = ("110110", "Patient Record");
const LOG_USED: (&str, &str) = ("110101", "Audit Log Used");
const QUERY: (&str, &str) = ("110112", "Query");

/// The grant by which a token was asked for, where the entry says that one was issued.
fn grant_type(entry: &Sealed) -> Option<&'static str> {
    match (entry.event.as_str(), entry.outcome.as_str()) {
        ("code.redeemed", "success") => Some("authorization_code"),
        ("token.refreshed", "success") => Some("refresh_token"),
        ("token.issued", "success") => Some("client_credentials"),
        _ => None,
    }
}

fn kind(entry: &Sealed) -> Kind {
    if grant_type(entry).is_some() {
        return (AUTHENTICATION, (ITI, "ITI-71", "Get Access Token"), "E");
    }
    let detail = entry.detail.as_deref().unwrap_or_default();
    let (noun, verb) = entry.event.split_once('.').unwrap_or((&entry.event, ""));
    match (noun, verb) {
        ("login", _) => (AUTHENTICATION, (DCM, "110122", "Login"), "E"),
        ("logout", _) | ("session", _) => (AUTHENTICATION, (DCM, "110123", "Logout"), "E"),
        ("client", "authenticated") => (AUTHENTICATION, (DCM, "110126", "Node Authentication"), "E"),
        ("consent" | "authorize" | "code", _) => {
            (SECURITY, (AUTHZ, "AuthZ-Consent", "Authorization Decision using Roles and Consent"), "E")
        }
        ("patient", "emergency_access" | "emergency_found") => (SECURITY, (DCM, "110127", "Emergency Override Started"), "E"),
        ("patient" | "encounter", "imported") => (PATIENT_RECORD, (DCM, "110135", "Object Security Attributes Changed"), "U"),
        ("patient" | "encounter" | "launch", _) => (PATIENT_RECORD, (DCM, "110135", "Object Security Attributes Changed"), "E"),
        ("admin", _) if detail.starts_with("audit") => (LOG_USED, (DCM, "110132", "Use of Restricted Function"), "R"),
        ("admin", _) => (QUERY, (DCM, "110132", "Use of Restricted Function"), "R"),
        ("audit", _) => (LOG_USED, (DCM, "110132", "Use of Restricted Function"), "E"),
        ("user", _) => (SECURITY, (DCM, "110137", "User Security Attributes Changed"), "U"),
        ("grant" | "token" | "refresh", _) => (SECURITY, (DCM, "110135", "Object Security Attributes Changed"), "E"),
        _ => (SECURITY, (DCM, "110129", "Security Configuration"), "U"),
    }
}

/// One `AuditEvent`. `issuer` is this server's own URL.
#[must_use]
pub fn audit_event(issuer: &str, entry: &Sealed) -> Value {
    let ((code, display), (system, subcode, subdisplay), action) = kind(entry);
    let is_done = entry.outcome == "success";
    let mut event = json!({
        "resourceType": "AuditEvent",
        "id": entry.seq.to_string(),
        "type": coding(DCM, code, display),
        "subtype": [coding(system, subcode, subdisplay)],
        "action": action,
        "recorded": rfc3339(entry.at_us),
        "outcome": if is_done { "0" } else { "4" },
        "agent": agents(issuer, entry),
        "source": {
            "observer": { "identifier": { "value": issuer } },
            "type": [coding(SOURCE, "6", "Security Server")],
        },
    });
    let mut profiles = vec![];
    let entities = match grant_type(entry) {
        Some(grant_type) => {
            profiles.push(TOKEN_ISSUED);
            vec![token_request(grant_type, entry)]
        }
        None => entities(entry),
    };
    if entry.jti.is_some() {
        profiles.push(TOKEN_USED);
    }
    if !profiles.is_empty() {
        event["meta"] = json!({ "profile": profiles });
    }
    if !entities.is_empty() {
        event["entity"] = entities.into();
    }
    if let Some(detail) = entry.detail.as_ref().filter(|_| !is_done) {
        event["outcomeDesc"] = detail.as_str().into();
    }
    event
}

fn coding(system: &str, code: &str, display: &str) -> Value {
    json!({ "system": system, "code": code, "display": display })
}

/// Who took part: whoever asked, the app, and this server.
fn agents(issuer: &str, entry: &Sealed) -> Vec<Value> {
    let mut agents = Vec::new();
    let is_token_request = grant_type(entry).is_some();
    // With a token there is always somebody in whose name it is used: the app itself, where there is no person.
    let person = entry.agent.as_ref().or(entry.user.as_ref()).or(entry.client.as_ref().filter(|_| entry.jti.is_some()));
    if let Some(person) = person {
        let mut types = vec![if is_token_request {
            coding(TAKES_PART, "IRCP", "information recipient")
        } else {
            coding(ROLES, "humanuser", "human user")
        }];
        let mut agent = json!({ "who": { "identifier": { "value": person } }, "name": person, "requestor": true });
        match &entry.jti {
            Some(jti) => {
                types.push(coding(AGENTS, "UserOauthAgent", "User OAuth Agent participant"));
                agent["policy"] = json!([format!("urn:ietf:params:oauth:jti:{jti}")]);
            }
            None if entry.client.is_none() => agent["network"] = network(entry.address.as_deref()),
            None => {}
        }
        agent["type"] = json!({ "coding": types });
        agents.push(agent);
    }
    if let Some(client) = &entry.client {
        agents.push(json!({
            "type": { "coding": [coding(DCM, "110150", "Application")] },
            "who": { "identifier": { "value": client } },
            "requestor": agents.is_empty(),
            "network": network(entry.address.as_deref()),
        }));
    }
    let host = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
    agents.push(json!({
        "type": { "coding": [coding(AGENTS, "AuthzOauthService", "OAuth Authorization Service")] },
        "who": { "identifier": { "value": issuer } },
        "requestor": agents.is_empty(),
        "network": { "address": host, "type": "1" },
    }));
    agents
}

/// An IP address (2), or a machine that nobody named (1).
fn network(address: Option<&str>) -> Value {
    match address {
        Some(address) => json!({ "address": address, "type": "2" }),
        None => json!({ "address": "unknown", "type": "1" }),
    }
}

/// The request as the profile wants it: in its raw form, with no `code_verifier`. We never keep a code, a token, a
/// verifier or a secret; what is left of the form is what the entry knows.
fn token_request(grant_type: &str, entry: &Sealed) -> Value {
    let mut form = format!("grant_type={grant_type}");
    let scope = entry.detail.as_ref().filter(|_| grant_type == "client_credentials");
    for (name, value) in [("client_id", &entry.client), ("scope", &scope.cloned())] {
        if let Some(value) = value {
            let value = percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC);
            form += &format!("&{name}={value}");
        }
    }
    let request = format!("POST /token HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n{form}");
    json!({
        "type": coding(ENTITY, "2", "System Object"),
        "role": coding(OBJECT, "24", "Query"),
        "query": STANDARD.encode(request),
    })
}

/// What it was about.
fn entities(entry: &Sealed) -> Vec<Value> {
    let mut entities = Vec::new();
    if let Some(patient) = &entry.patient {
        entities.push(json!({
            "what": { "reference": format!("Patient/{patient}") },
            "type": coding(ENTITY, "1", "Person"),
            "role": coding(OBJECT, "1", "Patient"),
        }));
    }
    if let (Some(user), Some(_)) = (&entry.user, &entry.agent) {
        entities.push(json!({
            "what": { "identifier": { "value": user } },
            "type": coding(ENTITY, "1", "Person"),
            "role": coding(OBJECT, "11", "Security User Entity"),
        }));
    }
    for (name, value) in [("grant", &entry.grant), ("session", &entry.session)] {
        if let Some(value) = value {
            entities.push(json!({
                "what": { "identifier": { "value": value } },
                "type": coding(ENTITY, "2", "System Object"),
                "role": coding(OBJECT, "13", "Security Resource"),
                "name": name,
            }));
        }
    }
    if let Some(detail) = entry.detail.as_ref().filter(|_| entry.outcome == "success") {
        entities.push(json!({
            "type": coding(ENTITY, "2", "System Object"),
            "detail": [{ "type": "detail", "valueString": detail }],
        }));
    }
    if let Some(request) = &entry.request_id {
        entities.push(json!({
            "what": { "identifier": { "value": request } },
            "type": coding(ENTITIES, "XrequestId", "The value of X-Request-Id"),
        }));
    }
    entities
}
