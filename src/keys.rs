//! A tenant's keys, ready for use: parsed once, looked for anew every second, so that a rotation
//! by another process takes effect at once.

mod schedule;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use serde::Serialize;
use time::OffsetDateTime;

use crate::audit::Origin;
use crate::id::{KeyId, TenantId};
use crate::key::{CannotMake, CannotOpen, MasterKey, NewKey, Purpose};
use crate::secret::Digest;
use crate::store::{self, Known, Resealed, Store, StoredKey};
use crate::token::{Algorithm, Jwks, Signer, UnusableKey};

pub use schedule::{BadSchedule, MOST_PUBLISHED, SHORTEST_NOTICE, Schedule};

/// The keys of one tenant.
pub struct KeyRing {
    tenant: TenantId,
    master: Arc<MasterKey>,
    /// Another one takes its place where what it knows is known to be wrong: a look that began before does not count.
    known: RwLock<Known<Arc<Keys>>>,
}

/// What was known at some moment.
pub struct Keys {
    /// Those that may sign, the last to do so first.
    signers: Vec<OwnKey>,
    by_purpose: HashMap<Purpose, Jwks>,
    /// The key set, as it is published (RFC 7517 §5).
    pub document: Arc<str>,
    /// What names this state of the key set.
    pub digest: Arc<str>,
}

struct OwnKey {
    purpose: Purpose,
    active_at: OffsetDateTime,
    retired_at: Option<OffsetDateTime>,
    signer: Arc<Signer>,
}

/// Keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The master key is not the one under which the keys were sealed.
    #[error("the signing key {0} cannot be opened: {1}. Give the master key that this database was made with")]
    Sealed(String, CannotOpen),
    /// So many keys are published that verifiers would not read more.
    #[error("{0} keys are published, and more would be too many for verifiers: wait until old ones are gone")]
    TooMany(usize),
    /// A stored key is damaged.
    #[error("a stored signing key is damaged")]
    Damaged,
    /// There is no key for this.
    #[error("there is no {1} key for {0:?} tokens; `admit serve` makes one when it starts")]
    None(Purpose, Algorithm),
    /// A key could not be made.
    #[error(transparent)]
    CannotMake(#[from] CannotMake),
}

impl From<UnusableKey> for KeyError {
    fn from(_: UnusableKey) -> Self {
        Self::Damaged
    }
}

impl KeyRing {
    /// The keys of a tenant; nothing is looked at yet.
    #[must_use]
    pub fn new(tenant: TenantId, master: MasterKey) -> Self {
        Self { tenant, master: Arc::new(master), known: RwLock::default() }
    }

    /// What is known, at most a second old; it may take as long as the database takes. Where that does not answer, what was
    /// known before serves on: keys outlive a pause of the database. Whoever goes away meanwhile stops nothing.
    ///
    /// # Errors
    /// [`KeyError`], where nothing is known yet or a key cannot be opened.
    pub async fn current(&self, store: &Store, now: OffsetDateTime) -> Result<Arc<Keys>, KeyError> {
        let known = self.known();
        let look = || {
            let (tenant, master, last, store) = (self.tenant.clone(), Arc::clone(&self.master), known.last(), store.clone());
            async move { Ok(Arc::new(Keys::read(&store.published_keys(&tenant, now).await?, &tenant, &master, last.as_deref())?)) }
        };
        match (known.current(now, look).await, known.last()) {
            (Err(KeyError::Store(_)), Some(last)) => Ok(last),
            (current, _) => current,
        }
    }

    /// What was known last, however long ago.
    #[must_use]
    pub fn last(&self) -> Option<Arc<Keys>> {
        self.known().last()
    }

    fn known(&self) -> Known<Arc<Keys>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes the key that is needed for this purpose and algorithm, unless there is one.
    ///
    /// # Errors
    /// [`KeyError`]
    pub async fn ensure(&self, store: &Store, origin: &Origin, purpose: Purpose, algorithm: Algorithm) -> Result<(), KeyError> {
        let keys = self.current(store, origin.now).await?;
        if keys.signers.iter().any(|own| own.purpose == purpose && own.signer.algorithm() == algorithm && own.retired_at.is_none()) {
            return Ok(());
        }
        let key = self.make((purpose, algorithm), origin.now, origin.now).await?;
        store.add_key_after(origin, None, key).await?;
        self.forget();
        Ok(())
    }

    /// Makes a key that takes over at `active_at`. It is published at once; those that verifiers have a copy of need
    /// [`SHORTEST_NOTICE`] to learn of it.
    ///
    /// # Errors
    /// [`KeyError`]
    pub async fn rotate(
        &self,
        store: &Store,
        origin: &Origin,
        kind: (Purpose, Algorithm),
        active_at: OffsetDateTime,
    ) -> Result<StoredKey, KeyError> {
        // Opens what is there: under another master key, the new one would be a key that no server can open.
        self.current(store, origin.now).await?;
        let key = self.make(kind, origin.now, active_at).await?;
        store.rotate_key(origin, key.clone()).await?;
        self.forget();
        Ok(key)
    }

    /// Revokes a key: nothing that it signed is believed from here on. Another one of its kind signs in its place, and its
    /// name is the answer; `None`, where it was revoked before.
    ///
    /// # Errors
    /// [`KeyError`]
    pub async fn revoke(&self, store: &Store, origin: &Origin, key: &StoredKey) -> Result<Option<KeyId>, KeyError> {
        self.current(store, origin.now).await?;
        let spare = self.make(key.kind(), origin.now, origin.now).await?;
        let signing = store.revoke_key(origin, &key.id, spare).await?;
        self.forget();
        Ok(signing)
    }

    /// Seals every key under the present master key that is not, all of them or none. Servers may run meanwhile, if they know both.
    ///
    /// # Errors
    /// [`KeyError::Sealed`] names a key that cannot be opened.
    pub async fn reseal(&self, store: &Store, origin: &Origin) -> Result<Resealed, KeyError> {
        store.reseal(origin, Arc::clone(&self.master)).await?.map_err(|(id, why)| KeyError::Sealed(id.to_string(), why))
    }

    async fn make(
        &self,
        (purpose, algorithm): (Purpose, Algorithm),
        now: OffsetDateTime,
        active_at: OffsetDateTime,
    ) -> Result<StoredKey, KeyError> {
        let made = tokio::task::spawn_blocking(move || NewKey::generate(algorithm)).await.map_err(|_| KeyError::Damaged)??;
        let mut key = StoredKey {
            id: made.key_id,
            purpose,
            algorithm,
            public_jwk: made.public_jwk,
            sealed: None,
            created_at: now,
            active_at,
            retired_at: None,
            removed_at: None,
        };
        let sealed = self.master.seal(&key.about(&self.tenant), &made.pkcs8);
        key.sealed = Some(sealed.map_err(|why| KeyError::Sealed(key.id.to_string(), why))?);
        Ok(key)
    }

    fn forget(&self) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Known::default();
    }
}

impl Keys {
    /// Of what is stored; whatever is known already is not parsed again.
    fn read(stored: &[StoredKey], tenant: &TenantId, master: &MasterKey, known: Option<&Self>) -> Result<Self, KeyError> {
        let mut signers = Vec::new();
        for key in stored {
            let Some(sealed) = &key.sealed else { continue };
            let parsed = known.into_iter().flat_map(|known| &known.signers).find(|own| own.signer.kid() == key.id.as_str());
            let signer = match parsed {
                Some(own) => Arc::clone(&own.signer),
                None => {
                    let private = master.open(&key.about(tenant), sealed).map_err(|why| KeyError::Sealed(key.id.to_string(), why))?;
                    let signer = Signer::from_pkcs8(key.id.as_str(), key.algorithm, &private);
                    Arc::new(signer.map_err(|_| corrupt("sealed"))?)
                }
            };
            signers.push(OwnKey { purpose: key.purpose, active_at: key.active_at, retired_at: key.retired_at, signer });
        }
        let document = |keys: &mut dyn Iterator<Item = &StoredKey>| {
            let keys: Vec<&str> = keys.map(|key| key.public_jwk.as_str()).collect();
            format!(r#"{{"keys":[{}]}}"#, keys.join(","))
        };
        let mut by_purpose = HashMap::new();
        for purpose in Purpose::ALL {
            let own = document(&mut stored.iter().filter(|key| key.purpose == purpose));
            by_purpose.insert(purpose, Jwks::parse(own.as_bytes()).map_err(|_| corrupt("public_jwk"))?);
        }
        let document = document(&mut stored.iter().filter(|key| key.purpose.is_public()));
        // Nearly always the same as a second ago.
        let (document, digest) = match known.filter(|known| *known.document == *document) {
            Some(known) => (Arc::clone(&known.document), Arc::clone(&known.digest)),
            None => {
                let digest = Digest::of(&document);
                (document.into(), digest.as_str().into())
            }
        };
        Ok(Self { signers, by_purpose, document, digest })
    }

    /// Signs with the key of this purpose and algorithm whose turn it is. Where the clock says that none has begun yet,
    /// the first one signs all the same: a clock that was put back stops nobody.
    ///
    /// # Errors
    /// [`KeyError::None`]
    pub fn sign<T: Serialize>(
        &self,
        purpose: Purpose,
        algorithm: Algorithm,
        typ: &str,
        claims: &T,
        now: OffsetDateTime,
    ) -> Result<String, KeyError> {
        let mut kin = self
            .signers
            .iter()
            .filter(|own| own.purpose == purpose && own.signer.algorithm() == algorithm && own.retired_at.is_none_or(|end| now < end));
        let own = kin.clone().find(|own| own.active_at <= now).or_else(|| kin.next_back()).ok_or(KeyError::None(purpose, algorithm))?;
        Ok(own.signer.sign(typ, claims)?)
    }

    /// The public keys that verify tokens of this purpose.
    #[must_use]
    pub fn verifying(&self, purpose: Purpose) -> Option<&Jwks> {
        self.by_purpose.get(&purpose)
    }
}

fn corrupt(column: &'static str) -> store::Error {
    store::Error::Corrupt { table: "signing_key", column }
}
