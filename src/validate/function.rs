//! The Lambda function, but for the loop that feeds it: whatever comes, there is an answer and one
//! line in the log.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use serde_json::Value;
use time::OffsetDateTime;

use super::environment::boolean_is_authorized;
use super::{Decision, Refusal, Validator};
use crate::clock::Clock;

/// A validator and its clock; or no validator, for want of a setting, and the same refusal for everybody.
pub struct Function {
    validator: Option<Validator>,
    boolean_is_authorized: bool,
    clock: Clock,
}

impl Function {
    /// Sets itself up from the environment. A setting that is missing does not stop it: that would
    /// be a function error for every caller, and a restart every time. It is logged, once.
    #[must_use]
    pub fn from_environment(variable: &dyn Fn(&str) -> Option<String>, clock: Clock) -> Self {
        let validator = Validator::from_environment(variable);
        if let Err(bad) = &validator {
            tracing::error!(settings = %bad, "the validator is not configured and refuses every token");
        }
        let boolean_is_authorized = boolean_is_authorized(variable).unwrap_or_default();
        Self { validator: validator.ok(), boolean_is_authorized, clock }
    }

    /// Asks for the keys before the first event does.
    pub async fn warm(&self) {
        if let Some(validator) = &self.validator {
            validator.warm(self.clock.now()).await;
        }
    }

    /// Answers one event.
    pub async fn answer(&self, event: &Value) -> Value {
        let now = self.clock.now();
        let decision = match &self.validator {
            Some(validator) => contained(validator.decide(event, now)).await,
            None => Decision::Refuse(Refusal::NotConfigured.into()),
        };
        self.log(event, &decision, now);
        decision.to_json(self.boolean_is_authorized)
    }

    /// Who may do what, or why not. What a refused token says of itself is nobody's word, and is
    /// left out; the token itself and its subject are never logged.
    fn log(&self, event: &Value, decision: &Decision, began: OffsetDateTime) {
        let duration_ms = (self.clock.now() - began).as_seconds_f64() * 1_000.0;
        let operation = event.get("operationName").and_then(Value::as_str).filter(|name| is_name(name));
        match decision {
            Decision::Allow(allowed) => {
                let claims = &allowed.claims;
                let (issuer, client_id, tenant, jti) = (&claims.issuer, &claims.client, &claims.tenant, &claims.id);
                tracing::info!(decision = "allow", operation, issuer, client_id, tenant, jti, duration_ms, "decided");
            }
            Decision::Refuse(refused) => {
                let claims = refused.claims.as_deref();
                let issuer = claims.map(|claims| claims.issuer.as_str());
                tracing::info!(decision = "refuse", reason = %refused.why, operation, issuer, duration_ms, "decided");
            }
        }
    }
}

/// Such as `ReadResource`; anything else is not repeated in the log.
fn is_name(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// A panic is a refusal as well.
async fn contained(decision: impl Future<Output = Decision>) -> Decision {
    let mut decision = pin!(decision);
    std::future::poll_fn(|context| {
        let step = catch_unwind(AssertUnwindSafe(|| decision.as_mut().poll(context)));
        step.unwrap_or(Poll::Ready(Decision::Refuse(Refusal::Failed.into())))
    })
    .await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_a_refusal() {
        #[expect(clippy::panic, reason = "the panic is the test")]
        async fn breaks() -> Decision {
            tokio::task::yield_now().await;
            panic!("on purpose")
        }
        let answer = contained(breaks()).await.to_json(false);
        assert_eq!(answer, json!({ "authPayload": { "isAuthorized": "false", "error": "the validator failed" } }));
    }

    /// LM-20: the process keeps answering, in the shape that was asked for.
    #[tokio::test]
    async fn without_its_settings_it_refuses_everything() {
        let function = Function::from_environment(&|_| None, Clock::System);
        function.warm().await;
        for event in [json!({}), json!(null), json!({ "datastoreEndpoint": "x", "operationName": "y", "bearerToken": "z" })] {
            let answer = function.answer(&event).await;
            assert_eq!(answer, json!({ "authPayload": { "isAuthorized": "false", "error": "the validator is not configured" } }));
        }
        let boolean = |name: &str| (name == "ADMIT_BOOLEAN_IS_AUTHORIZED").then(|| "true".to_owned());
        let answer = Function::from_environment(&boolean, Clock::System).answer(&json!({})).await;
        assert_eq!(answer["authPayload"]["isAuthorized"], false);
    }
}
