//! Lists `target/site`, as cargo-leptos left it, for embedding into a release binary. A development build serves the folder itself.
//! The folder may be absent: then the binary has pages without styles and scripts, and says so when it starts.

use std::{
    collections::BTreeMap,
    env,
    fmt::Write as _,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
};

/// The plain file and its precompressed forms, as far as they exist.
#[derive(Default)]
struct Forms {
    plain: Option<PathBuf>,
    brotli: Option<PathBuf>,
    gzip: Option<PathBuf>,
}

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let site = root.join("target/site");
    println!("cargo::rerun-if-changed=build.rs");
    let mut assets = BTreeMap::<String, Forms>::new();
    if env::var("PROFILE").as_deref() == Ok("release") {
        println!("cargo::rerun-if-changed={}", site.display());
        collect(&site, &site, &mut assets);
    }
    let mut list = String::from("&[\n");
    for (path, forms) in &assets {
        let Some(plain) = &forms.plain else { continue };
        let include = |file: &Path| format!("include_bytes!({file:?})");
        let optional = |file: &Option<PathBuf>| {
            file.as_deref().map_or("None".to_owned(), |file| format!("Some({})", include(file)))
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            list,
            "    Asset {{ path: {path:?}, plain: {}, brotli: {}, gzip: {} }},",
            include(plain),
            optional(&forms.brotli),
            optional(&forms.gzip)
        );
    }
    list.push(']');
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("assets.rs");
    if let Err(error) = fs::write(&out, list) {
        println!("cargo::error={} cannot be written: {error}", out.display());
    }
    // A page notices a new server by this, also between two builds of one version: assets carry their content in their names.
    let mut hasher = DefaultHasher::new();
    assets.keys().for_each(|path| path.hash(&mut hasher));
    let build = format!("{}+{:08x}", env::var("CARGO_PKG_VERSION").unwrap_or_default(), hasher.finish() >> 32);
    println!("cargo::rustc-env=MADANG_VERSION={build}");
}

fn collect(site: &Path, folder: &Path, assets: &mut BTreeMap<String, Forms>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let file = entry.path();
        if file.is_dir() {
            collect(site, &file, assets);
            continue;
        }
        println!("cargo::rerun-if-changed={}", file.display());
        // Declarations that wasm-bindgen leaves beside its script are for compilers.
        if file.to_str().is_some_and(|name| [".ts", ".ts.br", ".ts.gz"].iter().any(|end| name.ends_with(end))) {
            continue;
        }
        let Some(relative) = file.strip_prefix(site).ok().and_then(Path::to_str) else { continue };
        let (name, slot): (&str, fn(&mut Forms) -> &mut Option<PathBuf>) = match relative {
            name if name.ends_with(".br") => (&name[..name.len() - 3], |forms| &mut forms.brotli),
            name if name.ends_with(".gz") => (&name[..name.len() - 3], |forms| &mut forms.gzip),
            name => (name, |forms| &mut forms.plain),
        };
        *slot(assets.entry(format!("/{name}")).or_default()) = Some(file.clone());
    }
}
