//! The command line: `lode serve`, `import`, `sql` and the rest, over a data folder of this machine.
//!
//! Answers go to standard output, everything else to standard error; `--json` makes the answer one JSON value. Progress
//! bars appear on a terminal only. Exit codes are those of [`ExitKind`].

mod backup;
mod config;
mod discover;
mod doctor;
mod export;
mod import;
mod job;
mod member;
mod project;
mod remote;
mod simulate;
mod sql;
mod upload;
mod user;

use crate::backups::BackupPlan;
use crate::client_address::AddressRange;
use crate::confined::{self, Confinement, Program, Workers};
use crate::jobs::runner::WorkshopError;
use crate::scripts::Scripts;
use crate::serve::{LISTEN_DEFAULT, ServeOptions, Service, end_of_process};
use crate::{api, operators, sample};
use anyhow::{Context, Result};
use clap::{Args, CommandFactory, Parser, Subcommand};
use remote::{Refused, Remote};
use secrecy::ExposeSecret;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use store::{Settings, Store, StoreError};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitKind {
    /// Everything was done.
    Done = 0,
    /// Something failed; the message says what and what to do.
    Failed = 1,
    /// The command line is wrong (clap says so itself).
    Usage = 2,
    /// A project, job, table or file is not there.
    Missing = 3,
    /// Another process works on the data folder.
    Locked = 4,
    /// The SQL is wrong.
    Sql = 5,
    /// The import is done, but some rows were rejected.
    Rejects = 6,
    /// A job failed; its old table is in place.
    Job = 7,
    /// `doctor` or `restore --check` found something.
    Unwell = 8,
}

/// Task mining that people can verify: import UI logs, run jobs, look at the answers.
#[derive(Debug, Parser)]
#[command(name = "lode", version, after_help = EXIT_CODES)]
pub struct Arguments {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done · 1 failed · 2 wrong command line · 3 not there · 4 data folder in use · 5 wrong SQL · \
6 imported, but rows were rejected · 7 a job failed · 8 doctor or check found something";

/// What every command understands.
#[derive(Debug, Args)]
struct Common {
    /// The data folder
    #[arg(long, global = true, env = "LODE_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    /// Keep control data in this PostgreSQL database instead of SQLite
    #[arg(long, global = true, env = "LODE_CONTROL", value_name = "URL", hide_env_values = true)]
    control: Option<String>,
    /// Memory for questions and jobs together, in MiB
    #[arg(long, global = true, env = "LODE_QUERY_MEMORY_MIB", value_name = "MIB", default_value_t = 1024)]
    query_memory_mib: usize,
    /// Cores for one question
    #[arg(long, global = true, env = "LODE_CORES", value_name = "N")]
    cores: Option<usize>,
    /// Look at people's SQL and clients' pictures without walls, where this machine has none
    #[arg(long, global = true, env = "LODE_UNCONFINED")]
    unconfined: bool,
    /// The Python that runs jobs which are scripts: 3.11 or newer, with pyarrow; without one they are refused
    #[arg(long, global = true, env = "LODE_PYTHON", value_name = "FILE")]
    python: Option<PathBuf>,
    /// File of the master key, outside the data folder; made at the first start
    #[arg(long, global = true, env = "LODE_MASTER_KEY_FILE", value_name = "FILE")]
    master_key: Option<PathBuf>,
    /// Ask the service at this address instead of a data folder; import, export, sql, job, project and simulate can
    #[arg(long, global = true, env = "LODE_SERVER", value_name = "URL")]
    server: Option<String>,
    /// The API token to ask it with
    #[arg(long, global = true, env = "LODE_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Answer in JSON
    #[arg(long, global = true)]
    json: bool,
}

/// How others reach the service.
#[derive(Debug, Args)]
struct Reach {
    /// Where to listen; other than this machine only with TLS, here or at a proxy
    #[arg(long, env = "LODE_LISTEN", default_value = LISTEN_DEFAULT)]
    listen: SocketAddr,
    /// The address that people know: https://lode.example.org
    #[arg(long, env = "LODE_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    /// Certificate chain to speak TLS with, PEM
    #[arg(long, env = "LODE_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Its key, PEM
    #[arg(long, env = "LODE_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Addresses of the proxies that speak TLS for this service and are believed: 10.0.0.0/8,192.0.2.1
    #[arg(long, env = "LODE_BEHIND_PROXY", value_name = "RANGES", value_delimiter = ',')]
    behind_proxy: Vec<AddressRange>,
    /// Where to speak the PostgreSQL protocol with BI tools: 127.0.0.1:5433; nowhere unless given
    #[arg(long, env = "LODE_POSTGRES", value_name = "ADDRESS")]
    postgres: Option<SocketAddr>,
    /// Let other machines reach PostgreSQL's port without encryption: only where the network itself encrypts
    #[arg(long, env = "LODE_POSTGRES_IN_THE_CLEAR", requires = "postgres")]
    postgres_in_the_clear: bool,
}

/// Where the service saves itself, and when.
#[derive(Debug, Args)]
struct Saved {
    /// Folder for backups, best on another disk; without one none are made
    #[arg(long, env = "LODE_BACKUPS", value_name = "DIR")]
    backups: Option<PathBuf>,
    /// Hours from one backup to the next; 0: only when somebody asks
    #[arg(long, env = "LODE_BACKUP_EVERY", value_name = "HOURS", default_value_t = 24, requires = "backups")]
    backup_every: u32,
    /// How many backups are kept
    #[arg(long, env = "LODE_BACKUPS_KEPT", value_name = "N", default_value_t = 7, requires = "backups", value_parser = clap::value_parser!(u16).range(1..))]
    backups_kept: u16,
    /// Command that each backup goes through, such as 'age -r age1…', which encrypts it
    #[arg(long, env = "LODE_BACKUP_THROUGH", value_name = "COMMAND", requires = "backups")]
    backup_through: Option<String>,
}

impl Saved {
    fn plan(self) -> Option<BackupPlan> {
        let (every_hours, kept) = (self.backup_every, usize::from(self.backups_kept));
        self.backups.map(|folder| BackupPlan { folder, every_hours, kept, through: self.backup_through })
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service for people with accounts
    Serve {
        #[command(flatten)]
        reach: Reach,
        #[command(flatten)]
        saved: Saved,
    },
    /// Run the service on sample recordings, open to everybody on this machine
    Demo {
        /// Where to listen
        #[arg(long, default_value = LISTEN_DEFAULT)]
        listen: SocketAddr,
    },
    /// Import recorded logs into a project
    Import(import::Import),
    /// Write a project's event log to a file
    Export(export::Export),
    /// Find the tasks in a recorded log, without a project
    Discover(discover::Discover),
    /// Ask a question in SQL
    Sql(sql::Sql),
    /// Data jobs: list, put, remove, run, history
    #[command(subcommand)]
    Job(job::Job),
    /// Projects: list, create, set, labels, compact, retire, erase, delete
    #[command(subcommand)]
    Project(project::ProjectCommand),
    /// Client configurations as files: check, test, schema
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Run simulated clients against a service
    Simulate(simulate::Simulate),
    /// Accounts: list, add, reset, disable, enable
    #[command(subcommand)]
    User(user::UserCommand),
    /// Answer one question of a person, given on standard input, without files or network
    #[command(hide = true)]
    Worker,
    /// Become the Python of one script, given on standard input, without other files or network
    #[command(hide = true)]
    Script,
    /// Print the OpenAPI document of the HTTP interface
    #[command(hide = true)]
    Openapi,
    /// Save the data folder into one archive
    Backup(backup::Backup),
    /// Bring an archive back into a new data folder, or check it
    Restore(backup::Restore),
    /// Check that everything is well: folder, disk, database, files, jobs
    Doctor,
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Runs a command line to its end.
pub fn run(arguments: Arguments) -> ExitCode {
    // Before any thread is started, so that their walls stand around all of them.
    match arguments.command {
        Command::Worker => return confined::child::run(),
        Command::Script => return confined::script::run(),
        _ => {}
    }
    let json = arguments.common.json;
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("lode: cannot start threads: {error}");
            return ExitCode::from(ExitKind::Failed as u8);
        }
    };
    let result = runtime.block_on(dispatch(arguments));
    runtime.shutdown_background();
    match result {
        Ok(kind) => ExitCode::from(kind as u8),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let kind = kind_of(&error);
            if json {
                println!(
                    "{}",
                    serde_json::json!({ "error": { "message": format!("{error:#}"), "exit_code": kind as u8 } })
                );
            }
            eprintln!("lode: {error:#}");
            ExitCode::from(kind as u8)
        }
    }
}

async fn dispatch(arguments: Arguments) -> Result<ExitKind> {
    let common = &arguments.common;
    let server = common.server.as_deref();
    if let Some(server) = server
        && !matches!(
            arguments.command,
            Command::Import(_)
                | Command::Export(_)
                | Command::Sql(_)
                | Command::Job(_)
                | Command::Project(_)
                | Command::Simulate(_)
        )
    {
        anyhow::bail!("this command works in a data folder, not at {server}: leave --server and LODE_SERVER out");
    }
    let remote = || server.map(|server| Remote::new(server, common.token.as_deref())).transpose();
    match arguments.command {
        Command::Serve { reach, saved } => {
            let options = ServeOptions {
                backups: saved.plan(),
                master_key: common.master_key.clone(),
                tls: reach.tls_cert.zip(reach.tls_key),
                proxies: reach.behind_proxy,
                public_url: reach.public_url,
                program: program(common)?,
                python: common.python.clone(),
                postgres: reach.postgres,
                postgres_in_the_clear: reach.postgres_in_the_clear,
                ..ServeOptions::on(reach.listen)
            };
            serve(open(common).await?, options).await
        }
        Command::Demo { listen } => {
            let master_key = common.master_key.clone();
            let program = program(common)?;
            let python = common.python.clone();
            let options = ServeOptions { open: true, master_key, program, python, ..ServeOptions::on(listen) };
            serve(open(common).await?, options).await
        }
        Command::Import(command) => {
            if let Some(remote) = remote()? {
                return command.run_at(&remote, common.json).await;
            }
            let store = open(common).await?;
            command.run(&store, scripts(common, &store)?, common.json).await
        }
        Command::Export(command) => match remote()? {
            Some(remote) => command.run_at(&remote, common.json).await,
            None => command.run(&open(common).await?, common.json).await,
        },
        Command::Sql(command) => match remote()? {
            Some(remote) => command.run_at(&remote, common.json).await,
            None => command.run(&open(common).await?, common.json).await,
        },
        Command::Job(job::Job::Test { files, fill_in }) => job::test(&files, fill_in).await,
        Command::Job(command) => {
            if let Some(remote) = remote()? {
                return command.run_at(&remote, common.json).await;
            }
            let store = open(common).await?;
            command.run(&store, scripts(common, &store)?, common.json).await
        }
        Command::Project(command) => match remote()? {
            Some(remote) => command.run_at(&remote, common.json).await,
            None => command.run(&open(common).await?, common.json).await,
        },
        Command::User(command) => command.run(&open(common).await?, common.json).await,
        Command::Worker | Command::Script => unreachable!("they have ended before threads were started"),
        Command::Openapi => {
            print!("{}", api::openapi::text());
            Ok(ExitKind::Done)
        }
        Command::Backup(command) => command.run(&open(common).await?, common.json).await,
        Command::Restore(command) => command.run(&data_folder(common), common.json).await,
        Command::Config(command) => command.run(common.json),
        Command::Discover(command) => command.run(common.json),
        Command::Simulate(command) => command.run(server, common.json).await,
        Command::Doctor => {
            let settings = settings(common);
            let scripts = Scripts::new(common.python.clone(), program(common)?, &settings);
            doctor::run(&settings, &scripts, common.json).await
        }
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Arguments::command(), "lode", &mut std::io::stdout());
            Ok(ExitKind::Done)
        }
    }
}

/// The data folder, from the root on: workers have another folder of their own.
fn data_folder(common: &Common) -> PathBuf {
    let folder = common.data.clone().unwrap_or_else(|| {
        let home = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from);
        let home = home.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share")));
        home.or_else(|| std::env::var_os("LOCALAPPDATA").map(PathBuf::from))
            .unwrap_or_else(|| PathBuf::from("."))
            .join("lode")
    });
    std::path::absolute(&folder).unwrap_or(folder)
}

fn settings(common: &Common) -> Settings {
    let mut settings = Settings::for_folder(data_folder(common));
    settings.control_url = common.control.clone();
    settings.query_memory_bytes = common.query_memory_mib << 20;
    settings.cores = common.cores.unwrap_or(settings.cores);
    settings
}

async fn open(common: &Common) -> Result<Store> {
    let store = Store::open(settings(common)).await?;
    store.engine().register(operators::all());
    store.engine().send_people_outside(Arc::new(Workers::new(program(common)?, store.settings())));
    Ok(store)
}

/// What runs jobs that are scripts.
fn scripts(common: &Common, store: &Store) -> Result<Scripts> {
    Ok(Scripts::new(common.python.clone(), program(common)?, store.settings()))
}

/// What is run where people's SQL and clients' pictures are looked at.
fn program(common: &Common) -> Result<Program> {
    let confinement = if common.unconfined { Confinement::Waived } else { Confinement::Required };
    Ok(Program { confinement, ..Program::this()? })
}

async fn serve(store: Store, options: ServeOptions) -> Result<ExitKind> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::try_from_env("LODE_LOG").unwrap_or_else(|_| "warn".into()))
        .with_writer(std::io::stderr)
        .init();
    let open = options.open;
    let service = Service::bind(store.clone(), options).await?;
    if open {
        eprintln!("Importing the sample recordings …");
        sample::install(&store).await.context("the sample recordings could not be imported")?;
        let (store, pictures) = (store.clone(), service.pictures());
        tokio::spawn(async move {
            if let Err(error) = sample::install_pictures(&store, &pictures).await {
                tracing::error!(error = format!("{error:#}"), "the pictures of the sample could not be kept");
            }
        });
    }
    println!("Lode is ready: {}", service.url());
    if let Some(address) = service.postgres_address()? {
        eprintln!(
            "PostgreSQL's clients: psql \"host={} port={} dbname=PROJECT user=me\", the password is an API token.",
            address.ip(),
            address.port()
        );
    }
    if let Some(token) = service.setup_token().await? {
        println!("Make the first account, an admin: {}/setup#{}", service.url(), token.expose_secret());
    }
    let who = if open { "Everybody on this machine is let in, and nobody else." } else { "People log in." };
    eprintln!("Data in {} ({}). {who} Stop with ctrl+c.", store.settings().folder.display(), store.control().kind());
    service.run(end_of_process()).await?;
    Ok(ExitKind::Done)
}

fn kind_of(error: &anyhow::Error) -> ExitKind {
    if let Some(refused) = error.downcast_ref::<Refused>() {
        return match refused.status.as_u16() {
            404 => ExitKind::Missing,
            422 => ExitKind::Sql,
            _ => ExitKind::Failed,
        };
    }
    let of_store = |cause: &(dyn std::error::Error + 'static)| match cause.downcast_ref::<WorkshopError>() {
        Some(WorkshopError::Store(error)) => Some(kind_of_store(error)),
        _ => match cause.downcast_ref::<std::io::Error>() {
            Some(error) if error.kind() == std::io::ErrorKind::NotFound => Some(ExitKind::Missing),
            _ => cause.downcast_ref::<StoreError>().map(kind_of_store),
        },
    };
    error.chain().find_map(of_store).unwrap_or(ExitKind::Failed)
}

fn kind_of_store(error: &StoreError) -> ExitKind {
    match error {
        StoreError::Missing { .. } => ExitKind::Missing,
        StoreError::File { source, .. } if source.kind() == std::io::ErrorKind::NotFound => ExitKind::Missing,
        StoreError::Locked(_) => ExitKind::Locked,
        StoreError::Sql { .. } | StoreError::Script { .. } | StoreError::Cancelled(_) => ExitKind::Sql,
        _ => ExitKind::Failed,
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}

/// Prints an answer: JSON, or what `text` makes of it.
fn print(json: bool, value: &serde_json::Value, text: impl FnOnce() -> String) {
    if json { println!("{value}") } else { println!("{}", text()) }
}

/// A fresh id for a batch of runs.
fn new_batch() -> String {
    uuid::Uuid::now_v7().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn an_error_tells_its_exit_code() {
        let missing =
            anyhow::Error::new(StoreError::Missing { kind: "project", name: "x".into() }).context("while looking");
        assert_eq!(kind_of(&missing), ExitKind::Missing);
        let missing = WorkshopError::Store(StoreError::Missing { kind: "project", name: "x".into() });
        assert_eq!(kind_of(&missing.into()), ExitKind::Missing);
        assert_eq!(kind_of(&anyhow::anyhow!("anything")), ExitKind::Failed);
    }
}
