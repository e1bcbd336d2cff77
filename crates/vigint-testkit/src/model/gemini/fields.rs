//! Fields of a request by their camelCase names; Gemini takes them in snake_case as well.

use serde_json::Value;

/// The field of this name, null being none.
pub(super) fn field<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    let found = object.get(name).or_else(|| object.get(snake_case(name)));
    found.filter(|value| !value.is_null())
}

/// The text in this field, empty when there is none.
pub(super) fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    field(object, name)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// What the list in this field holds.
pub(super) fn items<'a>(object: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    let list = field(object, name).and_then(Value::as_array);
    list.into_iter().flatten()
}

/// A field that is none of these.
pub(super) fn unknown<'a>(object: &'a Value, known: &[&str]) -> Option<&'a str> {
    let mut names = object.as_object()?.keys();
    let is_known = |name: &str| known.iter().any(|k| *k == name || snake_case(k) == name);
    names.find(|name| !is_known(name)).map(String::as_str)
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_found_by_both_names() {
        let object = json!({"inline_data": 1, "mimeType": "a", "fps": null});
        assert_eq!(field(&object, "inlineData"), Some(&json!(1)));
        assert_eq!(text(&object, "mimeType"), "a");
        assert_eq!(field(&object, "fps"), None);
        assert_eq!(unknown(&object, &["inlineData", "mimeType", "fps"]), None);
        assert_eq!(unknown(&object, &["mimeType", "fps"]), Some("inline_data"));
    }
}
