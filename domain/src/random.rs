//! Random bytes from the operating system, and the identifiers made of them.

use crate::error::{Error, StorageFault};

/// # Errors
/// [`StorageFault::Randomness`] when the operating system gives none.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], Error> {
    let mut out = [0_u8; N];
    getrandom::fill(&mut out).map_err(|cause| {
        tracing::error!(%cause, "the operating system gives no random bytes");
        Error::Storage(StorageFault::Randomness)
    })?;
    Ok(out)
}

/// 64 random bits, as identifiers take them.
///
/// # Errors
/// As [`bytes`].
pub(crate) fn bits() -> Result<u64, Error> {
    bytes().map(u64::from_le_bytes)
}
