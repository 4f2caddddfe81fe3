//! AAC stub
