//! Parts of the program that are downloaded when they are needed, and not with the first page: what `#[part]` puts before a function.
//!
//! On the server, and where the build does not split the front end (feature `split`, as `cargo xtask build` does), every part is there.

#[cfg(all(feature = "split", feature = "hydrate"))]
use leptos::wasm_split::rt::{LazySplitLoader, ensure_loaded};
#[cfg(all(feature = "split", feature = "hydrate"))]
use std::{
    pin::Pin,
    sync::atomic::{AtomicBool, Ordering},
};

/// One part.
pub struct Part {
    #[cfg(all(feature = "split", feature = "hydrate"))]
    loader: LazySplitLoader,
    #[cfg(all(feature = "split", feature = "hydrate"))]
    loaded: AtomicBool,
    #[cfg(feature = "ssr")]
    name: &'static str,
}

/// A part could not be downloaded. It may be asked for again.
#[cfg(feature = "hydrate")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotLoaded;

#[cfg(all(feature = "split", feature = "hydrate"))]
impl Part {
    pub const fn new(loader: LazySplitLoader) -> Self {
        Self { loader, loaded: AtomicBool::new(false) }
    }

    pub fn is_loaded(&self) -> bool {
        self.loaded.load(Ordering::Relaxed)
    }

    /// Downloads the part, unless it is there.
    ///
    /// # Errors
    /// [`NotLoaded`]; the console has the reason.
    pub async fn load(&'static self) -> Result<(), NotLoaded> {
        ensure_loaded(Pin::static_ref(&self.loader)).await.map_err(|_| NotLoaded)?;
        self.loaded.store(true, Ordering::Relaxed);
        Ok(())
    }
}

#[cfg(not(all(feature = "split", feature = "hydrate")))]
impl Part {
    pub const fn new(name: &'static str) -> Self {
        let _ = name;
        Self {
            #[cfg(feature = "ssr")]
            name,
        }
    }

    /// Has the page that is being made tell the browser to fetch the part at once.
    #[cfg(feature = "ssr")]
    pub fn announce(&self) {
        leptos::prefetch_lazy_fn_on_server(self.name);
    }

    /// Whether it is there: here it always is.
    #[cfg(feature = "hydrate")]
    pub const fn is_loaded(&self) -> bool {
        true
    }

    /// As where parts are downloaded.
    ///
    /// # Errors
    /// None here.
    #[cfg(feature = "hydrate")]
    pub async fn load(&'static self) -> Result<(), NotLoaded> {
        Ok(())
    }
}
