//! `view!` as leptos has it, in a fraction of the code that it becomes in the browser.
//!
//! Leptos gives every tag and every attribute a type of its own and compiles building, hydrating, rebuilding and mounting anew for
//! each. This macro writes the same page as data of one type, `crate::piece::Piece`. Components are leptos' own; what stands in
//! them, and they in a page, is a `Piece` again.
//!
//! Of attributes it knows a name and a value, `class:name`, `prop:name`, `on:event`, `node_ref` and `inner_html`.

mod part;

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use rstml::node::{KeyedAttribute, Node, NodeAttribute, NodeBlock, NodeElement, NodeName};
use syn::{Expr, ExprLit, Ident, Lit, Stmt, spanned::Spanned};

/// A part of a page. See leptos' `view!` for what it takes.
#[proc_macro]
pub fn view(tokens: proc_macro::TokenStream) -> proc_macro::TokenStream {
    match rstml::parse2(tokens.into()) {
        Ok(nodes) => all(&nodes),
        Err(error) => {
            let error = error.to_compile_error();
            quote! {{ #error }}
        }
    }
    .into()
}

/// A function whose code is a download of its own where the build splits the front end, or together with the others that name the same
/// part (`#[part(accounts)]`); elsewhere it is part of the whole. Beside the function stands a module of its name, with the `PART` that
/// loads it.
#[proc_macro_attribute]
pub fn part(of: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let of = (!of.is_empty()).then(|| syn::parse(of)).transpose();
    let expanded = of.and_then(|of| Ok(part::part(of, syn::parse(item)?)));
    expanded.unwrap_or_else(|error| error.to_compile_error()).into()
}

/// A piece of nodes.
fn all(nodes: &[Node]) -> TokenStream {
    let pieces: Vec<_> = nodes.iter().filter(|node| !matches!(node, Node::Comment(_))).map(piece).collect();
    match pieces.as_slice() {
        [piece] => quote! { #piece },
        pieces => quote! { crate::piece::Piece::Many(::std::vec![#(#pieces),*]) },
    }
}

/// A piece of a node.
fn piece(node: &Node) -> TokenStream {
    match node {
        Node::Element(node) if is_component(node.name()) => {
            let node = component(node);
            quote! { crate::piece::any(::leptos::view! { #node }) }
        }
        Node::Element(node) => element(node),
        Node::Fragment(fragment) => all(&fragment.children),
        Node::Block(block) => {
            let value = value(block);
            quote! { crate::piece::IntoPiece::into_piece(#value) }
        }
        Node::Text(text) => {
            let text = &text.value;
            quote! { crate::piece::IntoPiece::into_piece(#text) }
        }
        other => quote_spanned! { other.span() => ::std::compile_error!("view! does not know this") },
    }
}

/// Routes are read by the component that they stand in.
fn is_route(node: &Node) -> bool {
    matches!(node, Node::Element(node) if node.name().to_string() == "Route")
}

fn is_component(name: &NodeName) -> bool {
    !name.to_string().starts_with(|c: char| c.is_ascii_lowercase())
}

/// A component, for leptos' `view!`. What stands in it is one piece.
fn component(node: &NodeElement<rstml::Infallible>) -> TokenStream {
    let (open, close) = (&node.open_tag, &node.close_tag);
    let children = match node.children.as_slice() {
        [] => quote! {},
        // May be of a type that the component looks for.
        [block @ Node::Block(_)] => quote! { #block },
        children if children.iter().any(is_route) => quote! { #(#children)* },
        children => {
            let children = all(children);
            quote! { {#children} }
        }
    };
    quote! { #open #children #close }
}

fn element(node: &NodeElement<rstml::Infallible>) -> TokenStream {
    // Not to be met by what is written in the view.
    let this = Ident::new("element", Span::mixed_site());
    let tag = node.name().to_string();
    let (mut fixed, mut named, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for attribute in node.attributes() {
        let NodeAttribute::Attribute(attribute) = attribute else {
            return quote_spanned! { attribute.span() => ::std::compile_error!("view! takes names and values") };
        };
        let name = attribute.key.to_string().replace(' ', "");
        let name = name.strip_prefix("r#").unwrap_or(&name);
        match (always(attribute), attribute.value()) {
            (Some(text), _) if !name.contains(':') && !["inner_html", "node_ref"].contains(&name) => {
                fixed.push(quote! { (#name, #text) });
            }
            (_, Some(expression)) => match dynamic(name, expression) {
                Some((kind, name, value)) => {
                    named.push(quote! { (crate::piece::Kind::#kind, #name) });
                    values.push(value);
                }
                None => {
                    return quote_spanned! { attribute.span() => ::std::compile_error!("view! does not know this attribute") };
                }
            },
            (_, None) => return quote_spanned! { attribute.span() => ::std::compile_error!("a value is missing") },
        }
    }
    let children = node.children.iter().filter(|child| !matches!(child, Node::Comment(_))).map(piece);
    quote! {{
        let mut #this = crate::piece::Element::new(
            &crate::piece::Shape { tag: #tag, fixed: &[#(#fixed),*], named: &[#(#named),*] }
        );
        #(#this.value(#values);)*
        #(#this.child(#children);)*
        crate::piece::Piece::Element(#this)
    }}
}

/// The text of an attribute that is always the same.
fn always(attribute: &KeyedAttribute) -> Option<String> {
    if attribute.possible_value.to_value().is_none() {
        return Some(String::new());
    }
    match attribute.value()? {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
        Expr::Lit(ExprLit { lit: Lit::Bool(on), .. }) if on.value => Some(String::new()),
        _ => None,
    }
}

/// What an attribute's value is for, its name, and the value.
fn dynamic<'a>(name: &'a str, value: &Expr) -> Option<(Ident, &'a str, TokenStream)> {
    let kind = |kind: &str| Ident::new(kind, Span::call_site());
    let plain = quote! { crate::piece::IntoValue::into_value(#value) };
    Some(match name.split_once(':') {
        Some(("class", name)) => (kind("Class"), name, plain),
        Some(("prop", name)) => (kind("Property"), name, plain),
        Some(("on", name)) if name.chars().all(|c| c.is_ascii_lowercase()) => {
            let event = Ident::new(name, Span::call_site());
            (kind("Listener"), name, quote! { crate::piece::listener(::leptos::ev::#event, #value) })
        }
        Some(_) => return None,
        None => match name {
            "node_ref" => (kind("Reference"), name, quote! { crate::piece::reference(#value) }),
            "inner_html" => (kind("Html"), name, plain),
            "style" => return None,
            name => (kind("Attribute"), name, plain),
        },
    })
}

/// A block's value.
fn value(block: &NodeBlock) -> TokenStream {
    match block.try_block().map(|block| block.stmts.as_slice()) {
        Some([Stmt::Expr(expression, None)]) => quote! { #expression },
        _ => quote! { #block },
    }
}
