//! Who may publish: the RTMP port [`Gate`] answered by the domain, with a lease from `live`.

use crate::{
    live::{Live, Publisher, PublisherInfo},
    rtmp::{Gate, GateFuture, PublishRequest, Refusal},
    state::now,
};
use madang_domain::{Domain, PublishRefusal};
use std::sync::Arc;

/// Joins RTMP, the domain and `live`.
pub struct PublishGate {
    domain: Domain,
    live: Arc<Live>,
}

impl PublishGate {
    pub const fn new(domain: Domain, live: Arc<Live>) -> Self {
        Self { domain, live }
    }

    async fn decide(&self, request: PublishRequest) -> Result<Publisher, Refusal> {
        let from = request.from.ip().to_canonical();
        let granted = self.domain.authorize_publish(request.key.expose(), from, &request.encoder).await;
        match granted {
            Ok(grant) => {
                let who = PublisherInfo { from, encoder: request.encoder, key: grant.key, since: now() };
                let publisher = self.live.publish(grant.room, who);
                // The key may have been revoked, or the room deleted, between the question and the lease: nobody could cut then.
                if self.domain.grant_stands(&grant).await { Ok(publisher) } else { Err(Refusal::UnknownKey) }
            }
            Err(PublishRefusal::NotAKey) => Err(Refusal::NotAKey),
            Err(PublishRefusal::UnknownKey) => Err(Refusal::UnknownKey),
            Err(PublishRefusal::Revoked { at }) => Err(Refusal::Revoked { at }),
            Err(PublishRefusal::Unavailable) => Err(Refusal::Unavailable),
        }
    }
}

impl Gate for PublishGate {
    fn publish(&self, request: PublishRequest) -> GateFuture<'_> {
        Box::pin(self.decide(request))
    }
}
