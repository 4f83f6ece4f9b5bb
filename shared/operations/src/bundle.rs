//! Everything about one order in one file that can be sent to somebody who helps: what we did and decided, by which settings
//! and mapping, without anything about the buyer and without secrets.

use std::collections::BTreeMap;

use domain::connection::{Connection, SettingMap};
use domain::mapping::{Mapping, Sku, Target};
use domain::order::Order;
use domain::ports::{Connections, Ledger, Mappings};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::explain::{Explain, Explanation};
use crate::find::{NotFound, find};

/// The fields of an order that say nothing about who bought it. Everything else is only told by its length.
const PLAIN: [&str; 22] = [
    "id",
    "client",
    "ordered_at",
    "payment",
    "archived",
    "lines",
    "product",
    "sku",
    "name",
    "quantity",
    "unit_price",
    "recurring",
    "code",
    "ship_method",
    "shipping_amount",
    "total",
    "currency",
    "recurring_order",
    "upsells",
    "residential",
    "unknown_elements",
    "method",
];

/// The fields of an address that may be told: a mistake in them decides which rule applies.
const PLACES: [&str; 2] = ["country", "region"];

/// What a setting's name has in it that may hold a secret.
const SECRET: [&str; 5] = ["key", "secret", "password", "token", "auth"];

/// What making a bundle needs, beside what explaining needs.
#[derive(Clone, Copy)]
pub struct Bundling<'a> {
    /// What explaining needs.
    pub explain: Explain<'a>,
    /// Which connections there are.
    pub connections: &'a dyn Connections,
    /// The truth.
    pub ledger: &'a dyn Ledger,
    /// Shop words to warehouse words.
    pub mappings: &'a dyn Mappings,
    /// The version of Cartdock.
    pub version: &'static str,
}

/// One order with all that decided about it. See the module.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bundle {
    /// The version of Cartdock that made it.
    pub cartdock: &'static str,
    /// When it was made.
    pub made_at: Timestamp,
    /// What `explain` tells.
    pub order: Explanation,
    /// The ledger's record.
    pub record: Value,
    /// What the store sold, masked; null when it is not kept any more.
    pub body: Value,
    /// The connection's settings; secrets are references in them.
    pub connection: Value,
    /// What its warehouse is known to do, and what waits for it.
    pub circuit: Value,
    /// How far its store was read.
    pub read_up_to: Option<Timestamp>,
    /// The mapping in force, as far as it is about this order.
    pub mapping: Value,
}

impl Bundling<'_> {
    /// Puts together what is known of the order that a text names.
    ///
    /// # Errors
    /// See [`NotFound`].
    pub async fn bundle(&self, text: &str) -> Result<Bundle, NotFound> {
        let key = find(self.connections, self.ledger, text).await?.key;
        let order = self.explain.explain(&key.to_string()).await?;
        let Some((record, body)) = self.ledger.open(&key, true).await? else {
            return Err(NotFound::Unknown(key.to_string()));
        };
        let connection = self.connections.get(&key.connection).await?;
        let mapping = self.mappings.current(&key.connection).await?;
        Ok(Bundle {
            cartdock: self.version,
            made_at: self.explain.now,
            order,
            record: value(&record),
            body: body.as_ref().map_or(Value::Null, masked_order),
            connection: connection.map_or(Value::Null, |connection| settings(&connection)),
            circuit: value(&self.ledger.circuit(&key.connection).await?),
            read_up_to: self.ledger.cursor(&key.connection).await?.position,
            mapping: about(&mapping, body.as_ref()),
        })
    }
}

fn value<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or_else(|error| Value::String(format!("not shown: {error}")))
}

fn masked_order(order: &Order) -> Value {
    masked(value(order), false)
}

/// Every text outside the fields that say nothing about the buyer becomes its length. A place keeps its name.
fn masked(value: Value, plain: bool) -> Value {
    match value {
        Value::Object(fields) => {
            let mask = |(field, value): (String, Value)| {
                let of_address = field == "ship_to";
                let told = PLAIN.contains(&field.as_str()) && !of_address;
                let value = if of_address { masked_address(value) } else { masked(value, told) };
                (field, value)
            };
            Value::Object(fields.into_iter().map(mask).collect())
        }
        Value::Array(all) => Value::Array(all.into_iter().map(|one| masked(one, plain)).collect()),
        Value::String(text) if !plain => length(&text),
        other => other,
    }
}

fn masked_address(value: Value) -> Value {
    let Value::Object(fields) = value else { return value };
    let mask = |(field, value): (String, Value)| {
        let value = match value {
            Value::String(text) => length(&text),
            Value::Object(_) if !PLACES.contains(&field.as_str()) => Value::Null,
            other => other,
        };
        (field, value)
    };
    Value::Object(fields.into_iter().map(mask).collect())
}

fn length(text: &str) -> Value {
    Value::String(format!("({} characters)", text.chars().count()))
}

fn settings(connection: &Connection) -> Value {
    let hidden = |settings: &SettingMap| {
        let hide = |(name, value): (&String, &String)| {
            let may_be_secret = SECRET.iter().any(|part| name.to_lowercase().contains(part));
            let shown = if may_be_secret && !value.starts_with('@') { "(not shown)" } else { value };
            (name.clone(), shown.to_owned())
        };
        settings.iter().map(hide).collect::<BTreeMap<_, _>>()
    };
    let (store, warehouse) = (hidden(&connection.store), hidden(&connection.warehouse));
    value(&Connection { store, warehouse, ..connection.clone() })
}

/// The version, the listings of the order's SKUs, and all rules: they are tried in order.
fn about(mapping: &Mapping, order: Option<&Order>) -> Value {
    let skus = order.into_iter().flat_map(|order| order.lines.iter().filter_map(|line| line.sku.as_ref()));
    let listings: BTreeMap<&Sku, Option<&Target>> =
        skus.map(|sku| (sku, mapping.listings.get(sku))).collect();
    let mut about = Map::new();
    about.insert("version".to_owned(), mapping.version.into());
    about.insert("listings".to_owned(), value(&listings));
    about.insert("rules".to_owned(), value(&mapping.rules));
    Value::Object(about)
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::build;
    use testkit::model::{Class, Scene};
    use testkit::run::run;

    fn bundle(scene: &Scene, order: &str) -> Result<Bundle, NotFound> {
        let explain = Explain {
            connections: scene.connections.as_ref(),
            ledger: scene.ledger.as_ref(),
            partners: Some(scene.partners.as_ref()),
            mappings: Some(scene.mappings.as_ref()),
            now: build::noon(),
        };
        let bundling = Bundling {
            explain,
            connections: scene.connections.as_ref(),
            ledger: scene.ledger.as_ref(),
            mappings: scene.mappings.as_ref(),
            version: "1.2.3",
        };
        run(bundling.bundle(order))
    }

    #[test]
    fn a_bundle_tells_what_decided_and_nothing_of_the_buyer() {
        let mut scene = Scene::new(Class::U);
        scene.reconnect(|connection| {
            connection.store.insert("api_key".into(), "very-secret".into());
            connection.warehouse.insert("auth.token".into(), "@env:TOKEN".into());
        });
        scene.ready(7);
        scene.ledger.with(&scene.connection.id, |books| {
            for (body, _) in books.bodies.values_mut() {
                body.comments = "leave it with Unmistakable Neighbour".into();
                body.tracking_shown = vec!["1ZUNMISTAKABLE".into()];
            }
        });
        let bundle = bundle(&scene, "7").unwrap();
        let text = serde_json::to_string_pretty(&bundle).unwrap();
        let order = build::order(7);
        let to = order.ship_to.unwrap();
        let secrets =
            [Some(to.name), Some(to.line1), Some(to.city), Some(to.postal_code), to.phone, to.email];
        for secret in secrets.into_iter().flatten().filter(|text| !text.is_empty()) {
            assert!(!text.contains(&secret), "{secret} in {text}");
        }
        for hidden in ["very-secret", "Unmistakable", "UNMISTAKABLE"] {
            assert!(!text.contains(hidden), "{hidden} in {text}");
        }
        for part in ["MUG-BLUE-L", "WH-2001", "@env:TOKEN", "1.2.3", "main/7", "United States", "characters)"]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn an_order_whose_body_is_gone_is_told_without_it() {
        let scene = Scene::new(Class::U);
        scene.ready(7);
        scene.ledger.with(&scene.connection.id, |books| books.bodies.clear());
        assert_eq!(bundle(&scene, "main/7").unwrap().body, Value::Null);
        assert!(bundle(&scene, "8").unwrap_err().to_string().contains("not in the ledger"));
    }
}
