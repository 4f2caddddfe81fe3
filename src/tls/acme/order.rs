//! One order at the authority, from the account to the certificate (RFC 8555 §7).

use super::{
    AcmeError,
    store::{Issued, Store},
};
use crate::{
    config::Tls,
    tls::{Certificate, TlsError, certificate::Answer},
};
use instant_acme::{
    Account, AccountBuilder, AuthorizationStatus, ChallengeType, Identifier, NewAccount, NewOrder, Order, OrderStatus,
    RetryPolicy,
};
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, KeyPair};
use std::{path::PathBuf, sync::Arc, time::Duration};
use tokio_rustls::rustls::{
    crypto::ring,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    sign::CertifiedKey,
};

/// For how long the authority may look at the answers, and then make the certificate.
const PATIENCE: RetryPolicy = RetryPolicy::new().timeout(Duration::from_secs(120));

/// The account was deactivated, or the authority has lost it (RFC 8555 §6.7).
const NO_ACCOUNT: &str = "urn:ietf:params:acme:error:accountDoesNotExist";

/// The authority, as it is configured.
pub struct Authority {
    directory: String,
    /// A root that its own certificate leads to; empty takes the system's.
    root: PathBuf,
    contact: String,
    domains: Vec<String>,
    certificate: Arc<Certificate>,
}

impl Authority {
    pub fn new(config: &Tls, certificate: Arc<Certificate>) -> Self {
        Self {
            directory: config.acme_directory.clone(),
            root: config.acme_root.clone(),
            contact: config.acme_contact.clone(),
            domains: config.acme_domains.clone(),
            certificate,
        }
    }

    /// A certificate for all names, with a new key.
    ///
    /// # Errors
    /// [`AcmeError`]; nothing is changed then but the account, which may be new.
    pub async fn order(&self, store: &Store) -> Result<Issued, AcmeError> {
        let mut order = self.begin(store).await?;
        let answers = self.answer(&mut order).await?;
        let status = order.poll_ready(&PATIENCE).await;
        drop(answers);
        if !matches!(status, Ok(OrderStatus::Ready)) {
            refused(&mut order).await?;
            status?;
            let why = "it ended the order and does not say why".to_owned();
            return Err(AcmeError::Refused { name: self.domains.join(", "), why });
        }
        let key = order.finalize().await?;
        let chain = order.poll_certificate(&PATIENCE).await?;
        Ok(store.issued(chain, key))
    }

    /// Places the order with the account that was kept, or with a new one where that is unknown.
    async fn begin(&self, store: &Store) -> Result<Order, AcmeError> {
        let names: Vec<Identifier> = self.domains.iter().cloned().map(Identifier::Dns).collect();
        let wanted = NewOrder::new(&names);
        if let Some(credentials) = store.account()? {
            let account = self.builder()?.from_credentials(credentials).await?;
            match account.new_order(&wanted).await {
                Err(instant_acme::Error::Api(problem)) if problem.r#type.as_deref() == Some(NO_ACCOUNT) => {
                    tracing::warn!("the authority does not know the account that was kept: a new one is made");
                }
                ordered => return Ok(ordered?),
            }
        }
        Ok(self.new_account(store).await?.new_order(&wanted).await?)
    }

    fn builder(&self) -> Result<AccountBuilder, instant_acme::Error> {
        if self.root.as_os_str().is_empty() { Account::builder() } else { Account::builder_with_root(&self.root) }
    }

    async fn new_account(&self, store: &Store) -> Result<Account, AcmeError> {
        let contact = format!("mailto:{}", self.contact);
        let contact = if self.contact.is_empty() { vec![] } else { vec![contact.as_str()] };
        let new = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
        let (account, credentials) = self.builder()?.create(&new, self.directory.clone(), None).await?;
        store.keep_account(credentials)?;
        Ok(account)
    }

    /// Puts up what the authority will look at, and tells it so. The answers stand while what is given does.
    async fn answer(&self, order: &mut Order) -> Result<Vec<Answer>, AcmeError> {
        let mut answers = Vec::new();
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization?;
            // Authorities remember for a while what they have found.
            if authorization.status == AuthorizationStatus::Valid {
                continue;
            }
            let name = authorization.identifier().to_string();
            let challenge = authorization.challenge(ChallengeType::TlsAlpn01);
            let Some(mut challenge) = challenge else { return Err(AcmeError::NoChallenge { name }) };
            let answer = self_signed(&name, challenge.key_authorization().digest().as_ref())?;
            answers.push(self.certificate.answer(name, answer));
            challenge.set_ready().await?;
        }
        Ok(answers)
    }
}

/// What the authority expects to be given (RFC 8737 §3).
fn self_signed(name: &str, digest: &[u8]) -> Result<CertifiedKey, AcmeError> {
    let mut params = CertificateParams::new([name.to_owned()])?;
    params.distinguished_name = DistinguishedName::new();
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let key = ring::sign::any_supported_type(&key).map_err(|why| AcmeError::Unusable(TlsError::Settings(why)))?;
    // `CertifiedKey::from_der` would look whether they belong together, and does not know the extension that must be there.
    Ok(CertifiedKey::new(vec![certificate.der().clone()], key))
}

/// The name that the authority did not find to be ours, with its words.
async fn refused(order: &mut Order) -> Result<(), AcmeError> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        authorization.refresh().await?;
        let name = authorization.identifier().to_string();
        if let Some(problem) = authorization.challenges.iter().find_map(|challenge| challenge.error.as_ref()) {
            return Err(AcmeError::Refused { name, why: problem.to_string() });
        }
        if authorization.status == AuthorizationStatus::Invalid {
            return Err(AcmeError::Refused { name, why: "it does not say why".to_owned() });
        }
    }
    Ok(())
}
