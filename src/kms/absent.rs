//! AWS KMS, where the program was built without it.

use zeroize::Zeroizing;

use crate::id::TenantId;

/// It cannot be had.
pub enum Kms {}

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum KmsError {
    /// This program cannot ask.
    #[error("this program was built without KMS (`cargo build --features kms`)")]
    Absent,
    /// What is stored is no master key.
    #[error("what it has wrapped is not a master key")]
    Malformed,
}

impl Kms {
    /// There is nobody to connect to.
    ///
    /// # Errors
    /// [`KmsError::Absent`]
    pub async fn connect() -> Result<Self, KmsError> {
        Err(KmsError::Absent)
    }

    /// Never called: there is no `Kms`.
    ///
    /// # Errors
    /// None.
    pub async fn make(&self, _name: &str, _tenant: &TenantId) -> Result<Vec<u8>, KmsError> {
        match *self {}
    }

    /// Never called: there is no `Kms`.
    ///
    /// # Errors
    /// None.
    pub async fn open(&self, _name: &str, _tenant: &TenantId, _wrapped: &[u8]) -> Result<Zeroizing<[u8; 32]>, KmsError> {
        match *self {}
    }
}
