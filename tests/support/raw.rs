//! Requests as anybody could send them, past imdsctl and past the SDK. The simulated AWS checks no signatures.

use std::io::{Read, Write};
use std::net::TcpStream;

/// Credentials, and the server that knows them.
#[derive(Debug, Clone)]
pub struct Raw {
    pub url: String,
    pub access_key: String,
    pub token: Option<String>,
}

impl Raw {
    /// A request of the Query protocol in `eu-west-1`; its status and what came with it.
    pub fn query(&self, service: &str, version: &str, form: &str) -> (u16, String) {
        let body = format!("Version={version}&{form}");
        let headers = "content-type: application/x-www-form-urlencoded";
        self.send(service, "POST / HTTP/1.1", headers, &body)
    }

    /// A GET in `eu-west-1`.
    pub fn get(&self, service: &str, path: &str) -> (u16, String) {
        self.send(service, &format!("GET {path} HTTP/1.1"), "accept: application/json", "")
    }

    /// A POST of JSON in `eu-west-1`.
    #[cfg(feature = "lambda")]
    pub fn post(&self, service: &str, path: &str, body: &str) -> (u16, String) {
        self.send(service, &format!("POST {path} HTTP/1.1"), "content-type: application/json", body)
    }

    fn send(&self, service: &str, line: &str, headers: &str, body: &str) -> (u16, String) {
        let host = self.url.trim_start_matches("http://");
        let token = self.token.as_ref().map(|token| format!("x-amz-security-token: {token}\r\n"));
        let mut stream = TcpStream::connect(host).unwrap();
        let request = format!(
            "{line}\r\nhost: {host}\r\nconnection: close\r\n{headers}\r\n{}authorization: AWS4-HMAC-SHA256 \
             Credential={}/20261126/eu-west-1/{service}/aws4_request, SignedHeaders=host, Signature=0\r\n\
             content-length: {}\r\n\r\n{body}",
            token.unwrap_or_default(),
            self.access_key,
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
    }

    /// A session of a role, limited by a policy.
    pub fn assume(&self, role: &str, policy: &str) -> Self {
        let policy = policy.bytes().fold(String::new(), |text, byte| text + &format!("%{byte:02X}"));
        let form = format!("Action=AssumeRole&RoleArn={role}&RoleSessionName=test&Policy={policy}");
        let (status, answer) = self.query("sts", "2011-06-15", &form);
        assert_eq!(status, 200, "{answer}");
        let text = |name: &str| {
            let (_, rest) = answer.split_once(&format!("<{name}>")).unwrap();
            rest.split_once('<').unwrap().0.to_owned()
        };
        Self { access_key: text("AccessKeyId"), token: Some(text("SessionToken")), ..self.clone() }
    }
}
