//! What administrators do. Each act is refused to everybody else, done whole or not at all, and written down with it.

use super::{Entry, must_administer, note};
use crate::{
    chat::{ChatLimits, prefix::prefix},
    clock,
    error::{Error, Limit, NotThat},
    limits::DomainLimits,
    network::Network,
    on_air::CutReason,
    password::PasswordDigest,
    person::{Person, PersonKind},
    random,
    room::{DomainChange, Room},
    rules::{MakeRooms, Registration},
    service::{
        Domain, Shared,
        accounts::{Removed, remove_in},
        operator::new_invitation,
        publish::owner_banned,
        sessions::millis,
    },
    site::{MAKE_ROOMS, REGISTRATION, Site},
    store::{NewInvitation, SiteBan, Store},
    token::{Token, TokenHash},
};
use madang_protocol::{
    ActionId, Field, InvitationId, PersonId, RoomId, SessionId, UnixMillis, chat::REASON_MAX, validation,
};
use std::{net::IpAddr, sync::Arc, time::Duration};

/// How long the way to a new password is good for.
const RESET_LIFE: Duration = Duration::from_secs(24 * 60 * 60);
/// A person's ban holds the places where they were seen in this time…
const SEEN_WITHIN: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// … the newest of each kind.
const PLACES_OF_EACH: usize = 8;
/// The widest networks that can be banned, in leading bits.
const WIDEST_V4: u32 = 16;
const WIDEST_V6: u32 = 32;

/// What an administrator does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdminAct {
    /// Makes an account an administrator, or no longer one.
    Promote {
        person: PersonId,
        on: bool,
    },
    /// Ends every session of an account.
    LogOut {
        person: PersonId,
    },
    EndSession {
        person: PersonId,
        session: SessionId,
    },
    /// Lets nobody in to an account, or lets its person in again.
    Lock {
        person: PersonId,
        on: bool,
    },
    /// Makes a link by which its person sets a new password; whoever is logged in to it is logged out.
    ResetPassword {
        person: PersonId,
    },
    DeleteAccount {
        person: PersonId,
    },
    DeleteRoom {
        room: RoomId,
    },
    /// Ends a room's stream; its key stays good.
    EndStream {
        room: RoomId,
    },
    /// Bans somebody, for good or for so many seconds; and guests from where they were lately, if `household`.
    Ban {
        person: PersonId,
        seconds: Option<u32>,
        household: bool,
    },
    /// Bans everybody from an address or a network, as typed.
    BanNetwork {
        network: String,
        seconds: Option<u32>,
    },
    Unban {
        ban: ActionId,
    },
    /// Decides who may register; `None` is as configured.
    Registration(Option<Registration>),
    /// Decides who may make rooms; `None` is as configured.
    MakeRooms(Option<MakeRooms>),
    Invite {
        uses: u32,
        days: u32,
    },
    RevokeInvitation {
        invitation: InvitationId,
    },
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Administered {
    /// The code of an invitation, or of a way to a new password: it is in this answer and nowhere else.
    pub code: Option<Token>,
}

impl Domain {
    /// Does what an administrator does.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for who is none; [`Error::NotFound`]; [`Error::NotThat`]; [`Error::LimitReached`] ([`Limit::Bans`]);
    /// [`Error::Invalid`] on [`Field::Description`] for a reason that is too long, on [`Field::Invitation`] for uses and days that none
    /// may have; [`Error::Busy`], [`Error::Storage`].
    pub async fn administer(&self, by: PersonId, act: AdminAct, reason: &str) -> Result<Administered, Error> {
        let reason = match reason.trim() {
            "" => String::new(),
            reason => validation::line(Field::Description, reason, REASON_MAX)?,
        };
        let mut answer = Administered::default();
        let invitation = match &act {
            AdminAct::Invite { uses, days } => {
                let (invitation, code) = new_invitation(*uses, *days)?;
                answer.code = Some(code);
                Some(invitation)
            }
            _ => None,
        };
        if matches!(act, AdminAct::ResetPassword { .. }) {
            answer.code = Some(Token::generate()?);
        }
        let id = ActionId::from_random(random::bits()?);
        let code = answer.code.as_ref().map(Token::hash);
        let shared = Arc::clone(&self.0.shared);
        let plan =
            Plan { id, by, act, reason, invitation, code, limits: self.0.limits, shared: Arc::clone(&self.0.shared) };
        let work = move |store: &mut dyn Store| {
            let boss = must_administer(store, plan.by)?;
            let (entry, done) = plan.apply(store)?;
            note(store, plan.id, Some(&boss), entry, plan.limits.site_actions)?;
            Ok(done)
        };
        self.0.desk.write(work, move |done: &Done| done.tell(&shared)).await?;
        Ok(answer)
    }
}

/// An act with what it needs.
struct Plan {
    id: ActionId,
    by: PersonId,
    act: AdminAct,
    reason: String,
    invitation: Option<NewInvitation>,
    code: Option<TokenHash>,
    limits: DomainLimits,
    shared: Arc<Shared>,
}

/// What others are told once it is kept.
#[derive(Default)]
struct Done {
    ended: Vec<SessionId>,
    removed: Option<Removed>,
    gone: Option<Room>,
    cut: Vec<RoomId>,
    site: Option<Arc<Site>>,
    /// Who may do what is another thing in every room.
    roles: bool,
}

impl Done {
    fn tell(&self, shared: &Shared) {
        if let Some(site) = &self.site {
            shared.set_site(Arc::clone(site));
        }
        for room in &self.cut {
            shared.on_air().cut_room(*room, CutReason::ByAdministrator);
        }
        if let Some(room) = &self.gone {
            shared.on_air().cut_room(room.id, CutReason::RoomDeleted);
            shared.tell(DomainChange::RoomDeleted { id: room.id, slug: room.slug.clone() });
        }
        if let Some(removed) = &self.removed {
            removed.tell(shared);
        }
        shared.tell_ended(&self.ended);
        if self.roles {
            shared.tell(DomainChange::Anything);
        }
    }
}

impl Plan {
    /// Does it; gives what is written down, and what others are told.
    fn apply(&self, store: &mut dyn Store) -> Result<(Entry, Done), Error> {
        let mut done = Done::default();
        let mut entry = match &self.act {
            AdminAct::Promote { person, on } => {
                let (login, admin) = account(store, *person)?;
                if admin && !on {
                    must_not_be_last(store)?;
                }
                store.set_admin(*person, *on)?;
                done.roles = true;
                Entry::new(if *on { "promote" } else { "demote" }, login)
            }
            AdminAct::LogOut { person } => {
                let (login, _) = account(store, *person)?;
                done.ended = store.remove_sessions(*person, 0)?;
                Entry::new("log-out", login)
            }
            AdminAct::EndSession { person, session } => {
                let (login, _) = account(store, *person)?;
                if store.remove_session(*person, *session)? {
                    done.ended.push(*session);
                }
                Entry::new("end-session", login)
            }
            AdminAct::Lock { person, on } => {
                let (login, admin) = account(store, *person)?;
                if admin && *on {
                    return Err(Error::NotThat(NotThat::Administrator));
                }
                store.set_locked(*person, on.then(clock::now))?;
                if *on {
                    done.ended = store.remove_sessions(*person, 0)?;
                }
                Entry::new(if *on { "lock" } else { "unlock" }, login)
            }
            AdminAct::ResetPassword { person } => {
                let (login, _) = account(store, *person)?;
                let ends = later(clock::now(), RESET_LIFE);
                // Whoever has come to know the old one is out too.
                store.set_password(*person, &PasswordDigest::nobodys())?;
                if let Some(code) = &self.code {
                    store.add_reset(*person, code, ends)?;
                }
                done.ended = store.remove_sessions(*person, 0)?;
                Entry { until: Some(ends), ..Entry::new("reset-password", login) }
            }
            AdminAct::DeleteAccount { person } => {
                let (login, admin) = account(store, *person)?;
                if admin {
                    must_not_be_last(store)?;
                }
                done.removed = Some(remove_in(store, *person)?);
                Entry::new("delete-account", login)
            }
            AdminAct::DeleteRoom { room } => {
                let room = store.room(*room)?.ok_or(Error::NotFound)?;
                store.remove_room(room.id)?;
                let entry = Entry::new("delete-room", room.slug.as_str());
                done.gone = Some(room);
                entry
            }
            AdminAct::EndStream { room } => {
                let room = store.room(*room)?.ok_or(Error::NotFound)?;
                done.cut.push(room.id);
                Entry::new("end-stream", room.slug.as_str())
            }
            AdminAct::Ban { .. } | AdminAct::BanNetwork { .. } => self.ban(store, &mut done)?,
            AdminAct::Unban { ban } => {
                let ban = store.remove_site_ban(*ban)?;
                self.look_again(store, &mut done)?;
                Entry::new("unban", whom(&ban))
            }
            AdminAct::Registration(decided) => {
                store.set_setting(REGISTRATION, decided.map(Registration::as_str))?;
                self.look_again(store, &mut done)?;
                Entry::new("registration", decided.map_or("", Registration::as_str))
            }
            AdminAct::MakeRooms(decided) => {
                store.set_setting(MAKE_ROOMS, decided.map(MakeRooms::as_str))?;
                self.look_again(store, &mut done)?;
                Entry::new("make-rooms", decided.map_or("", MakeRooms::as_str))
            }
            AdminAct::Invite { .. } => {
                let invitation = self.invitation.as_ref().ok_or(Error::NotFound)?;
                store.add_invitation(invitation)?;
                Entry { until: Some(invitation.ends), ..Entry::new("invite", invitation.id.to_string()) }
            }
            AdminAct::RevokeInvitation { invitation } => {
                store.revoke_invitation(*invitation, clock::now())?;
                Entry::new("revoke-invitation", invitation.to_string())
            }
        };
        entry.reason.clone_from(&self.reason);
        Ok((entry, done))
    }

    fn ban(&self, store: &mut dyn Store, done: &mut Done) -> Result<Entry, Error> {
        let now = clock::now();
        let max = self.limits.site_bans;
        if Site::read(store, max, now)?.bans() >= max {
            return Err(Error::LimitReached { limit: Limit::Bans, max });
        }
        let (person, name, networks, seconds) = match &self.act {
            AdminAct::BanNetwork { network, seconds } => (None, String::new(), vec![bannable(network)?], seconds),
            AdminAct::Ban { person, seconds, household } => {
                let name = match store.person(*person)?.ok_or(Error::NotFound)? {
                    Person { kind: PersonKind::Account { admin: true, .. }, .. } => {
                        return Err(Error::NotThat(NotThat::Administrator));
                    }
                    Person { kind: PersonKind::Account { login, .. }, .. } => login,
                    Person { name, .. } => name,
                };
                let networks = if *household { places(store, *person, now, &self.limits.chat)? } else { Vec::new() };
                // Where they are logged in was asked for first.
                done.ended = store.remove_sessions(*person, 0)?;
                (Some(*person), name, networks, seconds)
            }
            _ => return Err(Error::NotFound),
        };
        let until = seconds.map(|seconds| later(now, Duration::from_secs(seconds.into())));
        // The name of who did it is written down with the action; here it is for the list.
        let by = store.person(self.by)?.map(|by| by.name).unwrap_or_default();
        let ban = SiteBan { id: self.id, person, name, networks, at: now, until, reason: self.reason.clone(), by };
        store.add_site_ban(&ban)?;
        self.look_again(store, done)?;
        let site = done.site.clone().unwrap_or_default();
        for room in self.shared.on_air().on_air() {
            let encoder = self.shared.on_air().status(room).encoder;
            let from = encoder.and_then(|encoder| encoder.from.parse::<IpAddr>().ok());
            if owner_banned(store, &site, room, from)? {
                done.cut.push(room);
            }
        }
        let act = if person.is_some() { "ban" } else { "ban-network" };
        Ok(Entry { until, ..Entry::new(act, whom(&ban)) })
    }

    /// What holds on the site is another thing from now on.
    fn look_again(&self, store: &dyn Store, done: &mut Done) -> Result<(), Error> {
        done.site = Some(Arc::new(Site::read(store, self.limits.site_bans, clock::now())?));
        done.roles = true;
        Ok(())
    }
}

/// The account's login, and whether it administers.
fn account(store: &dyn Store, person: PersonId) -> Result<(String, bool), Error> {
    match store.person(person)?.map(|person| person.kind) {
        Some(PersonKind::Account { login, admin }) => Ok((login, admin)),
        Some(PersonKind::Guest) | None => Err(Error::NotFound),
    }
}

fn must_not_be_last(store: &dyn Store) -> Result<(), Error> {
    if store.administrators()?.len() > 1 { Ok(()) } else { Err(Error::NotThat(NotThat::LastAdministrator)) }
}

/// The networks that somebody was in lately.
fn places(store: &dyn Store, person: PersonId, now: UnixMillis, limits: &ChatLimits) -> Result<Vec<Network>, Error> {
    let since = UnixMillis(now.0.saturating_sub(millis(SEEN_WITHIN)));
    let mut networks: Vec<Network> = Vec::new();
    for place in store.whereabouts(person, since, PLACES_OF_EACH)? {
        // Sessions keep addresses, the others what bans are about already.
        let network = match place.parse::<IpAddr>() {
            Ok(address) => prefix(address, limits).parse::<Network>(),
            Err(_) => place.parse(),
        };
        networks.extend(network.ok().map(Network::plain).filter(|network| !networks.contains(network)));
    }
    Ok(networks)
}

/// A network that may be banned.
fn bannable(typed: &str) -> Result<Network, Error> {
    let network: Network = typed.trim().parse().map_err(|_| Error::NotThat(NotThat::Network))?;
    let (v4, bits) = network.width();
    let widest = if v4 { WIDEST_V4 } else { WIDEST_V6 };
    if bits < widest { Err(Error::NotThat(NotThat::Network)) } else { Ok(network.plain()) }
}

/// Whom a ban is about, in words.
fn whom(ban: &SiteBan) -> String {
    match ban.person {
        Some(_) => ban.name.clone(),
        None => ban.networks.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}

fn later(at: UnixMillis, by: Duration) -> UnixMillis {
    UnixMillis(at.0.saturating_add(millis(by)))
}
