// The options: a person can switch the extension off and narrow its hosts, unless an administrator has set both.

import type { Standing } from "./messages";

const text = (key: string): string => chrome.i18n.getMessage(key);
const standing: Standing = await chrome.runtime.sendMessage({ ask: "standing" });
document.documentElement.lang = chrome.i18n.getUILanguage();

const intro = document.createElement("p");
intro.textContent = text(standing.managed ? "options_managed" : "options_own");

const off = document.createElement("input");
off.type = "checkbox";
off.checked = standing.disabled;
const offLabel = document.createElement("label");
offLabel.append(off, ` ${text("options_off")}`);

const hosts = document.createElement("textarea");
hosts.value = standing.allowedHosts.join("\n");
hosts.spellcheck = false;
const hostsLabel = document.createElement("label");
hostsLabel.append(text("options_hosts"), hosts);

for (const field of [off, hosts]) {
  field.disabled = standing.managed;
  field.addEventListener("change", () => {
    const named = hosts.value.split(/\s+/).map((host) => host.toLowerCase()).filter(Boolean);
    void chrome.storage.local.set({ disabled: off.checked, allowedHosts: named.length === 0 ? null : named });
  });
}
document.getElementById("main")?.append(intro, offLabel, hostsLabel);

export {};
