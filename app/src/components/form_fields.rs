//! Reads a form's fields in the browser, by the same parser as the server's for a form posted without scripts.

use crate::posted::Posted;
use leptos::web_sys::Event;

/// What the form that `event` submits, or changes, says to the page at `path`. `None` on the server, and for a form that is none of
/// ours.
pub fn posted(event: &Event, path: &str) -> Option<Posted> {
    #[cfg(feature = "hydrate")]
    return Posted::parse(path, &fields(event)?);
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = (event, path);
        None
    }
}

/// Names and values in the order of the form. Files are left out; our forms have none.
#[cfg(feature = "hydrate")]
fn fields(event: &Event) -> Option<Vec<(String, String)>> {
    use wasm_bindgen::JsCast;
    let element = event.target()?.dyn_into::<web_sys::Element>().ok()?;
    let form = element.closest("form").ok()??.dyn_into::<web_sys::HtmlFormElement>().ok()?;
    let data = web_sys::FormData::new_with_form(&form).ok()?;
    // A form's data is iterable: pairs of name and value.
    let pairs = js_sys::Array::from(&data);
    let field = |pair| {
        let pair = js_sys::Array::from(&pair);
        Some((pair.get(0).as_string()?, pair.get(1).as_string()?))
    };
    Some(pairs.iter().filter_map(field).collect())
}
