//! `madang serve`.

use crate::{Config, Server, Shutdown, open_files, telemetry};
use std::io::Write as _;

pub async fn serve(config: Config) -> anyhow::Result<()> {
    telemetry::start_logging(&config.log.filter).map_err(anyhow::Error::msg)?;
    open_files::raise();
    let shutdown = Shutdown::on_signals();
    let server = Server::bind(config, shutdown).await?;
    let addresses = server.addresses();
    let setup = server.set_up_link().await;
    // Scripts read these lines; a closed standard output is no reason not to serve.
    let mut out = std::io::stdout().lock();
    let _ = write!(out, "{addresses}").and_then(|()| out.flush());
    if let Some(link) = setup {
        let _ = writeln!(
            out,
            "Nobody administers this server yet. Whoever opens this first makes the account that does (once, within 24 hours, \
             until the server ends):\n  {link}"
        )
        .and_then(|()| out.flush());
    }
    drop(out);
    server.run().await?;
    Ok(())
}
