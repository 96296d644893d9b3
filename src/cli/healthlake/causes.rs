//! What is usually behind a refusal. HealthLake says little of why it lets nobody in.

/// By the token endpoint's error (RFC 6749 §5.2, RFC 8707 §2).
pub(super) fn of_token(error: &str) -> &'static [&'static str] {
    match error {
        "invalid_client" => &[
            "Is this its client_id, and the secret or key its latest (`admit client rotate-secret`, `admit client show`)?",
            "It has to be registered to prove itself in this way, and not be switched off.",
        ],
        "unauthorized_client" => &[
            "It is not registered for a token of its own: `admit client create ID --auth client_secret_basic --scope 'system/*.rs'`, without --redirect-uri.",
        ],
        "invalid_scope" => &[
            "--scope has to be system/ scopes within those that it is registered for (`admit client show`), in words that the FHIR base knows.",
        ],
        "invalid_target" => {
            &["The server knows no FHIR base by this URL, or none that this client may use: `admit fhir-base list`, `admit client show`."]
        }
        _ => &[],
    }
}

/// By the answer of the FHIR server, and by whether a validator lets the token in as far as that can be told from here.
pub(super) fn of_read(status: u16, said: &str, is_let_in: Option<bool>) -> &'static [&'static str] {
    if said.contains("Timeout during custom Idp execution") {
        return &[
            "The function took longer than the second that HealthLake gives it, its start included: provisioned concurrency on the alias that IdpLambdaArn names, 256 MB or more, and keys in the package.",
        ];
    }
    if said.contains("InvalidScope") {
        return &["A query in one of the token's scopes names what is no search parameter of that type."];
    }
    match (status, is_let_in) {
        (401 | 403, Some(false)) => {
            &["The function refuses the token for the reason above, or for one of its own: its log has the `reason` of each refusal."]
        }
        (401 | 403, _) => &[
            "The token's scopes do not cover what was read. v2 scopes need the strategy SMART_ON_FHIR and permission-v2, their queries permission-v2.2: `admit healthlake check`.",
            "The function is set up for another issuer or another data store (ADMIT_ISSUER, ADMIT_DATASTORES, trust.json). Its log has the `reason` of each refusal.",
            "HealthLake may not call the function: there is no line in its log. `aws lambda add-permission` has to name the alias, if IdpLambdaArn does.",
            "HealthLake cannot take on the role that the function names (USER_ROLE_ARN), or that role may not read this data store.",
        ],
        (404 | 410, _) => &["What was asked for is not there: look at PATH and at the URL of the FHIR base."],
        (400..=499, _) => &["The FHIR server does not understand the request: look at PATH."],
        _ => &["The FHIR server, or the function behind it, failed. If the function did, its log says so."],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_out_is_known_by_its_words_whatever_its_status() {
        for status in [401, 403, 500, 504] {
            let causes = of_read(status, "Timeout during custom Idp execution.", Some(true));
            assert!(causes.len() == 1 && causes[0].contains("provisioned concurrency"), "{causes:?}");
        }
    }

    #[test]
    fn a_good_token_that_is_refused_sends_to_the_data_store_and_a_bad_one_to_the_function() {
        let of = |is_let_in| of_read(403, "", is_let_in).join("\n");
        assert!(of(Some(true)).contains("healthlake check") && of(Some(true)) == of(None));
        assert!(of(Some(false)).contains("reason above") && !of(Some(false)).contains("healthlake check"));
    }
}
