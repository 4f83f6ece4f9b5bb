//! The template as JSON: CloudFormation's short tags (`!Ref`, `!GetAtt`, `!Sub`) in their long forms.

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

use crate::code::root;

/// Reads `infra/template.yaml`.
pub(crate) fn read() -> Value {
    let text = std::fs::read_to_string(root().join("infra/template.yaml")).unwrap();
    let documents = Yaml::load_from_str(&text).unwrap();
    assert_eq!(documents.len(), 1);
    json_of(&documents[0])
}

fn json_of(node: &Yaml<'_>) -> Value {
    match node {
        Yaml::Value(scalar) => scalar_of(scalar),
        Yaml::Sequence(nodes) => nodes.iter().map(json_of).collect(),
        Yaml::Mapping(entries) => {
            let entry = |(key, value): (&Yaml<'_>, &Yaml<'_>)| {
                let key = key.as_str().map_or_else(|| panic!("a key is no text: {key:?}"), str::to_owned);
                (key, json_of(value))
            };
            Value::Object(entries.iter().map(entry).collect())
        }
        Yaml::Tagged(tag, node) => tagged(&tag.suffix, json_of(node)),
        other => panic!("the template has something that CloudFormation does not know: {other:?}"),
    }
}

fn scalar_of(scalar: &Scalar<'_>) -> Value {
    match scalar {
        Scalar::Null => Value::Null,
        Scalar::Boolean(is) => json!(is),
        Scalar::Integer(number) => json!(number),
        Scalar::FloatingPoint(number) => json!(number.to_string()),
        Scalar::String(text) => json!(text),
    }
}

fn tagged(tag: &str, value: Value) -> Value {
    let long = match tag {
        "Ref" | "Condition" => tag.to_owned(),
        _ => format!("Fn::{tag}"),
    };
    Value::Object(Map::from_iter([(long, value)]))
}

/// The resources of a type, by their names.
pub(crate) fn resources<'a>(template: &'a Value, kind: &str) -> Vec<(&'a str, &'a Value)> {
    let all = template["Resources"].as_object().unwrap();
    all.iter().filter(|(_, one)| one["Type"] == kind).map(|(name, one)| (name.as_str(), one)).collect()
}

/// `poll-orders` for `PollOrders`.
pub(crate) fn kebab(name: &str) -> String {
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push('-');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

/// The resource that a `!GetAtt Name.Attribute` means.
pub(crate) fn named_by<'a>(value: &'a Value, attribute: &str) -> Option<&'a str> {
    value["Fn::GetAtt"].as_str()?.strip_suffix(attribute)?.strip_suffix('.')
}
