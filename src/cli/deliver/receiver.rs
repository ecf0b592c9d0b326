//! Who is told that there is something to read: a topic, a webhook or a file.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receiver {
    /// A topic of SNS, by its ARN.
    Topic(String),
    /// Whoever listens at a URL.
    Webhook(String),
    /// A file.
    File(PathBuf),
}

impl FromStr for Receiver {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(topic) = text.strip_prefix("sns:") {
            let is_topic = topic.starts_with("arn:aws") && topic.split(':').nth(2) == Some("sns");
            return if is_topic {
                Ok(Self::Topic(topic.to_owned()))
            } else {
                Err(format!("{topic:?} is not the ARN of a topic of SNS"))
            };
        }
        match text.split_once("://") {
            Some(("https", host)) if !host.is_empty() => Ok(Self::Webhook(text.to_owned())),
            // For receivers on the machine itself, and for trying it out.
            Some(("http", host)) if is_loopback(host) => Ok(Self::Webhook(text.to_owned())),
            Some(_) => Err("a URL begins with https://".to_owned()),
            None if text.is_empty() => Err("it names no file".to_owned()),
            None => Ok(Self::File(text.into())),
        }
    }
}

fn is_loopback(host: &str) -> bool {
    let name = host.split('/').next().unwrap_or_default();
    let name = name.rsplit_once(':').map_or(name, |(name, _)| name);
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

impl fmt::Display for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Topic(topic) => f.write_str(topic),
            // Its path may be a secret.
            Self::Webhook(_) => f.write_str("the webhook"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_is_a_topic_a_url_or_a_file() {
        let topic = "arn:aws:sns:eu-west-1:111122223333:imdsctl";
        assert_eq!(format!("sns:{topic}").parse(), Ok(Receiver::Topic(topic.to_owned())));
        let url = "https://hooks.example.com/services/T0/B0/secret";
        assert_eq!(url.parse(), Ok(Receiver::Webhook(url.to_owned())));
        assert_eq!("told.json".parse(), Ok(Receiver::File("told.json".into())));
        assert!("http://127.0.0.1:8080/hook".parse::<Receiver>().is_ok());
        for wrong in [
            "sns:my-topic",
            "sns:arn:aws:sqs:eu-west-1:1:q",
            "http://example.com/",
            "ftp://x",
            "",
            "https://",
        ] {
            assert!(wrong.parse::<Receiver>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_receiver_is_named_without_its_secrets() {
        let webhook: Receiver = "https://hooks.example.com/services/T0/B0/secret".parse().unwrap();
        assert_eq!(webhook.to_string(), "the webhook");
    }
}
