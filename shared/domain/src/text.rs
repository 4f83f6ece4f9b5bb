//! A text that is written once and then only read and copied: a copy shares it.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A text that never changes. Copies of a record share the texts in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Text(Arc<str>);

impl Text {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        (*text.0).to_owned()
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_stored_as_what_it_says() {
        let text = Text::from("sent \"twice\"");
        let stored = serde_json::to_string(&text).unwrap();
        assert_eq!(stored, r#""sent \"twice\"""#);
        assert_eq!(serde_json::from_str::<Text>(&stored).unwrap(), text);
        assert_eq!(
            (text.to_string(), String::from(text.clone()), text.len()),
            (text.to_string(), text.to_string(), 12)
        );
    }
}
