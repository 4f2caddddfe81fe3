//! `view!` as leptos has it, in half of the code that it becomes in the browser.
//!
//! Leptos gives every tag and every attribute a type of its own and compiles building, hydrating, rebuilding and mounting anew for
//! each. This macro writes the same page with one element type, `custom(tag)`, and attributes by name. It leaves to leptos' own
//! `view!` what needs the exact type: components, elements that are void or of SVG, those with a `node_ref`, and attributes that
//! are not simply a name and a value. The HTML is the same.

use proc_macro2::TokenStream;
use quote::quote;
use rstml::node::{KeyedAttribute, Node, NodeAttribute, NodeBlock, NodeElement, NodeName};
use syn::{Expr, Ident, Stmt, spanned::Spanned};

/// Tags that leptos has to write: without an end tag, of another namespace, or with text that is not escaped as usual.
const LEPTOS_ONLY: [&str; 26] = [
    "area", "base", "body", "br", "circle", "col", "embed", "g", "head", "hr", "html", "img", "input", "link", "meta",
    "noscript", "path", "rect", "script", "source", "style", "svg", "textarea", "title", "track", "wbr",
];

/// A part of a page. See leptos' `view!` for what it takes.
#[proc_macro]
pub fn view(tokens: proc_macro::TokenStream) -> proc_macro::TokenStream {
    match rstml::parse2(tokens.into()) {
        Ok(nodes) => match nodes.as_slice() {
            [node] => one(node),
            nodes => {
                let nodes = nodes.iter().map(nested);
                quote! { ::leptos::view! { #(#nodes)* } }
            }
        },
        Err(error) => {
            let error = error.to_compile_error();
            quote! {{ #error }}
        }
    }
    .into()
}

/// An expression for a node.
fn one(node: &Node) -> TokenStream {
    match node {
        Node::Element(element) => small(element).unwrap_or_else(|| large(element)),
        Node::Block(block) => value(block),
        Node::Text(text) => {
            let text = &text.value;
            quote! { #text }
        }
        other => quote! { ::leptos::view! { #other } },
    }
}

/// A node within leptos' `view!`.
fn nested(node: &Node) -> TokenStream {
    match node {
        Node::Element(element) => match small(element) {
            Some(element) => quote! { {#element} },
            None => open(element),
        },
        other => quote! { #other },
    }
}

/// An element that leptos writes, with children of ours.
fn large(element: &NodeElement<rstml::Infallible>) -> TokenStream {
    let element = open(element);
    quote! { ::leptos::view! { #element } }
}

fn open(element: &NodeElement<rstml::Infallible>) -> TokenStream {
    let (open, close) = (&element.open_tag, &element.close_tag);
    let children = element.children.iter().map(nested);
    quote! { #open #(#children)* #close }
}

/// An element of the one type; `None` when it needs its own.
fn small(element: &NodeElement<rstml::Infallible>) -> Option<TokenStream> {
    let tag = plain(element.name())?;
    if !tag.starts_with(|c: char| c.is_ascii_lowercase()) || LEPTOS_ONLY.contains(&tag.as_str()) {
        return None;
    }
    let attributes = element.attributes().iter().map(attribute).collect::<Option<Vec<_>>>()?;
    let children = element.children.iter().filter(|child| !matches!(child, Node::Comment(_))).map(one);
    Some(quote! { ::leptos::html::custom(#tag) #(#attributes)* #(.child(#children))* })
}

/// A name that is one word.
fn plain(name: &NodeName) -> Option<String> {
    let NodeName::Path(path) = name else { return None };
    path.path.get_ident().map(Ident::to_string)
}

/// The call that adds an attribute; `None` when it is not simply a name and a value.
fn attribute(attribute: &NodeAttribute) -> Option<TokenStream> {
    let NodeAttribute::Attribute(attribute) = attribute else { return None };
    let name = attribute.key.to_string().replace(' ', "");
    let name = name.strip_prefix("r#").unwrap_or(&name);
    let value = attribute_value(attribute)?;
    match name.split_once(':') {
        Some(("class", name)) => Some(quote! { .class((#name, #value)) }),
        Some(("prop", name)) => Some(quote! { .prop(#name, #value) }),
        Some(("on", name)) if name.chars().all(|c| c.is_ascii_lowercase()) => {
            let event = Ident::new(name, attribute.key.span());
            Some(quote! { .on(::leptos::ev::#event, #value) })
        }
        Some(_) => None,
        None => match name {
            "class" => Some(quote! { .class(#value) }),
            "node_ref" | "style" | "inner_html" => None,
            _ => Some(quote! { .attr(#name, ::leptos::prelude::IntoAttributeValue::into_attribute_value(#value)) }),
        },
    }
}

fn attribute_value(attribute: &KeyedAttribute) -> Option<TokenStream> {
    if attribute.possible_value.to_value().is_none() {
        return Some(quote! { true });
    }
    attribute.value().map(shared)
}

/// A block's value.
fn value(block: &NodeBlock) -> TokenStream {
    match block.try_block().map(|block| block.stmts.as_slice()) {
        Some([Stmt::Expr(expression, None)]) => shared(expression),
        _ => quote! { #block },
    }
}

/// A closure without arguments is something that changes: all that give the same type are made one type.
fn shared(expression: &Expr) -> TokenStream {
    match expression {
        Expr::Closure(closure) if closure.inputs.is_empty() => quote! { crate::reactive::shared(#expression) },
        expression => quote! { #expression },
    }
}
