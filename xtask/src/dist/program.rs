//! The three programs as they are shipped: how each is linked, and which of our files go with it.

use clap::ValueEnum;

/// A program with an archive of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Program {
    Client,
    Server,
    Admin,
}

/// What of a program's libraries is in the program itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Linkage {
    /// Everything: it runs on any Linux of its processor.
    Static,
    /// Everything but the C and C++ libraries.
    System,
}

impl Program {
    pub(crate) const ALL: &'static [Self] = &[Self::Client, Self::Server, Self::Admin];

    /// Of the package, the program and the archive.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Client => "vigint-client",
            Self::Server => "vigint-server",
            Self::Admin => "vigint-admin",
        }
    }

    /// The client looks names up without the C library (`uplink/names.rs`). In the other two libpq and others call
    /// `getaddrinfo`, which in a static program loads the system's name service modules and dies in them where they
    /// are of another C library: the operator's system has one that fits.
    pub(crate) fn linkage(self) -> Linkage {
        match self {
            Self::Client => Linkage::Static,
            Self::Server | Self::Admin => Linkage::System,
        }
    }

    /// Features of the package that what is released has.
    pub(crate) fn features(self) -> &'static [&'static str] {
        match self {
            Self::Client => &[],
            Self::Server | Self::Admin => &["postgres-tls"],
        }
    }

    /// Files of this repository, and what they are called in the archive.
    pub(crate) fn files(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Client => &[
                ("docs/install.md", "README.md"),
                (".env.client_template", ".env.client_template"),
                ("deploy/vigint-client.service", "vigint-client.service"),
            ],
            Self::Server => &[
                ("docs/install.md", "README.md"),
                ("config.ini.example", "config.ini.example"),
                ("deploy/vigint-server.service", "vigint-server.service"),
                ("deploy/nginx.conf", "nginx.conf"),
            ],
            Self::Admin => &[("docs/install.md", "README.md")],
        }
    }
}
