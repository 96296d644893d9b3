//! What the Terraform modules take from the program: settings that they set, and words of the log that they count.
//! Terraform would not notice that one of them is called otherwise now.

use super::architecture;

/// What stands in quotes behind each `mark`, in a pattern of CloudWatch that is a text of Terraform.
fn quoted<'a>(text: &'a str, mark: &str) -> Vec<&'a str> {
    let mark = format!(r#"{mark} = \""#);
    text.split(&mark).skip(1).map(|rest| rest.split(r#"\""#).next().unwrap_or_default()).collect()
}

#[test]
fn what_the_modules_set_are_settings() {
    let module = include_str!("../../terraform/modules/admit-ecs/container.tf");
    let known = admit::config::variables();
    let words = module.split(|letter: char| !letter.is_ascii_uppercase() && letter != '_');
    let named: Vec<_> = words.filter(|word| word.starts_with("ADMIT_") && *word != "ADMIT_").collect();
    assert!(named.contains(&"ADMIT_ISSUER") && named.contains(&"ADMIT_TRUSTED_PROXIES"), "{named:?}");
    for name in &named {
        assert!(known.iter().any(|variable| variable == name), "{name} is no setting");
    }
    for variable in known.iter().filter(|variable| variable.starts_with("ADMIT_")) {
        assert!(named.contains(&variable.as_str()), "the modules do not say whether {variable} may be set");
    }
}

#[test]
fn what_is_counted_is_what_the_log_says() {
    let module = include_str!("../../terraform/modules/observability/main.tf");
    let messages = quoted(module, "$.message");
    assert!(messages.contains(&"not ready"), "{messages:?}");
    let sources = architecture::sources();
    for message in messages {
        let text = message.strip_suffix('*').map_or_else(|| format!("\"{message}\""), |beginning| format!("\"{beginning}"));
        assert!(sources.iter().any(|(_, source)| source.contains(&text)), "nothing logs {text}");
    }
}

#[test]
fn the_events_that_are_counted_are_those_of_the_audit_trail() {
    let module = include_str!("../../terraform/modules/observability/main.tf");
    let events = quoted(module, "$.event");
    assert!(events.contains(&"refresh.reuse"), "{events:?}");
    for event in events {
        assert!(include_str!("../../docs/audit.md").contains(&format!("\n| `{event}` |")), "there is no event {event}");
    }
}
