//! `madang account …`: everything that accounts need without a browser, beside a running server.

use super::room::{must_not_be_empty, words};
use crate::Config;
use anyhow::{Context as _, bail};
use clap::Subcommand;
use madang_domain::{Domain, Error, PersonKind, StoredAccount, StoredInvitation};
use madang_protocol::InvitationId;
use serde_json::json;
use std::io::Read as _;

#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Make an account; the password is read from standard input, so that no process list shows it
    Create {
        /// The login, which is also the name shown
        #[arg(long, value_name = "NAME")]
        name: String,
        /// Read the password from standard input, up to its first line end
        #[arg(long, required = true)]
        password_stdin: bool,
        /// Make it an administrator
        #[arg(long)]
        admin: bool,
    },
    /// List every account, a line each: login, whether it administers, rooms, browsers logged in
    List,
    /// Give an account another password and log it out everywhere
    Password {
        /// The account's login
        name: String,
        /// Read the password from standard input, up to its first line end
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// Make an account an administrator
    Promote {
        /// The account's login
        name: String,
        /// Take it away again instead
        #[arg(long)]
        undo: bool,
    },
    /// Delete an account with its rooms, their keys and chats; what it wrote elsewhere stays without a name
    Delete {
        /// The account's login
        name: String,
    },
    /// Log an account out everywhere
    LogOut {
        /// The account's login
        name: String,
    },
    /// Make an invitation to register; prints {"invitation":…,"code":…,"address":…}, the only time that the code is shown
    Invite {
        /// How many people may register by it
        #[arg(long, value_name = "N", default_value_t = 1)]
        uses: u32,
        /// How many days it lasts
        #[arg(long, value_name = "N", default_value_t = 7)]
        days: u32,
    },
    /// List the invitations that may be used yet, a line each: id, used, when they end
    Invitations,
    /// Revoke an invitation; those who came by it stay
    RevokeInvitation {
        /// The invitation's id, as `account invitations` lists it
        id: String,
    },
}

/// More than any password may have.
const PASSWORD_INPUT_MAX: u64 = 4 * 1024;

pub async fn run(config: &Config, domain: &Domain, command: AccountCommand) -> anyhow::Result<()> {
    match command {
        AccountCommand::Create { name, password_stdin, admin } => {
            let password = password(password_stdin)?;
            let person = domain.create_account(&name, &password, admin).await.map_err(explain)?;
            println!("{}", json!({ "id": person.id, "name": person.name, "admin": admin }));
        }
        AccountCommand::List => {
            for StoredAccount { person, rooms, sessions, .. } in domain.accounts().await.map_err(explain)? {
                let PersonKind::Account { login, admin } = person.kind else { continue };
                let role = if admin { "administrator" } else { "account" };
                println!("{login}\t{role}\t{rooms} rooms\t{sessions} browsers");
            }
        }
        AccountCommand::Password { name, password_stdin } => {
            domain.set_password(&name, &password(password_stdin)?).await.map_err(explain)?;
        }
        AccountCommand::Promote { name, undo } => domain.set_admin(&name, !undo).await.map_err(explain)?,
        AccountCommand::Delete { name } => domain.delete_account_of(&name).await.map_err(explain)?,
        AccountCommand::LogOut { name } => {
            let person = domain.account(&name).await.and_then(|found| found.ok_or(Error::NotFound)).map_err(explain)?;
            println!("{}", json!({ "logged_out": domain.log_out_everywhere(person.id).await.map_err(explain)? }));
        }
        AccountCommand::Invite { uses, days } => {
            let (id, code) = domain.invite(uses, days).await.map_err(explain)?;
            let site = config.public.url.trim_end_matches('/');
            let address = format!("{site}/register?invite={}", code.expose());
            println!("{}", json!({ "invitation": id, "code": code.expose(), "address": address }));
        }
        AccountCommand::Invitations => {
            for StoredInvitation { id, uses, used, ends, .. } in domain.invitations().await.map_err(explain)? {
                println!("{id}\t{used} of {uses}\tuntil {}", ends.utc());
            }
        }
        AccountCommand::RevokeInvitation { id } => {
            let id: InvitationId = id
                .parse()
                .with_context(|| format!("{id} is not an invitation's id; `madang account invitations` lists them"))?;
            domain.revoke_invitation(id).await.map_err(explain)?;
        }
    }
    Ok(())
}

fn password(from_stdin: bool) -> anyhow::Result<String> {
    if !from_stdin {
        bail!("give the password on standard input, with --password-stdin");
    }
    let mut input = String::new();
    std::io::stdin()
        .lock()
        .take(PASSWORD_INPUT_MAX)
        .read_to_string(&mut input)
        .context("standard input cannot be read")?;
    let password = input.lines().next().unwrap_or_default();
    must_not_be_empty(password, "the password on standard input")?;
    Ok(password.to_owned())
}

/// A domain's error in a sentence.
fn explain(error: Error) -> anyhow::Error {
    match error {
        Error::Invalid(issues) => anyhow::Error::msg(words(&issues)),
        Error::NotFound => anyhow::Error::msg("there is no such account or invitation"),
        other => other.into(),
    }
}
