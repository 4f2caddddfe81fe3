//! The command line: what `madang` can be told, and the few words it answers.

mod account;
mod doctor;
mod room;
mod serve;

use crate::{Config, telemetry};
use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use madang_domain::Domain;
use std::{net::SocketAddr, path::PathBuf};

/// Madang: live streaming for your own machine. Publish from OBS, watch in a browser, about a second behind.
///
/// Without a command it serves.
#[derive(Debug, Parser)]
#[command(name = "madang", version, about, subcommand_precedence_over_arg = true, after_help = ENVIRONMENT)]
pub struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Shown under the help; of a comment on [`Options`] nothing would be, for it is part of [`Cli`].
const ENVIRONMENT: &str =
    "Every option of the configuration file can also be given in the environment, as MADANG_… with its path:
MADANG_LIMITS_WS_ROOMS=4 sets ws_rooms in [limits]. Flags beat the environment, the environment beats the file.";

// What every command takes.
#[derive(Debug, Args)]
struct Options {
    /// The configuration file [default: ./Leptos.toml, if it is there]
    #[arg(long, global = true, value_name = "FILE", env = "MADANG_CONFIG")]
    config: Option<PathBuf>,
    /// The data directory [default: $XDG_DATA_HOME/madang]
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where to serve web pages and HTTP-FLV; port 0 takes any free one [default: 127.0.0.1:3000]
    #[arg(long, global = true, value_name = "ADDR")]
    http: Option<SocketAddr>,
    /// Where encoders publish; port 0 takes any free one [default: 0.0.0.0:1935]
    #[arg(long, global = true, value_name = "ADDR")]
    rtmp: Option<SocketAddr>,
    /// Where to serve the same over TLS, once [tls] has a certificate [default: 0.0.0.0:8443]
    #[arg(long, global = true, value_name = "ADDR")]
    https: Option<SocketAddr>,
    /// Where encoders publish over TLS, once [tls] has a certificate [default: nowhere]
    #[arg(long, global = true, value_name = "ADDR")]
    rtmps: Option<SocketAddr>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until told to stop (Ctrl-C or SIGTERM); prints the addresses it listens on, one per line
    Serve,
    /// Make, list, delete rooms and their stream keys; works beside a running server
    #[command(subcommand)]
    Room(room::RoomCommand),
    /// Make, list, change, delete accounts, and invite people; works beside a running server
    #[command(subcommand)]
    Account(account::AccountCommand),
    /// Copy the database to FILE while the server runs; restore by putting it back as madang.sqlite3
    Backup {
        /// The copy; it must not exist yet
        file: PathBuf,
    },
    /// Look for what would keep the server from working, and say what to do
    Doctor,
    /// Read the configuration and say what is wrong with it
    #[command(subcommand)]
    Config(ConfigCommand),
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Read the file, the environment and the flags as `serve` does, and print what holds
    Check,
}

impl Cli {
    /// Carries out the command.
    ///
    /// # Errors
    /// A chain of sentences for standard error.
    pub async fn run(self) -> anyhow::Result<()> {
        let config = self.options.load()?;
        match self.command.unwrap_or(Command::Serve) {
            Command::Serve => serve::serve(config).await,
            Command::Room(command) => room::run(&open(&config)?, command).await,
            Command::Account(command) => account::run(&config, &open(&config)?, command).await,
            Command::Backup { file } => {
                open(&config)?
                    .backup(&file)
                    .await
                    .with_context(|| format!("no backup was made to {}", file.display()))?;
                println!("{}", file.display());
                Ok(())
            }
            Command::Doctor => doctor::run(&config).await,
            Command::Config(ConfigCommand::Check) => {
                print!("{}", config.to_toml());
                Ok(())
            }
        }
    }
}

impl Options {
    fn load(&self) -> anyhow::Result<Config> {
        let mut config = Config::load(self.config.as_deref(), std::env::vars())?;
        if let Some(data) = &self.data {
            config.data.clone_from(data);
        }
        config.http = self.http.unwrap_or(config.http);
        config.rtmp = self.rtmp.unwrap_or(config.rtmp);
        config.https = self.https.unwrap_or(config.https);
        config.rtmps = self.rtmps.or(config.rtmps);
        // What a flag has made of it may lack something that the file alone did not.
        config.check()?;
        Ok(config)
    }
}

/// The domain as commands use it: beside a server that may be running, so with warnings only in the log.
fn open(config: &Config) -> anyhow::Result<Domain> {
    telemetry::start_logging("warn").map_err(anyhow::Error::msg)?;
    let directory = config.data_dir();
    let config = Config { limits: config.limits.in_force(), ..config.clone() };
    Domain::open_with(&directory, config.domain())
        .with_context(|| format!("the data directory {} cannot be opened", directory.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    /// Every command with the words that lead to it.
    fn commands(command: &clap::Command, path: &str) -> Vec<(String, clap::Command)> {
        let deeper = command.get_subcommands().flat_map(|sub| commands(sub, &format!("{path} {}", sub.get_name())));
        [(path.to_owned(), command.clone())].into_iter().chain(deeper).collect()
    }

    #[test]
    fn every_command_and_argument_says_what_it_is_for() {
        let mut cli = Cli::command();
        cli.build();
        let all: Vec<_> = commands(&cli, "madang").into_iter().filter(|(path, _)| !path.contains(" help")).collect();
        assert!(all.len() > 12, "all commands are looked at");
        for (path, command) in &all {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            assert!(about.len() > 20, "{path}: {about}");
            for argument in command.get_arguments() {
                let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.len() > 9, "{path} {}: {help}", argument.get_id());
            }
        }
    }

    #[test]
    fn the_helps_tell_of_the_environment_and_list_the_choices() {
        let mut cli = Cli::command();
        assert!(cli.render_help().to_string().contains("MADANG_LIMITS_WS_ROOMS=4 sets ws_rooms"));
        for command in ["create", "edit"] {
            let room = cli.find_subcommand_mut("room").and_then(|room| room.find_subcommand_mut(command));
            let help = room.expect("there").render_long_help().to_string();
            let choices = madang_protocol::validation::CATEGORIES.into_iter().chain(["한국어", "English"]);
            assert!(choices.clone().all(|choice| help.contains(choice)), "{command}: {help}");
        }
    }
}
