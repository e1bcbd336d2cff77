//! What comes into a program from the compilers: Rust's own library, and in a static program the C library.

use std::path::Path;

use anyhow::{Context as _, bail};
use spdx::Licensee;

use super::page::Part;
use super::texts;
use crate::cargo;
use crate::dist::program::Linkage;

const GLIBC: &str = "LGPL-2.1-or-later";
const LIBGCC: &str = "GPL-3.0-or-later WITH GCC-exception-3.1";

/// Rust's page on the licences of its library and of all that is in it, from its own folder.
pub(super) fn rust_page() -> anyhow::Result<Vec<u8>> {
    let output = cargo::command("rustc", &["--print", "sysroot"]).output();
    let sysroot = String::from_utf8(output.context("cannot run rustc")?.stdout)?;
    let path = Path::new(sysroot.trim()).join("share/doc/rust/COPYRIGHT-library.html");
    std::fs::read(&path).with_context(|| {
        format!(
            "Rust's own licences are not at {}: this Rust is not rustup's. Take the toolchain that \
             rust-toolchain.toml names (https://rustup.rs)",
            path.display()
        )
    })
}

/// The libraries of the compilers that are in a program.
pub(super) fn parts(linkage: Linkage) -> anyhow::Result<Vec<Part>> {
    let mut parts = vec![Part {
        name: "The Rust standard library".to_owned(),
        licence: "MIT OR Apache-2.0".to_owned(),
        home: "https://github.com/rust-lang/rust; its parts: RUST-LICENSES.html".to_owned(),
        texts: text("MIT", "The Rust Project contributors")?,
    }];
    if linkage == Linkage::Static {
        parts.push(Part {
            name: format!("The GNU C Library, {}", glibc_version()?),
            licence: GLIBC.to_owned(),
            home: "https://www.gnu.org/software/libc/".to_owned(),
            texts: text(GLIBC, "Free Software Foundation, Inc. and others")?,
        });
        parts.push(Part {
            name: "The GCC runtime library (libgcc)".to_owned(),
            licence: LIBGCC.to_owned(),
            home: "https://gcc.gnu.org/".to_owned(),
            texts: text(LIBGCC, "Free Software Foundation, Inc.")?,
        });
    }
    Ok(parts)
}

fn text(licence: &str, owner: &str) -> anyhow::Result<Vec<String>> {
    let licensee = Licensee::parse_mode(licence, spdx::ParseMode::LAX)
        .with_context(|| format!("{licence} is no SPDX licence"))?;
    Ok(texts::of_terms(&[licensee.into_req()], &[owner.to_owned()]))
}

fn glibc_version() -> anyhow::Result<String> {
    let output = cargo::command("getconf", &["GNU_LIBC_VERSION"]).output();
    let said = String::from_utf8(output.context("cannot run getconf")?.stdout)?;
    match said.trim().strip_prefix("glibc ") {
        Some(version) => Ok(format!("version {version}")),
        None => bail!(
            "getconf does not tell the version of the C library: it says '{}'",
            said.trim()
        ),
    }
}
