//! Who may publish and who may watch over RTMP: its port [`Gate`], answered by the domain with a lease from `live`, and by `deliver`.

use crate::{
    Shutdown,
    deliver::Deliver,
    live::{Live, Publisher, PublisherInfo},
    rtmp::{Gate, GateFuture, PlayFuture, PlayRequest, PublishRequest, Refusal, TurnedAway},
    state::now,
};
use madang_domain::{CutReason, Domain, DomainChange, OnAir as _, PublishRefusal};
use madang_protocol::studio::Attempt;
use std::sync::Arc;
use tokio::sync::broadcast::error::RecvError;

/// Joins RTMP, the domain and `live`.
pub struct PublishGate {
    domain: Domain,
    live: Arc<Live>,
    deliver: Arc<Deliver>,
}

impl PublishGate {
    pub const fn new(domain: Domain, live: Arc<Live>, deliver: Arc<Deliver>) -> Self {
        Self { domain, live, deliver }
    }

    async fn decide(&self, request: PublishRequest) -> Result<Publisher, Refusal> {
        let from = request.from.ip().to_canonical();
        let granted = self.domain.authorize_publish(request.key.expose(), from, &request.encoder).await;
        match granted {
            Ok(grant) => {
                let who = PublisherInfo { from, encoder: request.encoder, key: grant.key, since: now() };
                let publisher = self.live.publish(grant.room, who);
                // The key may have been revoked, or the room deleted, between the question and the lease: nobody could cut then.
                match self.domain.key_stands(grant.room, grant.key, Some(from)).await {
                    Ok(true) => Ok(publisher),
                    Ok(false) => Err(Refusal::UnknownKey),
                    Err(_) => Err(Refusal::Unavailable),
                }
            }
            Err(PublishRefusal::NotAKey) => Err(Refusal::NotAKey),
            Err(PublishRefusal::UnknownKey) => Err(Refusal::UnknownKey),
            Err(PublishRefusal::Revoked { at, room }) => Err(Refusal::Revoked { at, room }),
            Err(PublishRefusal::Banned) => Err(Refusal::Banned),
            Err(PublishRefusal::Unavailable) => Err(Refusal::Unavailable),
        }
    }
}

impl Gate for PublishGate {
    fn publish(&self, request: PublishRequest) -> GateFuture<'_> {
        Box::pin(self.decide(request))
    }

    fn play(&self, request: PlayRequest) -> PlayFuture<'_> {
        Box::pin(self.deliver.program(request))
    }

    fn turned_away(&self, who: TurnedAway) {
        let from = who.from.ip().to_canonical();
        let attempt = Attempt {
            at: now(),
            times: 1,
            from: from.to_string(),
            encoder: who.encoder,
            why: who.why,
            detail: who.detail,
            revoked: who.revoked,
        };
        self.live.attempts().note(who.room, from, attempt);
    }
}

/// Cuts publishers whose key was revoked or whose room was deleted by another process (`madang room …` beside this server): that
/// process cannot reach them. Runs until `shutdown`.
pub async fn keep_grants(domain: Domain, live: Arc<Live>, mut shutdown: Shutdown) {
    let mut changes = domain.changes();
    loop {
        tokio::select! {
            change = changes.recv() => match change {
                Ok(DomainChange::Anything) | Err(RecvError::Lagged(_)) => look_again(&domain, &live).await,
                Ok(_) => {}
                Err(RecvError::Closed) => return,
            },
            () = shutdown.requested() => return,
        }
    }
}

async fn look_again(domain: &Domain, live: &Live) {
    for room in live.on_air() {
        let Some(encoder) = live.status(room).encoder else { continue };
        let (key, from) = (encoder.key, encoder.from.parse().ok());
        match domain.key_stands(room, key, from).await {
            Ok(true) => {}
            Ok(false) => live.cut_key(key, CutReason::KeyRevoked),
            // The next change asks again; a busy database is no reason to cut anybody.
            Err(error) => tracing::warn!(%error, "a publisher's key could not be looked at again"),
        }
    }
}
