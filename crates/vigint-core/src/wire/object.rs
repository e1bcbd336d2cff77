//! A JSON object, and nothing that could be taken for one.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// A `T` that must be written as an object. By itself serde reads a structure from an array, too, field by
/// field by position, and so would make an alarm of any list of texts.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields(PhantomData))
    }
}

struct Fields<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(fields)).map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{AlertRequest, BatchRequest};

    #[test]
    fn a_list_is_no_object() {
        let list = r#"["x","vol","HIGH"]"#;
        assert!(serde_json::from_str::<Object<AlertRequest>>(list).is_err());
        assert!(serde_json::from_str::<BatchRequest<'_>>(r#"{"frames":[["/9j/"]]}"#).is_err());
    }

    #[test]
    fn texts_of_an_object_are_borrowed() {
        let body = r#"{"frames":[{"frame_data":"/9j/"}]}"#;
        let batch: BatchRequest<'_> = serde_json::from_str(body).unwrap();
        assert!(matches!(
            batch.frames[0].0.frame_data,
            std::borrow::Cow::Borrowed("/9j/")
        ));
    }
}
