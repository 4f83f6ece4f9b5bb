//! `cartdock connection edit`: changes single settings of a connection, after showing what changes.

use domain::connection::Connection;
use operations::connections::difference;

use super::keep::Keeper;
use super::{ask, confirm, deployment, style};
use crate::cli::Edit;
use crate::commands::{Desk, Outcome, Problem};
use crate::config::is_secret;
use crate::settings::edit::{Stuck, set, unset};
use crate::settings::render;

/// A setting that is set to a literal of TOML, or taken out.
pub(super) type Step = (String, Option<String>);

impl Desk<'_> {
    pub(super) async fn edit_connection(&self, args: &Edit) -> Result<Outcome, Problem> {
        let connection = self.named(&args.connection)?;
        let mut steps = steps(&args.set, &args.unset)?;
        let keeper = if args.secret.is_empty() { None } else { Some(self.keeper().await?) };
        let mut secrets = Vec::new();
        for key in &args.secret {
            let keeper = keeper.as_ref().ok_or_else(|| Problem("there is no place for secrets".into()))?;
            let (reference, is_new) = place(&connection, keeper, key)?;
            if is_new {
                steps.push((key.clone(), Some(render::text(&format!("@{reference}")))));
            }
            secrets.push((key.clone(), reference));
        }
        let draft = self.draft(&connection, |text| walk(text, &connection, &steps))?;
        self.host.partners.store(&draft.wanted).await?;
        self.host.partners.warehouse(&draft.wanted).await?;
        let told = difference(&draft.wanted, Some(&connection))?;
        self.show(&told, || {
            let places = secrets.iter().map(|(key, place)| format!("  {key}: a new value in @{place}\n"));
            told.text(style()) + &places.collect::<String>()
        })?;
        let is_work = told.is_work() || !secrets.is_empty();
        if args.dry_run || !is_work {
            return Ok(Outcome::of(is_work));
        }
        let mut values = Vec::new();
        for (key, reference) in &secrets {
            values.push((reference, ask::secret(key)?));
        }
        if !args.yes {
            confirm::typed("Write this? Type yes", "yes", "--yes")?;
        }
        for (reference, value) in &values {
            if let Some(keeper) = &keeper {
                keeper.keep(reference, value).await?;
            }
        }
        self.write(draft, None).await?;
        ask::tell(self.counts());
        Ok(Outcome::Fine)
    }

    /// Where secrets are kept that are typed here.
    async fn keeper(&self) -> Result<Keeper, Problem> {
        match deployment(self.cli).await? {
            Some(deployment) => Keeper::of(&deployment),
            None => Keeper::beside(&self.cli.config),
        }
    }
}

/// Where a secret goes: where the setting says, if that can be written from here. True: the setting changes.
fn place(connection: &Connection, keeper: &Keeper, key: &str) -> Result<(String, bool), Problem> {
    let (side, name) = key.split_once('.').unwrap_or((key, ""));
    let settings = match side {
        "store" => &connection.store,
        "warehouse" => &connection.warehouse,
        _ => return Err(Problem(format!("{key} is no secret; secrets are settings of store and warehouse"))),
    };
    if !is_secret(name) {
        return Err(Problem(format!("{key} is no secret; set it with --set {key}=VALUE")));
    }
    let known = settings.get(name).and_then(|value| value.trim().strip_prefix('@'));
    Ok(match known.filter(|reference| keeper.can_write(reference)) {
        Some(reference) => (reference.to_owned(), false),
        None => (keeper.reference(&connection.id, key), true),
    })
}

/// The steps that arguments ask for. Secrets are refused: whoever lists processes sees arguments.
pub(super) fn steps(sets: &[(String, String)], unsets: &[String]) -> Result<Vec<Step>, Problem> {
    let mut steps = Vec::new();
    for (key, value) in sets {
        refuse(key)?;
        refuse_open_secret(key, value)?;
        steps.push((key.clone(), Some(literal(key, value))));
    }
    for key in unsets {
        refuse(key)?;
        steps.push((key.clone(), None));
    }
    Ok(steps)
}

/// A secret must not be an argument; its name may be.
pub(super) fn refuse_open_secret(key: &str, value: &str) -> Result<(), Problem> {
    let name = key.split_once('.').map_or(key, |(_, name)| name);
    if is_secret(name) && !value.starts_with('@') {
        return Err(Problem(format!(
            "nothing was changed: {key} is a secret, and everybody on this machine sees arguments; leave it out and it is \
             asked for (connection edit --secret {key}), or name it: {key}=@env:NAME"
        )));
    }
    Ok(())
}

fn refuse(key: &str) -> Result<(), Problem> {
    let cure = match key {
        "enabled" => "use cartdock connection enable, pause or resume",
        "id" | "connection" => "it is part of every reference; add a new connection instead",
        key if ["store.", "warehouse.", "policies.", "schedule."]
            .iter()
            .any(|side| key.starts_with(side)) =>
        {
            return Ok(());
        }
        "name" => return Ok(()),
        _ => "cartdock connection show names them: name, store.…, warehouse.…, policies.…, schedule.…",
    };
    Err(Problem(format!("nothing was changed: the setting {key} cannot be changed here; {cure}")))
}

/// A value as a literal of TOML.
fn literal(key: &str, value: &str) -> String {
    let is_number = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
    match key {
        "policies.ship_statuses" => {
            let words = value.split([' ', ',']).filter(|word| !word.is_empty()).map(render::text);
            format!("[{}]", words.collect::<Vec<_>>().join(", "))
        }
        "policies.unknown_method" if value != "hold" => format!("{{ use = {} }}", render::text(value)),
        key if is_number && (key.starts_with("policies.") || key.starts_with("schedule.")) => {
            value.to_owned()
        }
        _ => render::text(value),
    }
}

/// Does all steps in a text, one after the other.
pub(super) fn walk(text: &str, connection: &Connection, steps: &[Step]) -> Result<String, Stuck> {
    let mut text = text.to_owned();
    for (key, literal) in steps {
        let path = path(connection, key);
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        text = match literal {
            Some(literal) => set(&text, &connection.id, &path, literal)?,
            None => unset(&text, &connection.id, &path)?,
        };
    }
    Ok(text)
}

/// Where a setting stands: `warehouse.auth` is `auth.kind` where there is `auth.key` as well.
fn path(connection: &Connection, key: &str) -> Vec<String> {
    let mut path: Vec<String> = key.split('.').map(str::to_owned).collect();
    let Some((side, name)) = key.split_once('.') else { return path };
    let settings = match side {
        "store" => &connection.store,
        "warehouse" => &connection.warehouse,
        _ => return path,
    };
    if settings.keys().any(|other| other.starts_with(&format!("{name}."))) {
        path.push("kind".to_owned());
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_written_as_its_setting_wants_it() {
        for (key, value, written) in [
            ("policies.unpaid_days", "9", "9"),
            ("store.merchant_id", "9", "\"9\""),
            ("policies.ship_statuses", "accepted authorized", "[\"accepted\", \"authorized\"]"),
            ("policies.unknown_method", "UPSG", "{ use = \"UPSG\" }"),
            ("policies.unknown_method", "hold", "\"hold\""),
            ("name", "Ann's \"shop\"", "\"Ann's \\\"shop\\\"\""),
        ] {
            assert_eq!(literal(key, value), written, "{key}");
        }
    }

    #[test]
    fn a_secret_as_an_argument_is_refused_and_not_repeated() {
        let set = |key: &str, value: &str| steps(&[(key.to_owned(), value.to_owned())], &[]);
        for key in ["store.api_key", "warehouse.auth.key", "warehouse.token", "store.notify_secret"] {
            let Err(Problem(problem)) = set(key, "hunter2") else { panic!("{key}") };
            assert!(problem.contains(key) && !problem.contains("hunter2"), "{problem}");
            assert!(set(key, "@env:NAME").is_ok());
        }
        for key in ["enabled", "id", "history", "server.listen"] {
            assert!(set(key, "true").is_err(), "{key}");
        }
    }
}
