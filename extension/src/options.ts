// The options: a person can switch the extension off and narrow its hosts, unless an administrator has set both.

import type { Settings } from "./messages";

const text = (key: string): string => chrome.i18n.getMessage(key);
const settings: Settings = await chrome.runtime.sendMessage({ ask: "settings" });
document.documentElement.lang = chrome.i18n.getUILanguage();

const intro = document.createElement("p");
intro.textContent = text(settings.managed ? "options_managed" : "options_own");

const off = document.createElement("input");
off.type = "checkbox";
off.checked = settings.disabled;
const offLabel = document.createElement("label");
offLabel.append(off, ` ${text("options_off")}`);

const hosts = document.createElement("textarea");
hosts.value = settings.allowedHosts?.join("\n") ?? "";
hosts.spellcheck = false;
const hostsLabel = document.createElement("label");
hostsLabel.append(text("options_hosts"), hosts);

for (const field of [off, hosts]) {
  field.disabled = settings.managed;
  field.addEventListener("change", () => {
    const named = hosts.value.split(/\s+/).map((host) => host.toLowerCase()).filter(Boolean);
    void chrome.storage.local.set({ disabled: off.checked, allowedHosts: named.length === 0 ? null : named });
  });
}
document.getElementById("main")?.append(intro, offLabel, hostsLabel);

export {};
