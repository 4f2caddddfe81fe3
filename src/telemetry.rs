//! Logging and metrics of the whole process.

mod redact;

use self::redact::Redacted;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::sync::OnceLock;
use tracing_subscriber::EnvFilter;

/// The one histogram: how far behind live viewers are. Its name, and the upper bounds of its classes in seconds.
pub const VIEWER_DELAY: &str = "madang_viewer_delay_seconds";
const VIEWER_DELAY_BOUNDS: [f64; 12] = [0.15, 0.2, 0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 60.0];

/// Starts logging to standard error, with whatever looks like a secret masked. `filter` is in the form of `RUST_LOG`, which wins over it.
///
/// # Errors
/// A sentence when the filter cannot be read.
pub fn start_logging(filter: &str) -> Result<(), String> {
    let filter = log_filter(&std::env::var("RUST_LOG").unwrap_or_else(|_| filter.to_owned()))?;
    let terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    // An error means that a subscriber is set already, as in tests: then that one is as good.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| Redacted(std::io::stderr()))
        .with_ansi(terminal)
        .with_target(false)
        .try_init();
    Ok(())
}

/// Reads a filter in the form of `RUST_LOG`.
///
/// # Errors
/// A sentence.
pub fn log_filter(text: &str) -> Result<EnvFilter, String> {
    EnvFilter::try_new(text).map_err(|error| format!("the log filter cannot be read: {error}"))
}

/// The process's metrics in Prometheus' text form. Installed once a process; tests that start many servers share it.
pub fn metrics() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let classes = Matcher::Full(VIEWER_DELAY.to_owned());
            let recorder = match PrometheusBuilder::new().set_buckets_for_metric(classes, &VIEWER_DELAY_BOUNDS) {
                Ok(builder) => builder.build_recorder(),
                // Refused for no classes at all only.
                Err(_) => PrometheusBuilder::new().build_recorder(),
            };
            let handle = recorder.handle();
            if metrics::set_global_recorder(recorder).is_err() {
                tracing::warn!("another metrics recorder is installed; /metrics stays empty");
            }
            handle
        })
        .clone()
}
