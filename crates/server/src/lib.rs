//! `lode`: the service and the command line, the one place where all meet and which talks to the world.
//!
//! The way of a recorded log:
//!
//! 1. [`import`] recognises a format and reads it row by row; [`importing`] takes a file into a project;
//! 2. [`jobs`] turns events into tables, with SQL that stands in `jobs/`, [`labels`] that give things names, and
//!    [`operators`] and [`task_operators`] that lend the engine the algorithms of `discovery`, [`tasks`] that bring what
//!    people said of them; what people wrote runs [`confined`];
//! 3. [`analyses`] answers the questions of the pages, [`subtraction`] refuses those that would tell of one person; [`api`] is how they are asked; [`pages`] serves the UI;
//!    [`postgres`] is the same for BI tools;
//! 4. [`export`] and [`exporting`] hand the log on to other tools, [`task_document`] a task to people and robots; [`rows`]
//!    gives answers the form of a file.
//!
//! What desktops send goes another way: [`client_api`] takes it in, [`folding`] makes tables of it, [`keyring`] holds the keys
//! that hash and sign, [`configuring`] publishes what clients obey, [`live`] tells pages that watch, [`pictures`] keeps what screens showed. [`retention`] ends what is over, [`erasing`] what a
//! person wants gone, [`alerts`] tells of clients that fell silent, [`backups`] save everything meanwhile. [`identity`] knows who somebody is, [`access`] what they may, and
//! [`audit`] what they did.
//!
//! [`simulation`] is clients without desktops. [`cli`] is the same by hand; [`serve`] keeps the service running.

#[cfg(all(feature = "planted", not(debug_assertions)))]
compile_error!("a program with bugs on purpose is never released");

pub mod access;
pub mod alerts;
pub mod analyses;
pub mod api;
pub mod audit;
pub mod backups;
pub mod cli;
pub mod client_address;
pub mod client_api;
mod complements;
pub mod configuring;
pub mod confined;
mod connections;
pub mod erasing;
mod erasure_list;
pub mod export;
pub mod exporting;
pub mod folding;
pub mod identity;
pub mod import;
pub mod importing;
pub mod jobs;
pub mod keyring;
pub mod labels;
pub mod live;
pub mod operators;
pub mod pages;
pub mod pictures;
pub mod plain_words;
pub mod postgres;
pub mod retention;
pub mod rows;
pub mod sample;
pub mod sample_events;
pub mod scripts;
pub mod serve;
pub mod simulation;
pub mod subtraction;
pub mod task_document;
pub mod task_operators;
pub mod tasks;
