//! The service and the command line from outside: HTTP over a socket, the real `lode` as a child process.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod accounts;
mod analyses;
mod backups;
mod cli;
mod company_login;
mod confined;
mod document;
mod doors;
mod fleet;
mod harness;
mod http;
mod interface;
mod job_tests;
mod jobs;
mod kill;
mod people;
mod permissions;
mod pictures;
mod privacy;
mod support;
mod tables;
mod tasks;
mod wire;
