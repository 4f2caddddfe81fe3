//! `madang serve`.

use crate::{Config, Server, Shutdown, telemetry};
use std::io::Write as _;

pub async fn serve(config: Config) -> anyhow::Result<()> {
    telemetry::start_logging(&config.log.filter).map_err(anyhow::Error::msg)?;
    let shutdown = Shutdown::on_signals();
    let server = Server::bind(config, shutdown).await?;
    let addresses = server.addresses();
    // Scripts read these lines; a closed standard output is no reason not to serve.
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "http://{}\nrtmp://{}/live", addresses.http, addresses.rtmp).and_then(|()| out.flush());
    drop(out);
    server.offer_setup().await;
    server.run().await?;
    Ok(())
}
