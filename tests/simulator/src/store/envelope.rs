//! The envelope of every answer: success with a document, or an error with a code, both with HTTP 200 (dossier 3 and 5).

use crate::xml::Writer;

/// A no of the store. Only code 2040 is real; every invented code is 99xx and says that it is simulated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: u16,
    pub(super) message: &'static str,
}

pub(super) const NO_DATA: Refusal = Refusal { code: 2040, message: "No data found" };
pub(super) const WRONG_KEY: Refusal = Refusal { code: 9901, message: "SIMULATED: merchant key rejected" };
pub(super) const NO_MERCHANT: Refusal = Refusal { code: 9902, message: "SIMULATED: no such merchant" };
pub(super) const NOT_UNDERSTOOD: Refusal =
    Refusal { code: 9903, message: "SIMULATED: request not understood" };
pub(super) const NO_METHOD: Refusal = Refusal { code: 9904, message: "SIMULATED: no such method" };
pub(super) const BAD_PARAMETER: Refusal =
    Refusal { code: 9905, message: "SIMULATED: parameter not understood" };
pub(super) const BAD_UPDATE: Refusal = Refusal { code: 9906, message: "SIMULATED: update not understood" };
pub(super) const MAY_NOT_UPDATE: Refusal =
    Refusal { code: 9907, message: "SIMULATED: this merchant may not update orders" };
pub(super) const ON_DEMAND: &str = "SIMULATED: an error on demand";

/// Every code, as `Errors/LIST` shows them.
pub(super) const ALL: [Refusal; 8] =
    [NO_DATA, WRONG_KEY, NO_MERCHANT, NOT_UNDERSTOOD, NO_METHOD, BAD_PARAMETER, BAD_UPDATE, MAY_NOT_UPDATE];

/// A successful answer whose content `write` adds.
pub(super) fn success(write: impl FnOnce(&mut Writer)) -> String {
    let mut writer = Writer::document();
    writer.open_with("Response", &[("success", "true"), ("xmlns:xlink", "http://www.w3.org/1999/xlink")]);
    write(&mut writer);
    writer.close("Response");
    writer.finish()
}

/// A successful answer without content.
pub(super) fn done() -> String {
    let mut writer = Writer::document();
    let attributes = [("success", "true"), ("xmlns:xlink", "http://www.w3.org/1999/xlink")];
    writer.leaf_with("Response", &attributes, "");
    writer.finish()
}

/// An error answer.
pub(super) fn error(code: u16, message: &str) -> String {
    let mut writer = Writer::document();
    writer.open_with("Response", &[("success", "false")]);
    writer.leaf_with("Error", &[("code", &code.to_string())], message).close("Response");
    writer.finish()
}

/// Opens an `…Info` element with the two namespaces that a serialised .NET object carries.
pub(super) fn open_info(writer: &mut Writer, name: &str) {
    let attributes = [
        ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
        ("xmlns:xsd", "http://www.w3.org/2001/XMLSchema"),
    ];
    writer.open_with(name, &attributes);
}
