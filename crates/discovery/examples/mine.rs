//! Mines a process tree from standard input: one instance per line, activities as numbers between spaces.
//!
//! `cargo run -p discovery --example mine -- 0.2 < traces.txt` prints the tree and its fitness. Other tools that read
//! the same lines can so be compared with ours.

#![allow(clippy::unwrap_used, reason = "a program for developers; a broken line ends it")]

use std::io::Read;

use discovery::models::{Trace, fitness, mine};

fn main() {
    let noise: f64 = std::env::args().nth(1).map_or(0.0, |text| text.parse().unwrap());
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).unwrap();
    let traces: Vec<Trace> =
        text.lines().map(|line| (line.split_whitespace().map(|at| at.parse().unwrap()).collect(), 1)).collect();
    let tree = mine(&traces, noise);
    println!("{tree}\n{}", fitness(&tree, &traces));
}
