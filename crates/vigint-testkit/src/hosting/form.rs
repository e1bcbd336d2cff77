//! `multipart/form-data` (RFC 7578), as far as one upload needs it.

use std::collections::BTreeMap;

/// A field of a form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Field {
    /// What its lines say, such as `Content-Type: video/mp4`.
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

/// The fields of a form by name; `None` when this is no form.
pub(super) fn read(content_type: &str, body: &[u8]) -> Option<BTreeMap<String, Field>> {
    let (kind, boundary) = content_type.split_once("boundary=")?;
    if !kind.trim().starts_with("multipart/form-data") {
        return None;
    }
    let delimiter = format!("\r\n--{}", boundary.trim().trim_matches('"'));
    let mut fields = BTreeMap::new();
    // The first delimiter has no line before it.
    let mut rest = body.strip_prefix(delimiter.trim_start().as_bytes())?;
    while let Some(part) = rest.strip_prefix(b"\r\n") {
        let end = find(part, delimiter.as_bytes())?;
        let (field, after) = part.split_at_checked(end)?;
        let head_ends = find(field, b"\r\n\r\n")?;
        let (head, body) = field.split_at_checked(head_ends)?;
        let head = String::from_utf8(head.to_vec()).ok()?;
        let name = head.split_once(" name=\"")?.1.split('"').next()?;
        let body = body.strip_prefix(b"\r\n\r\n")?.to_vec();
        fields.insert(name.to_owned(), Field { head, body });
        rest = after.strip_prefix(delimiter.as_bytes())?;
    }
    rest.starts_with(b"--").then_some(fields)
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_taken_apart_and_half_a_form_is_none() {
        let body = b"--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b\r\nContent-Disposition: form-data; \
            name=\"video\"; filename=\"x.mp4\"\r\nContent-Type: video/mp4\r\n\r\n\r\n--x\0\r\n--b--\r\n";
        let fields = read("multipart/form-data; boundary=b", body).unwrap();
        assert_eq!(fields.keys().collect::<Vec<_>>(), ["a", "video"]);
        assert_eq!(fields["a"].body, b"1");
        assert_eq!(fields["video"].body, b"\r\n--x\0");
        assert!(fields["video"].head.contains("Content-Type: video/mp4"));
        for end in 0..body.len() - 2 {
            assert_eq!(read("multipart/form-data; boundary=b", &body[..end]), None);
        }
        assert_eq!(read("application/json", body), None);
    }
}
