//! How much memory the module's stack takes in each page.

use std::env;

/// In bytes; the compiler's own is 1 MiB. It lies before everything else in memory, so running over it is a trap and no damage.
const STACK: u32 = 256 * 1024;

fn main() {
    let set = |name| env::var(name).unwrap_or_default();
    // Code that is not optimised takes several times as much.
    if set("CARGO_CFG_TARGET_ARCH") == "wasm32" && set("OPT_LEVEL") != "0" {
        println!("cargo::rustc-link-arg-cdylib=-zstack-size={STACK}");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
