//! AWS KMS as the keeper of the master key. KMS makes it, wrapped under a key that never leaves KMS; the database has the
//! wrapped one, and it is opened once, at the start. Region and credentials are looked for where every AWS tool looks.

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_sdk_kms::Client;
use aws_sdk_kms::error::DisplayErrorContext;
use aws_sdk_kms::primitives::Blob;
use aws_smithy_http_client::tls;
use zeroize::Zeroizing;

use crate::id::TenantId;

/// A connection to KMS.
pub struct Kms(Client);

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum KmsError {
    /// KMS did not answer, or refused.
    #[error("{0}")]
    Refused(String),
    /// What is stored is no master key.
    #[error("what it has wrapped is not a master key")]
    Malformed,
}

/// How long one call may take, all its tries together.
const PATIENCE: Duration = Duration::from_secs(10);
/// What the wrapped key is bound to (KMS's encryption context); key policies can ask for it.
const APP: (&str, &str) = ("app", "admit");
const TENANT: &str = "tenant";

impl Kms {
    /// Finds region and credentials.
    ///
    /// # Errors
    /// None here: what is missing shows at the first call.
    pub async fn connect() -> Result<Self, KmsError> {
        let provider = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc);
        let http = aws_smithy_http_client::Builder::new().tls_provider(provider).build_https();
        let timeouts = TimeoutConfig::builder().operation_timeout(PATIENCE).build();
        let config = aws_config::defaults(aws_config::BehaviorVersion::latest()).http_client(http).timeout_config(timeouts);
        let config = config.load().await;
        Ok(Self(Client::new(&config)))
    }

    /// A new master key, wrapped.
    ///
    /// # Errors
    /// [`KmsError::Refused`] says what KMS said.
    pub async fn make(&self, name: &str, tenant: &TenantId) -> Result<Vec<u8>, KmsError> {
        let asked = self.0.generate_data_key_without_plaintext().key_id(name).number_of_bytes(32);
        let asked = asked.encryption_context(APP.0, APP.1).encryption_context(TENANT, tenant.as_str());
        let made = asked.send().await.map_err(|error| refused(&error))?;
        made.ciphertext_blob.map(Blob::into_inner).ok_or(KmsError::Malformed)
    }

    /// The master key itself.
    ///
    /// # Errors
    /// [`KmsError`]
    pub async fn open(&self, name: &str, tenant: &TenantId, wrapped: &[u8]) -> Result<Zeroizing<[u8; 32]>, KmsError> {
        let asked = self.0.decrypt().key_id(name).ciphertext_blob(Blob::new(wrapped));
        let asked = asked.encryption_context(APP.0, APP.1).encryption_context(TENANT, tenant.as_str());
        let opened = asked.send().await.map_err(|error| refused(&error))?;
        let plain = Zeroizing::new(opened.plaintext.map(Blob::into_inner).ok_or(KmsError::Malformed)?);
        Ok(Zeroizing::new(plain.as_slice().try_into().map_err(|_| KmsError::Malformed)?))
    }
}

fn refused(error: &(impl std::error::Error + 'static)) -> KmsError {
    KmsError::Refused(DisplayErrorContext(error).to_string())
}
