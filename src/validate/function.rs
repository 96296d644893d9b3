//! The Lambda function, without its loop: events in, answers out, whatever happens. `crate::lambda`
//! holds the loop, which speaks with AWS.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Once;
use std::task::Poll;
use std::time::{Duration, Instant};

use serde_json::Value;
use time::OffsetDateTime;

use super::gateway::{Gateway, Request};
use super::journal::{Entry, Journal};
use super::{BadSettings, Decision, Environment, Event, Failure, Fetches, Refusal, Refused, Sink, Validator};
use crate::clock::Clock;

/// How long a decision may take. HealthLake waits for a second, the way there and back included.
const BUDGET: Duration = Duration::from_millis(650);

/// A validator and its clock; or no validator, for want of a setting, and the same refusal for everybody.
pub struct Function {
    validator: Option<Validator>,
    boolean_is_authorized: bool,
    gateway: Gateway,
    journal: Journal,
    clock: Clock,
    /// The log says once that HealthLake asks and no role is there for it.
    complaint: Once,
}

/// What Lambda says of one call.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// Lambda's name for it.
    pub request_id: String,
    /// The X-Ray header, such as `Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1`.
    pub trace_id: Option<String>,
}

/// What the variables come to. Where anything is wrong with any of them, there is no validator.
struct Settled {
    validator: Result<Validator, BadSettings>,
    gateway: Gateway,
    journal: Journal,
}

impl Settled {
    fn read(environment: &Environment) -> Self {
        let validator = Validator::from_environment(environment);
        let mut bad = BadSettings::default();
        let gateway = Gateway::from_environment(environment, &mut bad);
        let journal = Journal::from_environment(environment, &mut bad);
        if let (Ok(validator), Some(base)) = (&validator, &gateway.base)
            && !validator.rules.iter().any(|rule| rule.trust.serves(base))
        {
            bad.add("ADMIT_FHIR_BASE", "is none of the data stores that are served");
        }
        let validator = match validator {
            Ok(validator) if bad.is_empty() => Ok(validator),
            Ok(_) => Err(bad),
            Err(mut first) => {
                first.extend(bad);
                Err(first)
            }
        };
        Self { validator, gateway, journal }
    }
}

impl Function {
    /// Sets itself up from the environment. A setting that is missing does not stop it: that would
    /// be a function error for every caller, and a restart every time. It is logged, once.
    #[must_use]
    pub fn from_environment(environment: &Environment, clock: Clock) -> Self {
        let Settled { validator, gateway, journal } = Settled::read(environment);
        match &validator {
            Err(bad) => tracing::error!(settings = %bad, "the validator is not configured and refuses every token"),
            Ok(validator) if validator.opens_any_datastore() => {
                tracing::warn!("tokens of this issuer open every data store that asks: ADMIT_DATASTORES says which ones");
            }
            Ok(_) => {}
        }
        let boolean_is_authorized = environment.boolean_is_authorized();
        Self { validator: validator.ok(), boolean_is_authorized, gateway, journal, clock, complaint: Once::new() }
    }

    /// The validator of a function that is set up so, before there is one.
    ///
    /// # Errors
    /// [`BadSettings`] names everything that would keep the function from answering.
    pub fn check(environment: &Environment) -> Result<Validator, BadSettings> {
        Settled::read(environment).validator
    }

    /// The same, with the line of each decision written here instead of to stdout.
    #[must_use]
    pub fn writing_to(mut self, sink: Sink) -> Self {
        self.journal.sink = sink;
        self
    }

    /// Asks for the keys before the first event does.
    pub async fn warm(&self) {
        if let Some(validator) = &self.validator {
            validator.warm(self.clock.now()).await;
        }
    }

    /// Answers one event, HealthLake's or one of API Gateway's: see `validate::gateway` for their shapes. What is
    /// nobody's is refused in the shape that HealthLake expects.
    ///
    /// # Errors
    /// [`Failure`] towards API Gateway alone, which is told some things only by a function that fails.
    pub async fn answer(&self, event: &Value, call: &Call) -> Result<Value, Failure> {
        let asked = Asked { event, request: Request::of(event), call, at: self.clock.now(), began: Instant::now() };
        let decision = contained(self.decide(&asked)).await;
        self.conclude(&asked, &decision)
    }

    async fn decide(&self, asked: &Asked<'_>) -> Decision {
        let (validator, question) = match self.question(asked) {
            Ok(both) => both,
            Err(why) => return Decision::Refuse(why.into()),
        };
        let trace = asked.call.trace_id.as_deref();
        let decision = validator.decide_on(&question.datastore_endpoint, &question.bearer_token, asked.at, trace).await;
        if asked.request.is_none() { self.with_role(decision) } else { decision }
    }

    /// Which token is to open which data store, and who decides that.
    fn question(&self, asked: &Asked<'_>) -> Result<(&Validator, Event), Refusal> {
        let validator = self.validator.as_ref().ok_or(Refusal::NotConfigured)?;
        let question = match &asked.request {
            Some(request) => self.gateway.read(request)?,
            None => Event::read(asked.event)?,
        };
        Ok((validator, question))
    }

    /// HealthLake could do nothing with a "yes" without a role, and is told "no": the log has to say the same.
    fn with_role(&self, decision: Decision) -> Decision {
        match decision {
            Decision::Allow(allowed) if allowed.role.is_none() => {
                self.complaint.call_once(|| tracing::error!(settings = "USER_ROLE_ARN is missing", "HealthLake asks, and is refused"));
                Decision::Refuse(Refused { why: Refusal::NotConfigured, claims: Some(Box::new(allowed.claims)) })
            }
            other => other,
        }
    }

    /// The answer that a decision comes to, and the line about it.
    fn conclude(&self, asked: &Asked<'_>, decision: &Decision) -> Result<Value, Failure> {
        let answer = match &asked.request {
            Some(request) => self.gateway.answer(request, decision),
            None => Ok(decision.to_json(self.boolean_is_authorized)),
        };
        let entry = Entry {
            call: asked.call,
            asker: asked.request.as_ref().map_or("healthlake", Request::name),
            operation: asked.operation(),
            decision,
            at: asked.at,
            took: asked.began.elapsed(),
            fetches: self.validator.as_ref().map(Validator::take_fetches).unwrap_or_default(),
        };
        // A line that cannot be written is no reason to leave anybody without an answer.
        let _ = catch_unwind(AssertUnwindSafe(|| self.journal.write(&entry)));
        answer
    }
}

/// One event, before anything is decided.
struct Asked<'a> {
    event: &'a Value,
    /// The same event, where API Gateway sent it; otherwise it is HealthLake's.
    request: Option<Request<'a>>,
    call: &'a Call,
    at: OffsetDateTime,
    /// The same moment by a clock that nobody sets.
    began: Instant,
}

impl<'a> Asked<'a> {
    /// What is to be done: HealthLake's name for it, or the HTTP method.
    fn operation(&self) -> Option<&'a str> {
        match &self.request {
            Some(request) => request.method(),
            None => self.event.get("operationName").and_then(Value::as_str),
        }
    }
}

impl Validator {
    /// Whether a token could open a data store that neither it nor a setting names.
    fn opens_any_datastore(&self) -> bool {
        self.rules.iter().any(|rule| rule.trust.profile.takes_client_for_audience() && rule.trust.datastores.is_empty())
    }

    /// How often keys were asked for since this was last asked. Rules that share their keys share the count as well.
    fn take_fetches(&self) -> Fetches {
        self.rules
            .iter()
            .filter_map(|rule| rule.proof.keys())
            .map(|keys| keys.take_fetches())
            .fold(Fetches::default(), |sum, more| Fetches { good: sum.good + more.good, failed: sum.failed + more.failed })
    }
}

/// A decision in time, whatever happens: a panic is a refusal as well, and so is silence.
async fn contained(decision: impl Future<Output = Decision>) -> Decision {
    let mut decision = pin!(decision);
    let decided = std::future::poll_fn(|context| {
        let step = catch_unwind(AssertUnwindSafe(|| decision.as_mut().poll(context)));
        step.unwrap_or(Poll::Ready(Decision::Refuse(Refusal::Failed.into())))
    });
    tokio::time::timeout(BUDGET, decided).await.unwrap_or_else(|_| Decision::Refuse(Refusal::TooSlow.into()))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::json;

    use super::*;

    fn function(settings: &'static [(&str, &str)]) -> (Function, Arc<Mutex<Vec<Value>>>) {
        let lines = Arc::new(Mutex::new(vec![]));
        let sink = Arc::clone(&lines);
        let function = Function::from_environment(&settings.iter().copied().collect(), Clock::System)
            .writing_to(Box::new(move |line| sink.lock().expect("the lines").push(serde_json::from_str(line).expect("JSON"))));
        (function, lines)
    }

    /// What each of those who ask is told of a decision that nobody could make.
    #[tokio::test]
    async fn a_panic_is_a_refusal_for_whoever_asks() {
        #[expect(clippy::panic, reason = "the panic is the test")]
        let breaks = async || {
            tokio::task::yield_now().await;
            panic!("on purpose")
        };
        let (function, lines) = function(&[("ADMIT_FHIR_BASE", "https://fhir.test/r4/")]);
        let askers = [
            json!({}),
            json!({ "type": "TOKEN" }),
            json!({ "type": "REQUEST", "methodArn": "x" }),
            json!({ "type": "REQUEST", "methodArn": "x", "version": "1.0" }),
            json!({ "type": "REQUEST", "routeArn": "x", "version": "2.0" }),
        ];
        for event in &askers {
            let asked =
                Asked { event, request: Request::of(event), call: &Call::default(), at: OffsetDateTime::UNIX_EPOCH, began: Instant::now() };
            let decision = contained(breaks()).await;
            let answer = function.conclude(&asked, &decision);
            match asked.request {
                None => assert_eq!(answer, Ok(json!({ "authPayload": { "isAuthorized": "false", "error": "the validator failed" } }))),
                Some(_) => assert_eq!(answer.expect_err("a failure").to_string(), "the validator failed"),
            }
        }
        let lines = lines.lock().expect("the lines");
        assert_eq!(lines.len(), askers.len());
        assert!(lines.iter().all(|line| line["reason"] == "failed" && line["level"] == "ERROR"), "{lines:?}");
    }

    /// LM-11: HealthLake hears a "no" rather than nothing.
    #[tokio::test]
    async fn silence_is_a_refusal_in_time() {
        let began = Instant::now();
        let decision = contained(std::future::pending()).await;
        assert!(matches!(decision, Decision::Refuse(Refused { why: Refusal::TooSlow, .. })), "{decision:?}");
        assert!((BUDGET..Duration::from_millis(900)).contains(&began.elapsed()), "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn a_line_that_cannot_be_written_costs_nobody_the_answer() {
        let (function, _) = function(&[]);
        #[expect(clippy::panic, reason = "the panic is the test")]
        let function = function.writing_to(Box::new(|_| panic!("on purpose")));
        let answer = function.answer(&json!({}), &Call::default()).await.expect("an answer");
        assert_eq!(answer["authPayload"]["error"], "the validator is not configured");
    }

    /// LM-20: the process keeps answering, in the shape that was asked for.
    #[tokio::test]
    async fn without_its_settings_it_refuses_everything() {
        let (function, lines) = function(&[]);
        function.warm().await;
        for event in [json!({}), json!(null), json!({ "datastoreEndpoint": "x", "operationName": "y", "bearerToken": "z" })] {
            let answer = function.answer(&event, &Call::default()).await;
            let expected = json!({ "authPayload": { "isAuthorized": "false", "error": "the validator is not configured" } });
            assert_eq!(answer, Ok(expected));
        }
        assert!(lines.lock().expect("the lines").iter().all(|line| line["reason"] == "not_configured"));
        let (function, _) = self::function(&[("ADMIT_BOOLEAN_IS_AUTHORIZED", "true")]);
        assert_eq!(function.answer(&json!({}), &Call::default()).await.expect("an answer")["authPayload"]["isAuthorized"], false);
    }
}
