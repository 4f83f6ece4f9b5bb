//! Creates, finds and cancels orders at a warehouse that is described by settings.

use std::sync::Arc;

use async_trait::async_trait;
use domain::fulfillment::FulfillmentRequest;
use domain::warehouse::{
    Cancellation, Creation, Draft, OrderCancellation, OrderDesk, OrderLookup, WarehouseOrder,
};
use domain::{Failure, Reference, WarehouseOrderId};
use reqwest::Method;

use super::fields::{LINE, ONE_ORDER, ORDER, of_line, of_order};
use super::keys::{Keys, Operation, Statuses};
use crate::http::{Answer, Sent};
use crate::settings::SettingError;
use crate::wms::answers;
use crate::wms::caller::{Call, Caller};
use crate::wms::document::{Document, Format, Path};
use crate::wms::template::{Template, Value};

const CREATE: &str = "warehouse: create order";
const FIND: &str = "warehouse: look up order";
const CANCEL: &str = "warehouse: cancel order";

/// What tells a yes from a no in an answer whose status is fine: `<Response success="false">`.
struct Consent {
    path: Path,
    value: String,
}

impl Consent {
    fn read(keys: &Keys<'_>, name: &str) -> Result<Option<Self>, SettingError> {
        let path = keys.path(&format!("{name}.ok"))?;
        let value = keys.get(&format!("{name}.ok_value")).unwrap_or("true").trim().to_owned();
        Ok(path.map(|path| Self { path, value }))
    }

    /// Does the document say yes? None when it says nothing.
    fn given(&self, document: &Document) -> Option<bool> {
        document.top().text(&self.path).map(|word| word.eq_ignore_ascii_case(&self.value))
    }
}

/// Creates orders.
pub(super) struct Desk {
    caller: Arc<Caller>,
    format: Format,
    operation: Operation,
    line: Option<Template>,
    separator: String,
    id: Path,
    consent: Option<Consent>,
    pub(super) duplicate: Statuses,
    duplicate_id: Option<Path>,
    refused: Statuses,
    not_applied: Statuses,
    reason: Option<Path>,
}

impl Desk {
    /// Reads `create.*` and tries the templates out.
    pub(super) fn read(keys: &Keys<'_>, caller: Arc<Caller>) -> Result<Self, SettingError> {
        keys.need("create.path")?;
        let operation = keys
            .operation("create", Method::POST, &[ORDER])?
            .ok_or_else(|| keys.settings.error("create.path", "is missing; add it"))?;
        let desk = Self {
            caller,
            format: keys.format,
            operation,
            line: keys.line()?,
            separator: keys
                .get("create.line_separator")
                .unwrap_or(match keys.format {
                    Format::Json => ",",
                    Format::Xml => "",
                })
                .to_owned(),
            id: keys.need_path("create.id")?,
            consent: Consent::read(keys, "create")?,
            duplicate: keys.statuses("create.duplicate", "")?,
            duplicate_id: keys.path("create.duplicate_id")?,
            refused: keys.statuses("create.refused", "400, 404, 422")?,
            not_applied: keys.statuses("create.not_applied", "401, 403, 429, 503")?,
            reason: keys.path("create.refusal_reason")?,
        };
        desk.check_statuses(keys)?;
        desk.check_body(keys)?;
        Ok(desk)
    }

    /// One status must not mean two things.
    fn check_statuses(&self, keys: &Keys<'_>) -> Result<(), SettingError> {
        let sets = [
            ("create.success", &self.operation.success),
            ("create.duplicate", &self.duplicate),
            ("create.refused", &self.refused),
            ("create.not_applied", &self.not_applied),
        ];
        for (index, (key, set)) in sets.iter().enumerate() {
            for (other_key, other) in &sets[..index] {
                if let Some(status) = set.common(other) {
                    let why = format!("holds {status}, which \"{other_key}\" holds, too; take it out of one");
                    return Err(keys.settings.error(key, why));
                }
            }
        }
        Ok(())
    }

    /// Renders an order with every awkward character and reads the result back.
    fn check_body(&self, keys: &Keys<'_>) -> Result<(), SettingError> {
        let Some(body) = &self.operation.body else {
            return Ok(());
        };
        if body.uses("lines") && self.line.is_none() {
            return Err(keys
                .settings
                .error("create.line", "is missing, and create.body has {lines}; add it"));
        }
        for sample in super::sample::requests() {
            let call = self.call(&sample);
            Document::parse(self.format, &call.body).map_err(|why| {
                let problem =
                    format!("does not make a document, with a sample order put in (with create.line): {why}");
                keys.settings.error("create.body", problem)
            })?;
        }
        Ok(())
    }

    fn lines(&self, request: &FulfillmentRequest) -> String {
        let Some(template) = &self.line else {
            return String::new();
        };
        let line = |(index, line)| {
            template.render(&|name: &str| match LINE.contains(&name) {
                true => of_line(line, index, name),
                false => of_order(request, name),
            })
        };
        (1..).zip(&request.lines).map(line).collect::<Vec<_>>().join(&self.separator)
    }

    fn call(&self, request: &FulfillmentRequest) -> Call {
        let lines = self.lines(request);
        let mut call = self.operation.call(CREATE, &|name: &str| match name {
            "lines" => Value::Raw(lines.clone()),
            other => of_order(request, other),
        });
        let key = "Idempotency-Key";
        if !call.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(key)) {
            call.headers.push((key.to_owned(), request.reference.to_string()));
        }
        call
    }

    async fn outcome(&self, answer: &Answer, request: &FulfillmentRequest) -> Creation {
        let status = answer.status;
        let document = Document::parse(self.format, &answer.body);
        let id = |path: &Path| {
            let text = document.as_ref().ok().and_then(|document| document.top().text(path))?;
            WarehouseOrderId::parse(text).ok()
        };
        if self.duplicate.contains(status) {
            return Creation::Duplicate(self.duplicate_id.as_ref().and_then(id));
        }
        if self.not_applied.contains(status) {
            return Creation::NotApplied(self.failure(answer));
        }
        if self.refused.contains(status) {
            return Creation::Refused(self.why(answer, document.as_ref().ok(), request).await);
        }
        if !self.operation.success.contains(status) {
            return Creation::Unclear(self.failure(answer));
        }
        let document = match &document {
            Ok(document) => document,
            Err(why) => return Creation::Unclear(answers::unreadable(CREATE, answer, why)),
        };
        match self.consent.as_ref().map(|consent| consent.given(document)) {
            Some(None) => {
                Creation::Unclear(answers::unreadable(CREATE, answer, "it says neither yes nor no"))
            }
            Some(Some(false)) => Creation::Refused(self.why(answer, Some(document), request).await),
            None | Some(Some(true)) => id(&self.id).map_or_else(
                || Creation::Unclear(answers::unreadable(CREATE, answer, "there is no order id in it")),
                Creation::Accepted,
            ),
        }
    }

    /// Retryable whatever the status: what the warehouse understood and refused is told by `create.refused`.
    fn failure(&self, answer: &Answer) -> Failure {
        let now = self.caller.now();
        Failure::retryable(CREATE, answer.failure(CREATE, now).message).after(answer.wait(now))
    }

    async fn why(
        &self,
        answer: &Answer,
        document: Option<&Document>,
        request: &FulfillmentRequest,
    ) -> String {
        let said = document.zip(self.reason.as_ref()).and_then(|(document, path)| document.top().text(path));
        let Some(said) = said else {
            return format!("answered {} without a reason that we can read", answer.status);
        };
        let mut personal = answers::personal(&request.ship_to);
        personal.push(&request.comments);
        answers::reason(&said, &personal, &self.caller.secrets().await)
    }
}

#[async_trait]
impl OrderDesk for Desk {
    async fn create(&self, request: &FulfillmentRequest) -> Creation {
        match self.caller.send(self.call(request)).await {
            Sent::Answered(answer) => self.outcome(&answer, request).await,
            Sent::NotSent(failure) => Creation::NotApplied(failure),
            Sent::Unclear(failure) => Creation::Unclear(failure),
        }
    }

    async fn draft(&self, request: &FulfillmentRequest) -> Result<Option<Draft>, Failure> {
        self.caller.draft(&self.call(request)).await.map(Some)
    }
}

/// Values of an operation on one order.
fn of_one<'a>(reference: &'a Reference, id: Option<&'a WarehouseOrderId>) -> impl Fn(&str) -> Value<'a> {
    move |name| match name {
        "reference" => Value::Text(reference.as_str().into()),
        _ => Value::Text(id.map(WarehouseOrderId::as_str).unwrap_or_default().into()),
    }
}

/// Finds orders by their reference.
pub(super) struct Finder {
    caller: Arc<Caller>,
    format: Format,
    operation: Operation,
    list: Path,
    id: Path,
    reference: Path,
    cancelled: Option<Path>,
    cancelled_values: Vec<String>,
    absent: Statuses,
}

impl Finder {
    /// Reads `find.*`, where there is a `find.path`.
    pub(super) fn read(keys: &Keys<'_>, caller: Arc<Caller>) -> Result<Option<Self>, SettingError> {
        let Some(operation) = keys.operation("find", Method::GET, &[&["reference"]])? else {
            return Ok(None);
        };
        let finder = Self {
            caller,
            format: keys.format,
            operation,
            list: keys.need_path("find.list")?,
            id: keys.need_path("find.id")?,
            reference: keys.need_path("find.reference")?,
            cancelled: keys.path("find.cancelled")?,
            cancelled_values: keys.words("find.cancelled_values", "cancelled, canceled, true, 1"),
            absent: keys.statuses("find.absent", "")?,
        };
        match finder.absent.common(&finder.operation.success) {
            Some(status) => {
                let why = format!("holds {status}, which \"find.success\" holds, too; take it out of one");
                Err(keys.settings.error("find.absent", why))
            }
            None => Ok(Some(finder)),
        }
    }
}

#[async_trait]
impl OrderLookup for Finder {
    async fn find(&self, reference: &Reference) -> Result<Option<WarehouseOrder>, Failure> {
        let call = self.operation.call(FIND, &of_one(reference, None));
        let answer = self.caller.send(call).await.answer()?;
        if self.absent.contains(answer.status) {
            return Ok(None);
        }
        if !self.operation.success.contains(answer.status) {
            return Err(answers::failure(&answer, FIND, self.caller.now()));
        }
        let unreadable = |why: &str| answers::unreadable(FIND, &answer, why);
        let document = Document::parse(self.format, &answer.body).map_err(|why| unreadable(&why))?;
        let list = document.top().list(&self.list).ok_or_else(|| unreadable("there is no list in it"))?;
        let mut found = None;
        for entry in list {
            if entry.text(&self.reference).as_deref() != Some(reference.as_str()) {
                continue;
            }
            let id = entry.text(&self.id).and_then(|id| WarehouseOrderId::parse(id).ok());
            let id = id.ok_or_else(|| unreadable("the order in it has no id"))?;
            let word = self.cancelled.as_ref().and_then(|path| entry.text(path));
            let cancelled =
                word.is_some_and(|word| self.cancelled_values.iter().any(|v| v.eq_ignore_ascii_case(&word)));
            // A live one comes before a cancelled one of the same reference.
            if !cancelled {
                return Ok(Some(WarehouseOrder { id, cancelled }));
            }
            found = Some(WarehouseOrder { id, cancelled });
        }
        Ok(found)
    }
}

/// Cancels orders.
pub(super) struct Canceller {
    caller: Arc<Caller>,
    format: Format,
    operation: Operation,
    consent: Option<Consent>,
    refused: Statuses,
    reason: Option<Path>,
    needs_id: bool,
    lookup: Option<Arc<dyn OrderLookup>>,
}

impl Canceller {
    /// Reads `cancel.*`, where there is a `cancel.path`.
    pub(super) fn read(
        keys: &Keys<'_>,
        caller: Arc<Caller>,
        lookup: Option<Arc<dyn OrderLookup>>,
    ) -> Result<Option<Self>, SettingError> {
        let Some(operation) = keys.operation("cancel", Method::POST, &[ONE_ORDER])? else {
            return Ok(None);
        };
        let in_body = operation.body.as_ref().is_some_and(|body| body.uses("id"));
        Ok(Some(Self {
            caller,
            format: keys.format,
            needs_id: operation.path.uses("id") || in_body,
            operation,
            consent: Consent::read(keys, "cancel")?,
            refused: keys.statuses("cancel.refused", "400, 404, 409, 422")?,
            reason: keys.path("cancel.refusal_reason")?,
            lookup,
        }))
    }

    async fn why(&self, answer: &Answer, document: Option<&Document>) -> String {
        match document.zip(self.reason.as_ref()).and_then(|(document, path)| document.top().text(path)) {
            Some(said) => answers::reason(&said, &[], &self.caller.secrets().await),
            None => format!("answered {} without a reason that we can read", answer.status),
        }
    }
}

#[async_trait]
impl OrderCancellation for Canceller {
    async fn cancel(
        &self,
        reference: &Reference,
        order: Option<&WarehouseOrderId>,
    ) -> Result<Cancellation, Failure> {
        let mut id = order.cloned();
        if let (None, true, Some(lookup)) = (&id, self.needs_id, &self.lookup) {
            id = lookup.find(reference).await?.map(|found| found.id);
        }
        if self.needs_id && id.is_none() {
            return Ok(Cancellation::Refused("the warehouse does not know this order".to_owned()));
        }
        let call = self.operation.call(CANCEL, &of_one(reference, id.as_ref()));
        let answer = self.caller.send(call).await.answer()?;
        let document = Document::parse(self.format, &answer.body).ok();
        if self.refused.contains(answer.status) {
            return Ok(Cancellation::Refused(self.why(&answer, document.as_ref()).await));
        }
        if !self.operation.success.contains(answer.status) {
            return Err(answers::failure(&answer, CANCEL, self.caller.now()));
        }
        let Some(consent) = &self.consent else {
            return Ok(Cancellation::Cancelled);
        };
        match document.as_ref().and_then(|document| consent.given(document)) {
            Some(true) => Ok(Cancellation::Cancelled),
            Some(false) => Ok(Cancellation::Refused(self.why(&answer, document.as_ref()).await)),
            None => Err(answers::unreadable(CANCEL, &answer, "it says neither yes nor no")),
        }
    }
}
