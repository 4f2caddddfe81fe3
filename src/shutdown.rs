//! One flag that everything long-lived watches, and the signals that raise it.

use tokio::sync::watch;

/// A request to stop, seen by every clone. Once made it stays.
#[derive(Clone, Debug)]
pub struct Shutdown {
    flag: watch::Receiver<bool>,
}

/// The one who may ask. Dropping it asks too, so that nothing outlives its owner.
#[derive(Debug)]
pub struct ShutdownHandle {
    flag: watch::Sender<bool>,
}

impl Shutdown {
    pub fn new() -> (ShutdownHandle, Self) {
        let (sender, receiver) = watch::channel(false);
        (ShutdownHandle { flag: sender }, Self { flag: receiver })
    }

    /// Raised by SIGINT (Ctrl-C) or SIGTERM.
    pub fn on_signals() -> Self {
        let (handle, shutdown) = Self::new();
        tokio::spawn(async move {
            signal().await;
            handle.request();
        });
        shutdown
    }

    /// Waits until somebody asked, or nobody can any more.
    pub async fn requested(&mut self) {
        // An error means that the handle is gone, which is a request too.
        let _ = self.flag.wait_for(|asked| *asked).await;
    }

    pub fn is_requested(&self) -> bool {
        *self.flag.borrow()
    }

    /// The bare flag, for modules that take it without knowing this type.
    pub fn flag(&self) -> watch::Receiver<bool> {
        self.flag.clone()
    }
}

impl ShutdownHandle {
    pub fn request(&self) {
        self.flag.send_replace(true);
    }
}

impl Drop for ShutdownHandle {
    fn drop(&mut self) {
        self.request();
    }
}

async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_dropped_handle_is_a_request() {
        let (handle, mut shutdown) = Shutdown::new();
        assert!(!shutdown.is_requested());
        drop(handle);
        shutdown.requested().await;
    }
}
