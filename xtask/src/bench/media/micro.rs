//! What single steps of a frame's way cost, in a program of their own.

use crate::{
    bench::{
        Plan,
        report::circumstances,
        rig::{Rig, SERVER_CORE, pinned},
    },
    failure::{Failure, Result},
    process::ask,
};

/// The tables as the program gives them.
pub fn measure(rig: &Rig, plan: Plan) -> Result<String> {
    let mut program = pinned(Some(SERVER_CORE), &rig.compiled("bench-micro")?);
    program.arg(if plan.keep { "7" } else { "1" }).arg(&rig.file);
    let tables = ask(&mut program).ok_or_else(|| Failure::new("bench-micro failed; run it by hand to see why"))?;
    Ok(format!("{}\n\n{tables}\n", circumstances()))
}
