//! Who may call: a header key, a bearer token, Basic, or OAuth 2 client credentials.

use std::time::Duration;

use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::options::Auth;
use super::orders::Answer;
use super::state::State;
use crate::store::pairs;

/// Are the credentials of this call right?
pub(super) fn is_allowed(state: &State, headers: &HeaderMap, now: Timestamp) -> bool {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match &state.auth {
        Auth::ApiKey(key) => header("x-api-key") == key,
        Auth::Bearer(token) => header("authorization").strip_prefix("Bearer ") == Some(token),
        Auth::Basic { user, password } => {
            basic(header("authorization")) == Some((user.clone(), password.clone()))
        }
        Auth::OAuth2 { .. } => {
            let token = header("authorization").strip_prefix("Bearer ").unwrap_or_default();
            state.tokens.iter().any(|(known, until)| known == token && now < *until)
        }
    }
}

/// `POST /oauth/token`: gives a token for the right client id and secret, in the form or as Basic.
pub(super) fn token(state: &mut State, headers: &HeaderMap, form: &str, now: Timestamp) -> Answer {
    let Auth::OAuth2 { client_id, client_secret, lifetime } = state.auth.clone() else {
        return (404, json!({"error": "not found"}));
    };
    let value =
        |name: &str| pairs(form).find(|(key, _)| key == name).map(|(_, value)| value).unwrap_or_default();
    if value("grant_type") != "client_credentials" {
        return (400, json!({"error": "unsupported_grant_type"}));
    }
    let authorization =
        headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (id, secret) = basic(authorization).unwrap_or_else(|| (value("client_id"), value("client_secret")));
    if (id, secret) != (client_id, client_secret) {
        state.counts.unauthorized += 1;
        return (401, json!({"error": "invalid_client"}));
    }
    (200, issued(state, lifetime, now))
}

fn issued(state: &mut State, lifetime: Duration, now: Timestamp) -> Value {
    let token = format!("simulated-token-{}", state.next_token());
    let until = now.checked_add(lifetime).unwrap_or(Timestamp::MAX);
    state.tokens.push((token.clone(), until));
    json!({"access_token": token, "token_type": "Bearer", "expires_in": lifetime.as_secs()})
}

fn basic(header: &str) -> Option<(String, String)> {
    let decoded = STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
    let (user, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}
