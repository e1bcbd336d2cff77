//! Rows as JSON.

use serde::ser::{Serialize, SerializeMap as _, Serializer};
use vigint_db::export::{Row, Table, Value};

/// One row as an object whose fields are its columns.
pub(super) struct Shown<'a> {
    pub(super) table: &'a Table,
    pub(super) row: &'a Row,
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.row.len()))?;
        for (column, value) in self.table.columns.iter().zip(self.row) {
            map.serialize_key(column)?;
            match value {
                Value::Null => map.serialize_value(&()),
                Value::Flag(flag) => map.serialize_value(flag),
                Value::Number(number) => map.serialize_value(number),
                Value::Text(text) => map.serialize_value(text),
                Value::Time(at) => map.serialize_value(at),
            }?;
        }
        map.end()
    }
}
