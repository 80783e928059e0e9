//! Tells the compiler where the built pages are; without them the program still builds and says so.

use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let built = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../../web/dist");
    println!("cargo::rerun-if-changed={}", built.display());
    println!("cargo::rerun-if-changed=../../jobs");
    let pages = if built.join("index.html").exists() {
        built.canonicalize()?
    } else {
        let empty = PathBuf::from(std::env::var("OUT_DIR").unwrap_or_default()).join("pages");
        std::fs::create_dir_all(&empty)?;
        std::fs::write(
            empty.join("index.html"),
            "<!doctype html><title>Lode</title><p>Built without its pages: run cargo xtask demo.",
        )?;
        empty
    };
    println!("cargo::rustc-env=LODE_PAGES={}", pages.display());
    Ok(())
}
