//! What to do about a refusal.

use crate::token::Rejection;
use crate::validate::Refusal;

/// What helps in most cases; `None` where the refusal says it all. `by_settings`: whether the issuer that is trusted was
/// looked up in the settings of the server that this command stands in for.
pub(super) fn advice(why: Refusal, by_settings: bool) -> Option<&'static str> {
    Some(match why {
        Refusal::MissingFields => "An event of HealthLake's has these three, as texts. For a token alone there is --token.",
        Refusal::NoToken => "Give the bare token: no quotes, no white space in it, and at most one `Bearer ` before it.",
        Refusal::UnknownDatastore => {
            "Look at the URL: only one slash at its end makes no difference. `admit fhir-base list` shows the server's."
        }
        Refusal::NoKeys => "Is the address of the key set right, and can it be reached from here? The log on stderr says what happened.",
        Refusal::Inactive => {
            "It was revoked, or what it came from: the app has to ask for a new one. `admit user show` and `admit client show` say whether one was switched off."
        }
        Refusal::Contradicted => {
            "The explanation says in what. The app has to ask for a new one: this one no longer says what its issuer does."
        }
        Refusal::NoIntrospection => "Is the address for introspection right, and can it be reached from here?",
        Refusal::Token(Rejection::Issuer) if by_settings => {
            "The server's issuer was looked up in its variables and its settings file (--config). Where `admit serve` was told by a flag, such as --issuer or --listen, it stands in neither: give the same --issuer here."
        }
        Refusal::Token(rejection) => return of_token(rejection),
        _ => return None,
    })
}

fn of_token(rejection: Rejection) -> Option<&'static str> {
    Some(match rejection {
        Rejection::TooLong | Rejection::Malformed | Rejection::Header | Rejection::Claim(_) => "`admit token inspect` shows what is in it.",
        Rejection::Type => {
            "Send the access token: ID tokens and refresh tokens are for others. For another kind of issuer, give its --profile."
        }
        Rejection::UnknownKey => "Is this key set the issuer's, and is it newer than the key? Fetch it again, or give its address.",
        Rejection::Algorithm => "The key says which algorithm is right. Do the key set and the token come from the same issuer?",
        Rejection::Signature => "It was changed on its way, cut off, or signed with another key of the same name.",
        Rejection::Issuer => "Issuers are compared byte for byte: look for a slash at the end, http for https, another host.",
        Rejection::Audience => {
            "The app has to ask for this data store (`aud`), or the FHIR base needs its URL as its audience: `admit fhir-base add --audience`. An issuer that cannot be told it: --audience."
        }
        Rejection::Client => "Is this app meant to read here? Then it belongs on the list: --client, or `clients` in the settings.",
        Rejection::Tenant => "It belongs to another organisation of the same issuer.",
        Rejection::Expired => "The app has to refresh it. --at shows what was decided before.",
        Rejection::NotYet => "Compare the clocks of the issuer and of this machine.",
        Rejection::LivesTooLong => "Shorten the life of access tokens at the issuer.",
        Rejection::Scope => "The app has to ask for a scope such as patient/*.rs, and the client to be registered for it.",
        Rejection::NoPatient => "The app has to ask for launch/patient, or for user/ scopes instead.",
    })
}
