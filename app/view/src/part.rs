//! `#[part]`: a function whose code, with all that only it needs, is a download of its own.
//!
//! What it becomes is what `wasm_split_helpers` calls a split point (its own attribute makes a function that waits, and that cannot be
//! asked whether it has to): an import that the splitter answers with the export, and the loader that it writes for the part's name.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::{FnArg, ItemFn, Pat, ReturnType};

/// The module that the splitter looks for.
const PLACEHOLDER: &str = "__wasm_split_placeholder__";

/// How many bytes of a function's name tell it from others of its part.
const ID_BYTES: usize = 16;

/// `of` names the part; without it the function is one by itself.
pub fn part(of: Option<Ident>, function: ItemFn) -> TokenStream {
    let ItemFn { attrs, vis, sig, block, .. } = function;
    let name = &sig.ident;
    let inputs = &sig.inputs;
    let output = match &sig.output {
        ReturnType::Default => quote! { () },
        ReturnType::Type(_, kind) => quote! { #kind },
    };
    let arguments: Option<Vec<Ident>> = inputs.iter().map(argument).collect();
    let Some(arguments) = arguments else {
        return quote! { ::std::compile_error!("a part takes arguments with plain names, and no self"); };
    };
    let of = of.unwrap_or_else(|| name.clone());
    let text = of.to_string();
    let load = format_ident!("__wasm_split_load_{of}");
    let id: String =
        name.to_string().bytes().chain([0; ID_BYTES]).take(ID_BYTES).map(|byte| format!("{byte:02x}")).collect();
    let import = format_ident!("__wasm_split_00{of}00_import_{id}_{name}");
    let export = format_ident!("__wasm_split_00{of}00_export_{id}_{name}");
    quote! {
        #(#attrs)*
        ///
        /// Gives `None` while the part has not been loaded.
        #vis fn #name(#inputs) -> ::std::option::Option<#output> {
            #[cfg(not(all(feature = "split", feature = "hydrate")))]
            {
                let run = move || -> #output #block;
                ::std::option::Option::Some(run())
            }
            #[cfg(all(feature = "split", feature = "hydrate"))]
            {
                #[link(wasm_import_module = #PLACEHOLDER)]
                #[allow(improper_ctypes)]
                unsafe extern "C" {
                    #[unsafe(no_mangle)]
                    safe fn #import(#inputs) -> #output;
                }
                #[allow(improper_ctypes_definitions)]
                #[unsafe(no_mangle)]
                extern "C" fn #export(#inputs) -> #output #block
                if #name::PART.is_loaded() {
                    ::std::option::Option::Some(#import(#(#arguments),*))
                } else {
                    ::std::option::Option::None
                }
            }
        }
        #vis mod #name {
            #[cfg(all(feature = "split", feature = "hydrate"))]
            pub static PART: crate::part::Part = {
                #[link(wasm_import_module = #PLACEHOLDER)]
                unsafe extern "C" {
                    #[unsafe(no_mangle)]
                    fn #load(callback: ::leptos::wasm_split::rt::LoadCallbackFn, data: *const ::core::ffi::c_void);
                }
                // SAFETY: the splitter's script calls back once for each call, with the data that it was given.
                crate::part::Part::new(unsafe { ::leptos::wasm_split::rt::LazySplitLoader::new(#load) })
            };
            #[cfg(not(all(feature = "split", feature = "hydrate")))]
            pub static PART: crate::part::Part = crate::part::Part::new(#text);
        }
    }
}

fn argument(input: &FnArg) -> Option<Ident> {
    let FnArg::Typed(typed) = input else { return None };
    let Pat::Ident(pattern) = &*typed.pat else { return None };
    Some(pattern.ident.clone())
}
