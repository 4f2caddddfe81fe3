//! AVC stub
