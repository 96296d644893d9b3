//! The ARN of an API's method, and of the API's whole stage.

/// The longest resource that API Gateway takes in a policy, in bytes.
const MAX_RESOURCE: usize = 512;

/// `arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/PATH`, as far as it matters. The path holds what the request
/// is about: nothing is done with it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Arn<'a> {
    /// Up to the stage, without a slash at its end.
    stage: String,
    /// Such as `GET`; none where a route has none.
    pub(super) method: Option<&'a str>,
}

impl<'a> Arn<'a> {
    /// `None` where it is no such ARN, or none of which a policy could be made. Nothing in it can widen a policy: there
    /// are no wildcards in its parts.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        let mut next = || parts.next();
        let (arn, partition, service, region, account, rest) = (next()?, next()?, next()?, next()?, next()?, next()?);
        let mut rest = rest.split('/');
        let (api, stage, method) = (rest.next()?, rest.next()?, rest.next());
        let is_word = |text: &str, more: &[u8]| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || more.contains(&b));
        let is_good = arn == "arn"
            && (partition == "aws" || partition.starts_with("aws-"))
            && is_word(partition, b"-")
            && service == "execute-api"
            && is_word(region, b"-")
            && account.len() == 12
            && account.bytes().all(|b| b.is_ascii_digit())
            && is_word(api, b"")
            && (stage == "$default" || is_word(stage, b"-_"));
        let stage = format!("arn:{partition}:execute-api:{region}:{account}:{api}/{stage}");
        let is_method = |method: &&str| method.len() <= 16 && is_word(method, b"");
        (is_good && stage.len() + 2 <= MAX_RESOURCE).then_some(Self { stage, method: method.filter(is_method) })
    }

    /// Every method and path of the stage.
    pub(super) fn whole_stage(&self) -> String {
        format!("{}/*", self.stage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_stage_is_named() {
        for (arn, whole, method) in [
            (
                "arn:aws:execute-api:us-east-1:123456789012:abc123/prod/GET/Patient/1",
                "arn:aws:execute-api:us-east-1:123456789012:abc123/prod/*",
                Some("GET"),
            ),
            (
                "arn:aws-cn:execute-api:cn-north-1:123456789012:abc123/my_stage-1/POST/a:b/*",
                "arn:aws-cn:execute-api:cn-north-1:123456789012:abc123/my_stage-1/*",
                Some("POST"),
            ),
            (
                "arn:aws:execute-api:us-east-1:123456789012:abc123/$default/$default",
                "arn:aws:execute-api:us-east-1:123456789012:abc123/$default/*",
                None,
            ),
            ("arn:aws:execute-api:us-east-1:123456789012:abc123/s", "arn:aws:execute-api:us-east-1:123456789012:abc123/s/*", None),
        ] {
            let parsed = Arn::parse(arn).expect(arn);
            assert_eq!((parsed.whole_stage().as_str(), parsed.method), (whole, method));
        }
    }

    #[test]
    fn what_is_no_arn_makes_no_policy() {
        let long = format!("arn:aws:execute-api:us-east-1:123456789012:abc123/{}/GET/x", "s".repeat(500));
        for bad in [
            "",
            "*",
            "arn:aws:execute-api:us-east-1:123456789012:*/prod/GET/x",
            "arn:aws:execute-api:us-east-1:123456789012:abc123/*/GET/x",
            "arn:aws:execute-api:us-east-1:123456789012:abc123/pr?d/GET/x",
            "arn:aws:execute-api:us-east-1:123456789012:abc123/${aws:username}/GET/x",
            "arn:aws:execute-api:us-east-1:123456789012:abc123",
            "arn:aws:execute-api:us-east-1:123456789012:abc123/",
            "arn:aws:execute-api:us-east-1:123456789012:/prod/GET",
            "arn:aws:execute-api:us-east-1:12345678901:abc123/prod/GET",
            "arn:aws:execute-api:*:123456789012:abc123/prod/GET",
            "arn:aws:execute-api::123456789012:abc123/prod/GET",
            "arn:awsome:execute-api:us-east-1:123456789012:abc123/prod/GET",
            "arn:aws:lambda:us-east-1:123456789012:abc123/prod/GET",
            "ARN:aws:execute-api:us-east-1:123456789012:abc123/prod/GET",
            " arn:aws:execute-api:us-east-1:123456789012:abc123/prod/GET",
            &long,
        ] {
            assert_eq!(Arn::parse(bad), None, "{bad}");
        }
    }
}
