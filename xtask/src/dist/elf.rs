//! How a program is linked, from its own headers.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use anyhow::{Context as _, ensure};
use object::elf::{self, FileHeader64, PT_INTERP};
use object::read::elf::{Dyn as _, ElfFile64, FileHeader as _, ProgramHeader as _};
use object::{Endianness, Object as _, ObjectSection as _};

/// Before the version of the C library that a symbol is of.
const OF_GLIBC: &str = "GLIBC_";

/// What a program needs of the system it runs on.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Linking {
    /// Whether it can be loaded at any address.
    pub(super) is_position_independent: bool,
    /// Whether another program must load it (`ld.so`).
    pub(super) needs_loader: bool,
    /// The libraries that it is loaded with.
    pub(super) libraries: Vec<String>,
    /// The newest version of the C library that it has a symbol of.
    pub(super) glibc: Option<(u32, u32)>,
}

impl Linking {
    /// Whether it needs nothing but the kernel.
    pub(super) fn is_static_pie(&self) -> bool {
        self.is_position_independent && !self.needs_loader && self.libraries.is_empty()
    }
}

impl fmt::Display for Linking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_static_pie() {
            return f.write_str("static-pie, needs no library");
        }
        write!(f, "needs {}", self.libraries.join(", "))?;
        match self.glibc {
            Some((major, minor)) => write!(f, "; glibc {major}.{minor} or later"),
            None => Ok(()),
        }
    }
}

/// Reads the headers of a program.
pub(super) fn read(program: &Path) -> anyhow::Result<Linking> {
    let bytes =
        std::fs::read(program).with_context(|| format!("cannot read {}", program.display()))?;
    parse(&bytes).with_context(|| format!("{} is no ELF program", program.display()))
}

fn parse(bytes: &[u8]) -> anyhow::Result<Linking> {
    let file = ElfFile64::<Endianness>::parse(bytes)?;
    let endian = file.endian();
    let header: &FileHeader64<Endianness> = file.elf_header();
    let kind = header.e_type(endian);
    ensure!(
        kind == elf::ET_DYN || kind == elf::ET_EXEC,
        "it cannot be run"
    );
    let strings = file.section_by_name(".dynstr");
    let strings = strings.map_or(Ok(&[][..]), |section| section.data())?;
    let mut linking = Linking {
        is_position_independent: kind == elf::ET_DYN,
        glibc: newest_glibc(strings),
        ..Linking::default()
    };
    for part in header.program_headers(endian, bytes)? {
        linking.needs_loader |= part.p_type(endian) == PT_INTERP;
        let entries = part.dynamic(endian, bytes)?.unwrap_or_default();
        for entry in entries {
            if entry.tag(endian) == elf::DT_NEEDED {
                let at = usize::try_from(entry.d_val.get(endian))?;
                linking.libraries.push(string(strings, at));
            }
        }
    }
    Ok(linking)
}

/// The text that begins here and ends with a zero.
fn string(strings: &[u8], at: usize) -> String {
    let rest = strings.get(at..).unwrap_or_default();
    let text = rest.split(|&byte| byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

fn newest_glibc(strings: &[u8]) -> Option<(u32, u32)> {
    let names = strings.split(|&byte| byte == 0);
    let versions: BTreeSet<(u32, u32)> = names
        .filter_map(|name| {
            let version = std::str::from_utf8(name).ok()?.strip_prefix(OF_GLIBC)?;
            let mut numbers = version.split('.').map(str::parse);
            Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
        })
        .collect();
    versions.last().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_test_needs_its_loader_and_the_c_library() {
        let linking = read(&std::env::current_exe().unwrap()).unwrap();
        assert!(linking.is_position_independent && linking.needs_loader);
        assert!(
            linking.libraries.contains(&"libc.so.6".to_owned()),
            "{linking}"
        );
        assert!(
            linking.glibc.is_some_and(|version| version > (2, 17)),
            "{linking}"
        );
        assert!(!linking.is_static_pie());
    }

    #[test]
    fn a_script_is_no_elf_program() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("script");
        std::fs::write(&path, "#!/bin/sh\n").unwrap();
        assert!(read(&path).is_err());
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        let strings = b"\0GLIBC_2.9\0GLIBC_2.34\0GLIBC_PRIVATE\0GLIBC_2.2.5\0";
        assert_eq!(newest_glibc(strings), Some((2, 34)));
        assert_eq!(newest_glibc(b"\0libc.so.6\0"), None);
    }
}
