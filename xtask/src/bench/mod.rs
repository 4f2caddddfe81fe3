//! Measurements beside other programs, all in the same run.

use crate::{failure::Result, project::Project};

/// # Errors
/// When something cannot be measured.
pub fn bench(_project: &Project, _arguments: &[String]) -> Result<()> {
    Ok(())
}
