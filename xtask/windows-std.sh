#!/bin/bash
# Builds Rust's standard library for a Windows target from Debian's package `rust-src`, for machines that rustup cannot reach.
#   windows-std.sh TRIPLE FOLDER
# Afterwards FOLDER/sysroot is what `rustc --sysroot` wants; it fits the compiler that built it and no other. Nothing is
# installed: apt works in a root of its own below FOLDER.
set -euo pipefail

triple=$1
mkdir -p "$2"
folder=$(cd "$2" && pwd)
version=$(rustc -vV | sed -n 's/^release: //p')
sources="$folder/src/usr/src/rustc-$version/library"
libraries="$folder/sysroot/lib/rustlib/$triple/lib"

if [ ! -d "$sources" ]; then
    apt="$folder/apt"
    mkdir -p "$apt"/etc/apt/{apt.conf.d,preferences.d} "$apt"/var/lib/apt/lists/partial "$apt"/var/cache/apt/archives/partial \
        "$apt/var/lib/dpkg" "$folder/src"
    : >"$apt/var/lib/dpkg/status"
    mirror=$(sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/debian.sources | head -n 1)
    for suite in trixie trixie-backports sid; do
        echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror:-http://deb.debian.org/debian} $suite main"
    done >"$apt/etc/apt/sources.list"
    cat >"$apt/apt.conf" <<END
Dir "$apt/";
Dir::State::status "$apt/var/lib/dpkg/status";
Acquire::Languages "none";
APT::Sandbox::User "root";
END
    export APT_CONFIG="$apt/apt.conf"
    apt-get update -qq
    package=$(apt-cache madison rust-src | awk '{ print $3 }' | grep -m 1 "^${version}[+~-]") || {
        echo "Debian has no sources of Rust $version" >&2
        exit 1
    }
    (cd "$folder" && apt-get download "rust-src=$package")
    unset APT_CONFIG
    dpkg-deb --fsys-tarfile "$folder"/rust-src_*.deb | tar -x -C "$folder/src" --wildcards "./usr/src/rustc-$version/library/*"
    rm -f "$folder"/rust-src_*.deb
fi

# An empty program makes cargo build the library; what it builds is the sysroot.
mkdir -p "$folder/empty/src" "$libraries"
printf '[package]\nname = "empty"\nversion = "0.0.0"\nedition = "2021"\n[lib]\n[workspace]\n' >"$folder/empty/Cargo.toml"
: >"$folder/empty/src/lib.rs"
export RUSTC_BOOTSTRAP=1 __CARGO_TESTS_ONLY_SRC_ROOT="$sources" CARGO_TARGET_DIR="$folder/empty/target"
(cd "$folder/empty" && cargo build --quiet --release -Zbuild-std=std,panic_unwind,panic_abort,test,proc_macro --target "$triple")
find "$folder/empty/target/$triple/release/deps" -name '*.rlib' ! -name 'libempty-*' -exec cp {} "$libraries" \;
for object in rsbegin rsend; do
    rustc --target "$triple" --crate-type lib --emit obj -O -o "$libraries/$object.o" "$sources/rtstartup/$object.rs"
done
rm -rf "$folder/empty"
touch "$folder/sysroot/complete"
