//! `madang account …`.

use super::room::{explain, must_not_be_empty};
use anyhow::{Context as _, bail};
use clap::Subcommand;
use madang_domain::Domain;
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
}

/// More than any password may have.
const PASSWORD_INPUT_MAX: u64 = 4 * 1024;

pub async fn run(domain: &Domain, command: AccountCommand) -> anyhow::Result<()> {
    let AccountCommand::Create { name, password_stdin, admin } = command;
    if !password_stdin {
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
    let person = domain.create_account(&name, password, admin).await.map_err(explain)?;
    println!("{}", json!({ "id": person.id, "name": person.name, "admin": admin }));
    Ok(())
}
