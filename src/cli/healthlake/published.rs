//! What a data store publishes, as AWS tells its owner.

use serde_json::{Map, Value};

/// The document, and what stands beside it where its owner looked it up.
pub(super) struct Published {
    pub(super) document: Map<String, Value>,
    /// HealthLake's `AuthorizationStrategy`.
    pub(super) strategy: Option<String>,
}

impl Published {
    /// Reads the output of `aws healthlake describe-fhir-datastore`, the input of `update-fhir-datastore`, the `Metadata`
    /// string of either, or the document itself.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let said: Value = serde_json::from_slice(bytes).map_err(|error| format!("it is not JSON: {error}"))?;
        let properties = said.get("DatastoreProperties").unwrap_or(&said);
        let configuration = properties.get("IdentityProviderConfiguration");
        let strategy = configuration.and_then(|own| own["AuthorizationStrategy"].as_str()).map(str::to_owned);
        let is_of_aws = said.get("DatastoreProperties").is_some() || configuration.is_some();
        let metadata = configuration.unwrap_or(properties).get("Metadata");
        let document = match metadata.or_else(|| said.is_string().then_some(&said)) {
            Some(Value::String(text)) => serde_json::from_str(text).map_err(|error| format!("its `Metadata` is not JSON: {error}"))?,
            None if is_of_aws => {
                return Err("this data store has no `Metadata`: it was made without SMART on FHIR, and takes no bearer token".to_owned());
            }
            _ => said,
        };
        match document {
            Value::Object(document) => Ok(Self { document, strategy }),
            _ => Err("it is no JSON object".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_document_is_found_wherever_aws_puts_it() {
        let (document, text) = (json!({ "issuer": "https://a.test" }), r#"{"issuer":"https://a.test"}"#);
        let configuration = json!({ "AuthorizationStrategy": "SMART_ON_FHIR", "Metadata": text });
        for (said, strategy) in [
            (document.clone(), None),
            (json!(text), None),
            (configuration.clone(), None),
            (json!({ "IdentityProviderConfiguration": configuration }), Some("SMART_ON_FHIR")),
            (json!({ "DatastoreProperties": { "IdentityProviderConfiguration": configuration } }), Some("SMART_ON_FHIR")),
        ] {
            let published = Published::read(said.to_string().as_bytes()).expect("a document");
            assert_eq!((Value::Object(published.document), published.strategy.as_deref()), (document.clone(), strategy));
        }
    }

    #[test]
    fn what_holds_no_document_says_why() {
        for (said, why) in [
            ("", "not JSON"),
            ("[]", "no JSON object"),
            (r#"{"DatastoreProperties":{"DatastoreId":"x"}}"#, "without SMART on FHIR"),
            (r#"{"IdentityProviderConfiguration":{"AuthorizationStrategy":"AWS_AUTH"}}"#, "without SMART on FHIR"),
            (r#"{"IdentityProviderConfiguration":{"Metadata":"{\"issuer\""}}"#, "`Metadata` is not JSON"),
        ] {
            let bad = Published::read(said.as_bytes()).err().expect("no document");
            assert!(bad.contains(why), "{said}: {bad}");
        }
    }
}
