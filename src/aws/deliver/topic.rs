//! Topics of SNS.

use super::Courier;
use crate::aws::clients::courier_client;
use crate::aws::errors::{CallError, failed};
use crate::aws::operations::PUBLISH;

impl Courier {
    /// Publishes a message to a topic, which is asked in its own Region.
    ///
    /// # Errors
    /// When SNS does not take it.
    pub async fn publish(&self, topic: &str, subject: &str, text: &str) -> Result<(), CallError> {
        let region = topic.split(':').nth(3).filter(|region| !region.is_empty());
        let config = self.config_in(region);
        let client = courier_client!(aws_sdk_sns, "sns", self, &config, |config| config);
        let call = client.publish().topic_arn(topic).subject(subject).message(text);
        call.send().await.map(drop).map_err(failed(PUBLISH)).map_err(|error| error.about(topic))
    }
}
