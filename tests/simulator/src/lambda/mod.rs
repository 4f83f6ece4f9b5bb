//! A Lambda host for one function: starts its real binary, feeds it events over the Runtime API, keeps its logs.

pub mod events;
mod runtime_api;

use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::clock::wall;
use crate::server::Server;
use crate::shared::Shared;

/// Why an invocation gave no result. Printed, it carries the function's logs.
#[derive(Debug, Clone, PartialEq)]
pub enum LambdaError {
    /// The function answered with an error document.
    Answered {
        /// The document: `errorType`, `errorMessage`.
        document: Value,
        /// What the function had logged by then.
        logs: String,
    },
    /// The function could not start: it reported so, or it cannot be executed.
    Init {
        /// What it reported.
        document: Value,
        /// What the function had logged by then.
        logs: String,
    },
    /// The process ended before it answered.
    Died {
        /// How it ended.
        exit: String,
        /// What the function had logged by then.
        logs: String,
    },
    /// The deadline passed; the process has been killed, as Lambda does.
    TimedOut {
        /// What the function had logged by then.
        logs: String,
    },
    /// The answer is no JSON.
    Unreadable {
        /// The answer.
        body: String,
    },
}

impl fmt::Display for LambdaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered { document, logs } => write!(f, "the function failed: {document}\n{logs}"),
            Self::Init { document, logs } => write!(f, "the function could not start: {document}\n{logs}"),
            Self::Died { exit, logs } => write!(f, "the function's process ended ({exit})\n{logs}"),
            Self::TimedOut { logs } => write!(f, "the deadline passed\n{logs}"),
            Self::Unreadable { body } => write!(f, "the function's answer is no JSON: {body}"),
        }
    }
}

impl std::error::Error for LambdaError {}

/// An event that waits for the function to fetch it.
struct Invocation {
    id: String,
    event: String,
    deadline_ms: i64,
}

/// What the function answered: a body, or an error document.
type Outcome = Result<Vec<u8>, Value>;

#[derive(Default)]
struct State {
    waiting: VecDeque<Invocation>,
    outcomes: BTreeMap<String, Outcome>,
    invocations: u64,
    started: Option<Instant>,
    init_time: Option<Duration>,
    init_error: Option<Value>,
    exit: Option<String>,
    logs: String,
}

/// A running function. Dropping it kills the process.
pub struct Host {
    state: Arc<Shared<State>>,
    kill: Arc<Notify>,
    pid: Option<u32>,
    watch: JoinHandle<()>,
    _server: Server,
}

impl Host {
    /// Starts the binary in an empty environment but for these variables and those that Lambda sets; the region and the
    /// (worthless) credentials that Lambda sets too can be overridden.
    ///
    /// # Errors
    /// When no loopback port can be bound or the binary cannot be started.
    pub async fn start(binary: &Path, env: &[(&str, &str)]) -> io::Result<Self> {
        let state = Arc::new(Shared::new(State::default()));
        let shared = Arc::clone(&state);
        let server = Server::start(move |request| runtime_api::answer(Arc::clone(&shared), request)).await?;
        let name = binary.file_stem().and_then(OsStr::to_str).unwrap_or("function");
        let mut command = Command::new(binary);
        command
            .env_clear()
            .envs(lambda_variables(name, &server.address().to_string()))
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        state.change(|state| state.started = Some(Instant::now()));
        let mut child = command.spawn()?;
        let pid = child.id();
        let pipes = (keep_logs(&state, child.stdout.take()), keep_logs(&state, child.stderr.take()));
        let kill = Arc::new(Notify::new());
        let watch = tokio::spawn(watch(child, pipes, Arc::clone(&state), Arc::clone(&kill)));
        Ok(Self { state, kill, pid, watch, _server: server })
    }

    /// Waits until the function asks for its first event, and gives the time from its start until then.
    ///
    /// # Errors
    /// When it reports a failure or its process ends.
    pub async fn ready(&self) -> Result<Duration, LambdaError> {
        let is_settled =
            |state: &State| state.init_time.is_some() || state.init_error.is_some() || state.exit.is_some();
        self.state.until(|| self.state.look(is_settled)).await;
        match self.init_time() {
            Some(time) => Ok(time),
            None => Err(self.end()),
        }
    }

    /// The time from the start of the process to its first request for an event; none before that.
    #[must_use]
    pub fn init_time(&self) -> Option<Duration> {
        self.state.look(|state| state.init_time)
    }

    /// Feeds the function one event and gives its answer. After the deadline the process is killed, as Lambda does.
    ///
    /// # Errors
    /// See [`LambdaError`].
    pub async fn invoke(&self, event: Value, deadline: Duration) -> Result<Value, LambdaError> {
        let until = (wall())().as_millisecond() + i64::try_from(deadline.as_millis()).unwrap_or(i64::MAX);
        let id = self.state.change(|state| {
            state.invocations += 1;
            let id = format!("00000000-0000-4000-8000-{:012}", state.invocations);
            let invocation = Invocation { id: id.clone(), event: event.to_string(), deadline_ms: until };
            state.waiting.push_back(invocation);
            id
        });
        let over = |state: &State| {
            state.outcomes.contains_key(&id) || state.exit.is_some() || state.init_error.is_some()
        };
        let answered = tokio::time::timeout(deadline, self.state.until(|| self.state.look(over))).await;
        match self.state.change(|state| state.outcomes.remove(&id)) {
            Some(Ok(body)) => serde_json::from_slice(&body)
                .map_err(|_| LambdaError::Unreadable { body: String::from_utf8_lossy(&body).into_owned() }),
            Some(Err(document)) => Err(LambdaError::Answered { document, logs: self.logs() }),
            None if answered.is_err() => {
                self.kill();
                Err(LambdaError::TimedOut { logs: self.logs() })
            }
            None => Err(self.end()),
        }
    }

    /// Kills the process at once, as when a worker is lost in the middle of its work.
    pub fn kill(&self) {
        self.kill.notify_one();
    }

    /// The number of the process, as long as it runs: for signals, and to see what it uses.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.pid.filter(|_| self.state.look(|state| state.exit.is_none()))
    }

    /// Waits until the process has ended and its last words are in the logs.
    pub async fn ended(&self) {
        self.state.until(|| self.state.look(|state| state.exit.is_some())).await;
    }

    /// Takes what has been logged so far off the logs, for who keeps them elsewhere.
    #[must_use]
    pub fn take_logs(&self) -> String {
        self.state.change(|state| std::mem::take(&mut state.logs))
    }

    /// What the function has written to its standard output and error so far.
    #[must_use]
    pub fn logs(&self) -> String {
        self.state.look(|state| state.logs.clone())
    }

    /// Waits until a line of the logs contains the text; for ever when none does.
    pub async fn logged(&self, text: &str) {
        self.state.until(|| self.state.look(|state| state.logs.contains(text))).await;
    }

    /// Why there is no answer and will be none.
    fn end(&self) -> LambdaError {
        self.state.look(|state| {
            let logs = state.logs.clone();
            match &state.init_error {
                Some(document) => LambdaError::Init { document: document.clone(), logs },
                None => LambdaError::Died { exit: state.exit.clone().unwrap_or_default(), logs },
            }
        })
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

/// The environment that Lambda gives every function.
fn lambda_variables(name: &str, runtime_api: &str) -> Vec<(&'static str, String)> {
    vec![
        ("AWS_LAMBDA_RUNTIME_API", runtime_api.to_owned()),
        ("AWS_LAMBDA_FUNCTION_NAME", name.to_owned()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{name}")),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/01/01/[$LATEST]0123456789abcdef".to_owned()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("_HANDLER", "bootstrap".to_owned()),
        ("TZ", ":UTC".to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "simulated".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "simulated".to_owned()),
    ]
}

fn keep_logs(
    state: &Arc<Shared<State>>,
    pipe: Option<impl AsyncRead + Send + Unpin + 'static>,
) -> JoinHandle<()> {
    let state = Arc::clone(state);
    tokio::spawn(async move {
        let Some(pipe) = pipe else { return };
        let mut lines = BufReader::new(pipe).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            state.change(|state| {
                state.logs.push_str(&line);
                state.logs.push('\n');
            });
        }
    })
}

/// Owns the process: it is killed when this task ends. Its end is told when its last words are in the logs.
async fn watch(
    mut child: Child,
    pipes: (JoinHandle<()>, JoinHandle<()>),
    state: Arc<Shared<State>>,
    kill: Arc<Notify>,
) {
    let exit = loop {
        tokio::select! {
            exit = child.wait() => break exit,
            () = kill.notified() => drop(child.start_kill()),
        }
    };
    let exit = exit.map_or_else(|error| error.to_string(), |status| status.to_string());
    // Bounded, because a process of its own that it left behind may hold the pipes open.
    let last_words = async { tokio::join!(pipes.0, pipes.1) };
    drop(tokio::time::timeout(Duration::from_secs(1), last_words).await);
    state.change(|state| state.exit = Some(exit));
}
