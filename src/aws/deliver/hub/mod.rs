//! Security Hub of an account in a Region: what imdsctl has there, and what it leaves there.

mod plain;

use std::collections::HashSet;

use aws_config::SdkConfig;
use aws_sdk_securityhub::types::{
    AwsSecurityFindingFilters, ImportFindingsError, StringFilter, StringFilterComparison,
};

use crate::asff::{OURS, SecurityFinding, default_product};
use crate::aws::assume::Role;
use crate::aws::base::Base;
use crate::aws::clients::{Wiring, client, in_region};
use crate::aws::errors::{CallError, ErrorKind, failed};
use crate::aws::iam;
use crate::aws::operations::{BATCH_IMPORT_FINDINGS, GET_FINDINGS, Task};
use crate::aws::renewal::Renewal;
use crate::model::{AccountId, Partition, Region};

/// How many findings are asked for at once: as many as AWS gives.
const PAGE: i32 = 100;

/// Somebody in an account who may leave findings in its Security Hub, and nothing else.
#[derive(Clone, Debug)]
pub struct Importer {
    partition: Partition,
    account_id: AccountId,
    config: SdkConfig,
    wiring: Wiring,
    /// Of a session, which may be over before its time.
    renewal: Option<Renewal>,
}

/// Security Hub of one account in one Region.
#[derive(Clone, Debug)]
pub struct Hub {
    client: aws_sdk_securityhub::Client,
    product_arn: String,
    account_id: AccountId,
    region: Region,
}

/// A finding that Security Hub did not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotTaken {
    /// Its id.
    pub id: String,
    /// AWS's word for the reason.
    pub code: String,
    /// AWS's sentence.
    pub message: String,
}

impl Base {
    /// Leaves findings in the account of these credentials, with them. Only the client's gate holds there.
    pub fn importer(&self) -> Importer {
        Importer {
            partition: self.account.partition.clone(),
            account_id: self.account.account_id.clone(),
            config: self.config.clone(),
            wiring: self.wiring.clone(),
            renewal: None,
        }
    }

    /// Leaves findings in another account, by a session of a role whose policy allows that alone.
    ///
    /// # Errors
    /// When STS does not grant the session.
    pub async fn assume_to_import(&self, role: &Role, region: &Region) -> Result<Importer, CallError> {
        let policy = iam::import_policy(&role.partition, &role.account_id);
        let session = self.session(role, region, policy).await?;
        Ok(Importer {
            partition: role.partition.clone(),
            account_id: role.account_id.clone(),
            config: session.config,
            wiring: self.wiring.clone(),
            renewal: Some(session.renewal),
        })
    }
}

impl Importer {
    /// Security Hub in a Region.
    pub fn hub(&self, region: &Region) -> Hub {
        let config = in_region(&self.config, region.as_str());
        let account = self.account_id.as_str();
        Hub {
            client: client!(aws_sdk_securityhub, "securityhub", self, &config, account, Task::Deliver),
            product_arn: default_product(self.partition.as_str(), region.as_str(), account),
            account_id: self.account_id.clone(),
            region: region.clone(),
        }
    }
}

impl Hub {
    /// Hands on all that imdsctl has there, whatever its state, a page at a time.
    ///
    /// # Errors
    /// When Security Hub does not say. What was handed on is not all, then.
    pub async fn held(&self, mut take: impl FnMut(SecurityFinding)) -> Result<(), CallError> {
        let mut seen = HashSet::new();
        let mut token = None;
        loop {
            let call = self.client.get_findings().filters(self.filters()).max_results(PAGE);
            let findings = plain::Taken::default();
            let call = call.set_next_token(token.take()).customize().interceptor(findings.clone());
            let page = call.send().await.map_err(failed(GET_FINDINGS))?;
            findings.take().into_iter().filter(|finding| self.is_ours(finding)).for_each(&mut take);
            let Some(next) = page.next_token.filter(|token| !token.is_empty()) else { return Ok(()) };
            if !seen.insert(next.clone()) {
                let message = "the listing does not end: a page leads back to an earlier one";
                return Err(CallError::new(GET_FINDINGS, ErrorKind::Other, "EndlessPagination", message));
            }
            token = Some(next);
        }
    }

    /// Imports a batch, and says what of it was not taken.
    ///
    /// # Errors
    /// When Security Hub takes nothing of it.
    pub async fn import(&self, batch: &[SecurityFinding]) -> Result<Vec<NotTaken>, CallError> {
        let call = self.client.batch_import_findings().set_findings(Some(Vec::new()));
        let call = call.customize().mutate_request(plain::sending(batch));
        let answer = call.send().await.map_err(failed(BATCH_IMPORT_FINDINGS))?;
        Ok(answer.failed_findings.unwrap_or_default().into_iter().map(not_taken).collect())
    }

    /// Security Hub of an administrator's account, or of a Region that others are gathered in, has theirs as well.
    fn filters(&self) -> AwsSecurityFindingFilters {
        let filter = |comparison: StringFilterComparison, value: &str| {
            StringFilter::builder().comparison(comparison).value(value).build()
        };
        let is = |value: &str| filter(StringFilterComparison::Equals, value);
        AwsSecurityFindingFilters::builder()
            .product_arn(is(&self.product_arn))
            .aws_account_id(is(self.account_id.as_str()))
            .region(is(self.region.as_str()))
            .generator_id(filter(StringFilterComparison::Prefix, OURS))
            .build()
    }

    /// The same again: what is archived by mistake is somebody else's.
    fn is_ours(&self, finding: &SecurityFinding) -> bool {
        finding.id.starts_with(OURS)
            && finding.product_arn == self.product_arn
            && finding.aws_account_id == self.account_id.as_str()
            && finding.region == self.region.as_str()
    }
}

fn not_taken(error: ImportFindingsError) -> NotTaken {
    NotTaken {
        id: error.id.unwrap_or_default(),
        code: error.error_code.unwrap_or_default(),
        message: error.error_message.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::sync::mpsc::{Receiver, channel};
    use std::thread;

    use serde_json::{Value, json};

    use super::*;
    use crate::aws::{Aws, StaticEndpoint};

    /// A finding with all that there can be.
    fn finding() -> SecurityFinding {
        let types = json!(["Software and Configuration Checks"]);
        let severity = json!({ "Label": "HIGH", "Original": "high" });
        let resource = |r#type: &str, details: Value| json!({ "Type": r#type, "Id": "i", "Partition": "aws", "Region": "eu-west-1", "Details": details });
        let options = json!({
            "HttpEndpoint": "enabled", "HttpProtocolIpv6": "disabled", "HttpPutResponseHopLimit": 2,
            "HttpTokens": "optional", "InstanceMetadataTags": "disabled",
        });
        let all = json!({
            "SchemaVersion": "2018-10-08",
            "Id": "imdsctl/a",
            "ProductArn": default_product("aws", "eu-west-1", "111122223333"),
            "ProductName": "imdsctl",
            "GeneratorId": "imdsctl/al2023/tokens",
            "AwsAccountId": "111122223333",
            "AwsAccountName": "shop",
            "Region": "eu-west-1",
            "Types": types,
            "CreatedAt": "2026-11-26T03:00:00.123456789Z",
            "UpdatedAt": "2026-11-27T03:00:00Z",
            "Severity": severity,
            "Title": "tokens",
            "Description": "Instance \u{1f600} i-1.",
            "Remediation": { "Recommendation": { "Text": "mend it", "Url": "https://example.com" } },
            "ProductFields": { "imdsctl/policy": "al2023" },
            "Resources": [
                resource("AwsEc2Instance", json!({ "AwsEc2Instance": { "ImageId": "ami-1", "MetadataOptions": options } })),
                resource("AwsEc2LaunchTemplate", json!({ "AwsEc2LaunchTemplate": { "Id": "lt-1", "LaunchTemplateName": "web" } })),
                resource("AwsEksCluster", json!({ "AwsEksCluster": { "Arn": "arn", "Name": "blue" } })),
                resource("Other", json!({ "Other": { "ResourceType": "node_group" } })),
            ],
            "Compliance": { "Status": "WARNING", "StatusReasons": [{ "ReasonCode": "IMDSCTL_UNKNOWN", "Description": "why" }] },
            "RecordState": "ACTIVE",
            "FindingProviderFields": { "Severity": severity, "Types": types },
        });
        let finding = serde_json::from_value(all.clone()).unwrap();
        assert_eq!(json!(finding), all, "nothing is lost");
        finding
    }

    /// Security Hub that gives these answers, one after the other, and what it is asked: the path and the body.
    fn serving(answers: Vec<Value>) -> (Hub, Receiver<(String, Value)>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, receiver) = channel();
        thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = Vec::new();
                let asked = loop {
                    let mut buffer = [0; 4096];
                    let read = stream.read(&mut buffer).unwrap();
                    request.extend_from_slice(&buffer[..read]);
                    let text = String::from_utf8_lossy(&request);
                    let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                    if let Ok(body) = serde_json::from_str(body) {
                        break (head.split_whitespace().nth(1).unwrap().to_owned(), body);
                    }
                };
                sender.send(asked).unwrap();
                let body = answer.to_string();
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
                write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
            }
        });
        let endpoint =
            StaticEndpoint { url, access_key: "AKIAIOSFODNN7EXAMPLE".into(), secret_key: "x".into() };
        let aws = Aws::default();
        let importer = Importer {
            partition: "aws".into(),
            account_id: "111122223333".into(),
            config: aws.isolated(&endpoint, None),
            wiring: aws.wiring(),
            renewal: None,
        };
        (importer.hub(&"eu-west-1".into()), receiver)
    }

    #[tokio::test]
    async fn it_asks_for_its_own_findings_and_takes_no_others() {
        let foreign = |member: &str, value: &str| {
            let mut finding = json!(finding());
            finding[member] = value.into();
            finding
        };
        // What AWS and people add to a finding is not sent back.
        let mut held = json!(finding());
        held["ProductFields"]["aws/securityhub/FindingId"] = "x".into();
        held["Workflow"] = json!({ "Status": "SUPPRESSED" });
        held["Resources"][3]["Details"]["Container"] = json!({ "Name": "x" });
        let mut expected = finding();
        expected.resources[3].details = None;
        let first = json!([
            held,
            { "Id": "imdsctl/b" },
            foreign("Id", "other/a"),
            foreign("AwsAccountId", "444455556666"),
            foreign("Region", "us-east-1"),
            foreign("ProductArn", "arn:aws:securityhub:eu-west-1::product/aws/guardduty"),
        ]);
        let (hub, asked) = serving(vec![
            json!({ "Findings": first, "NextToken": "more" }),
            json!({ "Findings": [finding()], "NextToken": null }),
        ]);
        let mut held = Vec::new();
        hub.held(|finding| held.push(finding)).await.unwrap();
        assert_eq!(held, [expected, finding()]);
        let is = |value: &str| json!([{ "Comparison": "EQUALS", "Value": value }]);
        let filters = json!({
            "AwsAccountId": is("111122223333"),
            "GeneratorId": [{ "Comparison": "PREFIX", "Value": "imdsctl/" }],
            "ProductArn": is("arn:aws:securityhub:eu-west-1:111122223333:product/111122223333/default"),
            "Region": is("eu-west-1"),
        });
        let page = json!({ "Filters": filters, "MaxResults": 100 });
        assert_eq!(asked.recv().unwrap(), ("/findings".to_owned(), page));
        assert_eq!(asked.recv().unwrap().1["NextToken"], "more");
    }

    #[tokio::test]
    async fn a_listing_that_leads_back_ends_with_an_error() {
        let page = json!({ "Findings": [], "NextToken": "again" });
        let (hub, _asked) = serving(vec![page.clone(), page]);
        assert_eq!(hub.held(|_| {}).await.unwrap_err().code, "EndlessPagination");
    }

    #[tokio::test]
    async fn what_is_sent_is_what_the_format_says_and_what_is_not_taken_is_told() {
        let failed = json!({ "Id": "imdsctl/a", "ErrorCode": "InvalidInput", "ErrorMessage": "no" });
        let (hub, asked) =
            serving(vec![json!({ "FailedCount": 1, "SuccessCount": 0, "FailedFindings": [failed] })]);
        let not_taken = hub.import(&[finding()]).await.unwrap();
        let (id, code) = ("imdsctl/a".to_owned(), "InvalidInput".to_owned());
        assert_eq!(not_taken, [NotTaken { id, code, message: "no".to_owned() }]);
        let (path, body) = asked.recv().unwrap();
        assert_eq!((path.as_str(), body), ("/findings/import", json!({ "Findings": [finding()] })));
    }

    #[tokio::test]
    async fn nothing_else_can_be_asked_of_it() {
        let (hub, asked) = serving(Vec::new());
        let disable = crate::aws::Operation { service: "securityhub", name: "DisableSecurityHub" };
        let error = hub.client.disable_security_hub().send().await.unwrap_err();
        assert_eq!(CallError::from_sdk(disable, &error).kind, ErrorKind::GateRefused);
        let update = crate::aws::Operation { service: "securityhub", name: "BatchUpdateFindings" };
        let error = hub.client.batch_update_findings().send().await.unwrap_err();
        assert_eq!(CallError::from_sdk(update, &error).kind, ErrorKind::GateRefused);
        assert!(asked.try_recv().is_err());
    }
}
