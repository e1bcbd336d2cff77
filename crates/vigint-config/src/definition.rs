//! The one place where a key is declared: its name, type, default, environment variable and meaning.

/// How the value of a key may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// As it is.
    Plain,
    /// Never: `(set)` or `(none)`.
    Secret,
    /// A URL: with a password in it struck out.
    Masked,
}

/// One key of config.ini.
#[derive(Debug)]
pub(super) struct Definition {
    pub(super) section: &'static str,
    pub(super) key: &'static str,
    /// What it is when nobody says otherwise. Empty: none, or computed (see [`super::defaults`]).
    pub(super) default: &'static str,
    pub(super) environment: Option<&'static str>,
    pub(super) shown: Shown,
    pub(super) doc: &'static [&'static str],
}

impl Definition {
    /// The key's place among the settings of the `config` crate, which are case-sensitive.
    pub(super) fn path(&self) -> String {
        format!("{}.{}", self.section.to_ascii_lowercase(), self.key)
    }
}

/// One section of config.ini.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) name: &'static str,
    pub(super) doc: &'static [&'static str],
    pub(super) keys: &'static [Definition],
}

/// Declares a section: the struct with its fields, the definitions of its keys, and how they are read.
///
/// A key is `/// what it means`, then `[@secret|@masked] name: Type = "default"[, env NAME] => parser;`.
/// A parser takes the text and gives the value, or says what it must be.
macro_rules! section {
    (
        $(#[doc = $section_doc:literal])+
        $name:ident in $section:literal {
            $(
                $(#[doc = $doc:literal])+
                $(@ $shown:ident)? $key:ident: $type:ty = $default:literal $(, env $env:ident)? => $parse:expr;
            )+
        }
    ) => {
        $(#[doc = $section_doc])+
        #[derive(Clone, Debug)]
        pub struct $name {
            $($(#[doc = $doc])+ pub $key: $type,)+
        }

        impl $name {
            pub(super) const SECTION: $crate::definition::Section =
                $crate::definition::Section {
                    name: $section,
                    doc: &[$($section_doc),+],
                    keys: &[$($crate::definition::Definition {
                        section: $section,
                        key: stringify!($key),
                        default: $default,
                        environment: $crate::definition::section!(@environment $($env)?),
                        shown: $crate::definition::section!(@shown $($shown)?),
                        doc: &[$($doc),+],
                    }),+],
                };

            pub(super) fn read(reader: &mut $crate::origins::Reader<'_>) -> Option<Self> {
                $(let $key: Option<$type> = reader.read($section, stringify!($key), $parse);)+
                Some(Self { $($key: $key?),+ })
            }
        }
    };
    (@environment) => { None };
    (@environment $env:ident) => { Some(stringify!($env)) };
    (@shown) => { $crate::definition::Shown::Plain };
    (@shown secret) => { $crate::definition::Shown::Secret };
    (@shown masked) => { $crate::definition::Shown::Masked };
}
pub(super) use section;
