//! `derive(Wire)`: see `madang_protocol::wire`.
//!
//! Reads the `#[serde(…)]` attributes that stand on the type anyway, and refuses those it does not know: what serde writes on the
//! server and what the browser reads cannot drift apart in silence.

mod attributes;

use attributes::{Container, Member, Tagging};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Data, DataEnum, DeriveInput, Error, Fields, Ident, Variant, parse_macro_input, spanned::Spanned};

/// Derives `Wire` for structs of named fields, structs around one value, and enums.
#[proc_macro_derive(Wire, attributes(serde))]
pub fn wire(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand(&input).unwrap_or_else(Error::into_compile_error).into()
}

fn expand(input: &DeriveInput) -> Result<TokenStream, Error> {
    let container = Container::of(&input.attrs)?;
    let (read, write) = match &input.data {
        _ if container.through_string => through_string(),
        Data::Struct(data) => structure(&container, &data.fields)?,
        Data::Enum(data) => enumeration(&container, data)?,
        Data::Union(data) => return Err(Error::new(data.union_token.span, "a union does not cross")),
    };
    let name = &input.ident;
    Ok(quote! {
        impl ::madang_protocol::wire::Wire for #name {
            fn read(json: &::madang_protocol::wire::Json) -> ::core::option::Option<Self> {
                #read
            }

            fn write(&self, out: &mut ::std::string::String) {
                #write
            }
        }
    })
}

/// `#[serde(into = "String", try_from = "String")]`.
fn through_string() -> (TokenStream, TokenStream) {
    let read = quote! {
        let text: ::std::string::String = ::madang_protocol::wire::Wire::read(json)?;
        text.try_into().ok()
    };
    let write = quote! {
        let text: ::std::string::String = self.clone().into();
        ::madang_protocol::wire::Wire::write(&text, out);
    };
    (read, write)
}

fn structure(container: &Container, fields: &Fields) -> Result<(TokenStream, TokenStream), Error> {
    match fields {
        Fields::Named(_) => {
            let members = Members::of(container, fields)?;
            let (names, reads, writes) = (&members.names, members.reads(), members.writes());
            let default = container.default.then(|| quote! { let default = Self::default(); });
            let read = quote! { #default ::core::option::Option::Some(Self { #(#names: #reads,)* }) };
            let write = quote! {
                let Self { #(#names),* } = self;
                let mut object = ::madang_protocol::wire::Object::begin(out);
                #(#writes)*
                object.end();
            };
            Ok((read, write))
        }
        Fields::Unnamed(unnamed) if unnamed.unnamed.len() == 1 => {
            let read = quote! { ::madang_protocol::wire::Wire::read(json).map(Self) };
            Ok((read, quote! { ::madang_protocol::wire::Wire::write(&self.0, out); }))
        }
        other => Err(Error::new(other.span(), "a struct that crosses has named fields, or is around one value")),
    }
}

fn enumeration(container: &Container, data: &DataEnum) -> Result<(TokenStream, TokenStream), Error> {
    let mut reads = Vec::new();
    let mut writes = Vec::new();
    for variant in &data.variants {
        let (read, write) = arm(container, variant)?;
        reads.push(read);
        writes.push(write);
    }
    let parts = match &container.tagging {
        Tagging::External => quote! { json.variant() },
        Tagging::Internal { tag } => quote! { (json.get(#tag).text(), json) },
        Tagging::Adjacent { tag, content } => quote! { (json.get(#tag).text(), json.get(#content)) },
    };
    let read = quote! {
        let (name, content) = #parts;
        let _ = content;
        ::core::option::Option::Some(match name {
            #(#reads)*
            _ => return ::core::option::Option::None,
        })
    };
    Ok((read, quote! { match self { #(#writes)* } }))
}

/// The arms that read and write one variant. When reading, `content` is where its fields are.
fn arm(container: &Container, variant: &Variant) -> Result<(TokenStream, TokenStream), Error> {
    let ident = &variant.ident;
    let word = container.word(ident);
    match &variant.fields {
        Fields::Unit => {
            let write = match &container.tagging {
                Tagging::External => {
                    quote! { ::madang_protocol::wire::Wire::write(&::std::string::String::from(#word), out) }
                }
                tagging => object(tagging, &word, None),
            };
            Ok((quote! { #word => Self::#ident, }, quote! { Self::#ident => { #write } }))
        }
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
            if matches!(container.tagging, Tagging::Internal { .. }) {
                return Err(Error::new(variant.span(), "beside its tag an internally tagged variant has named fields"));
            }
            let read = quote! { #word => Self::#ident(::madang_protocol::wire::Wire::read(content)?), };
            let write =
                object(&container.tagging, &word, Some(quote! { ::madang_protocol::wire::Wire::write(value, out); }));
            Ok((read, quote! { Self::#ident(value) => { #write } }))
        }
        fields @ Fields::Named(_) => {
            let members = Members::of(&Container::default(), fields)?;
            let (names, reads, writes) = (&members.names, members.reads(), members.writes());
            let read = quote! {
                #word => {
                    let json = content;
                    Self::#ident { #(#names: #reads,)* }
                }
            };
            let write = match &container.tagging {
                Tagging::Internal { tag } => quote! {
                    let mut object = ::madang_protocol::wire::Object::begin(out);
                    object.word(#tag, #word);
                    #(#writes)*
                    object.end();
                },
                tagging => {
                    let inner = quote! {
                        let mut object = ::madang_protocol::wire::Object::begin(out);
                        #(#writes)*
                        object.end();
                    };
                    object(tagging, &word, Some(inner))
                }
            };
            Ok((read, quote! { Self::#ident { #(#names),* } => { #write } }))
        }
        other => {
            Err(Error::new(other.span(), "a variant that crosses is a word, holds one value, or has named fields"))
        }
    }
}

/// The object around a variant. `inner` writes what the variant holds to `out`.
fn object(tagging: &Tagging, word: &str, inner: Option<TokenStream>) -> TokenStream {
    let head = match tagging {
        Tagging::External => quote! {},
        Tagging::Internal { tag } | Tagging::Adjacent { tag, .. } => quote! { object.word(#tag, #word); },
    };
    let name = match tagging {
        Tagging::Adjacent { content, .. } => content.as_str(),
        _ => word,
    };
    let inner = inner.map(|inner| {
        quote! {{
            let out = object.name(#name);
            #inner
        }}
    });
    quote! {
        let mut object = ::madang_protocol::wire::Object::begin(out);
        #head
        #inner
        object.end();
    }
}

/// Named fields.
struct Members {
    names: Vec<Ident>,
    members: Vec<Member>,
    whole_default: bool,
}

impl Members {
    fn of(container: &Container, fields: &Fields) -> Result<Self, Error> {
        let names = fields.iter().filter_map(|field| field.ident.clone()).collect();
        let members = fields.iter().map(|field| Member::of(&field.attrs)).collect::<Result<_, _>>()?;
        Ok(Self { names, members, whole_default: container.default })
    }

    /// An expression for each, of its type; returns early when it cannot be read.
    fn reads(&self) -> Vec<TokenStream> {
        let read = |(ident, member): (&Ident, &Member)| {
            let name = ident.to_string();
            if self.whole_default {
                quote! { ::madang_protocol::wire::field_or(json, #name, || default.#ident)? }
            } else if member.default {
                quote! { ::madang_protocol::wire::field_or(json, #name, ::core::default::Default::default)? }
            } else {
                quote! { ::madang_protocol::wire::field(json, #name)? }
            }
        };
        self.names.iter().zip(&self.members).map(read).collect()
    }

    /// A statement for each; the fields are bound by their names, as references.
    fn writes(&self) -> Vec<TokenStream> {
        let write = |(ident, member): (&Ident, &Member)| {
            let name = ident.to_string();
            let add = quote! { object.field(#name, #ident); };
            match &member.skip_if {
                Some(skip) => quote! { if !#skip(#ident) { #add } },
                None => add,
            }
        };
        self.names.iter().zip(&self.members).map(write).collect()
    }
}

impl Container {
    /// What a variant is called on the wire.
    fn word(&self, ident: &Ident) -> String {
        if !self.snake_case {
            return ident.to_string();
        }
        let mut word = String::new();
        for (index, c) in format_ident!("{ident}").to_string().char_indices() {
            if c.is_uppercase() && index > 0 {
                word.push('_');
            }
            word.extend(c.to_lowercase());
        }
        word
    }
}
