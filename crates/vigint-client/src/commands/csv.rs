//! CSV as spreadsheets read it (RFC 4180, but for its line ends), whatever a field holds.

/// Begins what a spreadsheet would reckon out instead of showing.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// One line, with its end.
pub(super) fn line<'f>(fields: impl IntoIterator<Item = &'f str>) -> String {
    let fields: Vec<String> = fields.into_iter().map(field).collect();
    format!("{}\n", fields.join(","))
}

/// What a server says may come from anywhere: a formula becomes a text.
fn field(text: &str) -> String {
    let guard = if text.starts_with(FORMULA) { "'" } else { "" };
    let text = format!("{guard}{text}");
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_where_they_must_be_and_no_formula_is_left() {
        let fields = ["a", "", "b,c", "say \"hi\"", "two\nlines", "=SUM(A1)", "-1"];
        assert_eq!(
            line(fields),
            "a,,\"b,c\",\"say \"\"hi\"\"\",\"two\nlines\",'=SUM(A1),'-1\n"
        );
    }
}
