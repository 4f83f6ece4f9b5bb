//! Our sources, read as the compiler reads them: every function with its name, its owner and the tokens of its body, those
//! inside of macros too. Tests are left out.

use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;

/// A token; groups are flat, with their brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    Word(String),
    /// A text, without its quotes.
    Text(String),
    Sign(char),
}

impl Token {
    pub(crate) fn word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            _ => None,
        }
    }

    pub(crate) fn is(&self, sign: char) -> bool {
        *self == Self::Sign(sign)
    }
}

/// A function of ours.
#[derive(Debug, Clone)]
pub(crate) struct Function {
    pub(crate) file: PathBuf,
    /// The type whose `impl` it is in.
    pub(crate) owner: Option<String>,
    /// The trait that it implements, or whose default it is.
    pub(crate) of: Option<String>,
    pub(crate) name: String,
    pub(crate) calls: Vec<Call>,
}

/// A call that a function makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    /// What stands before it: `ledger` in `self.ledger.save(…)`, `orders` in `orders::load(…)`; none for a bare name, and
    /// for a method of an expression.
    pub(crate) on: Option<String>,
    pub(crate) is_method: bool,
    pub(crate) name: String,
    /// All tokens between its brackets.
    pub(crate) arguments: Vec<Token>,
}

/// A field of a struct, or a parameter: its name, and the tokens of its type.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) kind: Vec<Token>,
}

/// What the sources below a folder hold.
#[derive(Default)]
pub(crate) struct Sources {
    pub(crate) functions: Vec<Function>,
    pub(crate) named: Vec<Named>,
    /// All tokens of all items but `use`, with their file.
    pub(crate) tokens: Vec<(PathBuf, Vec<Token>)>,
    /// Those of `use`.
    pub(crate) uses: Vec<(PathBuf, Vec<Token>)>,
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Reads all sources below `folder` of the workspace, but for tests.
pub(crate) fn read(folder: &str) -> Sources {
    let mut sources = Sources::default();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs") && !is_test(&path) {
                sources.add(&path, &std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    sources
}

/// A module of unit tests in a file or folder of its own.
fn is_test(path: &Path) -> bool {
    let inside = path.strip_prefix(root()).unwrap();
    inside.components().any(|part| ["tests", "tests.rs"].iter().any(|name| part.as_os_str() == *name))
}

fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let text = attribute.to_token_stream().to_string();
        text.contains("cfg (test)") || text.contains("cfg(test)")
    })
}

impl Sources {
    /// Adds what stands in a file.
    pub(crate) fn add(&mut self, path: &Path, text: &str) {
        let file = syn::parse_file(text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        self.items(path, &file.items);
    }

    fn items(&mut self, path: &Path, items: &[syn::Item]) {
        for item in items {
            match item {
                syn::Item::Use(_) => {
                    self.uses.push((path.to_owned(), flat(item.to_token_stream())));
                    continue;
                }
                syn::Item::Mod(module) if is_for_tests(&module.attrs) => continue,
                syn::Item::Mod(module) => {
                    self.items(path, module.content.as_ref().map_or(&[], |(_, items)| items));
                    continue;
                }
                syn::Item::Fn(function) => self.function(path, None, None, &function.sig, &function.block),
                syn::Item::Impl(block) => self.implementation(path, block),
                syn::Item::Trait(definition) => self.defaults(path, definition),
                syn::Item::Struct(definition) => self.fields(&definition.fields),
                _ => {}
            }
            self.tokens.push((path.to_owned(), flat(item.to_token_stream())));
        }
    }

    fn implementation(&mut self, path: &Path, block: &syn::ItemImpl) {
        if is_for_tests(&block.attrs) {
            return;
        }
        let owner = last_word(block.self_ty.to_token_stream());
        let of = block.trait_.as_ref().and_then(|(path, _)| last_word(path.to_token_stream()));
        for item in &block.items {
            if let syn::ImplItem::Fn(function) = item {
                self.function(path, owner.clone(), of.clone(), &function.sig, &function.block);
            }
        }
    }

    fn defaults(&mut self, path: &Path, definition: &syn::ItemTrait) {
        for item in &definition.items {
            if let syn::TraitItem::Fn(function) = item {
                let empty = syn::Block { brace_token: Default::default(), stmts: Vec::new() };
                let of = Some(definition.ident.to_string());
                self.function(path, None, of, &function.sig, function.default.as_ref().unwrap_or(&empty));
            }
        }
    }

    fn fields(&mut self, fields: &syn::Fields) {
        for field in fields {
            let name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
            self.named.push(Named { name, kind: flat(field.ty.to_token_stream()) });
        }
    }

    fn function(
        &mut self,
        path: &Path,
        owner: Option<String>,
        of: Option<String>,
        signature: &syn::Signature,
        body: &syn::Block,
    ) {
        for input in &signature.inputs {
            if let syn::FnArg::Typed(input) = input {
                let name = last_word(input.pat.to_token_stream()).unwrap_or_default();
                self.named.push(Named { name, kind: flat(input.ty.to_token_stream()) });
            }
        }
        let calls = calls(&flat(body.to_token_stream()));
        let name = signature.ident.to_string();
        self.functions.push(Function { file: path.to_owned(), owner, of, name, calls });
    }
}

/// The name of a type or path: its last word outside of `<…>`.
fn last_word(tokens: TokenStream) -> Option<String> {
    let flat = flat(tokens);
    let before = flat.iter().take_while(|token| !token.is('<'));
    before.filter_map(Token::word).last().map(str::to_owned)
}

fn flat(tokens: TokenStream) -> Vec<Token> {
    let mut all = Vec::new();
    for tree in tokens {
        match tree {
            TokenTree::Ident(word) => all.push(Token::Word(word.to_string())),
            TokenTree::Punct(sign) => all.push(Token::Sign(sign.as_char())),
            TokenTree::Literal(literal) => all.push(text(&literal)),
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ('(', ')'),
                    Delimiter::Brace => ('{', '}'),
                    Delimiter::Bracket => ('[', ']'),
                    Delimiter::None => (' ', ' '),
                };
                all.push(Token::Sign(open));
                all.extend(flat(group.stream()));
                all.push(Token::Sign(close));
            }
        }
    }
    all
}

fn text(literal: &proc_macro2::Literal) -> Token {
    let text: Option<syn::LitStr> = syn::parse_str(&literal.to_string()).ok();
    Token::Text(text.map_or_else(|| literal.to_string(), |text| text.value()))
}

fn calls(tokens: &[Token]) -> Vec<Call> {
    (0..tokens.len()).filter_map(|at| call(tokens, at)).collect()
}

/// The call whose name stands at this place, if one does.
fn call(tokens: &[Token], at: usize) -> Option<Call> {
    let name = tokens[at].word()?.to_owned();
    if !tokens.get(at + 1)?.is('(') {
        return None;
    }
    let before = |back: usize| at.checked_sub(back).and_then(|place| tokens.get(place));
    let is_method = before(1).is_some_and(|token| token.is('.'));
    let is_path = before(1).is_some_and(|token| token.is(':'));
    let on = if is_method { before(2) } else { before(3).filter(|_| is_path) };
    let on = on.and_then(Token::word).map(str::to_owned);
    Some(Call { on, is_method, name, arguments: inside(&tokens[at + 1..]) })
}

/// What stands between the bracket that these tokens begin with and its partner.
pub(crate) fn inside(tokens: &[Token]) -> Vec<Token> {
    let mut depth = 0_usize;
    let end = tokens.iter().position(|token| {
        match token {
            Token::Sign('(' | '[' | '{') => depth += 1,
            Token::Sign(')' | ']' | '}') => depth -= 1,
            _ => {}
        }
        depth == 0
    });
    tokens[1..end.expect("brackets are closed")].to_vec()
}
