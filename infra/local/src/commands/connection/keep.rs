//! Where the secrets of a connection are kept that a person types: files beside the settings, or Secrets Manager.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use adapters::secret::Secret;
use adapters::secretsmanager::SecretsManager;
use domain::ConnectionId;

use crate::commands::Problem;
use crate::settings::file::private;
use crate::stack::Deployment;

/// A place for secrets.
pub(super) enum Keeper {
    /// Files in this directory.
    Files(PathBuf),
    /// Secrets Manager, under names that begin so.
    Cloud(Box<SecretsManager>, String),
}

impl Keeper {
    /// The place beside a settings file: `cartdock.secrets` for `cartdock.toml`. Not the data directory, which a person
    /// removes when the ledger was lost.
    pub(super) fn beside(settings: &Path) -> Result<Self, Problem> {
        Ok(Self::Files(std::path::absolute(settings)?.with_extension("secrets")))
    }

    /// That of a deployment.
    pub(super) fn of(deployment: &Deployment) -> Result<Self, Problem> {
        let prefix = deployment.secret_prefix.clone().ok_or_else(|| {
            let stack = &deployment.stack;
            let cure = "put the secret into Secrets Manager yourself and name it with --set KEY=@secret:NAME";
            Problem(format!(
                "stack {stack} does not say which secrets its functions may read (SecretPrefix); {cure}"
            ))
        })?;
        Ok(Self::Cloud(Box::new(deployment.secrets()), prefix))
    }

    /// What the setting says (without its `@`) whose secret is kept here.
    pub(super) fn reference(&self, id: &ConnectionId, key: &str) -> String {
        match self {
            Self::Files(dir) => format!("file:{}", dir.join(format!("{id}.{key}")).display()),
            Self::Cloud(_, prefix) => format!("secret:{prefix}{id}#{key}"),
        }
    }

    /// Can what a setting says be written here? A variable of the environment cannot.
    pub(super) fn can_write(&self, reference: &str) -> bool {
        match self {
            Self::Files(_) => reference.starts_with("file:"),
            Self::Cloud(..) => reference.starts_with("secret:"),
        }
    }

    /// Keeps a secret where the setting says.
    ///
    /// # Errors
    /// When it cannot be written there.
    pub(super) async fn keep(&self, reference: &str, value: &Secret) -> Result<(), Problem> {
        match (self, reference.split_once(':')) {
            (Self::Files(_), Some(("file", path))) => write(Path::new(path), value),
            (Self::Cloud(cloud, _), Some(("secret", name))) => {
                let (name, field) =
                    name.split_once('#').map_or((name, None), |(name, field)| (name, Some(field)));
                Ok(cloud.keep(name, field, value).await?)
            }
            _ => Err(Problem(format!("nothing can be kept in @{reference} from here"))),
        }
    }
}

/// Writes a file that only its owner may read: whoever reads it sees the old value or the new one.
fn write(path: &Path, value: &Secret) -> Result<(), Problem> {
    let refused =
        |error: std::io::Error| Problem(format!("{} cannot be written: {}", path.display(), error.kind()));
    if let Some(dir) = path.parent().filter(|dir| !dir.exists()) {
        make_private(dir).map_err(refused)?;
    }
    let draft = path.with_file_name(format!(".{}.new", std::process::id()));
    let written = private(&draft)
        .and_then(|mut file| file.write_all(value.expose().as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&draft, path));
    written.map_err(|error| {
        drop(std::fs::remove_file(&draft));
        refused(error)
    })
}

#[cfg(unix)]
fn make_private(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

#[cfg(not(unix))]
fn make_private(dir: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(dir)
}
