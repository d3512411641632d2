//! Writes the table of the embedded site from the manifest that `scripts/build-site` left in `target/site`
//! (elsewhere: `ORGTRAIL_SITE_DIR`). Without a manifest the table is empty, so that checks and tests need no browser half.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use serde::Deserialize;

/// `manifest.json`, as `scripts/pack-site.mjs` writes it.
#[derive(Default, Deserialize)]
struct Manifest {
    css: Option<String>,
    js: Option<String>,
    wasm: Option<String>,
    #[serde(default)]
    chunks: BTreeMap<String, Vec<String>>,
    files: Vec<File>,
}

/// One file of the site; `br` and `gzip` are the sizes of the compressed forms that lie beside it.
#[derive(Deserialize)]
struct File {
    path: String,
    r#type: String,
    immutable: bool,
    sha256: String,
    br: Option<u64>,
    gzip: Option<u64>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let site = site_dir()?;
    println!("cargo::rerun-if-env-changed=ORGTRAIL_SITE_DIR");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", site.display());
    let table = render(&site, &read_manifest(&site)?)?;
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("site.rs"), table)?;
    Ok(())
}

/// The folder to embed. The default one is made when it is missing: cargo would otherwise run this script, and compile
/// the server again, each time.
fn site_dir() -> Result<PathBuf, Box<dyn Error>> {
    if let Some(dir) = env::var_os("ORGTRAIL_SITE_DIR") {
        return Ok(fs::canonicalize(dir)?);
    }
    let site = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../target/site");
    fs::create_dir_all(&site)?;
    Ok(site.canonicalize()?)
}

fn read_manifest(site: &Path) -> Result<Manifest, Box<dyn Error>> {
    let path = site.join("manifest.json");
    if path.exists() {
        return Ok(serde_json::from_slice(&fs::read(path)?)?);
    }
    if env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        println!(
            "cargo::warning=no site in {}: pages will have no style and no script; run scripts/build-site first",
            site.display()
        );
    }
    Ok(Manifest::default())
}

/// Rust source of `NAMES` and `FILES`, whose types are in `src/site.rs`.
fn render(site: &Path, manifest: &Manifest) -> Result<String, std::fmt::Error> {
    let Manifest { css, js, wasm, chunks, files } = manifest;
    let chunks: String = chunks.iter().map(|(name, files)| format!("({name:?}, &{files:?}), ")).collect();
    let mut out = format!(
        "const NAMES: SiteNames = SiteNames {{ css: {css:?}, js: {js:?}, wasm: {wasm:?}, chunks: &[{chunks}] }};\n"
    );
    out += "static FILES: &[File] = &[\n";
    for file in files {
        let File { path, r#type, immutable, sha256, .. } = file;
        writeln!(
            out,
            "File {{ path: \"/{path}\", content_type: {type:?}, immutable: {immutable}, etag: {:?},",
            etag(sha256)
        )?;
        writeln!(out, "plain: {},", include(site, path))?;
        writeln!(out, "brotli: {},", file.br.map_or("None".into(), |_| some(&include(site, &format!("{path}.br")))))?;
        writeln!(
            out,
            "gzip: {} }},",
            file.gzip.map_or("None".into(), |_| some(&include(site, &format!("{path}.gz"))))
        )?;
    }
    out += "];\n";
    Ok(out)
}

/// Weak, because the compressed forms of a file share it.
fn etag(sha256: &str) -> String {
    format!("W/\"{sha256:.32}\"")
}

fn include(site: &Path, path: &str) -> String {
    let path = site.join(path).display().to_string();
    format!("include_bytes!({path:?})")
}

fn some(value: &str) -> String {
    format!("Some({value})")
}
