//! Reads the generic adapter's settings, with the preset behind them.

use reqwest::Method;

use super::fields::{LINE, LINES, ORDER};
use super::preset::STANDARD;
use crate::settings::{SettingError, Settings};
use crate::wms::authorization::is_header_name;
use crate::wms::document::{Format, Path};
use crate::wms::template::{Kind, Template, UrlTemplate, Value};

/// The word that switches an operation of the preset off.
const OFF: &str = "off";

/// The settings of one connection over the preset.
pub(super) struct Keys<'a> {
    pub(super) settings: &'a Settings,
    pub(super) format: Format,
    preset: bool,
}

/// One operation, ready to be rendered.
#[derive(Debug)]
pub(super) struct Operation {
    method: Method,
    pub(super) path: UrlTemplate,
    headers: Vec<(String, Template)>,
    pub(super) body: Option<Template>,
    pub(super) success: Statuses,
    format: Format,
}

impl<'a> Keys<'a> {
    /// Reads `format` and `preset`.
    pub(super) fn new(settings: &'a Settings) -> Result<Self, SettingError> {
        let format = settings.choice("format", &[("json", Format::Json), ("xml", Format::Xml)])?;
        let preset = settings.choice("preset", &[("standard", true), ("none", false)])?;
        if preset && format == Format::Xml && settings.optional("preset").is_some() {
            return Err(settings.error("preset", "is a JSON API; with format = xml there is none"));
        }
        Ok(Self { settings, format, preset: preset && format == Format::Json })
    }

    /// A setting, or what the preset says.
    pub(super) fn get(&self, key: &str) -> Option<&'a str> {
        let preset = || STANDARD.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
        self.settings.optional(key).or_else(|| self.preset.then(preset).flatten()).filter(|v| v.trim() != OFF)
    }

    pub(super) fn need(&self, key: &str) -> Result<&'a str, SettingError> {
        self.get(key).ok_or_else(|| self.settings.error(key, "is missing; add it"))
    }

    pub(super) fn path(&self, key: &str) -> Result<Option<Path>, SettingError> {
        self.get(key)
            .map(|text| Path::parse(self.format, text).map_err(|why| self.settings.error(key, why)))
            .transpose()
    }

    pub(super) fn need_path(&self, key: &str) -> Result<Path, SettingError> {
        self.need(key)?;
        self.path(key)?.ok_or_else(|| self.settings.error(key, "is missing; add it"))
    }

    pub(super) fn statuses(&self, key: &str, default: &str) -> Result<Statuses, SettingError> {
        Statuses::parse(self.get(key).unwrap_or(default)).map_err(|why| self.settings.error(key, why))
    }

    /// Words that are separated by commas.
    pub(super) fn words(&self, key: &str, default: &str) -> Vec<String> {
        let words = self.get(key).unwrap_or(default).split(',');
        words.map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
    }

    pub(super) fn template(
        &self,
        key: &str,
        kind: Kind,
        known: &[&[&str]],
    ) -> Result<Option<Template>, SettingError> {
        let parse = |text| Template::parse(kind, text, known).map_err(|why| self.settings.error(key, why));
        self.get(key).map(parse).transpose()
    }

    /// The kind of template that bodies are.
    pub(super) fn body_kind(&self) -> Kind {
        match self.format {
            Format::Json => Kind::Json,
            Format::Xml => Kind::Xml,
        }
    }

    /// An operation, where it has a path. Bodies of an order may use its lines, too.
    pub(super) fn operation(
        &self,
        name: &str,
        method: Method,
        known: &[&[&str]],
    ) -> Result<Option<Operation>, SettingError> {
        let key = |part: &str| format!("{name}.{part}");
        let Some(path) = self.get(&key("path")) else {
            return Ok(None);
        };
        let path = UrlTemplate::parse(path, known).map_err(|why| self.settings.error(&key("path"), why))?;
        let method = match self.get(&key("method")) {
            None => method,
            Some(word) => method_of(word).ok_or_else(|| {
                self.settings.error(&key("method"), "must be one of: GET, POST, PUT, PATCH, DELETE")
            })?,
        };
        let in_body: Vec<&[&str]> =
            known.iter().copied().chain((known.contains(&ORDER)).then_some(LINES)).collect();
        Ok(Some(Operation {
            method,
            path,
            headers: self.headers(&key("header."), known)?,
            body: self.template(&key("body"), self.body_kind(), &in_body)?,
            success: self.statuses(&key("success"), "2xx")?,
            format: self.format,
        }))
    }

    fn headers(&self, prefix: &str, known: &[&[&str]]) -> Result<Vec<(String, Template)>, SettingError> {
        let mut found = Vec::new();
        for key in self.settings.keys() {
            let Some(name) = key.strip_prefix(prefix) else { continue };
            if !is_header_name(name) {
                return Err(self.settings.error(key, "is no name of a header"));
            }
            if let Some(template) = self.template(key, Kind::Header, known)? {
                found.push((name.to_owned(), template));
            }
        }
        Ok(found)
    }

    /// The template of one line.
    pub(super) fn line(&self) -> Result<Option<Template>, SettingError> {
        self.template("create.line", self.body_kind(), &[ORDER, LINE])
    }
}

impl Operation {
    /// The call with its values.
    pub(super) fn call<'v>(
        &self,
        during: &'static str,
        value: &dyn Fn(&str) -> Value<'v>,
    ) -> crate::wms::caller::Call {
        let kind = match self.format {
            Format::Json => "application/json",
            Format::Xml => "application/xml",
        };
        let mut headers: Vec<(String, String)> =
            self.headers.iter().map(|(name, template)| (name.clone(), template.render(value))).collect();
        let mut add = |name: &str, value: &str| {
            if !headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name)) {
                headers.push((name.to_owned(), value.to_owned()));
            }
        };
        add("accept", kind);
        if self.body.is_some() {
            add("content-type", kind);
        }
        let body = self.body.as_ref().map(|body| body.render(value).into_bytes()).unwrap_or_default();
        crate::wms::caller::Call {
            during,
            method: self.method.clone(),
            path: self.path.render(value),
            headers,
            body,
        }
    }
}

fn method_of(word: &str) -> Option<Method> {
    [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE]
        .into_iter()
        .find(|method| method.as_str().eq_ignore_ascii_case(word.trim()))
}

/// A set of HTTP statuses: `200, 201`, `2xx`, `400-404`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statuses(Vec<(u16, u16)>);

impl Statuses {
    fn parse(text: &str) -> Result<Self, &'static str> {
        const RULE: &str = "must be statuses such as 200, 201 or 2xx or 400-404";
        let one = |part: &str| -> Option<(u16, u16)> {
            if let Some(class) = part.strip_suffix("xx") {
                let class: u16 = class.parse().ok()?;
                return (1..=5).contains(&class).then_some((class * 100, class * 100 + 99));
            }
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            Some((from.trim().parse().ok()?, to.trim().parse().ok()?))
        };
        text.split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(|part| one(part).filter(|(from, to)| (100..=599).contains(from) && from <= to && *to <= 599))
            .collect::<Option<_>>()
            .map(Self)
            .ok_or(RULE)
    }

    /// Is this status one of them?
    pub(super) fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|(from, to)| (*from..=*to).contains(&status))
    }

    /// A status that both hold.
    pub(super) fn common(&self, other: &Self) -> Option<u16> {
        (100..600).find(|status| self.contains(*status) && other.contains(*status))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_lists_classes_and_ranges() {
        let statuses = Statuses::parse("2xx, 304,400-404").unwrap();
        let held: Vec<u16> =
            [200, 299, 300, 304, 400, 404, 405].into_iter().filter(|s| statuses.contains(*s)).collect();
        assert_eq!(held, [200, 299, 304, 400, 404]);
        for bad in ["9xx", "77", "x", "404-400", "65599xx"] {
            assert!(Statuses::parse(bad).is_err(), "{bad}");
        }
    }
}
