#!/bin/sh
# Installs lode-agent for the user who runs it, without administrator rights, and starts it with every session.
# It captures nothing before the person has said yes. Usage:
#   install.sh [--server URL --key-file FILE] [--no-browsers]
#   install.sh --uninstall
set -eu

here=$(cd "$(dirname "$0")" && pwd)
lib="$HOME/.local/lib/lode"
bin="$HOME/.local/bin"
autostart="${XDG_CONFIG_HOME:-$HOME/.config}/autostart"
server="" key_file="" uninstall="" browsers=yes

while [ $# -gt 0 ]; do
    case "$1" in
        --server) server=$2; shift 2 ;;
        --key-file) key_file=$2; shift 2 ;;
        --no-browsers) browsers=""; shift ;;
        --uninstall) uninstall=yes; shift ;;
        *) echo "usage: install.sh [--server URL --key-file FILE] [--no-browsers] | --uninstall" >&2; exit 2 ;;
    esac
done

if [ -n "$uninstall" ]; then
    if [ -x "$lib/lode-agent" ]; then
        "$lib/lode-agent" quit >/dev/null 2>&1 || true
        "$lib/lode-agent" install-browser-host --remove >/dev/null 2>&1 || true
    fi
    rm -f "$bin/lode-agent" "$autostart/lode-agent.desktop" "$lib/lode-agent"
    rmdir "$lib" 2>/dev/null || true
    echo "lode-agent is removed; what it recorded is in ${XDG_STATE_HOME:-$HOME/.local/state}/lode until you delete it"
    exit 0
fi

mkdir -p "$lib" "$bin" "$autostart"
# A new file under the final name, so that a client that runs is not disturbed.
cp "$here/lode-agent" "$lib/lode-agent.new"
chmod 755 "$lib/lode-agent.new"
mv "$lib/lode-agent.new" "$lib/lode-agent"
ln -sf "$lib/lode-agent" "$bin/lode-agent"
cat >"$autostart/lode-agent.desktop" <<END
[Desktop Entry]
Type=Application
Name=Lode
Comment=Records work where it is allowed to, and shows that it does
Exec="$lib/lode-agent" run
X-GNOME-Autostart-enabled=true
END
# Browsers learn where the client is; without the extension, which an administrator or the person adds, that does nothing.
if [ -n "$browsers" ]; then
    "$lib/lode-agent" install-browser-host
fi
if [ -n "$server" ]; then
    "$lib/lode-agent" enroll --server "$server" --key-file "$key_file"
fi
echo "installed; it starts with the next session, or now with: $bin/lode-agent run"
