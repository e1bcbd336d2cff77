//! Rust as a row of words and signs: without comments, with the line of each, and without its tests.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::Problem;
use super::tree::TextFile;

/// One word or sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) line: usize,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Word(String),
    Sign(char),
    Literal(String),
    Open(Delimiter),
    Close(Delimiter),
}

impl Token {
    pub(super) fn word(&self) -> Option<&str> {
        match &self.kind {
            Kind::Word(word) => Some(word),
            _ => None,
        }
    }

    pub(super) fn is(&self, kind: &Kind) -> bool {
        self.kind == *kind
    }

    fn is_word(&self, wanted: &str) -> bool {
        self.word() == Some(wanted)
    }
}

/// The tokens of a file that are compiled into the program: what is under `#[cfg(test)]` is left out.
pub(super) fn shipped(file: &TextFile) -> Result<Vec<Token>, Problem> {
    Ok(without_tests(&all(file)?))
}

fn all(file: &TextFile) -> Result<Vec<Token>, Problem> {
    let stream: TokenStream = file.text.parse().map_err(|error: proc_macro2::LexError| {
        let line = error.span().start().line;
        Problem::new(
            &file.path,
            line,
            "this is no Rust",
            "Mend it so that it compiles",
        )
    })?;
    let mut tokens = Vec::new();
    flatten(stream, &mut tokens);
    Ok(tokens)
}

fn flatten(stream: TokenStream, tokens: &mut Vec<Token>) {
    for tree in stream {
        let line = tree.span().start().line;
        let mut push = |line, kind| tokens.push(Token { line, kind });
        match tree {
            TokenTree::Ident(word) => push(line, Kind::Word(word.to_string())),
            TokenTree::Punct(sign) => push(line, Kind::Sign(sign.as_char())),
            TokenTree::Literal(literal) => push(line, Kind::Literal(literal.to_string())),
            TokenTree::Group(group) => {
                push(line, Kind::Open(group.delimiter()));
                flatten(group.stream(), tokens);
                let line = group.span_close().start().line;
                tokens.push(Token {
                    line,
                    kind: Kind::Close(group.delimiter()),
                });
            }
        }
    }
}

/// Leaves out each item that stands behind `#[cfg(test)]`, to its `;` or its closing brace.
fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let mut kept = Vec::with_capacity(tokens.len());
    let mut rest = tokens;
    while let Some((first, behind)) = rest.split_first() {
        if let Some(item) = after_cfg_test(rest) {
            rest = after_item(item);
        } else {
            kept.push(first.clone());
            rest = behind;
        }
    }
    kept
}

fn after_cfg_test(tokens: &[Token]) -> Option<&[Token]> {
    let [hash, open, cfg, paren, test, close, end, item @ ..] = tokens else {
        return None;
    };
    let is_it = hash.is(&Kind::Sign('#'))
        && open.is(&Kind::Open(Delimiter::Bracket))
        && cfg.is_word("cfg")
        && paren.is(&Kind::Open(Delimiter::Parenthesis))
        && test.is_word("test")
        && close.is(&Kind::Close(Delimiter::Parenthesis))
        && end.is(&Kind::Close(Delimiter::Bracket));
    is_it.then_some(item)
}

fn after_item(tokens: &[Token]) -> &[Token] {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Open(_) => depth += 1,
            Kind::Close(delimiter) => {
                depth = depth.saturating_sub(1);
                if depth == 0 && delimiter == Delimiter::Brace {
                    return tokens.get(index + 1..).unwrap_or_default();
                }
            }
            Kind::Sign(';') if depth == 0 => return tokens.get(index + 1..).unwrap_or_default(),
            _ => {}
        }
    }
    &[]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let file = TextFile {
            path: "a.rs".into(),
            text: text.into(),
        };
        let tokens = shipped(&file).unwrap();
        tokens
            .iter()
            .filter_map(|token| token.word().map(str::to_owned))
            .collect()
    }

    #[test]
    fn comments_and_tests_are_left_out() {
        let text = "// a\n#[cfg(test)]\n#[allow(b)]\nmod tests { fn c() { d(); } }\n\
            #[cfg(test)]\nuse e::{f};\nfn g() {}\n#[cfg(feature = \"h\")]\nmod i;";
        assert_eq!(words(text), ["fn", "g", "cfg", "feature", "mod", "i"]);
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_line() {
        let file = TextFile {
            path: "a.rs".into(),
            text: "fn a() {\n\n)".into(),
        };
        assert_eq!(shipped(&file).unwrap_err().line, 3);
    }
}
