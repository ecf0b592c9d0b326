//! A small HTTP client: the tests look at the bytes, not at what an SDK makes of them.

use ciborium::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An answer as it came.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    /// The text of the first element with this name.
    pub fn text(&self, element: &str) -> Option<&str> {
        self.texts(element).into_iter().next()
    }

    /// The texts of all elements with this name.
    pub fn texts(&self, element: &str) -> Vec<&str> {
        let (open, close) = (format!("<{element}>"), format!("</{element}>"));
        let parts = self.body.split(open.as_str()).skip(1);
        parts.filter_map(|part| part.split(close.as_str()).next()).collect()
    }

    /// A member of a JSON body.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// An answer in CBOR.
#[derive(Debug)]
pub struct Spoken {
    pub status: u16,
    pub head: String,
    pub value: Value,
}

impl Spoken {
    /// A member of the answer.
    pub fn get(&self, name: &str) -> Option<&Value> {
        Self::member(&self.value, name)
    }

    /// A member of a map.
    pub fn member<'v>(map: &'v Value, name: &str) -> Option<&'v Value> {
        let members = map.as_map()?.iter();
        members.filter(|(key, _)| key.as_text() == Some(name)).map(|(_, value)| value).next()
    }

    /// The code of an error.
    pub fn code(&self) -> &str {
        self.get("__type").unwrap().as_text().unwrap()
    }
}

/// Who asks, and where.
#[derive(Debug, Clone)]
pub struct Client {
    address: String,
    pub key: String,
    pub region: String,
    /// Of temporary credentials.
    pub token: Option<String>,
}

impl Client {
    pub fn new(url: &str, key: &str, region: &str) -> Self {
        Self {
            address: url.trim_start_matches("http://").to_owned(),
            key: key.to_owned(),
            region: region.to_owned(),
            token: None,
        }
    }

    /// The same client in another Region.
    pub fn in_region(&self, region: &str) -> Self {
        Self { region: region.to_owned(), ..self.clone() }
    }

    /// The same client with another long-term key.
    pub fn as_key(&self, key: &str) -> Self {
        Self { key: key.to_owned(), ..self.clone() }
    }

    /// An EC2 action; `form` is what follows the action and the version.
    pub async fn ec2(&self, action: &str, form: &str) -> Answer {
        self.query("ec2", "2016-11-15", action, form).await
    }

    /// An Auto Scaling action.
    pub async fn auto_scaling(&self, action: &str, form: &str) -> Answer {
        self.query("autoscaling", "2011-01-01", action, form).await
    }

    /// An STS action.
    pub async fn sts(&self, action: &str) -> Answer {
        self.query("sts", "2011-06-15", action, "").await
    }

    /// `AssumeRole`; `form` is what follows the role's ARN and the session name.
    pub async fn assume_role(&self, role: &str, form: &str) -> Answer {
        let form = format!("&RoleArn={role}&RoleSessionName=test{form}");
        self.query("sts", "2011-06-15", "AssumeRole", &form).await
    }

    /// A client with the credentials that an `AssumeRole` gave.
    pub fn with(&self, answer: &Answer) -> Self {
        assert_eq!(answer.status, 200, "{}", answer.body);
        let text = |name| answer.text(name).unwrap().to_owned();
        Self { key: text("AccessKeyId"), token: Some(text("SessionToken")), ..self.clone() }
    }

    /// A session of a role.
    pub async fn session(&self, role: &str) -> Self {
        self.with(&self.assume_role(role, "").await)
    }

    /// An operation of Organizations.
    pub async fn organizations(&self, operation: &str, body: &str) -> Answer {
        self.try_organizations(operation, body).await.unwrap()
    }

    /// The same; `None` where the connection closed before the answer was whole.
    pub async fn try_organizations(&self, operation: &str, body: &str) -> Option<Answer> {
        let headers = format!(
            "authorization: {}\r\nx-amz-target: AWSOrganizationsV20161128.{operation}\r\n\
             content-type: application/x-amz-json-1.1\r\n",
            self.authorization("organizations")
        );
        self.exchange("POST", "/", &headers, body).await
    }

    async fn query(&self, service: &str, version: &str, action: &str, form: &str) -> Answer {
        let body = format!("Action={action}&Version={version}{form}");
        self.send("POST", "/", Some(&self.authorization(service)), &body).await.unwrap()
    }

    /// An EKS path.
    pub async fn eks(&self, path: &str) -> Answer {
        self.send("GET", path, Some(&self.authorization("eks")), "").await.unwrap()
    }

    pub fn authorization(&self, service: &str) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential={}/20261115/{}/{service}/aws4_request, SignedHeaders=host, Signature=00",
            self.key, self.region
        )
    }

    /// Sends anything; `None` where the connection closed before the answer was whole.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        authorization: Option<&str>,
        body: &str,
    ) -> Option<Answer> {
        let headers = authorization.map(|value| format!("authorization: {value}\r\n")).unwrap_or_default();
        self.exchange(method, path, &headers, body).await
    }

    /// An operation of a service that speaks CBOR.
    pub async fn cbor(&self, service: &str, target: &str, operation: &str, body: &Value) -> Spoken {
        let path = format!("/service/{target}/operation/{operation}");
        let headers = format!(
            "authorization: {}\r\ncontent-type: application/cbor\r\nsmithy-protocol: rpc-v2-cbor\r\n",
            self.authorization(service)
        );
        let mut written = Vec::new();
        ciborium::into_writer(body, &mut written).unwrap();
        let answer = self.bytes("POST", &path, &headers, &written).await.unwrap();
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(answer[..end].to_vec()).unwrap().to_ascii_lowercase();
        Spoken {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            value: ciborium::from_reader(&answer[end + 4..]).unwrap(),
            head,
        }
    }

    async fn exchange(&self, method: &str, path: &str, headers: &str, body: &str) -> Option<Answer> {
        let answer = self.bytes(method, path, headers, body.as_bytes()).await?;
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let head = head.to_ascii_lowercase();
        let length: usize = head.split("content-length: ").nth(1)?.lines().next()?.parse().ok()?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        (body.len() == length).then(|| Answer { status, head, body: body.to_owned() })
    }

    /// Everything that comes back until the connection closes.
    async fn bytes(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Option<Vec<u8>> {
        let token = self.token.as_ref().map(|token| format!("x-amz-security-token: {token}\r\n"));
        let token = token.unwrap_or_default();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{headers}{token}\
             content-length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.write_all(body).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.ok()?;
        Some(answer)
    }
}
